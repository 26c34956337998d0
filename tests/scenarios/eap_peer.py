"""Somebody who logs on by EAP-GTC, through a client that is given."""

import secrets
from dataclasses import dataclass, field

from auth.radius.attributes import Attribute
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message, eap_of
from auth.radius.packet import Code, Packet
from scenarios.chap_client import exchange
from scenarios.office import Office


@dataclass
class Peer:
    """A switch or VPN, and somebody behind it who logs on by EAP: it echoes State as it must."""

    office: Office
    user: str
    identifier: int = field(default_factory=lambda: secrets.randbelow(256))
    state: bytes | None = None

    async def say(self, kind: int, data: bytes, code: EapCode = EapCode.RESPONSE) -> tuple[Packet, EapPacket]:
        """One Access-Request; its response and the EAP packet in that."""
        told = [(Attribute.USER_NAME, self.user.encode()), *eap_message(EapPacket(code, self.identifier, kind, data))]
        answered = [(Attribute.STATE, self.state)] if self.state else []
        reply = await exchange(self.office, [*told, *answered])
        heard = eap_of(reply)
        assert heard is not None
        self.identifier, self.state = heard.identifier, reply.single(Attribute.STATE)
        return reply, heard

    async def name(self) -> str:
        """What is asked when the name was said."""
        reply, asked = await self.say(EapType.IDENTITY, self.user.encode())
        assert (reply.code, asked.code, asked.type) == (Code.ACCESS_CHALLENGE, EapCode.REQUEST, EapType.GTC)
        return asked.data.decode()

    async def type(self, text: str) -> tuple[Code, str]:
        """What comes of something typed: the packet, and the next question where there is one."""
        reply, heard = await self.say(EapType.GTC, text.encode())
        assert not reply.values(Attribute.REPLY_MESSAGE)
        if reply.code is Code.ACCESS_CHALLENGE:
            return reply.code, heard.data.decode()
        wanted = EapCode.SUCCESS if reply.code is Code.ACCESS_ACCEPT else EapCode.FAILURE
        assert heard.code is wanted
        return reply.code, ""
