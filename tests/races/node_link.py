"""A link to a node's RADIUS door that has many requests on their way at once."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace

from auth.clock import SYSTEM_ENTROPY
from auth.radius.attributes import Attribute, Pair
from auth.radius.packet import Code, Packet, encode_request, hide, verify_response

_IDENTIFIERS = 256
_BUFFER = 4 * 1024 * 1024
_OCTETS = 4096


class NodeLink:
    """Sockets to one node; each has 256 requests on their way at most.

    Args:
        port: of the node on loopback.
        secret: that both share.
        sockets: how many.
    """

    def __init__(self, port: int, secret: bytes, sockets: int = 4) -> None:
        self._secret = secret
        self._sockets = [_connected(port) for _ in range(sockets)]
        self._free = [(own, number) for own in self._sockets for number in range(_IDENTIFIERS)]
        self._waiting: dict[tuple[int, int], tuple[asyncio.Future[Packet | None], Packet]] = {}
        loop = asyncio.get_running_loop()
        for own in self._sockets:
            loop.add_reader(own.fileno(), self._readable, own)

    async def ask(self, user: str, typed: str, *, extra: Sequence[Pair] = (), seconds: float = 3.0) -> Packet | None:
        """The verified response; None when there is none in time."""
        authenticator = SYSTEM_ENTROPY.octets(16)
        attributes = (
            (Attribute.USER_NAME, user.encode()),
            (Attribute.USER_PASSWORD, hide(typed.encode(), self._secret, authenticator)),
            (Attribute.NAS_IDENTIFIER, b"races"),
            *extra,
        )
        return await self._response(Packet(Code.ACCESS_REQUEST, 0, authenticator, attributes), seconds)

    async def status(self, *, seconds: float = 3.0) -> Packet | None:
        """The verified response to Status-Server (RFC 5997); None when there is none in time."""
        attributes = ((Attribute.NAS_IDENTIFIER, b"races"),)
        return await self._response(Packet(Code.STATUS_SERVER, 0, SYSTEM_ENTROPY.octets(16), attributes), seconds)

    async def _response(self, unnumbered: Packet, seconds: float) -> Packet | None:
        own, number = self._free.pop()
        key = own.fileno(), number
        request = replace(unnumbered, identifier=number)
        answer: asyncio.Future[Packet | None] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer, request
        try:
            own.send(encode_request(request, self._secret))
            return await asyncio.wait_for(answer, seconds)
        except (TimeoutError, OSError):
            return None
        finally:
            self._waiting.pop(key, None)
            self._free.insert(0, (own, number))

    def close(self) -> None:
        """Whoever still waits has no answer."""
        for own in self._sockets:
            self._give_up(own)
            asyncio.get_running_loop().remove_reader(own.fileno())
            own.close()

    def _readable(self, own: socket.socket) -> None:
        while True:
            try:
                octets = own.recv(_OCTETS)
            except BlockingIOError:
                return
            except OSError:  # the node is away: the port says so
                self._give_up(own)
                return
            waiting = self._waiting.get((own.fileno(), octets[1])) if len(octets) > 1 else None
            if waiting is None or waiting[0].done():
                continue  # of a request that was given up
            response = verify_response(octets, waiting[1], self._secret)
            waiting[0].set_result(response)

    def _give_up(self, own: socket.socket) -> None:
        for (number, _), (answer, _) in self._waiting.items():
            if number == own.fileno() and not answer.done():
                answer.set_result(None)


def _connected(port: int) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    own.setblocking(False)
    own.connect(("127.0.0.1", port))
    return own
