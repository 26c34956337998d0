"""RADIUS over UDP (RFC 2865 section 2.4): who asks is known by address."""

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from auth.incident import describe
from auth.radius.complaints import Complaint
from auth.radius.door import Peer, RadiusDoor
from auth.radius.multihomed import EVERY_ADDRESS, Multihomed
from auth.radius.node import NodeDoor
from auth.radius.shutter import Shutter

Lookup = Callable[[str], NodeDoor | None]
"""Address as text, IPv4 always in its own form -> the access node that it belongs to as of now, None for nobody's."""

Allowed = Callable[[str], bool]
"""Address as text, as above -> whether RADIUS over UDP may come from there."""


def everywhere(_address: str) -> bool:
    """Anybody may ask who is an access node."""
    return True


_logger = logging.getLogger("dirfactor.radius")


class UdpListener(asyncio.DatagramProtocol):
    """Hands datagrams of access nodes to the door; `listen` makes it.

    Args:
        lookup: asked for every datagram, so what it knows may change.
        door: answers.
        allowed: whether anything may come from an address over UDP at all.
        shutter: shuts out who sends for nothing, without end; None where everything is read.
    """

    _transport: asyncio.DatagramTransport

    def __init__(
        self, lookup: Lookup, door: RadiusDoor, allowed: Allowed = everywhere, shutter: Shutter | None = None
    ) -> None:
        self._lookup = lookup
        self._allowed = allowed
        self._shutter = shutter
        self.door = door
        self._closed = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """The address and port that it listens on."""
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def drain(self, patience: float) -> int:
        """Take no new request, wait for the answers that are under way, and close.

        Args:
            patience: seconds to wait for them at most.

        Returns:
            How many requests were left unanswered.
        """
        unanswered = await self.door.drain(patience)
        if self._shutter is not None:
            self._shutter.close()
        self._transport.close()
        await self._closed.wait()
        return unanswered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's word that the socket is bound."""
        # asyncio's own transport is none by class, only by what it does; `Multihomed` answers by itself
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's word that the socket is closed."""
        if exc is not None:
            _logger.error("the RADIUS port was closed: %s", describe(exc))
        if self._shutter is not None:
            self._shutter.close()
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Asyncio's word that a datagram has come."""
        self.serve(data, addr, partial(self._send, addr))

    def serve(self, data: bytes, addr: tuple[Any, ...], send: Callable[[bytes], None]) -> None:
        """Serve one datagram, or discard it.

        Args:
            data: the datagram.
            addr: address and port that it came from, and whatever else the socket module says of them.
            send: sends an answer back there.
        """
        address = _plain(addr[0])
        node = self._heard(address)
        if node is not None:
            self.door.receive(data, node, Peer(address, addr[1], send))
        elif self._shutter is not None and self.door.tires_of(address):
            self._shutter.shut_out(address)

    def _heard(self, address: str) -> NodeDoor | None:
        """Whose address it is; None when nothing is to be read that comes from there now."""
        if not self.door.admits(address):
            return None
        try:
            if not self._allowed(address):
                self.door.complain(Complaint.NOT_ALLOWED, address)
                return None
            node = self._lookup(address)
        except Exception as error:  # noqa: BLE001 - one datagram must not close the door for the others
            self.door.complain(Complaint.FAULT, address, detail=describe(error))
            return None
        if node is None:
            self.door.complain(Complaint.UNKNOWN_CLIENT, address)
        return node

    def _send(self, addr: tuple[str, int], reply: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(reply, addr)


async def listen(place: socket.socket, lookup: Lookup, door: RadiusDoor, allowed: Allowed = everywhere) -> UdpListener:
    """Open a door where datagrams come.

    Args:
        place: the bound socket; it does not block. At every address of this machine, the one that was asked answers.
        lookup: as for `UdpListener`.
        door: answers.
        allowed: as for `UdpListener`.
    """
    listener = UdpListener(lookup, door, allowed, Shutter(place, door.overlooked))
    if place.getsockname()[0] in EVERY_ADDRESS:
        listener.connection_made(Multihomed(place, listener.serve, listener.connection_lost))
    else:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: listener, sock=place)
    return listener


def _plain(address: str) -> str:
    # a socket for both IPv6 and IPv4 shows 192.0.2.1 as ::ffff:192.0.2.1
    return address.removeprefix("::ffff:") if "." in address else address
