# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The replica: a full load next to python-ldap's LDIF reader, one edit until it is in force, look-ups, a warm start."""

import argparse
import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import company
import msgspec
from machine import Machine, this_machine
from report import Spread, digits, progress, show, show_json, spread, table, times

import ldif
from auth.clock import SYSTEM_CLOCK
from dirsync.ldif.source import LdifSource
from dirsync.replica import Replica, ReplicaWriter
from dirsync.scheduler import SyncScheduler
from dirsync.settings import SyncSettings
from schema.entry import EntryId
from schema.errors import Fault

_LOOKED_UP = 2000  # people; as many fit into the replica's memory of those that were asked for last
_PEER = "python-ldap's LDIFParser merely reads the file"
_LOAD = "full load: parsed, links resolved, committed"
_EDIT = "one user edited: from the save until the replica shows it"
_COLD = "Replica.person(), the first time"
_CACHED = "Replica.person(), again"
_START = "warm start: file opened, first user found and read"


class Figure(msgspec.Struct, frozen=True):
    """One thing that was measured.

    Attributes:
        what: in words.
        seconds: that it took.
        cpu: seconds of processor time that it took.
        times_peer: its median, divided by the peer's; None when they are not to be compared.
        cpu_times_peer: the same of the processor time.
    """

    what: str
    seconds: Spread
    cpu: Spread
    times_peer: float | None = None
    cpu_times_peer: float | None = None


