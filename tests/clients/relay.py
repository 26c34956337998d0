"""The network between a client and our RADIUS door: it counts datagrams, loses them, and says where they come from."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rig.ports import LOOPBACK
from rig.process import ServerFailure

_LARGEST = 65535
_TICK_SECONDS = 0.05


@dataclass
class Relay:
    """A UDP port that leads to the door.

    Each port of a client has one of its own towards the door, so that the door tells them apart as it would without us.

    Attributes:
        port: where the client sends to, on 127.0.0.1.
        source: the address from which the door sees it come; it says which access node this is.
        requests: what clients sent, oldest first, lost ones included.
        replies: what the door sent, oldest first, lost ones included.
        loses_request: asked for each request; True loses it.
        loses_reply: asked for each reply; True loses it.
    """

    port: int
    source: str
    requests: list[bytes] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    loses_request: Callable[[bytes], bool] = lambda _: False
    loses_reply: Callable[[bytes], bool] = lambda _: False

    def lose_replies(self, number: int) -> None:
        """Loses so many replies, beginning with the next one."""
        until = len(self.replies) + number
        self.loses_reply = lambda _: len(self.replies) <= until


class _Carrier:
    """The relay's sockets: one towards clients, and one towards the door for each port of theirs."""

    def __init__(self, entrance: socket.socket, door_port: int, relay: Relay) -> None:
        self._entrance = entrance
        self._door = (LOOPBACK, door_port)
        self._relay = relay
        self._exits: dict[tuple[str, int], socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(entrance, selectors.EVENT_READ)

    def run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            for key, _ in self._selector.select(_TICK_SECONDS):
                # a port without a server is told as an error of the next call (ICMP)
                with suppress(ConnectionError):
                    self._in() if key.data is None else self._out(key.data)
        for each in (*self._exits.values(), self._selector):
            each.close()

    def _in(self) -> None:
        datagram, client = self._entrance.recvfrom(_LARGEST)
        self._relay.requests.append(datagram)
        if not self._relay.loses_request(datagram):
            self._exit(client).send(datagram)

    def _out(self, client: tuple[str, int]) -> None:
        datagram = self._exits[client].recv(_LARGEST)
        self._relay.replies.append(datagram)
        if not self._relay.loses_reply(datagram):
            self._entrance.sendto(datagram, client)

    def _exit(self, client: tuple[str, int]) -> socket.socket:
        if client not in self._exits:
            self._exits[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._exits[client].bind((self._relay.source, 0))
            self._exits[client].connect(self._door)
            self._selector.register(self._exits[client], selectors.EVENT_READ, client)
        return self._exits[client]


def _bind_to_four_digits(entrance: socket.socket) -> None:
    for port in range(2048, 10_000):
        with suppress(OSError):
            entrance.bind((LOOPBACK, port))
            return
    raise ServerFailure("no UDP port of four digits is free")


@contextmanager
def relayed(door_port: int, source: str, *, short: bool = False) -> Iterator[Relay]:
    """A relay to a door on 127.0.0.1 that it sees come from `source`, for as long as this lasts.

    Its port is a `short` one for clients that cannot read five digits.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as entrance:
        if short:
            _bind_to_four_digits(entrance)
        else:
            entrance.bind((LOOPBACK, 0))
        relay, ended = Relay(entrance.getsockname()[1], source), threading.Event()
        thread = threading.Thread(target=_Carrier(entrance, door_port, relay).run, args=[ended])
        thread.start()
        try:
            yield relay
        finally:
            ended.set()
            thread.join()
