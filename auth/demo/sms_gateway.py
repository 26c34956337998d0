"""An SMS gateway on this machine: `python -m auth.demo.sms_gateway --help`.

Texts are handed in by `POST /messages` with basic authentication and a JSON object of `to`, `from` and `body`. It is as
strict as real ones, and as odd: a number that it cannot reach gets HTTP 200 with an error in the body. Standard output
carries JSON lines: one that says `ready` with the port, then one for each text, which stands for the phone that rings.
"""

import argparse
import base64
import hmac
import json
import re
import sys
import threading
from collections.abc import Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer

import msgspec

from auth.clock import SYSTEM_ENTROPY, Entropy
from schema.secret import Secret

_LARGEST_REQUEST = 16 * 1024
_LONGEST_TEXT = 1600
_PATIENCE = 30.0
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON object that a text comes in.

    Attributes:
        to: receiver.
        sender: `from`.
        body: the words.
    """

    to: str
    sender: str = msgspec.field(name="from")
    body: str = ""


class SmsServer(ThreadingTCPServer):
    """The gateway: one thread per connection.

    Args:
        address: host and port; port 0 for any.
        username: the one account's name.
        password: its password.
        entropy: for message ids.
        unreachable: numbers that it cannot reach, besides those that are none.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        username: str,
        password: Secret,
        entropy: Entropy,
        unreachable: Collection[str] = (),
    ) -> None:
        super().__init__(address, SmsHandler)
        self.entropy = entropy
        self._unreachable = frozenset(unreachable)
        self._authorization = b"Basic " + base64.b64encode(f"{username}:{password.text}".encode())
        self._output = threading.Lock()

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header is the account's."""
        return hmac.compare_digest(authorization.encode(), self._authorization)

    def reaches(self, number: str) -> bool:
        """Whether there is a phone with this number."""
        return _E164.fullmatch(number) is not None and number not in self._unreachable

    def log(self, **event: object) -> None:
        """One JSON line on standard output."""
        with self._output:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that failed: say how, never with a traceback that could show a text."""
        del request, client_address
        self.log(event="connection", outcome=type(sys.exception()).__name__)


class SmsHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    server: SmsServer

    def do_POST(self) -> None:
        """Take a text, or say why not."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _LARGEST_REQUEST):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length of at most 16384 is wanted")
            return
        octets = self.rfile.read(int(length))
        if self.path != "/messages":
            self._refuse(HTTPStatus.NOT_FOUND, "texts are posted to /messages")
        elif not self.server.knows(self.headers.get("Authorization", "")):
            self._refuse(HTTPStatus.UNAUTHORIZED, "wrong username or password")
        elif self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/json is wanted")
        else:
            self._take(octets)

    def _take(self, octets: bytes) -> None:
        try:
            text = msgspec.json.decode(octets, type=Text)
        except msgspec.MsgspecError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        if not (text.sender and 0 < len(text.body) <= _LONGEST_TEXT):
            self._refuse(HTTPStatus.BAD_REQUEST, "from or body is empty, or body too long")
        elif not self.server.reaches(text.to):
            self._answer(HTTPStatus.OK, {"status": "rejected", "error": {"code": 21211, "message": "invalid number"}})
        else:
            identity = self.server.entropy.octets(12).hex()
            self.server.log(event="text", id=identity, to=text.to, sender=text.sender, body=text.body)
            self._answer(HTTPStatus.OK, {"status": "accepted", "id": identity})

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """An HTTP status, and the end of the connection."""
        self.close_connection = True
        self._answer(status, {"status": "refused", "error": {"code": int(status), "message": why}})

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        octets = json.dumps(body).encode()
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="texts", charset="UTF-8"')
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the JSON lines say it."""


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m auth.demo.sms_gateway", description="An SMS gateway to try with.")
    parser.add_argument("--username", default="demo", metavar="NAME", help="the account's name (default %(default)s)")
    parser.add_argument("--password-file", required=True, type=Path, metavar="FILE", help="file with its password")
    parser.add_argument("--unreachable", nargs="*", default=(), metavar="NUMBER", help="numbers that it cannot reach")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    arguments = parser.parse_args()
    try:
        password = Secret(arguments.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"{arguments.password_file}: {error}")
    if not password:
        parser.error(f"{arguments.password_file} is empty")
    address, unreachable = (arguments.host, arguments.port), arguments.unreachable
    with SmsServer(address, arguments.username, password, SYSTEM_ENTROPY, unreachable) as server:
        server.log(event="ready", port=server.server_address[1])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
