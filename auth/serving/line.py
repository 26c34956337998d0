"""Between whoever began a worker and the worker: a pair of sockets, on which one word is one octet."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from enum import Enum


class Word(Enum):
    """What a worker says."""

    READY = b"r"  # it serves, with the configuration in force
    KEPT = b"k"  # it serves as before: the new configuration cannot be used


class Line:
    """A worker's end: `auth.serving.worker.Manager`, and how it learns that it has been left alone.

    Args:
        end: its socket.
    """

    watched = 0.0

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def ready(self, status: str) -> None:
        """See `Manager.ready`."""
        del status
        self._say(Word.READY)

    def kept(self, status: str) -> None:
        """See `Manager.kept`."""
        del status
        self._say(Word.KEPT)

    def reloading(self, monotonic: float) -> None:
        """See `Manager.reloading`."""

    def stopping(self) -> None:
        """See `Manager.stopping`."""

    def alive(self) -> None:
        """See `Manager.alive`; the board shows it."""

    def when_orphaned(self, done: Callable[[], None]) -> None:
        """Have something done when the other end is gone; nothing is ever said there."""
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.remove_reader(self._end)
            done()

        loop.add_reader(self._end, heard)

    def _say(self, word: Word) -> None:
        with contextlib.suppress(OSError):  # whoever listened is gone, which `when_orphaned` tells
            self._end.sendall(word.value)
