"""Another RADIUS server, which a company had before: it reads requests by pyrad, and says what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import StringIO

from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket

DICTIONARY = """
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 string
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE State 24 octets
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE Proxy-State 33 octets
ATTRIBUTE Message-Authenticator 80 octets
"""

Answer = Callable[[AuthPacket, bytes], bytes | None]
"""The request as pyrad reads it, and its octets -> the response, None for silence."""


class OldServer(asyncio.DatagramProtocol):
    """Answers by `answer`, which may be another one later; `seen` has the octets of all requests."""

    def __init__(self, secret: bytes, answer: Answer) -> None:
        self.secret = secret
        self.answer = answer
        self.seen: list[bytes] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr) -> None:
        self.seen.append(data)
        reply = self.answer(self.read(data), data)
        if reply is not None:
            self.transport.sendto(reply, addr)

    def read(self, datagram: bytes) -> AuthPacket:
        return AuthPacket(secret=self.secret, dict=Dictionary(StringIO(DICTIONARY)), packet=datagram)

    def asked(self) -> list[tuple[str, str]]:
        """Name and password of all requests."""
        packets = [self.read(datagram) for datagram in self.seen]
        return [(packet["User-Name"][0], packet.PwDecrypt(packet[2][0])) for packet in packets]


@asynccontextmanager
async def old_server(secret: bytes, answer: Answer, port: int = 0) -> AsyncIterator[OldServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: OldServer(secret, answer), local_addr=("127.0.0.1", port)
    )
    try:
        yield server
    finally:
        transport.close()
