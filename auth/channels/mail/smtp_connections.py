"""Connections to one mail server: few at once, each kept for a while after a mail, none kept when it went wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from auth.channels.base import DeliveryFailed
from auth.channels.mail.smtp_dialogue import Dialogue

# Servers hang up after minutes (RFC 5321 section 4.5.3.2.7) or sooner, and limit the mails of one connection.
_KEPT_SECONDS = 20.0
_MOST_MAILS = 100


class Connections:
    """Lends connections.

    Args:
        opened: opens one, until a time of the running loop; raises DeliveryFailed.
        most: how many there may be at once.
    """

    def __init__(self, opened: Callable[[float], Awaitable[Dialogue]], most: int) -> None:
        self._opened = opened
        self._free = asyncio.Semaphore(most)
        self._kept: dict[Dialogue, asyncio.TimerHandle] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lent(self, until: float, *, new: bool = False) -> AsyncIterator[Dialogue]:
        """A connection, kept or new, for one mail; it ends when anything goes wrong meanwhile.

        One that was kept may have ended at the other side, which its first command will show.

        Args:
            until: the time of the running loop until which there must be one.
            new: whether it must not be one that was kept; those are let go.

        Raises:
            DeliveryFailed: there is none.
        """
        if not await self._a_turn(until):
            raise DeliveryFailed(
                "had no connection free in time", remedy="set connections higher, if the server allows it"
            )
        try:
            if new:
                self._dismiss_all()
            dialogue = self._take() or await self._opened(until)
            try:
                yield dialogue
            except BaseException:
                dialogue.abort()
                raise
            self._keep(dialogue)
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """Say farewell to every server, and wait until it has heard it."""
        self._dismiss_all()
        await asyncio.gather(*self._farewells)

    async def _a_turn(self, until: float) -> bool:
        try:
            async with asyncio.timeout_at(until):
                await self._free.acquire()
        except TimeoutError:
            return False
        return True

    def _take(self) -> Dialogue | None:
        """The connection that was used last."""
        if not self._kept:
            return None
        dialogue, timer = self._kept.popitem()
        timer.cancel()
        return dialogue

    def _keep(self, dialogue: Dialogue) -> None:
        loop = asyncio.get_running_loop()
        self._kept[dialogue] = loop.call_later(_KEPT_SECONDS, self._dismiss, dialogue)
        if dialogue.mails == 0 or dialogue.mails >= _MOST_MAILS:
            self._dismiss(dialogue)

    def _dismiss_all(self) -> None:
        for dialogue in list(self._kept):
            self._dismiss(dialogue)

    def _dismiss(self, dialogue: Dialogue) -> None:
        """Farewell to a connection that was kept; nobody waits for its answer."""
        self._kept.pop(dialogue).cancel()
        farewell = asyncio.get_running_loop().create_task(dialogue.quit())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)
