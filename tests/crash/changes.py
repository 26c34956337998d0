"""Changes that are under way: an edit of the directory, the configuration being read again, a new day of the audit."""

import asyncio
import contextlib
import random
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import httpx

from auth.audit.files import AuditFiles, day_of
from auth.demo.program import Program
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
    """config.ini is saved and read again: wholly the one of two, or the other, is in force at any moment.

    They differ in two sections, the language in [service] and the token in [policy:default]; each prompt shows both.

    Attributes:
        office: the service.
        people: who are governed by [policy:default], and have a token for either.
        workers: how many the service has.
    """

    office: Office
    people: Sequence[str]
    workers: int = 1
    name: str = "the configuration read again"
    changes: bool = True
    _said: int = 0
    _in_file: int = 0
    _program: Program | None = None
    _heard: list[str] = field(default_factory=list)
    _asking: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        one = self.office.service.config.read_text()
        assert BY_TEXT in one
        other = one.replace(BY_TEXT, BY_MAIL).replace("refusal_seconds", "language = de\nrefusal_seconds", 1)
        self._texts = (one, other)
        self._turns = cycle(self.people)

    async def begin(self) -> None:
        program = self.office.service.program
        assert program is not None
        self._program, self._said, self._heard = program, len(program.lines), []
        self._in_file = 1 - self._in_file
        config = self.office.service.config
        beside = config.with_suffix(".new")
        beside.write_text(self._texts[self._in_file])
        beside.rename(config)
        self._asking = asyncio.ensure_future(self._ask_on())
        program.process.send_signal(signal.SIGHUP)

    async def end(self) -> None:
        async def is_over() -> bool:
            return self.was_over()

        await until(is_over, _EFFECT_SECONDS)

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        assert self._program is not None
        return sum("config.ini was read" in line for line in self._program.lines[self._said :]) >= self.workers

    async def check(self) -> Sequence[str]:
        """Everybody is asked by one of the two; who is begun anew as a whole has read what the file says."""
        assert self._asking is not None
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)
        wrong = [f"while the configuration was read again somebody was told {told}" for told in _neither(self._heard)]
        found: list[str] = []

        async def all_the_same() -> bool:
            found[:] = await asyncio.gather(*(self._told(next(self._turns)) for _ in range(_ASKED)))
            return len({_PROMPTS.index(each) if each in _PROMPTS else -1 for each in found}) == 1

        try:
            await until(all_the_same, _EFFECT_SECONDS)
        except AssertionError:
            return [*wrong, f"some have one configuration in force, and some another: {found}"]
        wrong += [f"after the configuration was read again somebody was told {told}" for told in _neither(found[:1])]
        if self.office.service.program is not self._program and found[0] != _PROMPTS[self._in_file]:
            wrong.append(f"begun anew with configuration {self._in_file}, it tells people {found[0]}")
        return wrong

    async def _ask_on(self) -> None:
        with contextlib.suppress(Fault):  # the service died before it answered
            while True:
                self._heard.append(await self._told(next(self._turns)))
                await asyncio.sleep(_PAUSE)  # nobody is to come to a limit of codes

    async def _told(self, user: str) -> str:
        """What a first step is answered with, without where the code went."""
        said = (await self.office.log_on("radius", user)).message
        return re.sub(r" \S*[@*+]\S*", " ADDRESS", said)


BY_TEXT, BY_MAIL = "dirfactorSmsEnabled = TRUE", "dirfactorEmailEnabled = TRUE"
DEFAULT_POLICY = f"""
[policy:default]
dirfactorFirstMethod = password
dirfactorSecondMethod = token
dirfactorCodesPerWindow = 100
{BY_TEXT}
"""
_PROMPTS = (
    "Enter the code sent to ADDRESS",
    "Geben Sie den Code ein, der per E-Mail an ADDRESS gesendet wurde.",
)
_ASKED = 6
_PAUSE = 0.03


def _neither(told: Sequence[str]) -> list[str]:
    """What neither configuration tells people."""
    return [each for each in told if each not in _PROMPTS]


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
