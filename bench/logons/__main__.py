# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons a second by PIN and one-time code: `dirfactor serve` next to FreeRADIUS, pyrad and a server in C, in one run.

The service has one core and the load generator the other. Each case is measured once a round, in turn, and ratios are
those of medians. What is wanted is the issue's; what is not reached is said.
"""

import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent)]

import token_holders
from arguments import parser, to_publish, with_people, workplace
from code_load import LOAD_CORE, SERVER_CORE, Case, Figures, compiled
from freeradius import freeradius
from machine import Machine, this_machine
from openldap import PASSWORD, openldap
from processes import ours, running
from published import Results, Server, Wanted, told
from report import digits, progress, spread

from auth.demo.service import free_port

FORGETFUL = "dirfactor: the same, state not durable"
OURS, CEILING = "dirfactor: PIN + HOTP, kept, audited", "C: PIN + HOTP, nothing kept"
WANTED = {
    "FreeRADIUS rlm_totp, nothing kept": 1.0,
    "FreeRADIUS rlm_ldap, bind": 8.0,
    "FreeRADIUS rlm_ldap, attribute": 3.0,
    "pyrad: verifies, rejects": 2.0,
}
"""How many times as many logons we want as each peer."""
WANTED_OF_C = 5.0
"""How many times the processor time of the server in C a reply may cost."""
WANTED_SHARE = 0.15
"""How much of the throughput durable state may cost."""
WANTED_PACED = 1.2
"""How many times FreeRADIUS's p99 ours may be when a thousand come a second, which neither has trouble with."""
PASSWORDS = "FreeRADIUS files, a password"


class Report(msgspec.Struct, frozen=True):
    """The whole run."""

    machine: Machine
    people: int
    in_flight: int
    rounds: int
    start_seconds: float
    cases: tuple[Figures, ...]
    cpu_of_c: float
    paced_p99_ms: dict[str, float]


def run(people: int, in_flight: int, rounds: int, seconds: float, folder: Path) -> Report:
    """Start the servers, and measure each case once a round.

    Raises:
        Fault: a server did not start, or answered otherwise than it should.
    """
    machine = this_machine()
    load, ceiling = (compiled(folder, name) for name in ("radload", "radnull"))
    cases: list[Case] = []
    with ExitStack() as stack:
        site = folder / "site"
        site.mkdir()
        ports = token_holders.Ports.free()
        config = token_holders.write_site(site, people, ports)
        pid, started = stack.enter_context(ours(config, SERVER_CORE))
        cases.append(Case(OURS, ports.radius, pid, people, "hotp"))
        forgetful = folder / "forgetful"
        forgetful.mkdir()
        ports = token_holders.Ports.free()
        config = token_holders.write_site(forgetful, people, ports)
        pid, _ = stack.enter_context(ours(config, SERVER_CORE, [_HERE / "forgetful.py"]))
        cases.append(Case(FORGETFUL, ports.radius, pid, people, "hotp"))
        place = free_port(socket.SOCK_DGRAM)
        reference = [
            ceiling,
            "-m",
            "hotp",
            "-p",
            str(place),
            "-s",
            token_holders.SECRET,
            "-u",
            token_holders.write_load(folder / "seeds", people, "hotp"),
        ]
        cases.append(Case(CEILING, place, stack.enter_context(running(SERVER_CORE, reference)), people, "hotp"))
        cases += _peers(stack, folder, people)
        secret = site / "radius.secret"
        place = free_port(socket.SOCK_DGRAM)
        bare = [sys.executable, _HERE.parent / "pyrad_reject.py", str(place), secret]
        pyrad = stack.enter_context(running(SERVER_CORE, bare))
        cases.append(Case("pyrad: verifies, rejects", place, pyrad, people, "password", "reject"))
        for case in cases:
            case.load(min(1.0, seconds), in_flight, load)
            case.rounds.clear()
        for number in range(rounds):
            for case in (*cases[number % len(cases) :], *cases[: number % len(cases)]):
                case.load(seconds, in_flight, load)
                last = case.rounds[-1][0]
                progress(f"round {number + 1}/{rounds}  {case.name}: {digits(last.all_replies / last.wall_s)}/s")
            for case in cases:
                if case.name in (OURS, PASSWORDS):
                    case.pace(seconds, load)
        found = [case.figures() for case in cases]
    rate = found[0].per_second.median
    compared = tuple(msgspec.structs.replace(each, ours_times=rate / each.per_second.median) for each in found)
    of_c = found[0].cpu_us.median / next(each for each in found if each.case == CEILING).cpu_us.median
    paced = {case.name: spread(each.leg_us["p99"] / 1e3 for each in case.paced).median for case in cases if case.paced}
    return Report(machine, people, in_flight, rounds, started, compared, of_c, paced)