class Report(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: what it ran on.
        people: users in the directory.
        octets: size of the LDIF file.
        rounds: rounds of everything, one after the other.
        figures: in the order of the table.
    """

    machine: Machine
    people: int
    octets: int
    rounds: int
    figures: tuple[Figure, ...]


class Took(NamedTuple):
    """What something took, in seconds, and of which it had a core."""

    seconds: float
    cpu: float


class Round:
    """One round: everything once, on a replica of its own.

    Args:
        file: the LDIF file.
        people: how many stand in it.
        folder: for the replica.
    """

    def __init__(self, file: Path, people: int, folder: Path) -> None:
        self._file = file
        self._people = people
        self._path = folder / "replica.db"

    def run(self, edition: int) -> Iterator[tuple[str, Took]]:
        """What was measured and what it took; the edit is another one in each edition."""
        yield _PEER, _timed(lambda: _read_only(self._file))
        with contextlib.closing(ReplicaWriter(self._path)) as writer:
            sync = SyncScheduler(LdifSource(self._file), writer, SyncSettings(), SYSTEM_CLOCK.now)
            yield _LOAD, _timed(sync.run_once)
            with contextlib.closing(Replica(self._path)) as replica:
                yield from self._look_ups(replica)
                yield _EDIT, self._edit(sync, replica, edition)
            yield _START, _timed(self._warm_start)

    def _look_ups(self, replica: Replica) -> Iterator[tuple[str, Took]]:
        step = max(1, self._people // _LOOKED_UP)
        ids = [_found(replica, number) for number in range(0, self._people, step)][:_LOOKED_UP]
        for what in (_COLD, _CACHED):
            all_of_them = _timed(lambda: [replica.person(each) for each in ids])
            yield what, Took(all_of_them.seconds / len(ids), all_of_them.cpu / len(ids))

    def _edit(self, sync: SyncScheduler, replica: Replica, edition: int) -> Took:
        """Save the file with another VIP credential of one user; until a reader that is open sees it."""
        number = self._people // 2
        user = _found(replica, number)
        text = self._file.read_text()
        was, now = company.credential(number), f"VSMT{edition:08}"
        beside = self._file.with_suffix(".new")
        beside.write_text(text.replace(was, now))

        def edit() -> None:
            beside.rename(self._file)
            sync.run_once()
            person = replica.person(user)
            if person is None or person.user.vip_credentials != (now,):
                raise Fault("the edit is not in force", remedy="report this")

        took = _timed(edit)
        self._file.write_text(text)
        return took

    def _warm_start(self) -> None:
        with contextlib.closing(Replica(self._path)) as replica:
            if replica.person(_found(replica, 0)) is None:
                raise Fault("the first user is missing", remedy="report this")


class _Forgetful(ldif.LDIFParser):  # type: ignore[misc] # python-ldap has no types
    """Reads every entry and keeps none."""

    def handle(self, dn: str, entry: dict[str, list[bytes]]) -> None:
        """Take an entry."""


def _read_only(file: Path) -> None:
    with file.open("rb") as octets:
        _Forgetful(octets).parse()


def _found(replica: Replica, number: int) -> EntryId:
    (user,) = replica.find((("sam", company.login_name(number)),))
    return user


def _timed(work: Callable[[], object]) -> Took:
    gc.collect()
    began, had = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - began, time.process_time() - had)


def run(people: int, rounds: int, folder: Path) -> Report:
    """Write the directory, then measure everything once a round.

    Raises:
        Fault: something came out wrong, which makes its figure worthless.
    """
    machine = this_machine()
    file = folder / "directory.ldif"
    file.write_text(company.ldif(people))
    progress(f"{people} people, {file.stat().st_size:,} octets of LDIF")
    rounds_of: dict[str, list[Took]] = {what: [] for what in (_LOAD, _PEER, _EDIT, _COLD, _CACHED, _START)}
    for number in range(rounds):
        own = folder / str(number)
        own.mkdir()
        for what, took in Round(file, people, own).run(number):
            rounds_of[what].append(took)
        last = ", ".join(f"{what.split(':')[0]} {_time(rounds_of[what][-1].seconds)}" for what in (_LOAD, _PEER, _EDIT))
        progress(f"round {number + 1}/{rounds}  {last}")
    figures = {what: _figure(what, took) for what, took in rounds_of.items()}
    return Report(machine, people, file.stat().st_size, rounds, tuple(_compared(figures)))


def _figure(what: str, took: list[Took]) -> Figure:
    return Figure(what, spread(each.seconds for each in took), spread(each.cpu for each in took))


def _compared(figures: Mapping[str, Figure]) -> Iterator[Figure]:
    peer = figures[_PEER]
    for what, figure in figures.items():
        if what in {_LOAD, _PEER, _EDIT}:  # the others read no LDIF
            yield msgspec.structs.replace(
                figure,
                times_peer=figure.seconds.median / peer.seconds.median,
                cpu_times_peer=figure.cpu.median / peer.cpu.median,
            )
        else:
            yield figure


def as_text(report: Report) -> str:
    """The report as a Markdown table under a description of the machine."""
    rows = [
        (
            figure.what,
            _spread(figure.seconds),
            times(figure.times_peer),
            _time(figure.cpu.median),
            times(figure.cpu_times_peer),
        )
        for figure in report.figures
    ]
    return (
        f"{report.machine}\n"
        f"{report.people:,} people, {report.octets / 1e6:.1f} MB of LDIF, {report.rounds} interleaved rounds\n\n"
        + table(("what", "median (range)", "x LDIFParser", "CPU", "x LDIFParser"), rows)
    )


def _spread(seconds: Spread) -> str:
    unit, scale = _unit(seconds.median)
    return f"{seconds.text(scale)} {unit}"


def _time(seconds: float) -> str:
    unit, scale = _unit(seconds)
    return f"{digits(seconds * scale)} {unit}"


def _unit(seconds: float) -> tuple[str, float]:
    return next((each for each in (("s", 1.0), ("ms", 1e3)) if seconds * each[1] >= 1.0), ("µs", 1e6))


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--people", type=int, default=20_000, help="users in the directory")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of everything")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dirfactor-bench-") as folder:
        try:
            report = run(given.people, given.rounds, Path(folder))
        except Fault as fault:
            raise SystemExit(str(fault)) from None
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
