# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons a second over HTTP: `dirfactor serve`, a Starlette endpoint that does nothing, and privacyIDEA, in one run.

The load generator has one core. Our service and the endpoint have the other; privacyIDEA has both, with two workers,
and as many logons in flight as serve it well. Each case is measured once a round, in turn, and ratios are those of
medians.
"""

import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parents[1])]

import token_holders
from arguments import parser, to_publish, with_people, workplace
from dialects import DIALECTS
from load import Outcome, hotp
from machine import Machine, cpu_seconds, resident, this_machine
from openldap import PASSWORD, openldap
from privacyidea import privacyidea
from processes import listens, ours, running
from published import Results, Server, Wanted, told
from report import Spread, digits, progress, spread
from sink import Messages

from auth.clock import SYSTEM_CLOCK
from auth.demo.service import free_port
from auth.settings import ServiceSettings
from schema.errors import Fault

_SERVER_CORE, _LOAD_CORE, _BOTH_CORES = (["taskset", "-c", cores] for cores in ("1", "0", "0,1"))
OURS, OURS_BY_TEXT = "dirfactor: PIN + HOTP", "dirfactor: password + text"
NOTHING = "Starlette: nothing"
PEER, PEER_BY_TEXT = "privacyIDEA: HOTP without PIN", "privacyIDEA: text, without password or PIN"
TOKENS = 100
"""How many people have tokens in privacyIDEA, of either kind: it takes long to enrol them, and fewer serve it well."""
IN_FLIGHT_OF_PEER = 8
_PATIENCE = 60.0
_GATEWAY_SECONDS, _NEVER = 0.02, 3600.0
WANTED = {NOTHING: (OURS, 0.5), PEER: (OURS, 500.0), PEER_BY_TEXT: (OURS_BY_TEXT, 300.0)}
"""How many times as many logons of ours we want as of each peer."""


class Figures(msgspec.Struct, frozen=True):
    """What one case came to: see the table's head."""

    case: str
    in_flight: int
    per_second: Spread
    p50_ms: Spread
    p99_ms: Spread
    cpu_us: Spread
    memory_mb: float
    logons: int
    load_share: Spread


