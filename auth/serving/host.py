"""The service on one host: the sockets of its doors, and one process or several that serve behind them."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import uvloop

from auth.clock import Clock, Entropy
from auth.pauses import freeze_what_stays
from auth.ports import places, sockets_at
from auth.preflight import examined_config, needed_to_serve
from auth.serving.allocator import keep_one_heap
from auth.serving.board import Board
from auth.serving.loop import Loop
from auth.serving.manager import ServiceManager
from auth.serving.own_memory import keep_to_ourselves
from auth.serving.serve import demand_changeable, serve
from auth.serving.supervisor import Supervisor
from auth.serving.worker import Manager, Worker, last_said
from auth.settings import Settings

_BEGINNING_SECONDS: Final = 120.0
"""Files and sockets are opened in less than one; to find that a shared store is away takes some more."""


def serve_host(settings: Settings, clock: Clock, entropy: Entropy) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: config.ini, examined.
        clock: where time comes from.
        entropy: where randomness comes from.

    Returns:
        The exit status: 0, or that of a worker that could not begin.

    Raises:
        Fault: before anything is answered.
    """
    keep_one_heap()
    keep_to_ourselves()
    host = _Host(settings, clock, entropy)
    manager = ServiceManager(os.environ, os.getpid())
    with host.sockets():
        if settings.service.workers == 1:
            host.be(0, manager, lambda _: None)
            return 0
        freeze_what_stays()  # what the workers share stays shared
        supervisor = Supervisor(
            workers=settings.service.workers,
            work=lambda number, line: host.be(number, line, line.when_orphaned),
            examine=host.read_again,
            seen=host.seen,
            manager=manager,
            monotonic=clock.monotonic,
            beginning=_BEGINNING_SECONDS,
        )
        return supervisor.run()


class _Host:
    """What all workers have from the beginning, and the configuration that the next one begins with."""

    def __init__(self, settings: Settings, clock: Clock, entropy: Entropy) -> None:
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._count = settings.service.workers
        self._board = Board(self._count)
        self._doors: Mapping[str, Sequence[socket.socket]] = {}

    @contextmanager
    def sockets(self) -> Iterator[None]:
        """Meanwhile those of all doors are open. Raises Fault."""
        with ExitStack() as stack:
            doors = {}
            for place in places(self._settings):
                doors[place.door] = sockets_at(place, self._count)
                for each in doors[place.door]:
                    stack.callback(each.close)
            self._doors = doors
            yield

    def be(self, number: int, manager: Manager, orphaned: Callable[[Callable[[], None]], None]) -> None:
        """Be a worker until it is told to stop. Raises Fault."""
        for sockets in self._doors.values():
            for other in (*sockets[:number], *sockets[number + 1 :]):
                other.close()
        mine = {door: sockets[number] for door, sockets in self._doors.items()}
        worker = Worker(number, self._count, mine, self._board, manager, orphaned)
        uvloop.run(serve(self._settings, self._clock, self._entropy, worker), loop_factory=Loop)

    def read_again(self) -> Callable[[], None]:
        """Read config.ini for the workers to come; what is returned undoes that. Raises Fault."""
        before = self._settings
        settings = asyncio.run(examined_config(before.file, needed_to_serve, self._clock, self._entropy))
        demand_changeable(before, settings)
        self._settings = settings

        def put_back() -> None:
            self._settings = before

        return put_back

    def seen(self, number: int) -> float:
        """When a worker has last said how it is doing, in seconds of the monotonic clock."""
        said = last_said(self._board, number)
        return said.at if said else 0.0
