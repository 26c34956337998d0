"""What the door sends back, of which nobody on the way may keep a copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import Message

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        body: its octets.
        status: HTTP status.
        media_type: of the body.
        headers: further ones, names in lower case.
    """

    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def messages(self) -> tuple[Message, Message]:
        """The two messages of ASGI."""
        headers = [
            (b"content-type", self.media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", b"no-store"),
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()),
        ]
        start: Message = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": self.body}

    def octets(self) -> bytes:
        """As HTTP/1.1 has it, for a connection that is closed afterwards."""
        start, _ = self.messages()
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}".encode(), b"connection: close"]
        lines += [name + b": " + value for name, value in start["headers"]]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body