class Report(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: what it ran on.
        people: how many are in the directory.
        rounds: how often each case was measured.
        first_start: seconds until our service, started without a replica, had accepted somebody.
        start: the same with one.
        cases: what each came to.
        challenge_p99_ms: from a right password to its challenge, one logon at a time, with a gateway that takes 20 ms.
        hung_seconds: the longest that somebody waited for an answer while the gateway gave none.
    """

    machine: Machine
    people: int
    rounds: int
    first_start: float
    start: float
    cases: tuple[Figures, ...]
    challenge_p99_ms: float
    hung_seconds: float


@dataclass
class Case:
    """A server, and how people log on to it."""

    name: str
    dialect: str
    kind: str
    port: int
    process: int
    people: int
    in_flight: int
    gateway: int = 0
    counter: int = 0
    rounds: list[tuple[Outcome, float]] = field(default_factory=list)

    def load(self, seconds: float) -> None:
        """One round. Raises Fault when a logon does not end well."""
        had = cpu_seconds(self.process)
        outcome = self.asked(seconds, self.in_flight)
        self.counter += -(-outcome.accepted // self.people)
        if outcome.other or not outcome.accepted:
            raise Fault(
                f"{self.name}: {outcome.other} of {outcome.accepted + outcome.other} logons did not end well",
                remedy=f"the figures would be of something else; it said {outcome.sample}",
            )
        self.rounds.append((outcome, cpu_seconds(self.process) - had))

    def asked(self, seconds: float, in_flight: int, gateway_seconds: float = 0.0) -> Outcome:
        """The load generator's outcome, whatever it is."""
        options = {
            "dialect": self.dialect,
            "kind": self.kind,
            "port": self.port,
            "people": self.people,
            "counter": self.counter,
            "in-flight": in_flight,
            "seconds": seconds,
            "gateway": self.gateway,
            "gateway-seconds": gateway_seconds,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(
            [*_LOAD_CORE, sys.executable, _HERE / "load.py", *arguments], check=True, stdout=subprocess.PIPE
        )
        return msgspec.json.decode(done.stdout, type=Outcome)

    def figures(self) -> Figures:
        """All rounds together."""
        outcomes = [outcome for outcome, _ in self.rounds]
        return Figures(
            case=self.name,
            in_flight=self.in_flight,
            per_second=spread(outcome.accepted / outcome.seconds for outcome in outcomes),
            p50_ms=spread(outcome.p50 * 1e3 for outcome in outcomes),
            p99_ms=spread(outcome.p99 * 1e3 for outcome in outcomes),
            cpu_us=spread(cpu / outcome.accepted * 1e6 for outcome, cpu in self.rounds),
            memory_mb=resident(self.process),
            logons=sum(outcome.accepted for outcome in outcomes),
            load_share=spread(outcome.share for outcome in outcomes),
        )


def run(people: int, in_flight: int, rounds: int, seconds: float, folder: Path) -> Report:
    """Start the servers, and measure each case once a round.

    Raises:
        Fault: a server did not start, or answered otherwise than it should.
    """
    machine = this_machine()
    with ExitStack() as stack:
        site = folder / "site"
        site.mkdir()
        ports = token_holders.Ports.free()
        config = token_holders.write_site(site, people, ports)
        begun = SYSTEM_CLOCK.monotonic()
        with ours(config, _SERVER_CORE):
            first_start = _accepted(ports.http, 0) - begun
        begun = SYSTEM_CLOCK.monotonic()
        pid, _ = stack.enter_context(ours(config, _SERVER_CORE))
        start = _accepted(ports.http, 1) - begun
        texted = token_holders.TEXTED
        place = free_port(socket.SOCK_STREAM)
        nothing = stack.enter_context(running(_SERVER_CORE, _uvicorn(place)))
        listens(place)
        ldap = free_port(socket.SOCK_STREAM)
        stack.enter_context(openldap(folder / "ldap", people, ldap, _BOTH_CORES))
        other, gateway = free_port(socket.SOCK_STREAM), ports.gateway
        directory = (ldap, PASSWORD)
        peer = stack.enter_context(privacyidea(folder / "privacyidea", TOKENS, other, directory, gateway, _BOTH_CORES))
        cases = [
            Case(OURS, "dirfactor", "code", ports.http, pid, people, in_flight, counter=2),
            Case(NOTHING, "dirfactor", "code", place, nothing, people, in_flight),
            Case(PEER, "privacyidea", "code", other, peer, TOKENS, IN_FLIGHT_OF_PEER),
            Case(OURS_BY_TEXT, "dirfactor", "text", ports.http, pid, texted, in_flight, gateway),
            Case(PEER_BY_TEXT, "privacyidea", "text", other, peer, TOKENS, IN_FLIGHT_OF_PEER, gateway),
        ]
        for case in cases:
            case.load(min(1.0, seconds))
            case.rounds.clear()
        for number in range(rounds):
            for case in (*cases[number % len(cases) :], *cases[: number % len(cases)]):
                case.load(seconds)
                last = case.rounds[-1][0]
                progress(f"round {number + 1}/{rounds}  {case.name}: {digits(last.accepted / last.seconds)}/s")
        by_text = next(case for case in cases if case.name == OURS_BY_TEXT)
        challenge = by_text.asked(seconds, in_flight=1, gateway_seconds=_GATEWAY_SECONDS)
        figures = tuple(case.figures() for case in cases)
        hung = by_text.asked(seconds=0.1, in_flight=4, gateway_seconds=_NEVER)
        return Report(machine, people, rounds, first_start, start, figures, challenge.first_p99 * 1e3, hung.first_p99)


def _accepted(port: int, counter: int) -> float:
    """Have the first person log on again and again until they are accepted; when that was."""
    dialect = DIALECTS["dirfactor"]
    request = dialect.by_code(0, hotp(token_holders.seed(0), counter))
    deadline = SYSTEM_CLOCK.monotonic() + _PATIENCE
    while SYSTEM_CLOCK.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request)
            messages = Messages()
            body = None
            while body is None:
                body = messages.take(connection.recv(65536))
        if dialect.said(body).accepted:
            return SYSTEM_CLOCK.monotonic()
    raise Fault("the service accepts nobody", remedy=f"it said {body!r}")


def _uvicorn(port: int) -> list[str | Path]:
    quiet = ["--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "nothing:app", "--app-dir", _HERE, "--port", str(port), *quiet]


def results(report: Report) -> Results:
    """The report in the form that all benchmarks share, with what is wanted."""
    found = {each.case: each for each in report.cases}

    def ratio(peer: str) -> float | None:
        return found[WANTED[peer][0]].per_second.median / found[peer].per_second.median if peer in WANTED else None

    ours, peer = found[OURS], found[PEER]
    deadline = ServiceSettings().delivery_seconds
    return Results(
        machine=report.machine,
        conditions=(
            f"{report.people:,} people, {ours.in_flight} logons in flight, {peer.in_flight} for privacyIDEA, "
            f"{report.rounds} interleaved rounds; {digits(report.first_start)} s from the first start of dirfactor, "
            "which reads all people, to the first accept"
        ),
        servers=tuple(
            Server(
                name=each.case,
                ours=each.case in (OURS, OURS_BY_TEXT),
                per_second=each.per_second,
                ours_times=ratio(each.case),
                p50_ms=each.p50_ms.median,
                p99_ms=each.p99_ms.median,
                memory_mb=each.memory_mb,
                cpu_us=each.cpu_us,
            )
            for each in report.cases
        ),
        wanted=(
            *(Wanted(f"as many logons as {name}", ratio(name) or 0.0, wish) for name, (_, wish) in WANTED.items()),
            Wanted("p99 by privacyIDEA's", ours.p99_ms.median / peer.p99_ms.median, 1 / 50, at_most=True),
            Wanted("memory by privacyIDEA's", ours.memory_mb / peer.memory_mb, 1 / 3, at_most=True),
            Wanted("seconds from start to first accept, with a replica", report.start, 1.0, at_most=True),
            Wanted("ms to a challenge (p99), gateway takes 20 ms", report.challenge_p99_ms, 50.0, at_most=True),
            Wanted("seconds to an answer, gateway gives none", report.hung_seconds, deadline, at_most=True),
        ),
    )


def main() -> None:
    """Read the arguments, run, print."""
    given = to_publish(with_people(parser(__doc__, seconds=3.0), people=20_000)).parse_args()
    with workplace() as folder:
        report = run(given.people, given.in_flight, given.rounds, given.seconds, folder)
    told(results(report), "HTTP", as_json=given.json, to_publish=given.publish)


if __name__ == "__main__":
    main()
