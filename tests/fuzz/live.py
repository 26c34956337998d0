"""Fuzzed datagrams at the running service, from access nodes and from strangers."""

import random
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice

from auth.demo.service import audit_lines
from auth.reason import Reason
from clients.house import NODES, SECRET, House, address_of
from fuzz.codec import well_formed
from fuzz.mutations import mutated
from fuzz.seeds import seeds
from rig.datagram import (
    ACCESS_REQUEST,
    EAP_MESSAGE,
    MESSAGE_AUTHENTICATOR,
    PROXY_STATE,
    STATUS_SERVER,
    answers,
    attributes_of,
    begins_with_its_proof,
    exchange,
    is_proven,
    with_identifier,
)
from rig.ports import LOOPBACK

STRANGER = "127.0.2.9"
"""An address that belongs to no access node."""
_PING = "append"
"""The access node of whoever asks whether all was read; nothing else comes from it."""
_SOURCES = (*(address_of(node) for node in NODES if node != _PING), STRANGER)
_BATCH = 64
_OPEN_SECONDS = 1.0
"""For so long an answer is waited for; refusals take a twentieth of it."""
_MOST_LINES = 500
_MOST_WAITING = 500
_FAULTS = {Reason.INTERNAL_FAULT, Reason.STATE_UNAVAILABLE, Reason.REPLICA_UNAVAILABLE}


def fuzzed(count: int, seed: int) -> Iterator[bytes]:
    """So many datagrams, always the same for a seed.

    Half of those that keep their form come with the right proof, as if from a client that has gone wrong. The
    identifiers of these differ, or they would be repeats of one another to which there is one answer.
    """
    draw = random.Random(seed)
    for number, datagram in enumerate(islice(mutated(seeds(), draw), count)):
        if draw.random() < 0.5 and well_formed(datagram):
            yield with_identifier(datagram, number % 256, SECRET.encode())
        else:
            yield datagram


def worthless(count: int, seed: int) -> list[bytes]:
    """So many that nobody may answer, wherever they come from: they are no packets, or their proof is wrong."""
    found = (
        each for each in mutated(seeds(), random.Random(seed)) if not well_formed(each) or _is_wrongly_proven(each)
    )
    return list(islice(found, count))


def _is_wrongly_proven(datagram: bytes) -> bool:
    numbers = [number for number, _ in attributes_of(datagram) or ()]
    return MESSAGE_AUTHENTICATOR in numbers and not is_proven(datagram, SECRET.encode())


@dataclass
class Flood:
    """Datagrams from access nodes and a stranger, as fast as the service takes them; every answer is looked at.

    Attributes:
        house: with the service.
        sent: datagrams so far.
        answered: of them.
        seconds: that the sending took.
    """

    house: House
    sent: int = 0
    answered: int = 0
    seconds: float = 0.0
    _sources: Iterator[str] = field(default_factory=lambda: cycle(_SOURCES))
    _waiting: "deque[_Batch]" = field(default_factory=deque)

    def send(self, datagrams: Iterable[bytes]) -> None:
        """Returns when the service has read them all.

        Raises:
            AssertionError: something was answered that must not be; the message has the datagram.
        """
        batches, begun = iter(datagrams), time.monotonic()
        while batch := list(islice(batches, _BATCH)):
            self._waiting.append(_Batch.send(self.house, next(self._sources), batch))
            self.sent += len(batch)
            _wait_until_read(self.house)
            self._close_old()
        self.seconds += time.monotonic() - begun

    def _close_old(self) -> None:
        oldest = time.monotonic() - _OPEN_SECONDS
        while self._waiting and (self._waiting[0].sent < oldest or len(self._waiting) > _MOST_WAITING):
            self.answered += self._waiting.popleft().close()

    def settle(self) -> None:
        """Waits for the last answers; raises as `send`."""
        time.sleep(_OPEN_SECONDS)
        while self._waiting:
            self.answered += self._waiting.popleft().close()


def expect_no_fault(house: House) -> None:
    """The service runs on, no exception got out, no logon met one, and the log was not flooded as well."""
    assert house.service.running
    decided = {line["reason"] for line in audit_lines(house.folder / "state" / "audit.jsonl")}
    assert decided, "nothing reached the logons"
    assert not decided & _FAULTS
    lines = house.log().splitlines()
    assert not [line for line in lines if "should not happen" in line or " ERROR " in line]
    assert not [line for line in lines if line.startswith("Traceback")]
    assert len(lines) < _MOST_LINES


def may_be_answered(datagram: bytes, source: str) -> bool:
    """Whether the documents allow an answer to a datagram from this address (RFC 2865, 3579, 5997, CVE-2024-3596)."""
    node = next((name for name in NODES if address_of(name) == source), None)
    if node is None or not well_formed(datagram):
        return False
    attributes = attributes_of(datagram) or []
    numbers = [number for number, _ in attributes]
    if is_proven(datagram, SECRET.encode()):
        return datagram[0] in (ACCESS_REQUEST, STATUS_SERVER) and _eap_is_whole(attributes)
    lenient = NODES[node].get("dirfactorRequireMessageAuthenticator") == "FALSE"
    without = not {MESSAGE_AUTHENTICATOR, EAP_MESSAGE, PROXY_STATE}.intersection(numbers)
    return lenient and without and datagram[0] == ACCESS_REQUEST


def _eap_is_whole(attributes: list[tuple[int, bytes]]) -> bool:
    """Whether EAP-Message attributes stand together and make a packet, or a start (RFC 3579 section 3.1)."""
    places = [at for at, (number, _) in enumerate(attributes) if number == EAP_MESSAGE]
    if not places:
        return True
    octets = b"".join(attributes[at][1] for at in places)
    together = places == list(range(places[0], places[-1] + 1))
    return together and (not octets or (len(octets) >= 4 and int.from_bytes(octets[2:4], "big") <= len(octets)))


@dataclass
class _Batch:
    """Datagrams that left from one port."""

    client: socket.socket
    source: str
    datagrams: list[bytes]
    sent: float

    @classmethod
    def send(cls, house: House, source: str, datagrams: list[bytes]) -> "_Batch":
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind((source, 0))
        client.connect((LOOPBACK, house.radius_port))
        client.setblocking(False)
        for datagram in datagrams:
            client.send(datagram)
        return cls(client, source, datagrams, time.monotonic())

    def close(self) -> int:
        """How many answers came, each to something that may be answered."""
        number = 0
        with self.client, suppress(BlockingIOError):
            while True:
                reply = self.client.recv(65535)
                asked = [each for each in self.datagrams if len(each) >= 20 and answers(reply, each, SECRET.encode())]
                assert asked, f"an answer to nothing: {reply.hex()}"
                assert begins_with_its_proof(reply), f"an answer without proof to {asked[0].hex()}"
                assert any(may_be_answered(each, self.source) for each in asked), f"answered: {asked[0].hex()}"
                number += 1
        return number


def _wait_until_read(house: House) -> None:
    """Returns when the service has read all that was sent before: it answers what came after."""
    ping = seeds()[-1]
    while exchange(ping, house.radius_port, address_of(_PING), seconds=1.0) is None:
        pass
