"""What the door sends back, of which nobody on the way may keep a copy."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import msgspec

JSON = "application/json"
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_NONE: Mapping[str, str] = MappingProxyType({})


class Answer(msgspec.Struct, frozen=True):
    """A whole answer.

    Attributes:
        body: its octets; none go with 204.
        status: HTTP status.
        media_type: of the body.
        headers: further ones.
    """

    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = _NONE

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} octets)"

    def octets(self, date: bytes, *, keeps: bool, is_bare: bool = False) -> bytes:
        """As HTTP/1.1 has it (RFC 9112).

        Args:
            date: the instant, as RFC 9110 section 5.6.7 writes it.
            keeps: whether another request may follow on the connection.
            is_bare: whether the head is all that is wanted (RFC 9110 section 9.3.2).
        """
        parts = [_STATUS[self.status], b"date: ", date, b"\r\ncache-control: no-store\r\n"]
        if self.status != HTTPStatus.NO_CONTENT:  # RFC 9110 section 8.6
            parts.append(b"content-type: %b\r\ncontent-length: %d\r\n" % (self.media_type.encode(), len(self.body)))
        parts += [f"{name}: {value}\r\n".encode("latin-1") for name, value in self.headers.items()]
        parts.append(b"\r\n" if keeps else b"connection: close\r\n\r\n")
        if not is_bare:
            parts.append(self.body)
        return b"".join(parts)
