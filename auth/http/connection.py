"""One connection: llhttp reads its requests, one after the other is answered, and nobody holds it up for long."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools
import msgspec

from auth.client_certificate import names_of
from auth.http.answer import Answer
from auth.http.call import FORWARDED_FOR, Call
from auth.http.limits import Limits
from auth.http.problem import Problem

Handler = Callable[[Call], Awaitable[Answer]]
"""Answers a call, and never raises."""

_BLANK_LINE = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BUSY = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open", {"retry-after": "1"}).answer
_NO_HTTP = Problem(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1 request, or its head is too large").answer
_TOO_LARGE = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large for any route").answer


class Open:
    """What is open at a door: its connections, and the answers under way.

    Args:
        date: what time it is, as RFC 9110 section 5.6.7 writes it.
    """

    def __init__(self, date: Callable[[], bytes]) -> None:
        self.date = date
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()


class _Whole(msgspec.Struct, frozen=True):
    """A request that has arrived as a whole, and whether another may follow on the connection."""

    call: Call
    keeps: bool
    is_too_large: bool


class _HeadTooLarge(Exception):
    """Raised at the parser, which takes it for a malformed request."""


class Connection(asyncio.Protocol):
    """HTTP/1.1 (RFC 9112), cut when its next request has not arrived as a whole in time, or answers are not read.

    A request for another protocol (RFC 9110 section 7.8) is answered as any other. Answers go out in the order of the
    requests; a request that is being answered is answered to its end although its client is gone. While one waits for
    its turn, nothing that comes behind it is read: a client that sends on and on, whether it reads or not, has one read
    of its octets kept here, and two requests.

    Args:
        handle: answers.
        around: what is open at the door.
        limits: what a client may use up.
    """

    _transport: asyncio.Transport

    def __init__(self, handle: Handler, around: Open, limits: Limits) -> None:
        self._handle = handle
        self._open = around
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._unread = b""
        self._position = 0
        self._waiting: deque[_Whole] = deque()
        self._cut: asyncio.TimerHandle | None = None
        self._peer = ""
        self._names: tuple[str, ...] = ()
        self._is_answering = self._is_blocked = self._is_ending = self._is_deaf = self._is_paused = False
        self._in_head = True
        self._raw_left = self._arrived = 0
        self._begin()

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The time begins."""
        self._transport = cast("asyncio.Transport", transport)
        self._open.connections.add(self)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if peer else ""
        secured = transport.get_extra_info("ssl_object")
        shown = secured.getpeercert(binary_form=True) if secured else None
        self._names = names_of(shown) if shown else ()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """With these octets a request may be whole."""
        self._unread = self._unread[self._position :] + data
        self._position = 0
        self._read_on()
        self._watch()

    def eof_received(self) -> bool:
        """A client that says no more still hears the answer."""
        self._is_ending = self._is_deaf = True
        has_tls = self._transport.get_extra_info("ssl_object") is not None
        return not has_tls and (self._is_answering or bool(self._waiting))

    def pause_writing(self) -> None:
        """The client reads too slowly: nothing more is answered meanwhile."""
        self._is_blocked = True
        self._watch()

    def resume_writing(self) -> None:
        """It has read."""
        self._is_blocked = False
        self._next()
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing to wait for any more."""
        del exc
        self._open.connections.discard(self)
        self._waiting.clear()
        self._unread = b""
        self._is_ending = self._is_deaf = True
        self._stop()

    def end(self) -> None:
        """Close when what is being answered is answered."""
        self._is_ending = self._is_deaf = True
        if not self._is_answering and not self._waiting:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    # what the parser tells

    def on_message_begin(self) -> None:
        """A head begins."""
        self._begin()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._count(len(url))
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or behind a chunked body a trailer, which nobody looks at."""
        self._count(len(name) + len(value))
        if self._in_head:
            name = name.lower()
            if name == FORWARDED_FOR and name in self._headers:
                # a proxy may add its own line behind the client's: they are one list (RFC 9110 section 5.3)
                self._headers[name] += b", " + value
            else:
                self._headers.setdefault(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._arrived = False, 0
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and not (self._is_answering or self._waiting):
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A part of the body; what is more than any route takes is not kept."""
        if len(self._body) <= self._limits.body_octets:
            self._body += body
        self._arrived = 0

    def on_message_complete(self) -> None:
        """A request is whole, unless it asks for another protocol: then llhttp leaves its body to us."""
        if self._parser.should_upgrade():
            self._is_deaf = True
            length = self._headers.get(b"content-length", b"0")
            if self._parser.get_method() != b"CONNECT" and length != b"0" and length.isdigit():
                self._raw_left = int(length)
                return
        self._whole(keeps=self._parser.should_keep_alive() and not self._is_deaf)

    # our own

    def _begin(self) -> None:
        self._in_head = True
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._head = self._fields = self._behind_head = 0

    def _count(self, octets: int) -> None:
        self._head += octets
        self._fields += 1
        if self._head > self._limits.head_octets or self._fields > self._limits.headers:
            raise _HeadTooLarge

    def _read_on(self) -> None:
        """Read what has come until a request waits for its turn, and let no more come until it has it."""
        while self._position < len(self._unread) and not self._waiting:
            if self._raw_left:
                begin, self._position = self._position, len(self._unread)
                self._take_raw(self._unread[begin:])
            elif self._is_deaf:
                self._position = len(self._unread)
            else:
                self._feed()
        if self._position == len(self._unread):
            self._unread, self._position = b"", 0
        if bool(self._waiting) != self._is_paused and not self._transport.is_closing():
            self._is_paused = not self._is_paused
            if self._is_paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _feed(self) -> None:
        """Read to the next blank line, which ends a head: not more than one body and one head end there.

        The parser cannot stop where a request ends, and thousands of them have room in one read. It keeps a line until
        that ends, of a head as of the trailers behind a chunked body (RFC 9112 section 7.1.2), and has no limit of its
        own: what has arrived of either is counted here.
        """
        begin = self._position
        most = begin + self._limits.head_octets
        found = self._unread.find(_BLANK_LINE, begin, most)
        data = self._unread[begin : most if found < 0 else found + len(_BLANK_LINE)]
        self._position += len(data)
        self._arrived += len(data)
        self._behind_head += 0 if self._in_head else len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._position = begin + upgrade.args[0]
            return
        except httptools.HttpParserError:
            self._refuse(_NO_HTTP)
            return
        if self._arrived > 2 * self._limits.head_octets:
            self._refuse(_NO_HTTP)
        elif not self._in_head and self._behind_head > self._limits.most_octets:
            self._refuse(_TOO_LARGE)

    def _take_raw(self, data: bytes) -> None:
        """The body of a request that asked for another protocol, and nothing behind it."""
        self.on_body(data[: self._raw_left])
        self._behind_head += len(data)
        self._raw_left -= min(len(data), self._raw_left)
        if self._behind_head > self._limits.most_octets:
            self._refuse(_TOO_LARGE)
        elif not self._raw_left:
            self._whole(keeps=False)

    def _refuse(self, answer: Answer) -> None:
        """Answer what cannot be read on, if it is its turn, and close."""
        self._is_deaf = self._is_ending = True
        self._raw_left = 0
        if not self._is_answering and not self._waiting:
            self._transport.write(answer.octets(self._open.date(), keeps=False))
            self._transport.close()

    def _whole(self, *, keeps: bool) -> None:
        self._in_head, self._arrived = True, 0
        try:
            target = httptools.parse_url(self._url)
            path, query = (target.path or b"").decode("ascii"), (target.query or b"").decode("ascii")
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            path, query = "", ""
        method = self._parser.get_method().decode("ascii")
        path = unquote(path) if "%" in path else path
        call = Call(method, path, query, self._headers, bytes(self._body), self._peer, self._names)
        self._waiting.append(_Whole(call, keeps, len(self._body) > self._limits.body_octets))
        self._next()

    def _next(self) -> None:
        if self._waiting and not self._is_answering and not self._is_blocked:
            self._is_answering = True
            task = self._loop.create_task(self._answer(self._waiting.popleft()))
            self._open.tasks.add(task)
            task.add_done_callback(self._open.tasks.discard)
        self._watch()

    async def _answer(self, request: _Whole) -> None:
        if len(self._open.connections) >= self._limits.answered:
            answer = _BUSY
        elif request.is_too_large:
            answer = _TOO_LARGE
        else:
            answer = await self._handle(request.call)
        keeps = request.keeps and (bool(self._waiting) or not self._is_ending)
        self._is_answering = False
        if self._transport.is_closing():
            return
        self._transport.write(answer.octets(self._open.date(), keeps=keeps, is_bare=request.call.method == "HEAD"))
        if not keeps:
            self._transport.close()
            self._stop()
            return
        self._next()
        self._read_on()

    def _watch(self) -> None:
        """Whether it is the client's turn, to send or to read: then time runs."""
        if self._transport.is_closing() or self._is_answering:
            self._stop()
        elif self._cut is None:
            self._cut = self._loop.call_later(self._limits.arrival_seconds, self._late)

    def _late(self) -> None:
        is_idle = self._in_head and not self._arrived and not self._is_blocked
        if is_idle and self._transport.get_extra_info("ssl_object") is None:
            self._transport.close()
        else:
            self._transport.abort()  # close() would wait for what is not read, or for the other side to end TLS

    def _stop(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
