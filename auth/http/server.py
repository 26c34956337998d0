"""The HTTP door's listener: opens it with TLS or without, and closes it when what was begun is done."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from contextlib import AsyncExitStack
from email.utils import format_datetime
from functools import partial

from auth.accepting import Acceptor
from auth.clock import Clock
from auth.http.connection import Connection, Handler, Open
from auth.http.limits import Limits
from auth.reloaded_tls import ReloadedTls, TlsFiles
from auth.settings import HttpSettings
from auth.tls import server_tls_context
from schema.errors import Fault

_log = logging.getLogger("dirfactor.http")
_DRAIN_SECONDS = 5


_LIMITS = Limits()


def http_tls(http: HttpSettings, clock: Clock) -> ReloadedTls | None:
    """What the door shows as its certificate, and whose certificates it takes; None for plain HTTP.

    Raises:
        Fault: the section would carry passwords in clear text, or its files cannot be used.
    """
    try:
        address = ipaddress.ip_address(http.host)
    except ValueError:
        raise Fault(
            f"host {http.host} is no IP address", remedy="give an address of this host, such as 127.0.0.1"
        ) from None
    if http.certificate is not None:
        others = tuple(path for path in (http.private_key, http.client_ca_file) if path is not None)
        build = partial(server_tls_context, http.certificate, http.private_key, http.client_ca_file)
        return ReloadedTls(TlsFiles("[http]", http.certificate, others, build), clock)
    for key, value in (("private_key", http.private_key), ("client_ca_file", http.client_ca_file)):
        if value is not None:
            raise Fault(f"{key} stands without certificate", remedy="add certificate = ..., or leave both out")
    if not address.is_loopback:
        raise Fault(
            f"host {http.host} would carry passwords in clear text",
            remedy="set certificate and private_key, or listen at 127.0.0.1",
        )
    return None


async def open_http(
    listener: socket.socket,
    tls: ReloadedTls | None,
    handle: Handler,
    clock: Clock,
    doors: AsyncExitStack,
    limits: Limits = _LIMITS,
) -> str:
    """Open the door, which is closed with the stack after what was begun is done.

    Args:
        listener: listens, and does not block.
        tls: from `http_tls`; None for plain HTTP. Its files are looked after as long as the door is open.
        handle: answers.
        clock: dates the answers.
        doors: closes it.
        limits: what callers may use up.

    Returns:
        its address, for the log.
    """
    around = Open(HttpDate(clock))
    acceptor = Acceptor(
        listener,
        tls,
        lambda: Connection(handle, around, limits),
        _log,
        open_now=lambda: len(around.connections),
        most=limits.connections,
        handshake_seconds=limits.arrival_seconds,
    )
    loop = asyncio.get_running_loop()
    ours = [loop.create_task(acceptor.run())]
    ours += [loop.create_task(tls.run())] if tls else []

    async def close() -> None:
        for task in ours:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await _end(around)

    doors.push_async_callback(close)
    host, port = listener.getsockname()[:2]
    return f"HTTP {'http' if tls is None else 'https'}://{host}:{port}"


async def _end(around: Open) -> None:
    """Let what was begun come to its end, for some seconds at most."""
    for connection in tuple(around.connections):
        connection.end()
    if around.tasks:
        await asyncio.wait(tuple(around.tasks), timeout=_DRAIN_SECONDS)
    for task in tuple(around.tasks):
        task.cancel()
    for connection in tuple(around.connections):
        connection.abort()


class HttpDate:
    """What time it is, as RFC 9110 section 5.6.7 writes it; written anew once a second.

    Args:
        clock: tells it.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._second = -1
        self._text = b""

    def __call__(self) -> bytes:
        """The text of now."""
        now = self._now()
        second = int(now.timestamp())
        if second != self._second:
            self._second, self._text = second, format_datetime(now, usegmt=True).encode()
        return self._text
