"""Tells Postfix whom an access token lets in: the auth server of its `smtpd_sasl_type = dovecot`, for XOAUTH2 alone.

It speaks Dovecot's authentication protocol, version 1.1, as far as Postfix does.
"""

import base64
import binascii
import os
import threading
from collections.abc import Callable
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

_REFUSED = base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode()


class TokenJudge(ThreadingUnixStreamServer):
    """The server; a context manager that listens.

    Args:
        path: its socket.
        good: whether a token lets a user in.
    """

    daemon_threads = True

    def __init__(self, path: Path, good: Callable[[str, str], bool]) -> None:
        super().__init__(str(path), _Connection)
        path.chmod(0o666)
        self.good = good

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Connection(StreamRequestHandler):
    server: TokenJudge

    def handle(self) -> None:
        self._say("VERSION", "1", "1")
        self._say("MECH", "XOAUTH2", "plaintext")
        self._say("SPID", str(os.getpid()))
        self._say("CUID", str(id(self)))
        self._say("COOKIE", "0" * 32)
        self._say("DONE")
        for line in self.rfile:
            verb, *words = line.decode().rstrip("\n").split("\t")
            if verb == "AUTH":
                self._judge(words[0], words[-1].removeprefix("resp="))
            elif verb == "CONT":
                # the empty answer to our 334, as the mechanism wants it
                self._say("FAIL", words[0], "reason=token refused")

    def _judge(self, number: str, response: str) -> None:
        user, token = "", ""
        try:
            said = base64.b64decode(response, validate=True).decode()
            name, bearer, *end = said.split("\1")
            if name.startswith("user=") and bearer.startswith("auth=Bearer ") and end == ["", ""]:
                user, token = name.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
        except (binascii.Error, ValueError):
            pass
        if token and self.server.good(user, token):
            self._say("OK", number, f"user={user}")
        else:
            self._say("CONT", number, _REFUSED)

    def _say(self, *words: str) -> None:
        self.wfile.write(("\t".join(words) + "\n").encode())
