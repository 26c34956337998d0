# ruff: noqa: INP001 - bench is a folder of programs, no package
"""How long an edit takes until it is in force, under a steady rate of edits, for each kind of directory."""

import argparse
import collections
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final

import company
import msgspec
import peers
from machine import Machine, this_machine
from places import Place, kinds, place
from report import digits, show, show_json, table
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from auth.clock import SYSTEM_CLOCK
from dirsync.replica import Replica, ReplicaWriter
from dirsync.scheduler import SyncScheduler
from dirsync.settings import SyncSettings
from schema.entry import EntryId

_PEOPLE: Final = {"ldif": 1000, "openldap": 10_000, "ad": 2000}  # the whole file is read for an edit of LDIF
_PATIENCE: Final = 60.0
_SECOND_RUN: Final = 1_000_000
_EXPORT_SECONDS: Final = 1.0  # edits of LDIF wait for the next export
_LOOK: Final = 0.002  # seconds between two looks whether an edit is in force
_BARS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_WIDTH: Final = 50
_Edits = SimpleQueue[tuple[int, str, float] | None]


class Latency(msgspec.Struct, frozen=True):
    """One kind of directory.

    Attributes:
        what: the kind, and how its changes come.
        people: how many stand in it.
        edits: how many were made and came into force.
        rate: edits a second that the directory took.
        p50: seconds from before an edit is sent until a reader of the replica sees it, median.
        p99: of 100 edits, 99 came sooner than this.
        longest: seconds of the last one.
        histogram: seconds -> how many took no longer and longer than the step before.
    """

    what: str
    people: int
    edits: int
    rate: float
    p50: float
    p99: float
    longest: float
    histogram: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: what it ran on.
        wanted: edits a second.
        latencies: of each kind.
    """

    machine: Machine
    wanted: float
    latencies: tuple[Latency, ...]


def edit_steadily(where: Place, rate: float, seconds: float, first: int, done: _Edits) -> None:
    """Edit one person after the other, in a process of its own; tells number, value and instant before each.

    Values are numbered from `first` on: a later edit has the greater one.
    """
    with peers.editor(where, _EXPORT_SECONDS) as edit:
        began = SYSTEM_CLOCK.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - SYSTEM_CLOCK.monotonic()))
            value = f"VSMT{first + number:08}"
            done.put((number % where.people, value, SYSTEM_CLOCK.monotonic()))
            edit(number % where.people, value)
    done.put(None)


class _Awaited:
    """The edits that are not in force yet."""

    def __init__(self, replica: Replica, done: _Edits) -> None:
        self._replica = replica
        self._done = done
        self._ids: dict[int, EntryId] = {}
        self._waiting: collections.deque[tuple[int, str, float]] = collections.deque()
        self._last: float = 0.0
        self.first = float("inf")
        self.ended = False
        self.took: list[float] = []

    @property
    def over(self) -> bool:
        """Whether all edits have been made and are in force."""
        return self.ended and not self._waiting

    @property
    def rate(self) -> float:
        """Edits a second."""
        return len(self.took) / max(1e-9, self._last - self.first)

    def look(self) -> None:
        """Note which are."""
        while not self._done.empty():
            made = self._done.get()
            if made is None:
                self.ended = True
            else:
                self._waiting.append(made)
                self.first = min(self.first, made[2])
                self._last = made[2]
        now = SYSTEM_CLOCK.monotonic()
        while self._waiting and self._in_force(*self._waiting[0][:2]):
            self.took.append(now - self._waiting.popleft()[2])

    def _in_force(self, number: int, value: str) -> bool:
        if number not in self._ids:
            (self._ids[number],) = self._replica.find((("sam", company.login_name(number)),))
        person = self._replica.person(self._ids[number])
        # a later edit of the same person says as much
        return (
            person is not None
            and person.user.vip_credentials[0].startswith("VSMT")
            and (person.user.vip_credentials[0] >= value)
        )


def measured(where: Place, rate: float, seconds: float, folder: Path, *, woken: bool) -> Latency:
    """Sync as the service does while the directory is edited.

    Args:
        where: the directory.
        rate: edits a second.
        seconds: for how long.
        folder: for the replica.
        woken: whether the directory may wake the sync; else there is the interval alone.
    """
    path = folder / f"replica{woken}"
    settings = SyncSettings()
    with closing(where.source()) as source, closing(ReplicaWriter(path)) as writer:
        asked = source if woken else _Asleep(source)
        sync = SyncScheduler(asked, writer, settings, SYSTEM_CLOCK.now)
        sync.run_once()
        with closing(Replica(path)) as replica:
            sync.start()
            try:
                awaited = _edited(where, rate, seconds, 0 if woken else _SECOND_RUN, replica)
            finally:
                sync.stop()
        method = source.method if woken else f"asked every {settings.interval_seconds} s"
    return _latency(f"{where.kind}: {method}", where.people, awaited)


def _edited(where: Place, rate: float, seconds: float, first: int, replica: Replica) -> _Awaited:
    context = get_context("spawn")
    done: _Edits = context.SimpleQueue()
    editing = context.Process(target=edit_steadily, args=(where, rate, seconds, first, done), daemon=True)
    awaited = _Awaited(replica, done)
    with _bar() as bar:
        task = bar.add_task(f"{where.kind} is edited", total=int(rate * seconds))
        editing.start()
        until = SYSTEM_CLOCK.monotonic() + seconds + _PATIENCE
        while not awaited.over:
            awaited.look()
            bar.update(task, completed=len(awaited.took))
            if SYSTEM_CLOCK.monotonic() > until:
                raise SystemExit(f"after {_PATIENCE} s more, edits are still not in force")
            time.sleep(_LOOK)
    editing.join()
    return awaited


class _Asleep:
    """A source that is only asked."""

    def __init__(self, source: object) -> None:
        self._source = source

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def wait(self, seconds: float) -> bool:
        """Sleep."""
        time.sleep(seconds)
        return False


def _latency(what: str, people: int, awaited: _Awaited) -> Latency:
    took = sorted(awaited.took)
    bars = dict.fromkeys((*map(str, _BARS), "more"), 0)
    for each in took:
        bars[next((str(bar) for bar in _BARS if each <= bar), "more")] += 1
    return Latency(
        what=what,
        people=people,
        edits=len(took),
        rate=awaited.rate,
        p50=took[len(took) // 2],
        p99=took[len(took) * 99 // 100],
        longest=took[-1],
        histogram=bars,
    )


def as_text(report: Report) -> str:
    """The report as a Markdown table and a histogram of each."""
    rows = [
        (
            each.what,
            f"{each.people:,}",
            f"{each.edits:,}",
            digits(each.rate),
            _milliseconds(each.p50),
            _milliseconds(each.p99),
            _milliseconds(each.longest),
        )
        for each in report.latencies
    ]
    head = ("changes come by", "people", "edits", "a second", "p50", "p99", "longest")
    parts = [f"{report.machine}\nedit to effect, {digits(report.wanted)} edits a second wanted", table(head, rows)]
    parts += ["\n".join((each.what, *_bars(each.histogram))) for each in report.latencies]
    return "\n\n".join(parts)


def _bars(histogram: dict[str, int]) -> Iterator[str]:
    most = max(histogram.values())
    for bar, count in histogram.items():
        name = bar if bar == "more" else f"<= {_milliseconds(float(bar))}"
        yield f"  {name:>12} {count:6,} {'#' * round(count / most * _WIDTH)}"


def _milliseconds(seconds: float) -> str:
    return f"{digits(seconds * 1e3)} ms"


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total} in force"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        yield bar


def run(wanted: Sequence[str], rate: float, seconds: float) -> Report:
    """Measure each kind of directory."""
    machine = this_machine()
    latencies: list[Latency] = []
    for kind in wanted:
        with tempfile.TemporaryDirectory(prefix="dirfactor-bench-") as folder:
            Path(folder).chmod(0o755)  # Samba and slapd run as somebody else in parts
            with place(kind, _PEOPLE[kind], Path(folder)) as made:
                ways = (True, False) if kind == "ad" else (True,)
                latencies.extend(measured(made, rate, seconds, Path(folder), woken=woken) for woken in ways)
    return Report(machine, rate, tuple(latencies))


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rate", type=float, default=50.0, help="edits a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long each kind is edited")
    parser.add_argument("kind", nargs="*", help=f"of {', '.join(kinds())}; without any: all")
    given = parser.parse_args()
    for kind in given.kind:
        if kind not in kinds():
            parser.error(f"{kind} cannot be measured here, only {', '.join(kinds())}; `make test` installs the servers")
    report = run(given.kind or kinds(), given.rate, given.seconds)
    if given.json:
        show_json(report)
    else:
        show(as_text(report))


if __name__ == "__main__":
    main()
