"""The file's write lock, which other processes take as well: whoever has to wait for it, waits between turns."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from auth.state import StateUnavailable
from auth.turn import tell

PATIENCE_SECONDS: Final = 5.0
"""For how long somebody else may have it before whoever waits is refused."""
_PAUSES: Final = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025)
"""Seconds before each try, and before all that follow; SQLite, waiting in place, makes nearly the same."""


class WriteLock:
    """Who waits for it. One of them tries now and then for all, so that a thousand who wait cost what one does.

    SQLite would wait in place, and with the event loop everybody: those who only ask whether the service is there too.

    Args:
        take: try to take it; False when somebody else has it. It must not raise.
        told: it was taken, and all who waited will run now, before whatever this has the loop run.
        refused: what whoever has waited for too long is told.
    """

    def __init__(
        self, take: Callable[[], bool], told: Callable[[], None], refused: Callable[[], StateUnavailable]
    ) -> None:
        self._take = take
        self._told = told
        self._refused = refused
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()  # whose patience ends first comes first
        self._next: asyncio.TimerHandle | None = None

    def is_wanted(self) -> bool:
        """Whether somebody waits for it already: then whoever comes waits with them."""
        return bool(self._waiting)

    async def freed(self) -> None:
        """Return in the turn in which it was taken; others may come first, so look whether it still is.

        Raises:
            StateUnavailable: somebody else had it all the time.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append((loop.time() + PATIENCE_SECONDS, waiter))
        if self._next is None:
            self._try_later(loop, 0)
        await waiter

    def close(self) -> None:
        """Nobody gets it any more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._give_up(len(self._waiting))

    def _try_later(self, loop: asyncio.AbstractEventLoop, tries: int) -> None:
        self._next = loop.call_later(_PAUSES[min(tries, len(_PAUSES) - 1)], self._try, loop, tries + 1)

    def _try(self, loop: asyncio.AbstractEventLoop, tries: int) -> None:
        self._next = None
        if self._take():
            waiting, self._waiting = self._waiting, deque()
            for _, waiter in waiting:
                tell(waiter)
            self._told()
            return
        now = loop.time()
        self._give_up(sum(until <= now for until, _ in self._waiting))
        while self._waiting and self._waiting[0][1].done():  # a client that has gone
            self._waiting.popleft()
        if self._waiting:
            self._try_later(loop, tries)

    def _give_up(self, number: int) -> None:
        for _ in range(number):
            tell(self._waiting.popleft()[1], self._refused())
