"""The ports of the doors, and whether somebody could listen there."""

import errno
import socket
from collections.abc import Iterator
from typing import NamedTuple

from auth.settings import Settings

REMEDIES = {
    errno.EACCES: "give the service the right: AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit",
    errno.EADDRINUSE: "stop what listens there, or choose another port",
    errno.EADDRNOTAVAIL: "set host to an address of this machine, or to 0.0.0.0",
}
"""What helps against an error of `trial`."""


class Place(NamedTuple):
    """Where a door is.

    Attributes:
        section: of config.ini.
        kind: datagrams or connections.
        host: address.
        port: 0 lets the system choose.
    """

    section: str
    kind: socket.SocketKind
    host: str
    port: int

    def __str__(self) -> str:
        return f"{'UDP' if self.kind is socket.SOCK_DGRAM else 'TCP'} {self.host} port {self.port}"


def places(settings: Settings) -> Iterator[Place]:
    """Every place at which config.ini has the service listen."""
    if settings.radius.enabled:
        yield Place("radius", socket.SOCK_DGRAM, settings.radius.host, settings.radius.port)
    if settings.radius.accounting_port is not None:
        yield Place("radius", socket.SOCK_DGRAM, settings.radius.host, settings.radius.accounting_port)
    if settings.radsec is not None:
        yield Place("radsec", socket.SOCK_STREAM, settings.radsec.host, settings.radsec.port)
    if settings.http.enabled:
        yield Place("http", socket.SOCK_STREAM, settings.http.host, settings.http.port)


def trial(place: Place) -> OSError | None:
    """What keeps this process from listening there now; None when nothing does."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET, place.kind) as door:
            if place.kind is socket.SOCK_STREAM:
                # as the service does: connections that have just ended do not count
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((place.host, place.port))
    except OSError as error:
        return error
    return None
