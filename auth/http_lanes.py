"""Many requests at once over connections that are kept: a pool of httpx for each connection, and not one for all.

httpcore looks at every connection of its pool whenever a request begins or ends, and asks the kernel whether it is
still open: with 64 requests on their way that is seven eighths of the time. A pool of one has nothing to look at.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx

MOST_LANES = 100
"""Requests on their way at once; further ones wait, and whoever waits has a deadline."""


class Lanes(httpx.AsyncBaseTransport):
    """A transport of transports that have one connection each. That which was used last is used next.

    Args:
        lane: makes one.
        most: how many at once.
    """

    def __init__(self, lane: Callable[[], httpx.AsyncBaseTransport], most: int = MOST_LANES) -> None:
        self._lane = lane
        self._room = asyncio.Semaphore(most)
        self._idle: list[httpx.AsyncBaseTransport] = []
        self._busy: set[httpx.AsyncBaseTransport] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport.handle_async_request`."""
        await self._room.acquire()
        lane = self._idle.pop() if self._idle else self._lane()
        self._busy.add(lane)
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            # whoever cut it short may have left its one connection in no state to be used
            self._give_up(lane)
            raise
        if not isinstance(response.stream, httpx.AsyncByteStream):
            self._give_up(lane)
            msg = "an answer that cannot be read as it comes"
            raise TypeError(msg)
        response.stream = _Held(response.stream, lambda: self._give_back(lane), lambda: self._give_up(lane))
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for lane in (*self._idle, *self._busy):
            await lane.aclose()
        self._idle.clear()
        self._busy.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _give_back(self, lane: httpx.AsyncBaseTransport) -> None:
        if lane in self._busy:
            self._busy.discard(lane)
            self._idle.append(lane)
            self._room.release()

    def _give_up(self, lane: httpx.AsyncBaseTransport) -> None:
        if lane in self._busy:
            self._busy.discard(lane)
            self._room.release()
            closing = asyncio.get_running_loop().create_task(lane.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


class _Held(httpx.AsyncByteStream):
    """The body of an answer, with whose end its connection is free again."""

    def __init__(self, body: httpx.AsyncByteStream, done: Callable[[], None], broken: Callable[[], None]) -> None:
        self._body = body
        self._done = done
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        """End it."""
        try:
            await self._body.aclose()
        except BaseException:
            self._broken()
            raise
        self._done()
