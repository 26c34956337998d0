"""One worker: the sockets that are its own, and what it knows of the others of this host."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from auth.metrics.catalogue import Kind
from auth.metrics.reading import Reading, added
from auth.serving.board import Board
from dirsync.scheduler import SyncStatus

POST_SECONDS: Final = 0.5
"""How often a worker says how it is doing."""


class Manager(Protocol):
    """Who is told how a worker is doing; `auth.serving.manager.ServiceManager`, or whoever began the workers."""

    @property
    def watched(self) -> float:
        """Within how many seconds `alive` is wanted again; 0 when nobody waits for it."""
        ...

    def ready(self, status: str) -> None:
        """It serves; `status` is for people."""
        ...

    def kept(self, status: str) -> None:
        """It serves as before: the new configuration cannot be used."""
        ...

    def reloading(self, monotonic: float) -> None:
        """It reads its configuration again."""
        ...

    def stopping(self) -> None:
        """It ends what was begun, and then itself."""
        ...

    def alive(self) -> None:
        """Its event loop turns."""
        ...


class Posted(msgspec.Struct, frozen=True):
    """What a worker says of itself.

    Attributes:
        at: seconds of the monotonic clock, which is one for all processes of a host.
        reading: its metrics, with what earlier workers in its place have counted.
        syncs: how the syncs are doing, by directory; of the worker that carries them out.
        wanted: how often a sync was asked for here, by directory.
    """

    at: float
    reading: Reading
    syncs: dict[str, SyncStatus]
    wanted: dict[str, int]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Posted).decode


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker of this host.

    Attributes:
        number: from 0; the first one also syncs and tidies up.
        count: of all.
        sockets: where its doors are, by their names in `auth.ports`.
        board: of all.
        manager: is told how it is doing.
        orphaned: called with what is to be done when whoever began it is gone.
    """

    number: int
    count: int
    sockets: Mapping[str, socket.socket]
    board: Board
    manager: Manager
    orphaned: Callable[[Callable[[], None]], None]

    @property
    def is_first(self) -> bool:
        """Whether it does what one worker does for all."""
        return self.number == 0

    def say(self, posted: Posted) -> None:
        """Let the others know; figures that do not fit are left out, and the worker is still seen to live."""
        if not self.board.post(self.number, _encode(posted)):
            self.board.post(self.number, _encode(msgspec.structs.replace(posted, reading=Reading({}, {}))))

    def said(self, number: int) -> Posted | None:
        """What a worker has said last; None when it has said nothing yet."""
        return last_said(self.board, number)

    def others(self) -> Iterator[Posted]:
        """What the others have said last."""
        for number in range(self.count):
            said = self.said(number) if number != self.number else None
            if said is not None:
                yield said


def last_said(board: Board, number: int) -> Posted | None:
    """What a worker has said last; None when it has said nothing yet."""
    octets = board.posted(number)
    try:
        return _decode(octets) if octets else None
    except msgspec.DecodeError:
        return None


def counted(reading: Reading) -> Reading:
    """Of a reading what only grows, so that a worker can go on where the one before it has ended."""
    numbers = {metric: values for metric, values in reading.numbers.items() if metric.kind is Kind.COUNTER}
    return added([Reading(numbers, reading.spreads)])
