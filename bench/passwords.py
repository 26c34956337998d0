# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Logons a second by password: `dirfactor serve` before a slapd, and python-ldap's bare binds there, in one run.

Both have one core and eight connections; slapd and the load have the other core.
"""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE / "http"), str(_HERE.parent / "tests")]

import token_holders
from arguments import parser, to_publish, workplace
from bare_binds import Binds
from company import BASE
from load import Outcome
from machine import cpu_seconds, resident, this_machine
from processes import ours
from published import Results, Server, Wanted, told
from report import Spread, digits, progress, spread

from dirsync.wire.bind import MOST_CONNECTIONS
from rig.slapd import SUFFIX, Slapd
from schema.errors import Fault

_SERVER_CORE, _LOAD_CORE = (["taskset", "-c", core] for core in ("1", "0"))
_SCHEMA = _HERE.parent / "ldif" / "openldap.ldif"
OURS, PEER = "dirfactor: password, checked by slapd", "python-ldap: the bind alone"
WANTED: Final = 0.8
"""How many logons we want for each of python-ldap's binds."""
_IN_FLIGHT = 64


class Round(msgspec.Struct, frozen=True):
    """What one round came to: logons a second, times in ms, processor time in µs for each."""

    per_second: float
    p50: float
    p99: float
    cpu: float


def run(rounds: int, seconds: float, folder: Path) -> Results:
    """Start the servers, and measure both once a round.

    Raises:
        Fault: a server did not start, or a password was refused.
    """
    machine = this_machine()
    with ExitStack() as stack:
        slapd = _slapd(folder)
        stack.callback(slapd.stop)
        ports = token_holders.Ports.free()
        site = folder / "site"
        directory = (
            f"kind = openldap\nurl = {slapd.ldaps}\nbase = {SUFFIX}\nbind_dn = {slapd.sync}\n"
            f"bind_password = file:directory.password\nca_file = {slapd.ca_file}"
        )
        (site / "directory.password").write_text(slapd.sync_password)
        (site / "directory.password").chmod(0o600)
        pid, _ = stack.enter_context(ours(token_holders.write_config(site, ports, directory, SUFFIX), _SERVER_CORE))
        found: dict[str, list[Round]] = {OURS: [], PEER: []}
        for number in range(rounds + 1):
            measured = {OURS: _logons(pid, ports.http, seconds), PEER: _binds(slapd, seconds)}
            for name, each in measured.items():
                progress(f"round {number}/{rounds}  {name}: {digits(each.per_second)}/s")
                if number:  # the first is to warm up
                    found[name].append(each)
        memory = {OURS: resident(pid), PEER: None}
    rate = {name: spread(each.per_second for each in rows) for name, rows in found.items()}
    ratio = rate[OURS].median / rate[PEER].median
    return Results(
        machine=machine,
        conditions=f"{_IN_FLIGHT} in flight, {MOST_CONNECTIONS} connections to slapd, {rounds} interleaved rounds",
        servers=tuple(_server(name, rows, rate[name], ratio, memory[name]) for name, rows in found.items()),
        wanted=(Wanted("logons for each of python-ldap's binds", ratio, WANTED),),
    )


def _server(name: str, rows: list[Round], rate: Spread, ratio: float, memory: float | None) -> Server:
    return Server(
        name=name,
        ours=name == OURS,
        per_second=rate,
        ours_times=None if name == OURS else ratio,
        p50_ms=spread(each.p50 for each in rows).median,
        p99_ms=spread(each.p99 for each in rows).median,
        memory_mb=memory,
        cpu_us=spread(each.cpu for each in rows),
    )


def _slapd(folder: Path) -> Slapd:
    """A slapd with the people of `token_holders`, for whom the password is all that is asked."""
    site = folder / "site"
    site.mkdir()
    server = Slapd(folder / "slapd", _SCHEMA)
    records = token_holders.records(0, token_holders.new_ring(site))
    content = "\n".join(records).replace(BASE, SUFFIX).replace("dirfactorSecondMethod: token\n", "")
    file = folder / "content.ldif"
    file.write_text(content)
    server.bulk_load(file)
    subprocess.run(
        ["taskset", "-a", "-p", "-c", _LOAD_CORE[-1], str(server.process.group)], check=True, stdout=subprocess.DEVNULL
    )
    return server


def _logons(process: int, port: int, seconds: float) -> Round:
    had = cpu_seconds(process)
    options = ["--dialect=dirfactor", "--kind=text", f"--people={token_holders.TEXTED}", f"--in-flight={_IN_FLIGHT}"]
    command = [sys.executable, _HERE / "http" / "load.py", *options, f"--port={port}", f"--seconds={seconds}"]
    done = subprocess.run([*_LOAD_CORE, *command], check=True, stdout=subprocess.PIPE)
    outcome = msgspec.json.decode(done.stdout, type=Outcome)
    if outcome.other:
        raise Fault(f"{outcome.other} passwords were refused", remedy=f"it said {outcome.sample}")
    cpu = (cpu_seconds(process) - had) / outcome.accepted * 1e6
    return Round(outcome.accepted / outcome.seconds, outcome.p50 * 1e3, outcome.p99 * 1e3, cpu)


def _binds(slapd: Slapd, seconds: float) -> Round:
    options = [slapd.ldaps, slapd.ca_file, SUFFIX, str(MOST_CONNECTIONS), str(seconds)]
    done = subprocess.run(
        [*_SERVER_CORE, sys.executable, _HERE / "bare_binds.py", *options], check=True, stdout=subprocess.PIPE
    )
    binds = msgspec.json.decode(done.stdout, type=Binds)
    return Round(binds.done / binds.seconds, binds.p50 * 1e3, binds.p99 * 1e3, binds.cpu / binds.done * 1e6)


def main() -> None:
    """Read the arguments, run, print."""
    given = to_publish(parser(__doc__, seconds=2.0)).parse_args()
    with workplace() as folder:
        results = run(given.rounds, given.seconds, folder)
    told(results, "LDAP", as_json=given.json, to_publish=given.publish)


if __name__ == "__main__":
    main()
