# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Syncs of directories of several sizes: full, one edit, memory, warm start, look-ups; bare reads of others beside."""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jobs
import msgspec
from jobs import Took, apart
from machine import Machine, this_machine
from peers import READERS
from places import Place, kinds, place
from reader import Reading
from report import Spread, digits, show, show_json, spread, table, times
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_READER = Path(__file__).with_name("reader.py")
_USUAL = ("ldif:20000", "openldap:10000", "openldap:100000", "ad:20000")
_MILLION = 1_000_000
_EDITS = 10
_WHOLE_READ = 20_000  # where each edit is a full read, as with LDIF, larger directories are not edited
_COMPARED = 200_000  # people up to whom all peers read a directory
_OURS = "dirfactor"


class Speed(msgspec.Struct, frozen=True):
    """How fast somebody reads a whole directory.

    Attributes:
        who: `dirfactor`, which also parses, expands and commits, or a library that merely reads.
        rate: entries a second.
        cpu: microseconds of processor time for each.
        times: our median rate, divided by theirs.
    """

    who: str
    rate: Spread
    cpu: Spread
    times: float | None = None


class Site(msgspec.Struct, frozen=True):
    """One directory.

    Attributes:
        kind: in config.ini's words.
        people: how many stand in it.
        speeds: of us and the others.
        edit_cpu: milliseconds of processor time for taking in one edit, from when it can be fetched.
        sync_memory: MB that the process of the full sync had resident at most.
        warm_start: seconds from the start of a process to the first decision.
        reading: the look-ups.
        reader_memory: MB that a reading process has resident, PSS: pages that several have count in parts.
        two_readers: MB that two of them have together.
    """

    kind: str
    people: int
    speeds: tuple[Speed, ...]
    edit_cpu: Spread | None
    sync_memory: float
    warm_start: float
    reading: Reading
    reader_memory: float
    two_readers: float


