"""A mail server on this machine: `python -m auth.demo.mail_server --help`.

It speaks the part of RFC 5321 that hands in mail, and takes none before STARTTLS (RFC 3207) and, when it has an
account, AUTH PLAIN (RFC 4616). Standard output carries JSON lines: one that says `ready` with the port, then one for
each mail, which stands for the mailbox in which it arrives.
"""

import argparse
import base64
import binascii
import email
import email.policy
import hmac
import json
import re
import ssl
import sys
import threading
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

from schema.secret import Secret

_LONGEST_LINE = 1000  # RFC 5321 section 4.5.3.1.6
_LARGEST_MAIL = 1024 * 1024
_PATIENCE = 30.0
_PATH = re.compile(r"(FROM|TO):<([^<>\s]*)>(?: .*)?", re.IGNORECASE)
_STARTTLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"


class MailServer(ThreadingTCPServer):
    """The server: one thread per connection.

    Args:
        address: host and port; port 0 for any.
        tls: for STARTTLS.
        account: what AUTH PLAIN must bring; None when everybody may hand in mail.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext, account: tuple[str, Secret] | None) -> None:
        super().__init__(address, MailHandler)
        self.tls = tls
        self.account = account
        self._output = threading.Lock()

    def log(self, **event: object) -> None:
        """One JSON line on standard output."""
        with self._output:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that failed: say how, never with a traceback that could show a mail."""
        del request, client_address
        error = sys.exception()
        outcome = f"tls: {error.reason}" if isinstance(error, ssl.SSLError) else type(error).__name__
        self.log(event="connection", outcome=outcome)


class MailHandler(StreamRequestHandler):
    """One connection."""

    timeout = _PATIENCE
    server: MailServer
    _secured = False
    _known = False
    _sender: str | None = None
    _recipients: tuple[str, ...] = ()

    def handle(self) -> None:
        """Answer commands until QUIT or the end."""
        self._say("220 localhost ESMTP demo")
        while line := self.rfile.readline(_LONGEST_LINE + 1):
            verb, _, rest = line.decode("utf-8", errors="replace").strip().partition(" ")
            if len(line) > _LONGEST_LINE:
                self._say("500 5.5.2 Line too long")
                return
            if verb.upper() == "QUIT":
                self._say("221 2.0.0 Bye")
                return
            self._command(verb.upper(), rest.strip())

    def finish(self) -> None:
        """Close, also what STARTTLS has put in the place of the server's own socket."""
        super().finish()
        self.connection.close()

    def _command(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                self._reset()
                self._say(*self._extensions() if verb == "EHLO" else ["250 localhost"])
            case "STARTTLS" if not self._secured:
                self._start_tls()
            case "NOOP":
                self._say("250 2.0.0 OK")
            case "RSET":
                self._reset()
                self._say("250 2.0.0 OK")
            case "AUTH" | "MAIL" | "RCPT" | "DATA" if not self._secured:
                self._say(_STARTTLS_FIRST)
            case "AUTH" if self.server.account and not self._known:
                self._authenticate(*self.server.account, rest)
            case "MAIL" | "RCPT" | "DATA" if self.server.account and not self._known:
                self._say("530 5.7.0 Authentication required")
            case "MAIL" | "RCPT" | "DATA":
                self._transaction(verb, rest)
            case _:
                self._say("502 5.5.1 Command not implemented")

    def _extensions(self) -> list[str]:
        offered = ["localhost", f"SIZE {_LARGEST_MAIL}", "ENHANCEDSTATUSCODES"]
        if not self._secured:
            offered.append("STARTTLS")
        elif self.server.account:
            offered.append("AUTH PLAIN")
        return [*(f"250-{each}" for each in offered[:-1]), f"250 {offered[-1]}"]

    def _start_tls(self) -> None:
        self._say("220 2.0.0 Ready to start TLS")
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        # new files, so that nothing that came in clear text is taken for a command: RFC 3207 section 4.2
        super().setup()
        self._secured = True
        self._reset()

    def _authenticate(self, username: str, password: Secret, rest: str) -> None:
        mechanism, _, response = rest.partition(" ")
        if mechanism.upper() != "PLAIN":
            self._say("504 5.5.4 Unrecognized authentication type")
            return
        if not response:
            self._say("334 ")
            response = self.rfile.readline(_LONGEST_LINE).decode("ascii", errors="replace").strip()
        try:
            brought = base64.b64decode(response, validate=True)
        except binascii.Error:
            self._say("501 5.5.2 Cannot decode")
            return
        self._known = hmac.compare_digest(brought.partition(b"\0")[2], f"{username}\0{password.text}".encode())
        self._say("235 2.7.0 Authentication successful" if self._known else "535 5.7.8 Authentication failed")

    def _transaction(self, verb: str, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        match verb, path and path[1].upper():
            case "MAIL", "FROM" if path and self._sender is None:
                self._sender = path[2]
                self._say("250 2.1.0 OK")
            case "RCPT", "TO" if path and self._sender is not None and "@" in path[2]:
                self._recipients += (path[2],)
                self._say("250 2.1.5 OK")
            case "DATA", None if self._recipients and not rest:
                self._receive()
            case "MAIL" | "RCPT", None:
                self._say("501 5.5.4 Syntax error in parameters")
            case _:
                self._say("503 5.5.1 Bad sequence of commands")

    def _receive(self) -> None:
        self._say("354 End data with <CR><LF>.<CR><LF>")
        content = bytearray()
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            content += line.removeprefix(b".")  # RFC 5321 section 4.5.2
            if len(content) > _LARGEST_MAIL:
                self._say("552 5.3.4 Message too big")
                self.connection.close()
                return
        mail = email.message_from_bytes(content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content().replace("\r\n", "\n") if body else ""
        for recipient in self._recipients:
            self.server.log(event="mail", id=mail["Message-ID"], to=recipient, subject=mail["Subject"], text=text)
        self._reset()
        self._say("250 2.0.0 OK")

    def _reset(self) -> None:
        self._sender, self._recipients = None, ()

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def _account(username: str | None, password_file: Path | None) -> tuple[str, Secret] | None:
    """Raises ValueError or OSError."""
    if username is None and password_file is None:
        return None
    if not username or password_file is None:
        msg = "--username and --password-file go together"
        raise ValueError(msg)
    password = password_file.read_text(encoding="utf-8").rstrip("\r\n")
    if not password:
        msg = f"{password_file} is empty"
        raise ValueError(msg)
    return username, Secret(password)


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m auth.demo.mail_server", description="A mail server to try with.")
    parser.add_argument(
        "--certificate", required=True, type=Path, metavar="FILE", help="PEM file of key, certificate and chain"
    )
    parser.add_argument("--username", metavar="NAME", help="account that must log in; anybody may send without it")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file with its password")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    arguments = parser.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        account = _account(arguments.username, arguments.password_file)
        tls.load_cert_chain(arguments.certificate)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with MailServer((arguments.host, arguments.port), tls, account) as server:
        server.log(event="ready", port=server.server_address[1])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
