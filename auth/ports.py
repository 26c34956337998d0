"""The places of the doors, whether somebody could listen there, and the sockets that do."""

import errno
import socket
from collections.abc import Iterator
from typing import NamedTuple

from auth.settings import Settings
from auth.steering import steer
from schema.errors import Fault

REMEDIES = {
    # in a user namespace of its own a process has no right over the ports of the host (capabilities(7))
    errno.EACCES: "give the service the right: AmbientCapabilities=CAP_NET_BIND_SERVICE, the same in "
    "CapabilityBoundingSet=, and PrivateUsers=no in its systemd unit",
    errno.EADDRINUSE: "stop what listens there, or choose another port",
    errno.EADDRNOTAVAIL: "set host to an address of this machine, or to 0.0.0.0",
}
"""What helps against an error of `trial` and `sockets_at`."""

_BACKLOG = 1024
_WAITING_OCTETS = 4 * 1024 * 1024
"""Room for datagrams that come faster than they are read: some thousands. The kernel cuts it to net.core.rmem_max."""


class Place(NamedTuple):
    """Where a door is.

    Attributes:
        door: what it is called.
        section: of config.ini.
        kind: datagrams or connections.
        host: address.
        port: 0 lets the system choose.
    """

    door: str
    section: str
    kind: socket.SocketKind
    host: str
    port: int

    def __str__(self) -> str:
        return f"{'UDP' if self.kind is socket.SOCK_DGRAM else 'TCP'} {self.host} port {self.port}"


RADIUS, ACCOUNTING, RADSEC, HTTP = "RADIUS", "RADIUS accounting", "RadSec", "HTTP"
"""The doors."""


def places(settings: Settings) -> Iterator[Place]:
    """Every place at which config.ini has the service listen."""
    if settings.radius.enabled:
        yield Place(RADIUS, "radius", socket.SOCK_DGRAM, settings.radius.host, settings.radius.port)
    if settings.radius.accounting_port is not None:
        yield Place(ACCOUNTING, "radius", socket.SOCK_DGRAM, settings.radius.host, settings.radius.accounting_port)
    if settings.radsec is not None:
        yield Place(RADSEC, "radsec", socket.SOCK_STREAM, settings.radsec.host, settings.radsec.port)
    if settings.http.enabled:
        yield Place(HTTP, "http", socket.SOCK_STREAM, settings.http.host, settings.http.port)


def trial(place: Place) -> OSError | None:
    """What keeps this process from listening there now; None when nothing does."""
    try:
        _bound(place, place.port, shared=False).close()
    except OSError as error:
        return error
    return None


def sockets_at(place: Place, workers: int = 1) -> tuple[socket.socket, ...]:
    """A socket for each worker at one place. They do not block; those for connections listen.

    Of several, each gets all that comes from some addresses: see `auth.steering`.

    Raises:
        Fault: nothing can listen there.
    """
    found: list[socket.socket] = []
    port = place.port
    try:
        for _ in range(workers):
            found.append(_bound(place, port, shared=workers > 1))
            port = found[0].getsockname()[1]
            if place.kind is socket.SOCK_STREAM:
                found[-1].listen(_BACKLOG)
        if workers > 1:
            steer(found)
    except (OSError, Fault) as error:
        for each in found:
            each.close()
        if isinstance(error, Fault):
            raise
        raise Fault(
            f"cannot listen on {place}: {error.strerror or error}",
            remedy=REMEDIES.get(error.errno or 0, f"correct host and port in [{place.section}]"),
        ) from error
    return tuple(found)


def _bound(place: Place, port: int, *, shared: bool) -> socket.socket:
    """Raises OSError."""
    found = socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET, place.kind)
    try:
        found.setblocking(False)
        if place.kind is socket.SOCK_STREAM:
            # connections that have just ended do not count
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if found.family is socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WAITING_OCTETS)
        if shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind((place.host, port))
    except OSError:
        found.close()
        raise
    return found
