"""Mixed traffic at a rate that leaves room, while things go wrong and are edited; and how the service is meanwhile."""

import asyncio
import contextlib
import random
import re
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from faults.way import Fault, Way, ways
from scenarios.company import ONE_ACCESS_NODE
from scenarios.office import Office, beside, open_office
from scenarios.sealed import SealedPeople
from soak.minutes import Sample
from soak.processes import standing
from soak.spells import Spells
from soak.traffic import GATEWAY, MAIL_SERVER, MAILED, WEIGHTS, Done, Traffic, company
from soak.yardstick import yardstick

STATE_FILE = "state file"
_PORTS = {
    GATEWAY: r"url = http://127\.0\.0\.1:(\d+)/messages",
    MAIL_SERVER: r"\[email:relay\]\nhost = \w+\nport = (\d+)",
}
_AVOIDED = 6.0
"""Seconds for which the service does not ask again what has failed; what hangs is cut when the fault ends."""


@dataclass
class Seen:
    """All of it."""

    begun: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    done: Done = field(default_factory=Done)
    spells: Spells = field(default_factory=Spells)
    edits: int = 0
    reloads: int = 0


class Course:
    """The traffic, and what comes between.

    Args:
        office: the service.
        ways: to what may fail, by its name.
        dice: for what comes when.
        seen: what is found.
    """

    def __init__(self, office: Office, ways: dict[str, Way], dice: random.Random, seen: Seen) -> None:
        self._office = office
        self._ways = ways
        self._dice = dice
        self._seen = seen
        self._traffic = Traffic(office, seen.spells, dice, seen.done)

    async def run(self, seconds: float, rate: float, sample_seconds: float) -> None:
        """So many requests a second for so long; afterwards nothing is in progress."""
        self._seen.begun = time.monotonic()
        others = [
            asyncio.ensure_future(work)
            for work in (
                self._sampling(sample_seconds),
                self._editing(seconds),
                self._reloading(seconds),
                self._locking(seconds),
                *(self._failing(thing, seconds) for thing in self._ways),
            )
        ]
        running: set[asyncio.Task[None]] = set()
        due = self._seen.begun
        while time.monotonic() - self._seen.begun < seconds:
            (kind,) = self._dice.choices(list(WEIGHTS), WEIGHTS.values())
            task = asyncio.ensure_future(self._traffic.one(kind))
            running.add(task)
            task.add_done_callback(running.discard)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        for other in others:
            other.cancel()
        for ended in await asyncio.gather(*others, return_exceptions=True):
            if isinstance(ended, Exception):
                self._seen.done.wrong.append(f"{type(ended).__name__}: {ended}")
        await asyncio.gather(*running)
        await self._traffic.at_rest()
        self._traffic.close()

    async def _sampling(self, seconds: float) -> None:
        seen = self._seen
        while True:
            await asyncio.sleep(seconds)
            took, seen.done.took = tuple(seen.done.took), []
            found = standing(self._office.service.program.process.pid)
            seen.samples.append(Sample(time.monotonic() - seen.begun, found, seen.done.logons, took, yardstick()))

    async def _editing(self, seconds: float) -> None:
        while True:
            await self._pause(seconds, 3.0, 6.0)
            self._office.edit(f"uid=mia{self._dice.randrange(MAILED)}", description=f"edit {self._seen.edits}")
            self._seen.edits += 1

    async def _reloading(self, seconds: float) -> None:
        while True:
            await self._pause(seconds, 20.0, 40.0)
            self._office.service.program.process.send_signal(signal.SIGHUP)
            self._seen.reloads += 1

    async def _locking(self, seconds: float) -> None:
        """Another process, a backup for one, holds the state's file for a moment: logons wait, and end well."""
        file = self._office.site.folder / "state" / "state.sqlite"
        while True:
            await self._pause(seconds, 20.0, 40.0)
            held = self._dice.uniform(0.2, 0.8)
            spell = self._seen.spells.begin(STATE_FILE, time.monotonic(), aftermath=0.0)
            await asyncio.to_thread(_hold, file, held)
            spell.ended = time.monotonic()

    async def _failing(self, thing: str, seconds: float) -> None:
        """It hangs, talks nonsense or is down, for a few seconds now and then."""
        while True:
            await self._pause(seconds, 15.0, 45.0)
            spell = self._seen.spells.begin(thing, time.monotonic(), aftermath=_AVOIDED)
            self._ways[thing].become(self._dice.choice([Fault.DOWN, Fault.HALF_OPEN, Fault.GARBAGE]))
            try:
                await asyncio.sleep(self._dice.uniform(1.0, 4.0))
            finally:
                self._ways[thing].become(Fault.NONE)
                spell.ended = time.monotonic()

    async def _pause(self, whole: float, least: float, most: float) -> None:
        """Until something comes again; in a short course sooner, so that it comes at all."""
        await asyncio.sleep(min(self._dice.uniform(least, most), whole / 4))


@asynccontextmanager
async def opened(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[Course]:
    """The service, with a way to its gateway and one to its mail server."""
    sealed = SealedPeople(folder)
    limits = ("per_user_hour", "per_user_day", "per_number_day", "per_prefix_day", "per_day")
    spend = "\n[spend]\n" + "".join(f"{name} = 1000000\n" for name in limits)
    async with open_office(folder, *company(sealed), nodes=ONE_ACCESS_NODE, more_config=spend) as office:
        before = office.service.config.read_text()
        ports = {thing: _port(before, pattern) for thing, pattern in _PORTS.items()}
        with ExitStack() as stack:
            found = stack.enter_context(ways(ports, {}))
            after = before
            for thing, port in ports.items():
                after = re.sub(rf"\b{port}\b", str(found[thing].port), after)
            (folder / "beside" / "state").mkdir(parents=True, mode=0o700)
            for key in ("server.key", "keys.ring"):
                (folder / "beside" / "state" / key).write_bytes((folder / "state" / key).read_bytes())
                (folder / "beside" / "state" / key).chmod(0o600)
            async with beside(office, before, after) as faulty:
                await office.service.kill()
                yield Course(faulty, found, dice, seen)
                with contextlib.suppress(Exception):
                    await office.service.start()


def _hold(file: Path, seconds: float) -> None:
    """For a thread: were the traffic's loop held up while it has the file, that would be held longer than is told."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")


def _port(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return int(found[1])
