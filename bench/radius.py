# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Access-Requests a second: `dirfactor serve` next to a bare pyrad server, in one run, round by round."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import company
import msgspec
from arguments import parser, with_people, workplace
from load import Outcome
from machine import Machine, cpu_seconds, this_machine
from report import Spread, digits, progress, show, show_json, spread, table, times

from auth.demo.service import audit_lines, free_port
from auth.demo.site import Site, open_site
from schema.errors import Fault

_HERE = Path(__file__).resolve().parent
_LONGEST_WARM_UP = 2000  # requests, one for each person at most: as many people stay decoded
_FEWEST, _MOST = 200, 60_000  # requests a round


class Figures(msgspec.Struct, frozen=True):
    """What one case came to.

    Attributes:
        case: what was asked of whom.
        per_second: replies a second.
        p50: milliseconds from a request to its reply, median.
        p99: of 100 replies, 99 came within these milliseconds.
        server_cpu: microseconds of processor time that the server took for a reply.
        generator_share: part of a core that the load generator took.
        replies: replies in all rounds, each verified.
        unanswered: requests in all rounds that got none.
        times_peer: median replies a second, divided by the peer's.
        cpu_times_peer: median processor time a reply, divided by the peer's.
    """

    case: str
    per_second: Spread
    p50: Spread
    p99: Spread
    server_cpu: Spread
    generator_share: Spread
    replies: int
    unanswered: int
    times_peer: float = 1.0
    cpu_times_peer: float = 1.0


