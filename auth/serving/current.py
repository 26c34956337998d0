"""The parts in force: the doors ask them, and go on asking when others have taken their place."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.door import HttpDoor
from auth.nodes import Nodes
from auth.radius.node import NodeDoor
from auth.reason import Reason
from auth.request import AnswerRequest, LoginRequest, Origin, Outcome, Refused, Service


@dataclass(eq=False, slots=True)
class Behind:
    """What the doors ask.

    Attributes:
        service: decides.
        nodes: tells who asks.
        http: answers over HTTP.
    """

    service: Service
    nodes: Nodes
    http: HttpDoor
    _asked: int = field(default=0, init=False)
    _unasked: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @contextmanager
    def held(self) -> Iterator["Behind"]:
        """While something is asked it stays open."""
        self._asked += 1
        try:
            yield self
        finally:
            self._asked -= 1
            if not self._asked:
                self._unasked.set()

    async def unasked(self, patience: float) -> bool:
        """Wait until nothing is asked of it any more, for so many seconds at most; whether that came."""
        try:
            async with asyncio.timeout(patience):
                while self._asked:
                    self._unasked.clear()
                    await self._unasked.wait()
        except TimeoutError:
            return False
        return True


class Current:
    """`auth.request.Service`, an HTTP door and a book of nodes: those in force when each is asked.

    What has begun is ended by the parts that it began with.
    """

    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    def exchange(self, behind: Behind) -> Behind:
        """From now on these are asked; the ones before."""
        before, self._behind = self._behind, behind
        return before

    async def begin(self, request: LoginRequest) -> Outcome:
        """See `Service.begin`."""
        with self._behind.held() as behind:
            return await behind.service.begin(request)

    async def answer(self, request: AnswerRequest) -> Outcome:
        """See `Service.answer`."""
        with self._behind.held() as behind:
            return await behind.service.answer(request)

    async def decline(self, origin: Origin, user: str, reason: Reason) -> Refused:
        """See `Service.decline`."""
        with self._behind.held() as behind:
            return await behind.service.decline(origin, user, reason)

    async def http(self, call: Call) -> Answer:
        """See `HttpDoor.answer`."""
        with self._behind.held() as behind:
            return await behind.http.answer(call)

    def radius_door(self, address: str) -> NodeDoor | None:
        """See `Nodes.radius_door`."""
        return self._behind.nodes.radius_door(address)

    def radsec_door(self, names: Iterable[str], address: str) -> NodeDoor | None:
        """See `Nodes.radsec_door`."""
        return self._behind.nodes.radsec_door(names, address)
