"""Hears that something has changed in a domain, over a connection of its own; what it was, others ask."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from dirsync.ad.controls import NOTIFICATION, SHOW_DELETED
from dirsync.ad.server import highest_usn, tells_dearly
from dirsync.errors import DirectoryUnavailable
from dirsync.wire.complaints import Interrupted
from dirsync.wire.connection import Connection
from dirsync.wire.search import Scope, Search, converse
from dirsync.wire.stream import Ended, Stream
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
# How often the server's number is looked at, which costs it a fraction of a millisecond.
_LOOK_SECONDS: Final = 0.25


class Watch:
    """Waits for changes by change notification (MS-ADTS section 3.1.1.3.4.1.9), and looks at highestCommittedUSN.

    Samba is only looked at: after each write it goes through all of the domain for each search that waits to be told,
    so that it gets slower by the size of the domain, or it tells up to 5 s late when another process has written.

    Nothing is told of what happens while there is no connection, so a new one counts as a change. Servers close a
    connection on which nothing is asked for 900 s; the looks keep it open. One thread waits; the others may be any.

    Args:
        sign_in: opens a connection with the rights of the service account.
    """

    def __init__(self, sign_in: Callable[[], Connection]) -> None:
        self._sign_in = sign_in
        self._turn = Lock()
        self._context: str | None = None
        self._pause = 0.0
        self._connection: Connection | None = None
        self._stream: Stream | None = None
        self._usn = 0
        self._refuses = False

    @property
    def method(self) -> str:
        """What wakes, for people."""
        return "woken by highestCommittedUSN" if self._refuses else "woken by change notification"

    def prepare(self, context: str, pause: float) -> None:
        """The domain could be read just now: from here on a connection to it may be opened.

        Without this none is: a service account whose password is wrong would be locked by an impatient watch.

        Args:
            context: DN of the domain.
            pause: seconds for which nothing is reported, so that the server is not asked without end.
        """
        self._context = context
        self._pause = pause

    def wait(self, seconds: float) -> bool:
        """Block until something has changed, for `seconds` at most; whether it has. Never raises a Fault."""
        rest = min(self._pause, seconds)
        self._pause -= rest
        time.sleep(rest)
        left = seconds - rest
        while left > 0:
            step = min(left, _LOOK_SECONDS)
            if self._hears(step):
                return True
            left -= step
        return False

    def close(self) -> None:
        """Close the connection. No other is opened before the domain has been read again."""
        with self._turn:
            self._context = None
            self._drop()

    def _hears(self, seconds: float) -> bool:
        """One step: whether something has changed. If that cannot be known, the time is slept away."""
        with self._turn:
            context, connection = self._context, self._connection
            if context is not None:
                try:
                    return self._listen(connection, seconds) if connection else self._open(context)
                except Fault as fault:
                    _log.debug("the watch lost its connection: %s", fault)
                    # a connection that has died is replaced at once; where none can be opened, the sync finds out
                    self._context = context if connection else None
                    self._drop()
        time.sleep(seconds)
        return False

    def _open(self, context: str) -> bool:
        """Begin to listen. What has happened before is not told, so this counts as a change."""
        self._connection = self._sign_in()
        self._refuses = self._refuses or converse(tells_dearly(), self._connection.search)
        if not self._refuses:
            self._stream = self._connection.stream(
                Search(context, ("objectGUID",), Scope.SUBTREE, controls=(NOTIFICATION, SHOW_DELETED))
            )
        self._usn = converse(highest_usn(), self._connection.search)
        return True

    def _listen(self, connection: Connection, seconds: float) -> bool:
        if self._has_moved(connection):
            return True
        told = False
        if self._stream is None:
            time.sleep(seconds)
        else:
            try:
                told = _tells(self._stream, seconds)
            except Interrupted:
                raise
            except Fault as fault:
                told = self._has_moved(connection)  # a server that answers this has refused the other, and lives
                self._refuses, self._stream = True, None
                _log.warning("no change notification, the server's number is looked at instead: %s", fault.problem)
        if told:
            self._has_moved(connection)  # what was told is not seen once more
        return told

    def _has_moved(self, connection: Connection) -> bool:
        before, self._usn = self._usn, converse(highest_usn(), connection.search)
        return self._usn != before

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
        self._stream = None


def _tells(stream: Stream, seconds: float) -> bool:
    """Whether the server tells of a change in time; all that it has told is taken.

    Raises:
        DirectoryUnavailable: the connection is broken, or the search has ended.
        DirectoryRefused: the server refuses it.
    """
    message = told = stream.next(seconds)
    while message is not None:
        if isinstance(message, Ended):
            raise DirectoryUnavailable("the server has ended the search for changes", remedy="nothing has to be done")
        message = stream.next(0)
    return told is not None
