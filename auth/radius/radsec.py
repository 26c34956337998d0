"""RADIUS over TLS (RFC 6614, RFC 6613, RFC 9765): who asks is known by the certificate that it shows."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count

from auth.accepting import Acceptor
from auth.client_certificate import names_of
from auth.clock import Clock
from auth.radius.complaints import Complaint
from auth.radius.door import Peer, RadiusDoor
from auth.radius.node import NodeDoor
from auth.radius.packet import HEADER, LONGEST_PACKET, RADIUS_1_0, Version
from auth.radius.packet_1_1 import RADIUS_1_1, needs_1_1
from auth.reloaded_tls import ReloadedTls, TlsFiles
from auth.settings import RadsecSettings
from auth.tls import server_tls_context

CertificateLookup = Callable[[Sequence[str], str], NodeDoor | None]
"""Names of a proven certificate, and from which address -> the access node that it is of, None for nobody's."""

_ALPN = {"1.0": "radius/1.0", "1.1": "radius/1.1"}  # RFC 9765 section 3
_LENGTH = 4  # octets up to the end of a packet's Length
_DRAIN_SECONDS = 5.0
_UNREAD = 16 * LONGEST_PACKET  # octets of answers that may wait for a client; with more, nothing is read from it

_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Complaint.NO_CERTIFICATE,
    "UNSUPPORTED_PROTOCOL": Complaint.OLD_TLS,
}
"""By what OpenSSL calls it."""

