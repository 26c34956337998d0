# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons a second over HTTP: `dirfactor serve`, a Starlette endpoint that does nothing, and privacyIDEA, in one run.

The load generator has one core. Our service and the endpoint have the other; privacyIDEA has both, with two workers,
and as many logons in flight as serve it well. Each case is measured once a round, in turn, and ratios are those of
medians.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent), str(_HERE.parents[1])]

import token_holders
from load import Outcome
from machine import Machine, cpu_seconds, resident, this_machine
from openldap import PASSWORD, openldap
from privacyidea import privacyidea
from processes import listens, ours, running
from report import Spread, digits, progress, show, show_json, spread, table, times

from auth.demo.service import free_port
from schema.errors import Fault

_SERVER_CORE, _LOAD_CORE, _BOTH_CORES = (["taskset", "-c", cores] for cores in ("1", "0", "0,1"))
OURS, OURS_BY_TEXT = "dirfactor: PIN + HOTP", "dirfactor: password + text"
NOTHING = "Starlette: nothing"
PEER, PEER_BY_TEXT = "privacyIDEA: HOTP without PIN", "privacyIDEA: text, without password or PIN"
TOKENS = 100
"""How many people have tokens in privacyIDEA, of either kind: it takes long to enrol them, and fewer serve it well."""
IN_FLIGHT_OF_PEER = 8
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
    """The whole run."""

    machine: Machine
    people: int
    rounds: int
    start_seconds: float
    cases: tuple[Figures, ...]


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
        options = {
            "dialect": self.dialect,
            "kind": self.kind,
            "port": self.port,
            "people": self.people,
            "counter": self.counter,
            "in-flight": self.in_flight,
            "seconds": seconds,
            "gateway": self.gateway,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(
            [*_LOAD_CORE, sys.executable, _HERE / "load.py", *arguments], check=True, stdout=subprocess.PIPE
        )
        outcome = msgspec.json.decode(done.stdout, type=Outcome)
        self.counter += -(-outcome.accepted // self.people)
        if outcome.other or not outcome.accepted:
            raise Fault(
                f"{self.name}: {outcome.other} of {outcome.accepted + outcome.other} logons did not end well",
                remedy=f"the figures would be of something else; it said {outcome.sample}",
            )
        self.rounds.append((outcome, cpu_seconds(self.process) - had))

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
        pid, started = stack.enter_context(ours(token_holders.write_site(site, people, ports), _SERVER_CORE))
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
            Case(OURS, "dirfactor", "code", ports.http, pid, people, in_flight),
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
        return Report(machine, people, rounds, started, tuple(case.figures() for case in cases))


def _uvicorn(port: int) -> list[str | Path]:
    quiet = ["--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "nothing:app", "--app-dir", _HERE, "--port", str(port), *quiet]


def as_text(report: Report) -> str:
    """The report as a Markdown table under a description of the machine."""
    head = (
        "case",
        "in flight",
        "logons/s, median (range)",
        "dirfactor is",
        "p50 ms",
        "p99 ms",
        "server CPU µs",
        "memory MB",
    )
    found = {each.case: each for each in report.cases}
    rows = [
        (
            each.case,
            str(each.in_flight),
            each.per_second.text(),
            times(_ratio(found, each.case)),
            digits(each.p50_ms.median),
            digits(each.p99_ms.median),
            each.cpu_us.text(),
            digits(each.memory_mb),
        )
        for each in report.cases
    ]
    return "\n".join(
        (
            f"{report.machine}",
            f"{report.people:,} people, {report.rounds} interleaved rounds",
            f"{report.start_seconds:.2f} s from the start of dirfactor until it was ready\n",
            table(head, rows),
            "",
            *_reached(report),
        )
    )


def _ratio(found: dict[str, Figures], peer: str) -> float | None:
    """How many times as many logons are ours as the peer's; None for our own cases."""
    if peer not in WANTED:
        return None
    return found[WANTED[peer][0]].per_second.median / found[peer].per_second.median


def _reached(report: Report) -> list[str]:
    """What is wanted, each with whether it is reached."""
    found = {each.case: each for each in report.cases}
    ours, peer = found[OURS], found[PEER]
    lines = [(name, _ratio(found, name) or 0.0, wish) for name, (_, wish) in WANTED.items()]
    lines += [
        ("privacyIDEA's p99 by ours", peer.p99_ms.median / ours.p99_ms.median, 50.0),
        ("privacyIDEA's memory by ours", peer.memory_mb / ours.memory_mb, 3.0),
        ("a second by our start", 1.0 / report.start_seconds, 1.0),
    ]
    return [
        f"- {name}: {digits(value)} x, wanted {wish} x: {'reached' if value >= wish else 'not reached'}"
        for name, value, wish in lines
    ]


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(prog="http", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--people", type=int, default=20_000, help="users in the directory")
    parser.add_argument("--in-flight", type=int, default=64, help="logons on their way at a time")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long one case of one round takes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dirfactor-bench-") as folder:
        Path(folder).chmod(0o755)
        try:
            report = run(given.people, given.in_flight, given.rounds, given.seconds, Path(folder))
        except Fault as fault:
            raise SystemExit(str(fault)) from None
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
