"""An SMS gateway on this machine: `python -m auth.demo.sms_gateway --help`.

It takes POST /messages with JSON {"to", "from", "body"} and basic authentication, and answers a number it will not
dial with status 200 and an error in the body, as several providers do. Standard output carries JSON lines: `ready`
with the port, then `text` for each text as its reader would see it.
"""

import argparse
import base64
import hmac
import json
import re
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_LARGEST = 16 * 1024
_FIELDS = {"to", "from", "body"}


class SmsServer(ThreadingHTTPServer):
    """The gateway: one account, one thread a connection."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], username: str, password: str) -> None:
        super().__init__(address, SmsHandler)
        self.authorization = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, to: str, body: str) -> str:
        """Deliver a text; its id."""
        with self._lock:
            self._taken += 1
            identity = f"demo-{self._taken:06d}"
            sys.stdout.write(json.dumps({"event": "text", "to": to, "body": body, "id": identity}) + "\n")
            sys.stdout.flush()
        return identity


class SmsHandler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a text, or say why not."""
        server = cast("SmsServer", self.server)
        length = self.headers.get("Content-Length", "")
        octets = self.rfile.read(min(int(length), _LARGEST)) if length.isdigit() else b""
        if not hmac.compare_digest(self.headers.get("Authorization", ""), server.authorization):
            return self._answer(HTTPStatus.UNAUTHORIZED, {"error": "wrong credentials"})
        if self.path != "/messages":
            return self._answer(HTTPStatus.NOT_FOUND, {"error": "no such resource"})
        try:
            text = json.loads(octets)
        except ValueError:
            text = None
        if (
            not isinstance(text, dict)
            or set(text) != _FIELDS
            or not all(isinstance(v, str) and v for v in text.values())
        ):
            return self._answer(HTTPStatus.BAD_REQUEST, {"error": "wanted are to, from and body"})
        if not _E164.fullmatch(text["to"]):
            return self._answer(HTTPStatus.OK, {"status": "rejected", "error": "invalid number"})
        return self._answer(HTTPStatus.OK, {"status": "accepted", "id": server.take(text["to"], text["body"])})

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Say nothing: standard output is for events."""


def main() -> int:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--username", default="demo", help="the account's name (default %(default)s)")
    parser.add_argument("--password-file", type=Path, required=True, help="file with the account's password")
    arguments = parser.parse_args()
    password = arguments.password_file.read_text().strip()
    server = SmsServer((arguments.host, arguments.port), arguments.username, password)
    sys.stdout.write(json.dumps({"event": "ready", "port": server.server_port}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
