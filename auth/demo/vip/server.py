"""The VIP simulator's server: mutual TLS, HTTP, one thread for each connection, and going wrong as it is told."""

import json
import ssl
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from socket import socket
from socketserver import ThreadingTCPServer
from types import ModuleType
from typing import Any, cast

from auth.clock import Clock, Entropy
from auth.demo.certificates import CertificateFolder
from auth.demo.vip import authentication, user_services
from auth.demo.vip.misbehaviour import Misbehaviour, Wrong
from auth.demo.vip.registry import Registry, Result
from auth.demo.vip.wire import ErrorAnswer, FaultAnswer, Question, opened, write_fault

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
        entropy: draws the codes that are sent.
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
        entropy: Entropy,
    ) -> None:
        super().__init__(address, VipHandler)
        self.registry = registry
        self.always = always
        self.clock = clock
        self.entropy = entropy
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
        if self.path not in authentication.PATHS | user_services.PATHS:
            self._refuse(_NOT_FOUND)
        elif self.headers.get_content_type() not in ("text/xml", "application/xml"):
            self._refuse(_UNSUPPORTED_MEDIA_TYPE)
        else:
            self._answer(octets)

    @property
    def _dialect(self) -> ModuleType:
        return authentication if self.path in authentication.PATHS else user_services

    def _answer(self, octets: bytes) -> None:
        request = opened(octets)
        read_request = request if isinstance(request, FaultAnswer) else self._dialect.read(self.path, request)
        if "SOAPAction" not in self.headers:  # SOAP 1.1 section 6.1.1
            read_request = FaultAnswer("Client", "the SOAPAction header is missing")
        match read_request:
            case FaultAnswer(code):
                self._log("", "", f"soap:{code}")
                self._send(_SERVER_ERROR, write_fault(read_request))
            case ErrorAnswer(code):
                self._log("", "", code)
                self._send(_OK, self._dialect.write_error(read_request))
            case Question(operation, credentials=credentials, user=user):
                about = user or ",".join(id_ for id_, _ in credentials)
                wrong = self.server.registry.misbehaviour(credentials) or self.server.always
                if wrong is None:
                    result = self._decide(read_request)
                    self._log(operation, about, result.code)
                    self._send(_OK, self._write(read_request, result))
                else:
                    self._log(operation, about, f"misbehaviour:{wrong.wrong}")
                    self._misbehave(read_request, wrong)

    def _decide(self, question: Question) -> Result:
        server = self.server
        result: Result = self._dialect.decide(server.registry, question, server.clock.now(), server.entropy.below)
        if result.texted is not None and result.credential is not None:
            server.log(event="sent", to=result.credential.id, body=f"Your code is {result.texted.text}")
        return result

    def _write(self, question: Question, result: Result) -> bytes:
        octets: bytes = self._dialect.write(question, result, self.server.clock.now())
        return octets

    def _misbehave(self, question: Question, misbehaviour: Misbehaviour) -> None:
        right = self._write(question, Result("0000"))
        match misbehaviour.wrong:
            case Wrong.HANG:
                threading.Event().wait(float(misbehaviour.value))
                self._send(_OK, self._write(question, self._decide(question)))
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
                return self._write(replace(question, request_id="another"), Result("0000"))
            case Wrong.REASON:
                return self._write(question, Result(value))
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

    def _log(self, operation: str, about: str, outcome: str) -> None:
        self.server.log(event="request", operation=operation, credential=about, outcome=outcome)

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
