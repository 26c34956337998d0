"""A flood that waits for nobody, and good clients beside it, of whom every request that finds no answer is counted."""

import os
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from auth.clock import SYSTEM_ENTROPY
from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet, encode_request, hide
from clients.house import REPOSITORY, SECRET, House, Visitor, address_of
from rig.datagram import answers
from rig.ports import LOOPBACK
from rig.process import Process

_GOOD = "proxy"
"""The access node of the good clients; nothing else comes from it."""
GOOD_RATE = 200
"""Requests a second of theirs."""
_PEOPLE = 16
_TRIES, _TRY_SECONDS = 3, 2.5
"""Other moments of the rounds in which a flood is shut out."""
_SOCKETS, _IDENTIFIERS = 4, 256
_LOOK_SECONDS = 0.002


@dataclass
class Flooding:
    """A flood.

    Attributes:
        sent: how many datagrams, when it is over.
    """

    sent: int = 0


@contextmanager
def flooding(house: House, sources: Sequence[str], seed: int = 1) -> Iterator[Flooding]:
    """For as long as this lasts a process sends rubbish from these addresses, as fast as it can."""
    log, told = house.folder / "flooder.log", Flooding()
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "fuzz.flooder", str(house.radius_port), str(seed), *sources]
    process = Process(command, log=log, environment={"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"})
    process.start(lambda: log.read_text().startswith("sending"))
    try:
        yield told
    finally:
        process.stop()
    told.sent = int(log.read_text().split()[-1])


@dataclass
class Heard:
    """What good clients got.

    Attributes:
        tries: requests that were answered at the first try, at the second, at the third, and never.
        worked: seconds for which the service had a processor meanwhile.
        seconds: that it took.
    """

    tries: list[int] = field(default_factory=lambda: [0] * (_TRIES + 1))
    worked: float = 0.0
    seconds: float = 0.0

    @property
    def asked(self) -> int:
        """How many requests there were."""
        return sum(self.tries)

    @property
    def at_first(self) -> float:
        """The share that was answered at the first try."""
        return self.tries[0] / self.asked


@dataclass
class _Open:
    datagram: bytes
    sent: float
    tries: int = 1


class GoodClients:
    """People who type their right passwords, so many a second, at an access node of their own.

    They do not wait for each other either: what is lost is lost, and is asked for again as any client does.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._people = [house.visitor() for _ in range(_PEOPLE)]
        self._open: dict[tuple[socket.socket, int], _Open] = {}

    def ask(self, seconds: float, heard: Heard) -> None:
        """Adds to what was heard."""
        begun, worked = time.monotonic(), processor_seconds(self._house)
        with ExitStack() as closing:
            clients = [closing.enter_context(self._client()) for _ in range(_SOCKETS)]
            asked = 0
            while asked < seconds * GOOD_RATE or self._open:
                due = min(seconds, time.monotonic() - begun) * GOOD_RATE
                while asked < due:
                    place, identifier = clients[asked % _SOCKETS], asked // _SOCKETS % _IDENTIFIERS
                    self._send(place, identifier, self._people[asked % _PEOPLE])
                    asked += 1
                for place in select.select(clients, [], [], _LOOK_SECONDS)[0]:
                    self._hear(place, heard)
                self._ask_again(heard)
        heard.seconds += time.monotonic() - begun
        heard.worked += processor_seconds(self._house) - worked

    def _client(self) -> socket.socket:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind((address_of(_GOOD), 0))
        client.connect((LOOPBACK, self._house.radius_port))
        client.setblocking(False)
        return client

    def _send(self, place: socket.socket, identifier: int, visitor: Visitor) -> None:
        authenticator = SYSTEM_ENTROPY.octets(16)
        attributes = (
            (Attribute.USER_NAME, visitor.uid.encode()),
            (Attribute.USER_PASSWORD, hide(visitor.password.encode(), SECRET.encode(), authenticator)),
        )
        packet = Packet(Code.ACCESS_REQUEST, identifier, authenticator, attributes)
        datagram = encode_request(packet, SECRET.encode())
        place.send(datagram)
        self._open[place, identifier] = _Open(datagram, time.monotonic())

    def _hear(self, place: socket.socket, heard: Heard) -> None:
        with suppress(BlockingIOError):
            while True:
                reply = place.recv(4096)
                asked = self._open.get((place, reply[1]))
                if asked is not None and answers(reply, asked.datagram, SECRET.encode()):
                    heard.tries[asked.tries - 1] += 1
                    del self._open[place, reply[1]]

    def _ask_again(self, heard: Heard) -> None:
        now = time.monotonic()
        for key, asked in list(self._open.items()):
            if now < asked.sent + _TRY_SECONDS:
                continue
            if asked.tries == _TRIES:
                heard.tries[_TRIES] += 1
                del self._open[key]
                continue
            key[0].send(asked.datagram)
            asked.sent, asked.tries = now, asked.tries + 1


def processor_seconds(house: House) -> float:
    """For how long the service has had a processor (proc(5))."""
    fields = Path(f"/proc/{house.service.group}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
