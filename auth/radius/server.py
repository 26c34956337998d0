"""The RADIUS door on UDP: who asks, has it been asked before, ask the service once, answer."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from auth.clock import Clock, Entropy
from auth.incident import describe
from auth.radius.complaints import Complaint, OncePerInterval
from auth.radius.dialogue import FAILED, Declined, caller, objection, read, session, station
from auth.radius.duplicates import Duplicates, Key
from auth.radius.eap.dialogue import Posed
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, Proof, decode, encode_response, verify_request
from auth.radius.reply import reply_to
from auth.request import AnswerRequest, Door, LoginRequest, Origin, Outcome, Refused, Service
from schema.errors import Fault

MOST_IN_FLIGHT = 1024
"""Requests that are answered at the same time; what comes beyond is discarded, and its client will ask again."""

Lookup = Callable[[str], NodeDoor | None]
"""Address as text, IPv4 always in its own form -> the access node that it belongs to as of now, None for nobody's."""

_Request = LoginRequest | AnswerRequest | Declined
_CORRELATION_OCTETS = 8

_logger = logging.getLogger("dirfactor.radius")


@dataclass(frozen=True, slots=True)
class _Exchange:
    client: tuple[str, int]
    key: Key
    node: NodeDoor
    packet: Packet
    origin: Origin


class RadiusServer(asyncio.DatagramProtocol):
    """Answers Access-Request with PAP or EAP-GTC, and Status-Server, on one UDP port; `listen` makes it.

    No fault opens the door: an exception of the service, or an accept that cannot be encoded, is answered with
    Access-Reject. What is discarded is said in the log `dirfactor.radius`, once a minute for each cause and address.

    Args:
        lookup: asked for every datagram, so what it knows may change.
        service: decides.
        clock: its monotonic seconds are used.
        entropy: for correlation ids.
        most_in_flight: see `MOST_IN_FLIGHT`.
    """

    _transport: asyncio.DatagramTransport

    def __init__(
        self, *, lookup: Lookup, service: Service, clock: Clock, entropy: Entropy, most_in_flight: int = MOST_IN_FLIGHT
    ) -> None:
        self._lookup = lookup
        self._service = service
        self._clock = clock
        self._entropy = entropy
        self._most_in_flight = most_in_flight
        self._duplicates = Duplicates()
        self._said = OncePerInterval()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._draining = False
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
        self._draining = True
        unanswered: set[asyncio.Task[None]] = set()
        if self._in_flight:
            _, unanswered = await asyncio.wait(self._in_flight, timeout=patience)
        for task in unanswered:
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
        self._transport.close()
        await self._closed.wait()
        return len(unanswered)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's word that the socket is bound."""
        # asyncio's own transport is none by class, only by what it does
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's word that the socket is closed."""
        if exc is not None:
            _logger.error("the RADIUS port was closed: %s", describe(exc))
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Serve one datagram, or discard it."""
        try:
            self._receive(data, addr)
        except Exception as error:  # noqa: BLE001 - one datagram must not close the door for the others
            self._complain(Complaint.FAULT, addr[0], detail=describe(error))

    def _receive(self, datagram: bytes, client: tuple[str, int]) -> None:
        address = _plain(client[0])
        node = self._lookup(address)
        if node is None:
            self._complain(Complaint.UNKNOWN_CLIENT, address)
            return
        try:
            packet = decode(datagram)
        except MalformedPacket as error:
            self._complain(Complaint.MALFORMED, address, node.name, str(error))
            return
        proof = verify_request(datagram, packet, node.secret)
        complaint = objection(packet, proof, node)
        if complaint is not None:
            self._complain(complaint, address, node.name, packet.code.name)
        elif packet.code is Code.STATUS_SERVER:
            self._affirm(packet, node, client)
        else:
            self._admit(packet, proof, node, Key(address, client[1], packet.identifier), client)

    def _affirm(self, packet: Packet, node: NodeDoor, client: tuple[str, int]) -> None:
        # while it drains it is silent, so that clients turn to another server
        if not self._draining:
            self._send(encode_response(Code.ACCESS_ACCEPT, packet, (), node.secret), client)

    def _admit(self, packet: Packet, proof: Proof, node: NodeDoor, key: Key, client: tuple[str, int]) -> None:
        known = self._duplicates.recall(key, packet.authenticator, self._clock.monotonic())
        if known is not None:
            self._send(known, client)
            return
        if self._draining:
            return
        if len(self._in_flight) >= self._most_in_flight:
            self._complain(Complaint.BUSY, key.address, node.name, str(len(self._in_flight)))
            return
        correlation = self._entropy.octets(_CORRELATION_OCTETS).hex()
        origin = Origin(
            Door.RADIUS, node.name, correlation, key.address, caller(packet), station(packet), session(packet)
        )
        exchange = _Exchange(client, key, node, packet, origin)
        request = read(packet, proof, node, origin)
        if isinstance(request, Posed):
            # always the same octets for the same packet, and nothing is kept of it
            self._send(encode_response(Code.ACCESS_CHALLENGE, packet, request.attributes, node.secret), client)
            return
        self._duplicates.open(key, packet.authenticator)
        if isinstance(request, Declined):
            self._complain(request.complaint, key.address, node.name, request.detail)
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
        self._finish(exchange, reply)

    def _response(self, exchange: _Exchange, outcome: Outcome) -> bytes:
        reply = reply_to(outcome, exchange.packet, exchange.node)
        if reply.left_out:
            left_out = ", ".join(reply.left_out)
            self._complain(Complaint.NO_ROOM, exchange.origin.address, exchange.node.name, left_out)
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

    def _finish(self, exchange: _Exchange, reply: bytes) -> None:
        authenticator = exchange.packet.authenticator
        if self._duplicates.settle(exchange.key, authenticator, reply, self._clock.monotonic()):
            self._send(reply, exchange.client)

    def _send(self, reply: bytes, client: tuple[str, int]) -> None:
        if reply and not self._transport.is_closing():
            self._transport.sendto(reply, client)

    def _complain(self, complaint: Complaint, address: str, node: str = "", detail: str = "") -> None:
        if self._said.admit((complaint, address), self._clock.monotonic()):
            _logger.warning(complaint.value.format(address=address, node=node, detail=detail))


async def listen(
    host: str,
    port: int,
    *,
    lookup: Lookup,
    service: Service,
    clock: Clock,
    entropy: Entropy,
    most_in_flight: int = MOST_IN_FLIGHT,
) -> RadiusServer:
    """Open the RADIUS door on a UDP port; 0 takes a free one. The arguments are those of `RadiusServer`.

    Raises:
        Fault: the port cannot be had.
    """
    server = RadiusServer(lookup=lookup, service=service, clock=clock, entropy=entropy, most_in_flight=most_in_flight)
    try:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, local_addr=(host, port))
    except OSError as error:
        raise Fault(
            f"cannot listen on UDP {host} port {port}: {error.strerror or error}",
            remedy="stop the other RADIUS server on this port, or choose an address of this host and a free port",
        ) from error
    return server


def _rejection(exchange: _Exchange) -> bytes:
    try:
        return reply_to(FAILED, exchange.packet, exchange.node).octets
    except Fault:
        # a request full of Proxy-State leaves no room for any answer
        return b""


def _plain(address: str) -> str:
    # a socket for both IPv6 and IPv4 shows 192.0.2.1 as ::ffff:192.0.2.1
    return address.removeprefix("::ffff:") if "." in address else address
