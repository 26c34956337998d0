"""Changes that are under way: an edit of the directory, the configuration being read again, a new day of the audit."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from auth.audit.files import AuditFiles, day_of
from crash.moment import Seen
from dirsync.replica import Replica
from rig.faked_time import FakedTime
from scenarios.office import Office, until
from schema.errors import Fault

DAYS_KEPT = 3
_EFFECT_SECONDS = 20.0


async def command(*words: str | Path) -> tuple[int, str]:
    """One of our own commands: its exit status, and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth", *map(str, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@dataclass
class Edit:
    """Somebody is edited: what was saved is in the replica after the next start."""

    office: Office
    people: Sequence[str]
    dice: random.Random
    seen: Seen
    name: str = "a sync of an edit"
    changes: bool = True
    _mail: str = ""

    async def begin(self) -> None:
        self._mail = f"mail-{self.seen.edits}@demo.example"
        self.office.edit(f"uid={self.dice.choice(self.people)}", mail=self._mail)
        self.seen.edits += 1

    async def end(self) -> None:
        await until(self._is_in, _EFFECT_SECONDS)

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        return self._found()

    async def check(self) -> Sequence[str]:
        try:
            await until(self._is_in, _EFFECT_SECONDS)
        except AssertionError:
            self.seen.lost += 1
            return [f"{self._mail} was saved, and is not in the replica after {_EFFECT_SECONDS:.0f} s"]
        return []

    async def _is_in(self) -> bool:
        return self._found()

    def _found(self) -> bool:
        with closing(Replica(self.office.site.folder / "state" / "replica.sqlite")) as replica:
            return bool(replica.find((("mail", self._mail),)))


@dataclass
class Reload:
    """config.ini is read again."""

    office: Office
    name: str = "the configuration read again"
    changes: bool = True
    _said: int = 0

    async def begin(self) -> None:
        program = self.office.service.program
        assert program is not None
        self._said = len(program.lines)
        os.kill(program.process.pid, signal.SIGHUP)

    async def end(self) -> None:
        program = self.office.service.program
        assert program is not None
        await program.line(_was_read, since=self._said)

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        program = self.office.service.program
        assert program is not None
        return any(_was_read(line) for line in program.lines[self._said :])

    async def check(self) -> Sequence[str]:
        return ()


def _was_read(line: str) -> bool:
    return "config.ini was read" in line


@dataclass
class DayChange:
    """Midnight: the audit closes a segment, begins another, and lets the oldest go.

    Attributes:
        office: the service.
        files: the audit's.
        clock: the service's.
    """

    office: Office
    files: AuditFiles
    clock: FakedTime
    name: str = "a new day of the audit"
    changes: bool = True
    _off: float = 0.0
    _asking: list["asyncio.Task[None]"] = field(default_factory=list)

    async def begin(self) -> None:
        """Have everybody try at a quarter of a second to midnight, until midnight."""
        now = datetime.now(UTC) + timedelta(seconds=self._off)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        self._off += (midnight - now).total_seconds() - 0.25
        self.clock.put(self._off)
        self._asking = [asyncio.ensure_future(self._ask(number * 0.01)) for number in range(50)]
        while datetime.now(UTC) + timedelta(seconds=self._off) < midnight:
            await asyncio.sleep(0.0)

    async def end(self) -> None:
        async with asyncio.timeout(_EFFECT_SECONDS):
            while not self.was_over():
                await asyncio.sleep(0.001)

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        today = day_of(datetime.now(UTC) + timedelta(seconds=self._off))
        days = self.files.days()
        begun = today in days and self.files.segment(today).read_bytes().endswith(b"\n")
        return begun and len(days) <= DAYS_KEPT + 1

    async def check(self) -> Sequence[str]:
        """What an operator's command says of the audit, and that the days to be kept are there, and no more."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._ask(0.0)  # whoever comes first writes the new day's first line
        wrong = []
        status, said = await command("audit", "verify", "--config", self.office.service.config)
        if status:
            wrong.append(f"audit verify ends with {status}: {said}")
        try:
            await until(self._is_over, _EFFECT_SECONDS)
        except AssertionError:
            wrong.append(f"the audit has the days {', '.join(self.files.days())}")
        return wrong

    async def _is_over(self) -> bool:
        return self.was_over()

    async def _ask(self, after: float) -> None:
        await asyncio.sleep(after)
        with contextlib.suppress(Fault, httpx.HTTPError):  # the service died before it answered
            await self.office.service.http("nobody", passcode="000000")
