"""The RADIUS door behind any transport: is it in order, has it been asked before, ask the service once, answer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from auth.clock import Clock, Entropy
from auth.incident import describe
from auth.radius.complaints import DISCARDS, Complaint, OncePerInterval
from auth.radius.dialogue import FAILED, Declined, caller, objection, read, session, station
from auth.radius.duplicates import Duplicates, Key
from auth.radius.eap.dialogue import Posed
from auth.radius.habits import Habits
from auth.radius.node import NodeDoor
from auth.radius.packet import RADIUS_1_0, Code, MalformedPacket, Packet, PacketTooLong, Proof, Version
from auth.radius.passing import passed_on
from auth.radius.reply import reply_to
from auth.radius.sources import Sources
from auth.request import AnswerRequest, Door, LoginRequest, Origin, Outcome, Refused, Service

MOST_IN_FLIGHT = 1024
"""Requests that are answered at the same time; what comes beyond is discarded, and its client will ask again."""

LOGONS = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
"""What a port for logons answers."""

ACCOUNTING = frozenset({Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER})
"""What a port for accounting answers."""

_Request = LoginRequest | AnswerRequest | Declined
_CORRELATION_OCTETS = 8
_BURSTS = 2
_PATIENCE = 0.1
"""How much of what an address may send may be for nothing, for ever and at once."""
_DEBT = 0.75
"""Of what an address may send in a second: so much is lost to it when the door tires of it.

