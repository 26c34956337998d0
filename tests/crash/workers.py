"""What is under way at a service of several workers, of whom one is killed, or whoever began them."""

import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crash.moment import Moment
from scenarios.office import Office, until

WORKERS = 2
_SECONDS = 30.0


@dataclass
class AtWorkers:
    """A moment, and who dies in it.

    Attributes:
        inner: what is under way.
        office: the service.
        dice: for who is killed.
    """

    inner: Moment
    office: Office
    dice: random.Random

    def __post_init__(self) -> None:
        self.name = f"{self.inner.name}, {WORKERS} workers"
        self.changes = self.inner.changes
        self._served = 0
        self._was_over = False

    async def begin(self) -> None:
        self._served = 0
        await self.inner.begin()

    async def end(self) -> None:
        await self.inner.end()

    async def kill(self) -> None:
        """Kill, and wait until all are gone who are to go: the others end when whoever began them is gone."""
        program = self.office.service.program
        assert program is not None
        pids = workers(program.process.pid)
        if self.dice.random() < 1 / 2:
            await self.office.service.kill()
        else:
            pids = [self.dice.choice(pids)]
            self._served = _times_served(program.lines) + 1
            os.kill(pids[0], signal.SIGKILL)
        self._was_over = self.inner.was_over()  # the others go on with what they have begun

        async def are_gone() -> bool:
            return not any(map(_is_there, pids))

        await until(are_gone, _SECONDS)

    def was_over(self) -> bool:
        return self._was_over

    async def check(self) -> Sequence[str]:
        """As ever, when as many serve as there are to be."""
        await until(self._all_serve, _SECONDS)
        return await self.inner.check()

    async def _all_serve(self) -> bool:
        program = self.office.service.program
        return program is not None and _times_served(program.lines) >= max(self._served, WORKERS)


def workers(supervisor: int) -> list[int]:
    """Their processes."""
    return [int(pid) for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()]


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _times_served(lines: Sequence[str]) -> int:
    return sum("ready: " in line for line in lines)
