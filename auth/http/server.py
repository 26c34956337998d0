"""The HTTP door's listener: uvicorn, bounded in connections and in the time that a request may take to arrive."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from auth.accepting import Acceptor, listening
from auth.client_certificate import names_of
from auth.clock import Clock
from auth.http.problem import Problem
from auth.reloaded_tls import ReloadedTls, TlsFiles
from auth.settings import HttpSettings
from auth.tls import server_tls_context
from schema.errors import Fault

_log = logging.getLogger("dirfactor.http")
_DRAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What callers may use up, far below the 1024 files that a process usually may have open.

    Attributes:
        answered: with so many connections open, each further request is answered with status 503.
        connections: with so many open, TLS handshakes included, each further one is closed unread.
        arrival_seconds: how long a TLS handshake may take, and then a whole request, counted from the opening of
            the connection or the answer before.
        head_octets: how large a request's line and headers may be together.
        headers: how many headers it may have.
    """

    answered: int = 384
    connections: int = 512
    arrival_seconds: float = 10.0
    head_octets: int = 16 * 1024
    headers: int = 100


_LIMITS = Limits()
_BUSY = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open", {"retry-after": "1"}).answer


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
    http: HttpSettings, tls: ReloadedTls | None, app: ASGIApp, doors: AsyncExitStack, limits: Limits = _LIMITS
) -> str:
    """Open the door, which is closed with the stack after what was begun is done.

    Args:
        http: the section.
        tls: from `http_tls`; None for plain HTTP. Its files are looked after as long as the door is open.
        app: answers.
        doors: closes it.
        limits: what callers may use up.

    Returns:
        its address, for the log.

    Raises:
        Fault: nothing can listen there.
    """
    config = uvicorn.Config(
        app,
        http=HttpToolsProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _Server(config)
    listener = listening(http.host, http.port, "[http]")
    acceptor = Acceptor(
        listener,
        tls,
        lambda: _Connection(server, limits),
        _log,
        open_now=lambda: len(server.server_state.connections),
        most=limits.connections,
        handshake_seconds=limits.arrival_seconds,
    )
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve(sockets=[]))
    ours = [loop.create_task(acceptor.run())]
    ours += [loop.create_task(tls.run())] if tls else []

    async def close() -> None:
        for task in ours:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        server.should_exit = True
        await serving

    doors.push_async_callback(close)
    host, port = listener.getsockname()[:2]
    return f"HTTP {'http' if tls is None else 'https'}://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the process has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class _HeadTooLarge(Exception):
    """The parser takes it for a malformed request."""


class _Connection(HttpToolsProtocol):
    """One connection, which is cut when its next request has not arrived as a whole in time."""

    def __init__(self, server: uvicorn.Server, limits: Limits) -> None:
        super().__init__(server.config, server.server_state, server.lifespan.state)
        self._limits = limits
        self._cut: asyncio.TimerHandle | None = None
        self._answering, self.app = self.app, self._answer
        self._names: tuple[str, ...] = ()
        self._in_head = True
        self._arrived = self._head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The time begins."""
        super().connection_made(cast("asyncio.Transport", transport))
        secured = transport.get_extra_info("ssl_object")
        shown = secured.getpeercert(binary_form=True) if secured else None
        self._names = names_of(shown) if shown else ()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """With these octets the request may be whole."""
        self._arrived += len(data)
        super().data_received(data)
        if self._in_head and self._arrived > self._limits.head_octets and not self.transport.is_closing():
            # a line that has not ended yet is kept by the parser, which has no limit of its own
            self.send_400_response("the head of the request is too large")
        self._watch()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head = True, 0

    def on_url(self, url: bytes) -> None:
        """Counts towards the head."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts towards the head; a trailer does, too."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        super().on_headers_complete()
        self._in_head, self._arrived = False, 0

    def on_message_complete(self) -> None:
        """What comes now is the head of the next request."""
        super().on_message_complete()
        self._in_head, self._arrived = True, 0

    def on_response_complete(self) -> None:
        """The time for the next request begins."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing to wait for any more."""
        super().connection_lost(exc)
        self._stop()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so as everything else is."""
        self.transport.write(Problem(HTTPStatus.BAD_REQUEST, msg.rstrip(".").lower()).answer.octets())
        self.transport.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on with what TLS tells of its client, unless too many connections are open."""
        if len(self.connections) >= self._limits.answered:
            _log.warning("%d connections are open: requests are answered with status 503", len(self.connections))
            for message in _BUSY.messages():
                await send(message)
            return
        if self._names:
            scope["extensions"] = {"tls": {"client_cert_names": self._names}}
        await self._answering(scope, receive, send)

    def _count(self, octets: int) -> None:
        self._head += octets
        if self._head > self._limits.head_octets or len(self.headers) >= self._limits.headers:
            raise _HeadTooLarge

    def _watch(self) -> None:
        if self.transport.is_closing() or not self._is_waiting():
            self._stop()
        elif self._cut is None:
            # abort, because close() would wait for the other side to end TLS
            self._cut = self.loop.call_later(self._limits.arrival_seconds, self.transport.abort)

    def _is_waiting(self) -> bool:
        """Whether it is the client's turn; not while a request is answered, though the next one has begun to arrive."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or (not self.pipeline and (cycle.response_complete or cycle.more_body))

    def _stop(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
