# ruff: noqa: INP001 - bench is a folder of programs, no package
"""The peer: pyrad's own server, which verifies each Access-Request and rejects it: pyrad_reject.py PORT SECRET_FILE."""

import io
import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyrad.dictionary import Dictionary
    from pyrad.packet import AccessReject, AuthPacket
    from pyrad.server import RemoteHost, Server

# The attributes of our requests and its replies, and no others: a full dictionary would not be quicker to look up in.
_DICTIONARY = """\
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 string
ATTRIBUTE NAS-Port 5 integer
ATTRIBUTE Reply-Message 18 string
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Message-Authenticator 80 octets
"""


class _Rejecting(Server):  # type: ignore[misc] # pyrad has no types
    def HandleAuthPacket(self, pkt: AuthPacket) -> None:  # noqa: N802 - pyrad's name
        """Reject what pyrad has decoded and verified; it puts a Message-Authenticator into the reply."""
        reply = self.CreateReplyPacket(pkt)
        reply.code = AccessReject
        reply.AddAttribute("Reply-Message", "Logon failed.")
        self.SendReplyPacket(pkt.fd, reply)


def main(port: str, secret_file: str) -> None:
    """Serve until killed."""
    host = RemoteHost("127.0.0.1", Path(secret_file).read_bytes(), "load")
    server = _Rejecting(
        authport=int(port),
        hosts={"127.0.0.1": host},
        dict=Dictionary(io.StringIO(_DICTIONARY)),
        acct_enabled=False,
        enforce_ma=True,
    )
    server.BindToAddress("127.0.0.1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.Run()


if __name__ == "__main__":
    main(*sys.argv[1:])
