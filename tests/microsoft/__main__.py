"""A double of Microsoft's authorization server and Graph: `python -m microsoft --help`.

It verifies what clients sign with primitives of its own, and refuses what the real ones refuse. Standard output carries
JSON lines: `ready` with the port, then one for each token asked for, each mail, each refusal. SIGUSR1 withdraws all
tokens that were given so far; SIGUSR2 has it say `said`, which comes after all that was said before;
`POST /judge` tells the test's mail server whether a token is good for SMTP.
"""

import argparse
import json
import signal
import ssl
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from cryptography import x509

from microsoft.authority import Authority, Refused
from microsoft.mailboxes import Reply, mailbox_of, send

SMTP = "https://outlook.office365.com"
_FORM = "application/x-www-form-urlencoded"


class Microsoft(ThreadingHTTPServer):
    """The server."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext, mailbox: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self.server_address[1]}"
        self.mailbox = mailbox
        self.authority: Authority
        self._output = threading.RLock()  # the signal may come while its own thread writes

    def log(self, **event: object) -> None:
        with self._output:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or did not trust us; nothing to say."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Microsoft

    def do_GET(self) -> None:
        self._answer(*((200, b'{"value":[]}') if self.path == "/v1.0/" else (404, b"")))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > 4 * 1024 * 1024:
            self._answer(411, b"")
            return
        body = self.rfile.read(int(length))
        mailbox = mailbox_of(self.path)
        if self.path == f"/{self.server.authority.tenant}/oauth2/v2.0/token":
            self._token(body)
        elif self.path == "/judge":
            self._answer(200 if self.server.authority.holder(body.decode(), SMTP) else 401, b"")
        elif mailbox is not None:
            reply = self._send(mailbox, body)
            self._answer(reply.status, reply.body, reply.headers)
        elif self.path.endswith("/oauth2/v2.0/token"):
            self._refuse_token(Refused(400, "invalid_request", 90002))
        else:
            self._answer(404, b"")

    def log_message(self, *_: object) -> None:
        """Not this way."""

    def _token(self, body: bytes) -> None:
        if self.headers.get("Content-Type") != _FORM:
            self._refuse_token(Refused(400, "invalid_request", 900144))
            return
        try:
            given = self.server.authority.token(parse_qs(body.decode("ascii"), strict_parsing=True))
        except (Refused, ValueError, KeyError) as error:
            self._refuse_token(error if isinstance(error, Refused) else Refused(400, "invalid_request", 9002014))
            return
        self.server.log(event="token")
        self._answer(200, json.dumps(given).encode())

    def _refuse_token(self, refused: Refused) -> None:
        self.server.log(event="no token", why=str(refused))
        self._answer(refused.status, json.dumps(refused.body).encode())

    def _send(self, mailbox: str, body: bytes) -> Reply:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.server.authority.holder(token, self.server.url):
            self.server.log(event="refused", code="InvalidAuthenticationToken")
            return Reply(401, "InvalidAuthenticationToken", {"WWW-Authenticate": "Bearer"})
        if self.headers.get("Content-Type") != "application/json":
            return Reply(400, "RequestBodyRead")
        if mailbox != self.server.mailbox:
            return Reply(404, "ErrorInvalidUser")
        reply, message = send(body)
        if message:
            kept = json.loads(body).get("saveToSentItems", True)
            self.server.log(event="mail", kept=kept, id=self.headers.get("client-request-id"), message=message)
        else:
            self.server.log(event="refused", code=reply.code)
        return reply

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"request-id": str(uuid.uuid4()), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m microsoft")
    for name in ("tls", "application", "secret", "refresh-token"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE")
    for name in ("tenant", "client-id", "mailbox"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=int, default=3600)
    arguments = parser.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(arguments.tls)
    with Microsoft(tls, arguments.mailbox) as server:
        server.authority = Authority(
            url=f"{server.url}/{arguments.tenant}/oauth2/v2.0/token",
            tenant=arguments.tenant,
            client_id=arguments.client_id,
            secret=arguments.secret.read_text().strip(),
            certificate=x509.load_pem_x509_certificate(arguments.application.read_bytes()),
            refresh_token=arguments.refresh_token.read_text().strip(),
            resources=(server.url, SMTP),
            seconds=arguments.seconds,
        )
        signal.signal(signal.SIGUSR1, lambda *_: server.authority.withdraw())
        signal.signal(signal.SIGUSR2, lambda *_: server.log(event="said"))
        server.log(event="ready", port=server.server_address[1])
        server.serve_forever()


if __name__ == "__main__":
    main()
