"""Lines on their way out: a thread of its own sends them, and whoever writes the audit never waits for it."""

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from auth.audit.export.connection import UndeliverableError

_log = logging.getLogger("dirfactor.audit")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_FLUSH_SECONDS = 3.0


class Sending(Protocol):
    """A connection that sends."""

    def send(self, message: bytes) -> None:
        """Send one message. Raises OSError, or UndeliverableError."""

    def close(self) -> None:
        """Close the connection."""


class Outbox:
    """A bounded queue and the thread that empties it.

    Args:
        connect: a new connection; raises OSError.
        encode: the message for a line.
        receiver: how it is called in the log.
        most: how many lines wait; what comes on top is counted as dropped.
    """

    def __init__(
        self, connect: Callable[[], Sending], encode: Callable[[bytes], bytes], receiver: str, most: int
    ) -> None:
        self._connect, self._encode, self._receiver = connect, encode, receiver
        self._lines: queue.Queue[bytes | None] = queue.Queue(most)
        self._stopping = threading.Event()
        self._not_taken = 0  # counted by whoever offers
        self._given_up = 0  # counted by the thread
        self._told = 0
        self._connection: Sending | None = None
        self._thread = threading.Thread(target=self._run, name="audit export", daemon=True)
        self._thread.start()

    def offer(self, line: bytes) -> None:
        """Take a line, or count it; never waits."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._not_taken += 1

    def dropped(self) -> int:
        """How many lines were dropped since this was asked last."""
        known = self._not_taken + self._given_up
        self._told, fresh = known, known - self._told
        return fresh

    def close(self) -> None:
        """Send what waits, as far as that takes no longer than some seconds; what is left counts as dropped."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_FLUSH_SECONDS)
        self._stopping.set()
        self._thread.join(_FLUSH_SECONDS)
        left = [line for line in iter(self._one_left, b"") if line is not None]
        self._not_taken += len(left)

    def _one_left(self) -> bytes | None:
        try:
            return self._lines.get_nowait()
        except queue.Empty:
            return b""

    def _run(self) -> None:
        while not self._stopping.is_set():
            line = self._lines.get()
            if line is None:
                break
            if not self._sent(self._encode(line)):
                self._given_up += 1
        if self._connection is not None:
            self._connection.close()

    def _sent(self, message: bytes) -> bool:
        """Send it, however long the receiver is away; whether it was sent before we were stopped."""
        pause, is_away = _FIRST_PAUSE, False
        while True:
            try:
                self._connection = self._connection or self._connect()
                self._connection.send(message)
            except UndeliverableError:
                return False
            except OSError as error:
                if not is_away:
                    _log.warning("audit export to %s: %s", self._receiver, error.strerror or error)
                is_away = True
                self._let_go()
                if self._stopping.wait(pause):
                    return False
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if is_away:
                    _log.info("audit export to %s goes on", self._receiver)
                return True

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
