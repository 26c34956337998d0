"""Accepts TCP connections for a door: bounded in number, and in the time that a TLS handshake may take."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

from auth.reloaded_tls import ReloadedTls

_AGAIN_SECONDS = 0.1

Told = Callable[[str, OSError | None], None]
"""Hears from which address a connection came to nothing, and the error of its handshake; None: too many are open."""


def _unheard(_address: str, _error: OSError | None) -> None:
    """Nobody asks."""


class Acceptor:
    """Accepts connections until it is cancelled; a library would take any number, and wait a minute for a handshake.

    Args:
        listener: does not block; is closed at the end.
        tls: the context of each new connection; None for none.
        protocol: makes what serves a connection.
        log: where it says what keeps it from accepting.
        open_now: how many connections are being served.
        most: with so many open, handshakes included, each further one is closed unread.
        handshake_seconds: how long a TLS handshake may take.
        told: of each connection that came to nothing.
    """

    def __init__(
        self,
        listener: socket.socket,
        tls: ReloadedTls | None,
        protocol: Callable[[], asyncio.Protocol],
        log: logging.Logger,
        *,
        open_now: Callable[[], int],
        most: int,
        handshake_seconds: float,
        told: Told = _unheard,
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._protocol = protocol
        self._log = log
        self._open_now = open_now
        self._most = most
        self._handshake_seconds = handshake_seconds
        self._told = told
        self._beginning: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        with self._listener:
            while True:
                try:
                    connection, place = await loop.sock_accept(self._listener)
                except OSError as error:
                    self._log.error("no connection can be accepted: %s", error.strerror)
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                if len(self._beginning) + self._open_now() >= self._most:
                    connection.close()
                    self._told(_address(place), None)
                    continue
                task = loop.create_task(self._begin(connection, _address(place)))
                self._beginning.add(task)
                task.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket, address: str) -> None:
        """Hand the connection to its protocol, after the TLS handshake if there is one."""
        seconds = self._handshake_seconds if self._tls else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._tls.context if self._tls else None,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=seconds,
            )
        except OSError as error:  # also TLS errors; whoever knocks and does not speak TLS is no news by itself
            self._log.debug("a connection came to nothing: %s", type(error).__name__)
            connection.close()
            self._told(address, error)


def _address(place: Sequence[Any]) -> str:
    """Of what a socket calls its other side."""
    return str(place[0]).removeprefix("::ffff:")
