"""The socket below a connection: what keeps it alive, and what keeps libldap from waiting on it for ever."""

import os
import socket
import struct
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from dirsync.wire.complaints import Unreached

# How long one wait for a server lasts, and so how late an interruption may be noticed.
SLICE_SECONDS: Final = 0.2
# Firewalls forget idle connections after some minutes, and tell nobody.
IDLE_SECONDS: Final = 60
PROBES: Final = 3
PROBE_SECONDS: Final = 10
_PORT: Final = 389


def dial(url: str, seconds: float) -> int:
    """The descriptor of a new connection to a server of ldap://, on which no read lasts for ever; nothing is sent yet.

    Args:
        url: of the server.
        seconds: how long to try each of its addresses.

    Raises:
        Unreached: there is nobody, or nobody who answers in time.
    """
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or _PORT), seconds) as connection:
            connection.settimeout(None)
            bound_reads(connection.fileno())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection.detach()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Unreached(
            f"{url}: Can't contact LDAP server, {why}",
            remedy="check that it runs and can be reached",
        ) from error


def bound_reads(descriptor: int) -> None:
    """Keep libldap from waiting for ever for the rest of a message that a server has begun and does not end."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        microseconds = int(SLICE_SECONDS * 1_000_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, microseconds))
