"""Where lines are sent, as config.ini writes it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

EXPECTED = "udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"


class Transport(StrEnum):
    """How messages get there."""

    UDP = "udp"  # RFC 5426: one datagram each, which may be lost
    TCP = "tcp"  # RFC 6587 section 3.4.1: octet counting
    TLS = "tls"  # RFC 5425


_PORTS = {Transport.UDP: 514, Transport.TCP: 514, Transport.TLS: 6514}


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver.

    Attributes:
        transport: how.
        host: its name or address.
        port: its port.
    """

    transport: Transport
    host: str
    port: int


def read_target(text: str) -> Target:
    """The receiver that a URL names; without a port that which is usual.

    Raises:
        ValueError: it names none.
    """
    parts = urlsplit(text)
    if parts.scheme not in set(Transport) or not parts.hostname or parts.path.strip("/") or parts.query:
        msg = f"{text!r} names no receiver"
        raise ValueError(msg)
    transport = Transport(parts.scheme)
    return Target(transport, parts.hostname, parts.port or _PORTS[transport])
