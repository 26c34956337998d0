"""Rounds at a running service: something is under way, kill -9 comes at a random moment of it, and all must hold."""

import asyncio
import random
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path

from auth.audit.keys import AuditKey
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify
from auth.config import read_config
from conformance.compare import unlike_a_full_read
from crash.moment import Moment, Seen
from dirsync.replica import Replica
from scenarios.office import Office

LOOK_EVERY = 20
_SHORT, _LONGEST = 0.05, 3.0
_STEP = 1.15


class Killing:
    """Rounds at one service.

    Args:
        office: the service.
        moments: what it may be met in the middle of.
        dice: for which, and when.
        seen: what is found.
    """

    def __init__(self, office: Office, moments: list[Moment], dice: random.Random, seen: Seen) -> None:
        self._office = office
        self._moments = moments
        self._dice = dice
        self._seen = seen
        self._reach: dict[str, float] = {}
        self._rounds = 0
        self._torn = 0

    async def rehearse(self, times: int) -> None:
        """Go through everything unharmed, so many times, to know how long it takes."""
        for moment in self._moments:
            took: list[float] = []
            for _ in range(times):
                await moment.begin()
                begun = time.monotonic()
                await moment.end()
                took.append(time.monotonic() - begun)
                self._seen.wrong += await moment.check()
            self._reach[moment.name] = statistics.median(took)

    async def round(self, number: int) -> None:
        """One kill; the first rounds have each kind of moment once.

        It comes later the next time when it came within, and sooner when it came too late: so its moments lie all over
        what is under way, its end included, however long that takes by now.
        """
        moment = self._moments[number] if number < len(self._moments) else self._dice.choice(self._moments)
        await moment.begin()
        await _slept(self._dice.uniform(0.0, self._reach[moment.name]))
        await moment.kill()
        within = not moment.was_over()
        self._seen.killed(moment.name, within=within)
        self._reach[moment.name] = min(_LONGEST, self._reach[moment.name] * (_STEP if within else 1 / _STEP))
        service = self._office.service
        if service.program is None or service.program.process.returncode is not None:
            await service.start()
            await service.until_ready()
        self._seen.wrong += await moment.check()
        self._rounds += 1
        if moment.changes or self._rounds % LOOK_EVERY == 0:
            self.look()

    def look(self) -> None:
        """That audit, databases and replica are whole, and the replica says what the directory says."""
        settings = read_config(self._office.service.config)
        files = settings.service.audit
        own = AuditKey(files.key.read_bytes())
        verdict = verify(files, Keys(own.public, own), lambda lines, _: lines)
        self._seen.torn += max(0, verdict.torn - self._torn)  # days that went took theirs with them
        self._torn = verdict.torn
        if verdict.found is not None:
            self._seen.wrong.append(f"the audit does not verify: {verdict.found}")
        for file in sorted(settings.service.replica_file.parent.glob("*.sqlite")):
            self._seen.wrong += _unsound(file)
        (directory,) = settings.directories.values()
        with closing(Replica(settings.service.replica_file)) as replica:
            self._seen.wrong += list(unlike_a_full_read(directory, replica))[:3]


def _unsound(file: Path) -> list[str]:
    with closing(sqlite3.connect(file, timeout=10.0)) as database:
        (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    return [] if said == "ok" else [f"{file.name} is not whole: {said}"]


async def _slept(seconds: float) -> None:
    """What takes milliseconds is met by turning round: a sleep would be longer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await asyncio.sleep(0.0 if seconds < _SHORT else _SHORT / 20)
