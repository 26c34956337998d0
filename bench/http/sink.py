# ruff: noqa: INP001 - bench is a folder of programs, no package
"""A gateway that keeps what it is handed, and how HTTP messages end: by Content-Length, for these servers."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CODE = re.compile(r"\d{6}")
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nOK"


class Messages:
    """Octets become bodies of messages, one at a time."""

    def __init__(self) -> None:
        self._octets = b""
        self.last = False
        """Whether the connection ends with what was taken last (RFC 9112 §9.6)."""

    def take(self, data: bytes) -> bytes | None:
        """The body of the message that these octets complete."""
        self._octets += data
        head, mark, rest = self._octets.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not mark or length is None or len(rest) < int(length[1]):
            return None
        self.last = _CLOSE.search(head) is not None
        end = int(length[1])
        self._octets = rest[end:]
        return rest[:end]


class Gateway:
    """Takes texts by POST of a form with `to` and `text`.

    Args:
        seconds: for which it thinks before it answers; it has the text all the while.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._codes: dict[str, str] = {}

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Takes texts at this port of loopback until the context ends."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Post(self), "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()

    def take(self, form: bytes) -> None:
        """Keep the code of one text."""
        fields = parse_qs(form.decode())
        found = _CODE.search(fields["text"][0])
        self._codes[fields["to"][0]] = found[0] if found else ""

    def code(self, number: str) -> str:
        """The code that was sent to a number last, which is good for one answer."""
        return self._codes.pop(number, "")


class _Post(asyncio.Protocol):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._messages = Messages()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        body = self._messages.take(data)
        if body is not None:
            self._gateway.take(body)
            asyncio.get_running_loop().call_later(self._gateway.seconds, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]