class Report(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: what it ran on.
        in_flight: requests on their way at a time.
        people: users in the directory.
        rounds: rounds of each case, interleaved.
        cases: the figures; the peer is the last.
    """

    machine: Machine
    in_flight: int
    people: int
    rounds: int
    cases: tuple[Figures, ...]


@dataclass(slots=True)
class Case:
    """A server, and what it is asked.

    Attributes:
        name: for the table.
        port: its UDP port.
        process: its process id.
        secret: file with the shared secret.
        users: file with login names and passwords.
        code: the Code that every reply must have.
        sent: requests up to now.
        outcomes: of each round, and the server's processor seconds in it.
    """

    name: str
    port: int
    process: int
    secret: Path
    users: Path
    code: str
    sent: int = 0
    outcomes: list[tuple[Outcome, float]] = field(default_factory=list)

    async def load(self, count: int, in_flight: int) -> tuple[Outcome, float]:
        """Send requests; the outcome, and the server's processor seconds. Raises Fault for a reply of another kind."""
        had = cpu_seconds(self.process)
        arguments = {"port": self.port, "secret": self.secret, "users": self.users, "first": self.sent, "count": count}
        words = [f"--{name}={value}" for name, value in arguments.items()]
        load = await asyncio.create_subprocess_exec(
            sys.executable, _HERE / "load.py", *words, f"--in-flight={in_flight}", stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await load.communicate()
        if load.returncode:
            raise Fault(f"{self.name}: the load generator failed", remedy="see what it said above")
        self.sent += count
        outcome = msgspec.json.decode(printed, type=Outcome)
        if set(outcome.codes) != {self.code}:
            raise Fault(
                f"{self.name}: expected {self.code} only, got {outcome.codes}",
                remedy="the figures would be of something else; see the audit for the reason",
            )
        return outcome, cpu_seconds(self.process) - had

    def figures(self) -> Figures:
        """All rounds together."""
        outcomes = [outcome for outcome, _ in self.outcomes]
        return Figures(
            case=self.name,
            per_second=spread(outcome.replies / outcome.seconds for outcome in outcomes),
            p50=spread(outcome.p50 * 1e3 for outcome in outcomes),
            p99=spread(outcome.p99 * 1e3 for outcome in outcomes),
            server_cpu=spread(cpu / outcome.replies * 1e6 for outcome, cpu in self.outcomes),
            generator_share=spread(outcome.share for outcome in outcomes),
            replies=sum(outcome.replies for outcome in outcomes),
            unanswered=sum(outcome.unanswered for outcome in outcomes),
        )


async def run(people: int, in_flight: int, rounds: int, seconds: float, folder: Path) -> Report:
    """Start the servers, warm them up, and measure each case once a round, in turn.

    Raises:
        Fault: a server did not start, or answered otherwise than it should.
    """
    machine = this_machine()
    progress(f"{people} people into the directory, servers starting")
    async with (
        open_site(
            folder, directory=company.ldif(people), credentials={}, sync_seconds=2.0, refusal_seconds=0.0
        ) as site,
        _pyrad(folder / "radius.secret") as (peer_port, peer),
    ):
        cases = list(_cases(site, people, folder, peer_port, peer.pid))
        counts = {}
        for case in cases:
            outcome, _ = await case.load(min(people, _LONGEST_WARM_UP), in_flight)
            counts[case.name] = max(_FEWEST, min(_MOST, int(seconds * outcome.replies / outcome.seconds)))
            progress(f"warm-up  {_line(case, outcome)}")
        for number in range(rounds):
            for case in (*cases[number % len(cases) :], *cases[: number % len(cases)]):
                case.outcomes.append(await case.load(counts[case.name], in_flight))
                progress(f"round {number + 1}/{rounds}  {_line(case, case.outcomes[-1][0])}")
        _check_audit(site, sum(case.sent for case in cases[:-1]))
    return Report(machine, in_flight, people, rounds, tuple(_compared([case.figures() for case in cases])))


def _cases(site: Site, people: int, folder: Path, peer_port: int, peer: int) -> Iterator[Case]:
    known, unknown = folder / "known.users", folder / "unknown.users"
    known.write_text("".join(f"{company.login_name(n)} {company.password(n)}\n" for n in range(people)))
    unknown.write_text("".join(f"no-{company.login_name(n)} {company.password(n)}\n" for n in range(people)))
    secret = folder / "radius.secret"
    program = site.service.program
    if program is None:
        raise Fault("the service is not running", remedy="report this")
    ours, port = program.process.pid, site.service.radius_port
    yield Case("dirfactor: password right, asks for VIP", port, ours, secret, known, "ACCESS_CHALLENGE")
    yield Case("dirfactor: unknown user refused", port, ours, secret, unknown, "ACCESS_REJECT")
    yield Case("pyrad server: verifies, rejects", peer_port, peer, secret, unknown, "ACCESS_REJECT")


@asynccontextmanager
async def _pyrad(secret: Path) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """The peer, on a port of its own."""
    port = free_port(socket.SOCK_DGRAM)
    program = _HERE / "pyrad_reject.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, str(port), secret, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None or await process.stdout.readline() != b"ready\n":
            raise Fault("the pyrad server did not start", remedy="see what it said above")
        yield port, process
    finally:
        process.kill()
        await process.wait()


def _check_audit(site: Site, requests: int) -> None:
    """Every request to us left its line, or the figures were of a service that cuts corners."""
    lines = len(audit_lines(site.audit))
    if lines < requests:
        raise Fault(f"{requests} requests left {lines} lines in the audit", remedy="report this")


def _compared(cases: Sequence[Figures]) -> Iterator[Figures]:
    peer = cases[-1]
    for case in cases:
        yield msgspec.structs.replace(
            case,
            times_peer=case.per_second.median / peer.per_second.median,
            cpu_times_peer=case.server_cpu.median / peer.server_cpu.median,
        )


def _line(case: Case, outcome: Outcome) -> str:
    rate = digits(outcome.replies / outcome.seconds)
    return f"{case.name}: {outcome.replies} replies, {rate}/s, generator {outcome.share:.0%} of a core"


def as_text(report: Report) -> str:
    """The report as a Markdown table under a description of the machine."""
    head = (
        "case",
        "replies/s, median (range)",
        "x pyrad",
        "p50 ms",
        "p99 ms",
        "server CPU µs a reply",
        "x pyrad",
        "generator, of a core",
        "unanswered",
    )
    rows = [
        (
            case.case,
            case.per_second.text(),
            times(case.times_peer),
            digits(case.p50.median),
            digits(case.p99.median),
            case.server_cpu.text(),
            times(case.cpu_times_peer),
            f"{case.generator_share.median:.0%}",
            f"{case.unanswered} of {case.replies + case.unanswered:,}",
        )
        for case in report.cases
    ]
    return (
        f"{report.machine}\n"
        f"{report.in_flight} Access-Requests in flight, {report.people:,} people, "
        f"{report.rounds} interleaved rounds; servers and generator share the cores,\n"
        f"and a request's time to its reply is mostly its wait behind those that came before it\n\n{table(head, rows)}"
    )


def main() -> None:
    """Read the arguments, run, print."""
    given = with_people(parser(__doc__, seconds=2.0), people=2000).parse_args()
    with workplace() as folder:
        report = asyncio.run(run(given.people, given.in_flight, given.rounds, given.seconds, folder))
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