_logger = logging.getLogger("dirfactor.radius")


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may use up.

    Attributes:
        connections: with so many open, TLS handshakes included, each further one is closed unread.
        handshake_seconds: how long a TLS handshake may take.
        packet_seconds: how long a packet may take from its first octet to its last, and how long answers may wait for a
            client that does not read them.
        idle_seconds: how long a connection may be silent; RFC 6613 section 2.6.1 leaves it to the server.
    """

    connections: int = 256
    handshake_seconds: float = 10.0
    packet_seconds: float = 10.0
    idle_seconds: float = 3600.0


_LIMITS = Limits()


class RadsecListener:
    """Serves connections.

    What no client in its right mind sends ends its connection, for nobody can tell where the next packet would begin
    (RFC 6613 section 2.6.4). So does a certificate that is of no access node, or no longer.

    Args:
        lookup: asked for every packet, so what it knows may change.
        door: answers.
        limits: what clients may use up.
        versions: that are spoken; a client that does not say which it speaks speaks 1.0.
    """

    def __init__(
        self,
        lookup: CertificateLookup,
        door: RadiusDoor,
        limits: Limits = _LIMITS,
        versions: Collection[str] = ("1.0",),
    ) -> None:
        self._lookup = lookup
        self.door = door
        self._limits = limits
        self._versions = versions
        self._connections: set[asyncio.Task[None]] = set()
        self._numbers = count(1)

    async def run(self, listener: socket.socket, tls: ReloadedTls) -> None:
        """Accept connections until cancelled."""

        def connection() -> asyncio.StreamReaderProtocol:
            reader = asyncio.StreamReader(limit=LONGEST_PACKET)
            return asyncio.StreamReaderProtocol(reader, self._begin)

        await Acceptor(
            listener,
            tls,
            connection,
            _logger,
            open_now=lambda: len(self._connections),
            most=self._limits.connections,
            handshake_seconds=self._limits.handshake_seconds,
            told=self._turned_away,
        ).run()

    def _turned_away(self, address: str, error: OSError | None) -> None:
        """Tell the operator why a client cannot connect; whoever knocks and does not speak TLS is none."""
        if error is None:
            self.door.complain(Complaint.TOO_MANY_CONNECTIONS, address, detail=str(self._limits.connections))
        elif found := _complaint_about(error):
            complaint, detail = found
            self.door.complain(complaint, address, detail=detail)

    async def drain(self, patience: float) -> int:
        """Take no new request, wait for the answers that are under way, and close all connections.

        Args:
            patience: seconds to wait for them at most.

        Returns:
            How many requests were left unanswered.
        """
        unanswered = await self.door.drain(patience)
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        return unanswered

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            place = writer.get_extra_info("peername")
            if place is None:
                return  # the client has reset the connection already
            address, port = place[:2]
            # what it does not read is limited by this and by what is in flight; TLS by itself would let 512 KiB wait
            writer.transport.set_write_buffer_limits(high=_UNREAD)
            secured = writer.get_extra_info("ssl_object")
            certificate = secured.getpeercert(binary_form=True)
            names = names_of(certificate) if certificate else ()
            version = self._spoken(secured.selected_alpn_protocol())
            address, send = address.removeprefix("::ffff:"), partial(_send, writer)
            peer = Peer(address, port, send, version or RADIUS_1_0, next(self._numbers))
            if version is None:
                self.door.complain(Complaint.NO_VERSION, peer.address, detail=_shown(names))
                peer.send(needs_1_1())
            else:
                await self._answer(reader, writer, names, peer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # it is gone, or too slow
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    def _spoken(self, agreed: str | None) -> Version | None:
        """The version that TLS has agreed upon (ALPN, RFC 7301); None when it is none of ours."""
        if agreed == _ALPN["1.1"]:
            return RADIUS_1_1
        return RADIUS_1_0 if "1.0" in self._versions else None

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, names: Sequence[str], peer: Peer
    ) -> None:
        """Packet by packet, until one ends the connection."""
        if self._lookup(names, peer.address) is None:
            self.door.complain(Complaint.UNKNOWN_CERTIFICATE, peer.address, detail=_shown(names))
            return
        while True:
            async with asyncio.timeout(self._limits.idle_seconds):
                first = await reader.readexactly(1)
            async with asyncio.timeout(self._limits.packet_seconds):
                head = first + await reader.readexactly(_LENGTH - 1)
                length = int.from_bytes(head[2:_LENGTH], "big")
                rest = b"" if not HEADER <= length <= LONGEST_PACKET else await reader.readexactly(length - _LENGTH)
            node = self._lookup(names, peer.address)
            if node is None:
                self.door.complain(Complaint.UNKNOWN_CERTIFICATE, peer.address, detail=_shown(names))
                return
            if not self.door.receive(head + rest, node, peer):
                return
            await self._read(writer)

    async def _read(self, writer: asyncio.StreamWriter) -> None:
        """Wait until the client has read enough of its answers that it may ask on.

        Raises:
            TimeoutError: it does not read. Then the connection is cut off: a close would wait for it again.
        """
        try:
            async with asyncio.timeout(self._limits.packet_seconds):
                await writer.drain()
        except TimeoutError:
            writer.transport.abort()
            raise


def radsec_tls(radsec: RadsecSettings, clock: Clock) -> ReloadedTls:
    """What the door shows as its certificate, and whose certificates it takes: TLS 1.3, and nobody without one.

    Raises:
        Fault: the section's files cannot be used.
    """

    def build() -> ssl.SSLContext:
        context = server_tls_context(radsec.certificate, radsec.private_key, radsec.client_ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        if "1.1" in radsec.versions:
            context.set_alpn_protocols([_ALPN[version] for version in sorted(radsec.versions, reverse=True)])
            context.num_tickets = 0  # a session could be resumed with another version than it was begun (section 3.5)
        return context

    others = tuple(path for path in (radsec.private_key, radsec.client_ca_file) if path is not None)
    return ReloadedTls(TlsFiles("[radsec]", radsec.certificate, others, build), clock)


async def open_radsec(place: socket.socket, tls: ReloadedTls, listener: RadsecListener, doors: AsyncExitStack) -> str:
    """Listen until the stack is closed; then what was begun is done.

    Args:
        place: where connections come; it listens, and does not block.
        tls: from `radsec_tls`. Its files are looked after as long as the door is open.
        listener: serves the connections.
        doors: closes it.

    Returns:
        its address, for the log.
    """
    host, port = place.getsockname()[:2]
    loop = asyncio.get_running_loop()
    ours = [loop.create_task(listener.run(place, tls)), loop.create_task(tls.run())]

    async def close() -> None:
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await listener.drain(_DRAIN_SECONDS)

    doors.push_async_callback(close)
    return f"RadSec tls://{host}:{port}"


def _complaint_about(error: OSError) -> tuple[Complaint, str] | None:
    """What a TLS handshake that failed tells of the client, with a detail that nobody but OpenSSL has worded."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Complaint.BAD_CERTIFICATE, error.verify_message
    reason = error.reason if isinstance(error, ssl.SSLError) else ""
    if reason in _REASONS:
        return _REASONS[reason], ""
    return (Complaint.NOT_BELIEVED, reason) if "_ALERT_" in (reason or "") else None


def _send(writer: asyncio.StreamWriter, reply: bytes) -> None:
    if not writer.is_closing():
        writer.write(reply)


def _shown(names: Sequence[str]) -> str:
    """Names as they may stand in a log: they come from an authority that we believe, and still not as they are."""
    return ", ".join(name if name.isprintable() else "?" for name in names)[:200] or "no name"