def _peers(stack: ExitStack, folder: Path, people: int) -> Iterator[Case]:
    if shutil.which("freeradius") is None:
        progress("FreeRADIUS is not installed, so it is left out")
        return
    ldap_port: int | None = None
    if shutil.which("slapd") and Path("/usr/lib/freeradius/rlm_ldap.so").exists():
        ldap_port = free_port(socket.SOCK_STREAM)
        stack.enter_context(openldap(folder / "ldap", people, ldap_port, LOAD_CORE))
    ports = stack.enter_context(freeradius(folder / "freeradius", people, ldap_port, PASSWORD, SERVER_CORE))
    names = {
        "files": (PASSWORDS, "password"),
        "totp": ("FreeRADIUS rlm_totp, nothing kept", "totp"),
        "bind": ("FreeRADIUS rlm_ldap, bind", "password"),
        "attribute": ("FreeRADIUS rlm_ldap, attribute", "password"),
    }
    for form, (name, typed) in names.items():
        if form in ports:
            yield Case(name, ports[form], ports["pid"], people, typed)


def results(report: Report) -> Results:
    """The report in the form that all benchmarks share, with what is wanted."""
    by_name = {each.case: each for each in report.cases}
    wanted = [
        Wanted(f"as many logons as {name}", by_name[name].ours_times, wish)
        for name, wish in WANTED.items()
        if name in by_name
    ]
    share = 1 - by_name[OURS].per_second.median / by_name[FORGETFUL].per_second.median
    wanted.append(Wanted("share of throughput that durable state costs", share, WANTED_SHARE, at_most=True))
    wanted.append(Wanted("processor time of a reply by C's", report.cpu_of_c, WANTED_OF_C, at_most=True))
    if PASSWORDS in report.paced_p99_ms:
        beside = report.paced_p99_ms[OURS] / report.paced_p99_ms[PASSWORDS]
        wanted.append(Wanted("p99 at 1,000/s by FreeRADIUS files'", beside, WANTED_PACED, at_most=True))
    return Results(
        machine=report.machine,
        conditions=f"{report.people:,} people, {report.in_flight} in flight, {report.rounds} interleaved rounds",
        servers=tuple(
            Server(
                name=each.case,
                ours=each.case in (OURS, FORGETFUL),
                per_second=each.per_second,
                ours_times=None if each.case == OURS else each.ours_times,
                p50_ms=each.p50_ms.median,
                p99_ms=each.p99_ms.median,
                memory_mb=each.memory_mb,
                cpu_us=each.cpu_us,
            )
            for each in report.cases
        ),
        wanted=tuple(wanted),
    )


def main() -> None:
    """Read the arguments, run, print."""
    given = to_publish(with_people(parser(__doc__, seconds=3.0), people=2000)).parse_args()
    with workplace() as folder:
        report = run(given.people, given.in_flight, given.rounds, given.seconds, folder)
    told(results(report), "RADIUS", as_json=given.json, to_publish=given.publish)


if __name__ == "__main__":
    main()