Else whoever is shut out for a second has all of that second to spend when it is heard again, and while that is looked
at, more comes than there is room for.
"""

_logger = logging.getLogger("dirfactor.radius")


class Peer(NamedTuple):
    """From where a packet came, and how to answer it.

    Attributes:
        address: the client's network address.
        port: the client's; with the address it tells one socket of the client from another.
        send: sends octets back there; does nothing when that cannot be done any more.
        version: of RADIUS that it speaks.
        connection: tells one connection from all others, for address and port do not: another access node may have them
            next; 0 for datagrams, whose access node is known by its address.
    """

    address: str
    port: int
    send: Callable[[bytes], None]
    version: Version = RADIUS_1_0
    connection: int = 0


@dataclass(frozen=True, slots=True)
class _Exchange:
    peer: Peer
    key: Key
    node: NodeDoor
    packet: Packet
    origin: Origin


class RadiusDoor:
    """Answers Access-Request, Status-Server and Accounting-Request, whatever they came over.

    No fault opens the door: an exception of the service, or an accept that cannot be encoded, is answered with
    Access-Reject. What is discarded is counted, and said in the log `dirfactor.radius` once a minute for each cause and
    address.

    Args:
        service: decides.
        clock: its monotonic seconds are used.
        entropy: for correlation ids.
        served: which packets are answered here.
        most_in_flight: see `MOST_IN_FLIGHT`.
        packets_per_second: how many packets one address may send; 0 for no limit.
        habits: counts what access nodes send.
    """

    def __init__(
        self,
        *,
        service: Service,
        clock: Clock,
        entropy: Entropy,
        served: frozenset[Code] = LOGONS,
        most_in_flight: int = MOST_IN_FLIGHT,
        packets_per_second: int = 0,
        habits: Habits | None = None,
    ) -> None:
        self._service = service
        self._clock = clock
        self._entropy = entropy
        self._served = served
        self._most_in_flight = most_in_flight
        self._packets_per_second = packets_per_second
        self._habits = habits
        self._sources = Sources(packets_per_second, _BURSTS * packets_per_second)
        patience = _PATIENCE * packets_per_second
        self._patience = Sources(patience, max(1, patience))
        self._duplicates = Duplicates()
        self._said = OncePerInterval()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._draining = False
        self._discarded: Counter[Complaint] = Counter()

    @property
    def discarded(self) -> Mapping[str, int]:
        """How many packets were not answered since the start, by cause."""
        return {cause.name.lower().replace("_", "-"): number for cause, number in self._discarded.items()}

    async def drain(self, patience: float) -> int:
        """Take no new request, and wait for the answers that are under way.

        Args:
            patience: seconds to wait for them at most.

        Returns:
            How many requests were left unanswered.
        """
        self._draining = True
        unanswered: set[asyncio.Task[None]] = set()
        if self._in_flight:
            _, unanswered = await asyncio.wait(self._in_flight, timeout=patience)
        for task in unanswered:
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
        return len(unanswered)

    def admits(self, address: str) -> bool:
        """Whether anything from this address is to be looked at now; asked before anything else is done for it."""
        if self._sources.admit(address, self._clock.monotonic()):
            return True
        self.complain(Complaint.TOO_MANY, address, detail=str(self._packets_per_second))
        return False

    def tires_of(self, address: str) -> bool:
        """Whether this address has lately sent so much for nothing that it had better not be heard for a while.

        Asked after each packet that was not even looked at. Without a limit the door never tires.
        """
        if self._patience.admit(address, self._clock.monotonic()):
            return False
        self._sources.charge(address, _DEBT * self._packets_per_second)
        return True

    def overlooked(self, number: int) -> None:
        """Count packets of addresses that it had tired of."""
        self._discarded[Complaint.TOO_MANY] += number

    def receive(self, datagram: bytes, node: NodeDoor, peer: Peer) -> bool:
        """Serve one packet, or discard it.

        Args:
            datagram: the packet, and nothing else where the transport does not keep packets apart.
            node: whose it is.
            peer: who is answered.

        Returns:
            False for what no client in its right mind sends: it is no packet, or is not proven by the secret. A
            connection that brings such a thing is closed (RFC 6613 section 2.6.4).
        """
        try:
            return self._receive(datagram, node, peer)
        except PacketTooLong:
            self.complain(Complaint.FULL, peer.address, node.name)
            return True
        except Exception as error:  # noqa: BLE001 - one packet must not close the door for the others
            self.complain(Complaint.FAULT, peer.address, detail=describe(error))
            return True

    def complain(self, complaint: Complaint, address: str, node: str = "", detail: str = "") -> None:
        """Count what was done to a packet, and tell the operator, if that was not done lately."""
        if complaint in DISCARDS:
            self._discarded[complaint] += 1
        if self._said.admit((complaint, address), self._clock.monotonic()):
            _logger.warning(complaint.value.format(address=address, node=node, detail=detail))

    def _receive(self, datagram: bytes, node: NodeDoor, peer: Peer) -> bool:
        try:
            packet = peer.version.decode(datagram)
        except MalformedPacket as error:
            self.complain(Complaint.MALFORMED, peer.address, node.name, str(error))
            return False
        if packet.code not in self._served:
            self.complain(Complaint.NOT_SERVED, peer.address, node.name, packet.code.name)
            return True
        if packet.code is Code.ACCOUNTING_REQUEST:
            return self._acknowledge(datagram, packet, node, peer)
        proof = packet.version.proof(datagram, packet, node.secret)
        complaint = objection(packet, proof, node)
        if self._habits is not None and packet.code is Code.ACCESS_REQUEST:
            self._habits.note(node.name, packet, proof, self._clock.now().date(), served=complaint is None)
        if complaint is not None:
            self.complain(complaint, peer.address, node.name, packet.code.name)
            return complaint is not Complaint.WRONG_PROOF
        if packet.code is Code.STATUS_SERVER:
            self._affirm(packet, node, peer)
        else:
            self._admit(packet, proof, node, peer)
        return True

    def _affirm(self, packet: Packet, node: NodeDoor, peer: Peer) -> None:
        # while it drains it is silent, so that clients turn to another server
        if not self._draining:
            accounting = Code.ACCESS_REQUEST not in self._served
            code = Code.ACCOUNTING_RESPONSE if accounting else Code.ACCESS_ACCEPT  # RFC 5997 section 4.2
            peer.send(packet.version.response(code, packet, (), node.secret))

    def _acknowledge(self, datagram: bytes, packet: Packet, node: NodeDoor, peer: Peer) -> bool:
        """Say that it has arrived, and keep nothing of it: a client that hears nothing gives up the whole logon."""
        if not packet.version.is_accounting(datagram, packet, node.secret):
            self.complain(Complaint.WRONG_ACCOUNTING, peer.address, node.name)
            return False
        peer.send(packet.version.acknowledge(packet, node.secret))
        return True

    def _admit(self, packet: Packet, proof: Proof, node: NodeDoor, peer: Peer) -> None:
        key = Key(peer.address, peer.port, peer.connection, packet.identifier)
        known = self._duplicates.recall(key, packet.authenticator, self._clock.monotonic())
        if known is not None:
            if known:
                peer.send(known)
            return
        if self._draining:
            return
        if len(self._in_flight) >= self._most_in_flight:
            self.complain(Complaint.BUSY, key.address, node.name, str(len(self._in_flight)))
            return
        correlation = self._entropy.octets(_CORRELATION_OCTETS).hex()
        origin = Origin(
            Door.RADIUS,
            node.name,
            correlation,
            key.address,
            caller(packet),
            station(packet),
            session(packet),
            passed_on(packet) if node.forwards else (),
            packet.authenticator,
        )
        exchange = _Exchange(peer, key, node, packet, origin)
        request = read(packet, proof, node, origin)
        if isinstance(request, Posed):
            # always the same octets for the same packet, and nothing is kept of it
            peer.send(packet.version.response(Code.ACCESS_CHALLENGE, packet, request.attributes, node.secret))
            return
        self._duplicates.open(key, packet.authenticator)
        if isinstance(request, Declined):
            self.complain(request.complaint, key.address, node.name, request.detail)
        task = asyncio.get_running_loop().create_task(self._serve(exchange, request))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _serve(self, exchange: _Exchange, request: _Request) -> None:
        try:
            reply = self._response(exchange, await self._ask(exchange.origin, request))
        except Exception as error:  # noqa: BLE001 - whatever failed, the answer is no
            _logger.error(  # noqa: TRY400 - a traceback could show what people typed
                "login %s through access node %s was rejected because of a fault: %s",
                exchange.origin.correlation,
                exchange.node.name,
                describe(error),
            )
            reply = _rejection(exchange)
        if not reply:
            self.complain(Complaint.FULL, exchange.key.address, exchange.node.name)
        authenticator = exchange.packet.authenticator
        settled = self._duplicates.settle(exchange.key, authenticator, reply, self._clock.monotonic())
        if settled and reply:
            exchange.peer.send(reply)

    def _response(self, exchange: _Exchange, outcome: Outcome) -> bytes:
        reply = reply_to(outcome, exchange.packet, exchange.node)
        if reply.left_out:
            left_out = ", ".join(reply.left_out)
            self.complain(Complaint.NO_ROOM, exchange.origin.address, exchange.node.name, left_out)
        return reply.octets

    async def _ask(self, origin: Origin, request: _Request) -> Outcome:
        match request:
            case LoginRequest():
                return await self._service.begin(request)
            case AnswerRequest():
                return await self._service.answer(request)
            case Declined(user=user, reason=reason, message=message):
                refused = await self._service.decline(origin, user, reason)
                return Refused(refused.reason, message) if message else refused


def _rejection(exchange: _Exchange) -> bytes:
    try:
        return reply_to(FAILED, exchange.packet, exchange.node).octets
    except PacketTooLong:
        return b""
