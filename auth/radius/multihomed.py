"""A UDP socket at every address of this machine: each answer leaves by the one that was asked (RFC 1122, 4.1.3.5).

By itself the kernel would take the address that is nearest to the client. Who has connected its socket to another of
ours, or looks at who answers, would hear nothing.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from auth.radius.packet import LONGEST_PACKET

EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound
"""The names of a socket's own address that mean all of them."""

Received = Callable[[bytes, tuple[Any, ...], Callable[[bytes], None]], None]
"""Takes a datagram, the address that it came from as the socket module has it, and what sends an answer back there."""

_Ancillary = Sequence[tuple[int, int, bytes]]

_IP_PKTINFO = 8  # linux/in.h; Python has no name for it
_INTERFACE = bytes(4)  # of the answer: the one that the route says
_ROOM = socket.CMSG_SPACE(20)  # struct in6_pktinfo (RFC 3542 section 6), the longer one
_AT_ONCE = 32  # datagrams before others get their turn


class Multihomed(asyncio.BaseTransport):
    """Reads the socket and answers by it, in the place of the loop's own transport, which does not say who was asked.

    What the kernel has no room to send is lost, as datagrams are: the client asks again.

    Args:
        place: bound to one of `EVERY_ADDRESS`; does not block; is closed with this.
        received: called for each datagram, of which no more is read than a packet may have.
        closed: called when nothing is received any more.
    """

    def __init__(self, place: socket.socket, received: Received, closed: Callable[[None], None]) -> None:
        super().__init__({"sockname": place.getsockname()})
        if place.family is socket.AF_INET6:
            # also says which IPv4 address was asked, as ::ffff:192.0.2.1, and takes it that way
            place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            place.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._socket = place
        self._received = received
        self._closed = closed
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(place, self._readable)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """Receive and send nothing more."""
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._loop.call_soon(self._closed, None)

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, _flags, client = self._socket.recvmsg(LONGEST_PACKET, _ROOM)
            except OSError:  # there is no more, or something went wrong that the next one need not share
                return
            self._received(data, client, partial(self._answer, client, ancillary))

    def _answer(self, client: tuple[Any, ...], ancillary: _Ancillary, reply: bytes) -> None:
        if not self._closing:
            with contextlib.suppress(OSError):
                self._socket.sendmsg((reply,), [_asked(*told) for told in ancillary], 0, client)


def _asked(level: int, kind: int, told: bytes) -> tuple[int, int, bytes]:
    """What was told of the address that a datagram went to, as what says from which address the answer goes."""
    if level == socket.IPPROTO_IPV6:
        return level, kind, told[:16] + _INTERFACE  # struct in6_pktinfo: address, interface
    # struct in_pktinfo: interface, our address, the address in the header (which may be one for many)
    return level, kind, _INTERFACE + told[4:8] + bytes(4)