class Report(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: what it ran on.
        rounds: full reads by each, interleaved.
        sites: the directories.
    """

    machine: Machine
    rounds: int
    sites: tuple[Site, ...]


def measured(where: Place, rounds: int, folder: Path, step: Callable[[str], None]) -> Site:
    """Read the directory, edit it, and read the replica.

    Args:
        where: the directory.
        rounds: full reads.
        folder: for replicas.
        step: told before each part.
    """
    taken: dict[str, list[Took]] = {_OURS: []}
    for number in range(rounds):
        for peer in _peers(where.kind, where.people):
            step(f"{where.kind} {where.people:,}: {peer} reads")
            taken.setdefault(peer, []).append(apart(jobs.bare_read, peer, where))
        step(f"{where.kind} {where.people:,}: full sync")
        replica = folder / f"replica{number}"
        taken[_OURS].append(apart(jobs.full_sync, where, replica))
    step(f"{where.kind} {where.people:,}: edits")
    many = where.url or where.people <= _WHOLE_READ
    edits = apart(jobs.edits, where, replica, _EDITS) if many else ()
    step(f"{where.kind} {where.people:,}: look-ups")
    with _reader(replica, where.people) as first:
        alone = _pss(first.process)
        with _reader(replica, where.people) as second:
            together = _pss(first.process) + _pss(second.process)
    return Site(
        kind=where.kind,
        people=where.people,
        speeds=tuple(_speeds(taken)),
        edit_cpu=spread(took.cpu * 1e3 for took in edits) if edits else None,
        sync_memory=max(took.memory for took in taken[_OURS]) / 1e6,
        warm_start=first.started,
        reading=first.reading,
        reader_memory=alone / 1e6,
        two_readers=together / 1e6,
    )


def _peers(kind: str, people: int) -> Iterator[str]:
    """Who else reads the directory: nobody a file, and ldap3 none that would take it an hour."""
    return (peer for peer in READERS if kind != "ldif" and (peer == "python-ldap" or people <= _COMPARED))


def _speeds(taken: dict[str, list[Took]]) -> Iterator[Speed]:
    ours = statistics.median(took.entries / took.seconds for took in taken[_OURS])
    wanted = min(took.entries for took in taken[_OURS])
    for who, each in taken.items():
        if min(took.entries for took in each) < wanted:
            msg = f"{who} has read fewer than the {wanted} entries that we have taken in: its rate says nothing"
            raise ValueError(msg)
        rate = spread(took.entries / took.seconds for took in each)
        cpu = spread(took.cpu / took.entries * 1e6 for took in each)
        yield Speed(who, rate, cpu, None if who == _OURS else ours / rate.median)


class _Reader(msgspec.Struct):
    process: int
    started: float
    reading: Reading


@contextlib.contextmanager
def _reader(replica: Path, people: int) -> Iterator[_Reader]:
    """A process that has read the replica, and still runs."""
    root = Path(__file__).resolve().parents[1]
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, str(_READER), str(replica), str(people)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError(_READER.name)
        process.stdout.readline()
        started = time.perf_counter() - began
        reading = msgspec.json.decode(process.stdout.readline(), type=Reading)
        yield _Reader(process.pid, started, reading)
        process.stdin.close()


def _pss(process: int) -> int:
    """Octets of a process's memory, those that it shares with others in parts (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(process)


def _summary(site: Site) -> str:
    """One line for whoever waits for the others."""
    rates = (f"{speed.who} {digits(speed.rate.median)}" for speed in site.speeds)
    return f"{site.kind}, {site.people:,} people, entries/s: {', '.join(rates)}"


def as_text(report: Report) -> str:
    """The report as Markdown tables under a description of the machine."""
    speeds = [
        (
            f"{site.kind}, {site.people:,} people: {speed.who}",
            speed.rate.text(),
            "" if speed.times is None else times(speed.times),
            speed.cpu.text(),
        )
        for site in report.sites
        for speed in site.speeds
    ]
    replicas = [
        (
            f"{site.kind}, {site.people:,} people",
            "" if site.edit_cpu is None else f"{site.edit_cpu.text()} ms",
            f"{digits(site.sync_memory)} MB",
            f"{digits(site.warm_start)} s",
            f"{digits(site.reading.first_cpu * 1e6)} µs",
            f"{digits(site.reading.again_cpu * 1e6)} µs",
            f"{digits(site.reading.longest_pause * 1e3)} ms",
            f"{digits(site.reader_memory)} MB",
            f"{digits(site.two_readers)} MB",
        )
        for site in report.sites
    ]
    head = ("directory", "one edit, CPU", "sync's memory at most", "process start to first decision")
    head += ("look-up with policy, CPU", "again", "longest GC pause, CPU", "a reader's memory", "of two")
    return (
        f"{report.machine}\n{report.rounds} rounds, all over LDAPS; dirfactor also parses, expands and commits\n\n"
        + table(("who reads all", "entries/s, median (range)", "dirfactor is", "CPU µs per entry"), speeds)
        + "\n\n"
        + table(head, replicas)
    )


def run(wanted: Sequence[tuple[str, int]], rounds: int) -> Report:
    """Make each directory, and measure it."""
    machine = this_machine()
    sites: list[Site] = []
    parts = sum(rounds * (1 + len(list(_peers(*each)))) + 3 for each in wanted)
    with _bar() as bar:
        task = bar.add_task("", total=parts)

        def step(what: str) -> None:
            bar.update(task, description=what, advance=1)

        for kind, people in wanted:
            step(f"{kind} {people:,}: made")
            with tempfile.TemporaryDirectory(prefix="dirfactor-bench-") as folder:
                Path(folder).chmod(0o755)
                with place(kind, people, Path(folder)) as made:
                    sites.append(measured(made, rounds, Path(folder), step))
            bar.console.print(_summary(sites[-1]))
    return Report(machine, rounds, tuple(sites))


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))


def _wanted(text: str) -> tuple[str, int]:
    kind, _, people = text.partition(":")
    if not people.isdigit() or not int(people):
        msg = f"{text!r} is not KIND:PEOPLE"
        raise argparse.ArgumentTypeError(msg)
    return kind, int(people)


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--rounds", type=int, default=3, help="full reads by each")
    parser.add_argument("--million", action="store_true", help="also a million people; takes a quarter of an hour")
    parser.add_argument("directory", nargs="*", type=_wanted, help=f"KIND:PEOPLE; without any: {' '.join(_USUAL)}")
    given = parser.parse_args()
    there = kinds()
    wanted = given.directory or [_wanted(each) for each in _USUAL if each.partition(":")[0] in there]
    for kind, _ in wanted:
        if kind not in there:
            parser.error(f"{kind} cannot be measured here, only {', '.join(there)}; `make test` installs the servers")
    if given.million:
        wanted = [*wanted, ("openldap" if "openldap" in there else "ldif", _MILLION)]
    report = run(wanted, given.rounds)
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
