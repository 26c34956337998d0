"""A VIP Authentication Service on this machine: `python -m auth.demo.vip_service --help`.

It reads the wire on its own (nothing of auth.vip is in it), demands a client certificate of its own authority, keeps
its credentials in memory and refuses what the real service refuses. Standard output carries JSON lines: one that
says `ready` with the port, then one for each request, without its codes.
"""

import argparse
import json
import ssl
import sys
import threading
from datetime import UTC
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from socketserver import ThreadingTCPServer
from typing import Any, cast

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY, Clock
from auth.demo.certificates import CertificateFolder
from auth.demo.vip_credentials import Registry, Result
from auth.demo.vip_misbehaviour import Misbehaviour, Wrong
from auth.demo.vip_wire import (
    PATHS,
    ErrorAnswer,
    FaultAnswer,
    Question,
    read,
    write,
    write_error,
    write_fault,
)

_LARGEST_REQUEST = 64 * 1024
_OVERSIZED = 300 * 1024
_PATIENCE = 30.0
_UNSUPPORTED_MEDIA_TYPE = 415
_LENGTH_REQUIRED = 411
_NOT_FOUND = 404
_SERVER_ERROR = 500
_OK = 200


class VipServer(ThreadingTCPServer):
    """The service: mutual TLS around one thread per connection.

    Args:
        address: host and port; port 0 for any.
        tls: the server's side of mutual TLS.
        registry: the credentials.
        always: what to do wrong at each request; None for nothing.
        clock: the time that codes are checked against.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        tls: ssl.SSLContext,
        registry: Registry,
        always: Misbehaviour | None,
        clock: Clock,
    ) -> None:
        super().__init__(address, VipHandler)
        self.registry = registry
        self.always = always
        self.clock = clock
        self._tls = tls
        self._output = threading.Lock()

    def log(self, **event: object) -> None:
        """One JSON line on standard output."""
        with self._output:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def finish_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that a slow client holds up nobody."""
        plain = cast("socket", request)
        plain.settimeout(_PATIENCE)
        with self._tls.wrap_socket(plain, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that failed: say how, never with a traceback that could show a code."""
        del request, client_address
        error = sys.exception()
        outcome = f"tls: {error.reason}" if isinstance(error, ssl.SSLError) else type(error).__name__
        self.log(event="connection", outcome=outcome)


class VipHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    server: VipServer

    def do_POST(self) -> None:
        """Read a request, answer it, and log its outcome."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _LARGEST_REQUEST):
            self._refuse(_LENGTH_REQUIRED)
            return
        octets = self.rfile.read(int(length))
        if self.path not in PATHS:
            self._refuse(_NOT_FOUND)
        elif self.headers.get_content_type() not in ("text/xml", "application/xml"):
            self._refuse(_UNSUPPORTED_MEDIA_TYPE)
        else:
            self._answer(octets)

    def _answer(self, octets: bytes) -> None:
        read_request = read(self.path, octets)
        if "SOAPAction" not in self.headers:  # SOAP 1.1 section 6.1.1
            read_request = FaultAnswer("Client", "the SOAPAction header is missing")
        match read_request:
            case FaultAnswer(code):
                self._log("", (), f"soap:{code}")
                self._send(_SERVER_ERROR, write_fault(read_request))
            case ErrorAnswer(code):
                self._log("", (), code)
                self._send(_OK, write_error(read_request))
            case Question(operation, credentials=credentials):
                wrong = self.server.registry.misbehaviour(credentials) or self.server.always
                if wrong is None:
                    result = self._decide(read_request)
                    self._log(operation, credentials, result.code)
                    self._send(_OK, write(read_request, result, self.server.clock.now()))
                else:
                    self._log(operation, credentials, f"misbehaviour:{wrong.wrong}")
                    self._misbehave(read_request, wrong)

    def _decide(self, question: Question) -> Result:
        registry, now = self.server.registry, self.server.clock.now()
        match question.operation:
            case "GetTokenInformation":
                return registry.describe(question.credentials[0])
            case "ActivateToken":
                return registry.activate(question.credentials[0], question.codes, now)
            case _:
                return registry.validate(question.credentials, question.codes[0], now)

    def _misbehave(self, question: Question, misbehaviour: Misbehaviour) -> None:
        right = write(question, Result("0000"), self.server.clock.now())
        match misbehaviour.wrong:
            case Wrong.HANG:
                threading.Event().wait(float(misbehaviour.value))
                self._send(_OK, write(question, self._decide(question), self.server.clock.now()))
            case Wrong.HALF_OPEN:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<Env")
                self.wfile.flush()
                threading.Event().wait(_PATIENCE)
                self.close_connection = True
            case Wrong.HTTP_500:
                self._refuse(_SERVER_ERROR)
            case Wrong.SOAP_FAULT:
                self._send(_SERVER_ERROR, write_fault(FaultAnswer("Server", "something broke")))
            case Wrong.STATUS:
                self._send(int(misbehaviour.value), right)
            case Wrong.HTML:
                self._send(_OK, right, "text/html")
            case wrong:
                self._send(_OK, self._wrong_body(question, right, wrong, misbehaviour.value))

    def _wrong_body(self, question: Question, right: bytes, wrong: Wrong, value: str) -> bytes:
        match wrong:
            case Wrong.OTHER_REQUEST_ID:
                other = Question(question.operation, question.version, "another", (), (), name_credential=False)
                return write(other, Result("0000"), self.server.clock.now())
            case Wrong.REASON:
                return write(question, Result(value), self.server.clock.now())
            case Wrong.OVERSIZED:
                return b" " * _OVERSIZED + right
            case _:
                return b"<<< this is not XML \xff\xfe"

    def _send(self, status: int, body: bytes, content_type: str = "text/xml; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int) -> None:
        """An HTTP status and no SOAP, and the end of the connection."""
        self.close_connection = True
        self._send(status, b"<html><body>no</body></html>", "text/html")

    def _log(self, operation: str, credentials: tuple[str, ...], outcome: str) -> None:
        self.server.log(event="request", operation=operation, credential=",".join(credentials), outcome=outcome)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the JSON lines say it."""


def server_tls(folder: CertificateFolder) -> ssl.SSLContext:
    """TLS 1.2 or later, for clients with a certificate of this folder's authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder.server)
    context.load_verify_locations(folder.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def main() -> int:
    """Make certificates, or serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m auth.demo.vip_service", description="A VIP service to try with.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--make-certificates", type=Path, metavar="DIR", help="write throw-away certificates, and end")
    action.add_argument(
        "--credentials", type=Path, metavar="FILE", help='JSON list of {"id", "seed", "status", "misbehave"?}'
    )
    parser.add_argument("--certificates", type=Path, metavar="DIR", help="what --make-certificates wrote")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--misbehave",
        type=Misbehaviour.read,
        metavar="HOW",
        help=f"go wrong always: {', '.join(Wrong)}; reason, hang and status take a value, as hang:3",
    )
    arguments = parser.parse_args()
    if arguments.make_certificates:
        CertificateFolder(arguments.make_certificates).make(SYSTEM_CLOCK.now().astimezone(UTC), SYSTEM_ENTROPY)
        return 0
    if not arguments.certificates:
        parser.error("--credentials needs --certificates")
    try:
        registry = Registry.load(arguments.credentials)
        tls = server_tls(CertificateFolder(arguments.certificates))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with VipServer((arguments.host, arguments.port), tls, registry, arguments.misbehave, SYSTEM_CLOCK) as server:
        server.log(event="ready", port=server.server_address[1])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
