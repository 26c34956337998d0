"""EAP packets in EAP-Message attributes (RFC 3748 section 4, RFC 3579 section 3.1)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from auth.radius.attributes import LONGEST_VALUE, Attribute, Pair
from auth.radius.packet import MalformedPacket, Packet

_HEADER = 4


class EapCode(IntEnum):
    """What an EAP packet is (RFC 3748 section 4)."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class EapType(IntEnum):
    """What a request or response is about, as far as we know it (RFC 3748 section 5)."""

    NONE = 0
    IDENTITY = 1
    NAK = 3
    GTC = 6


@dataclass(frozen=True, slots=True, repr=False)
class EapPacket:
    """One EAP packet.

    Attributes:
        code: what it is.
        identifier: 0 to 255; a response has that of its request, and so have Success and Failure (RFC 3748 4.2).
        type: number of the method, see `EapType`; 0 where there is none.
        data: what the method says; in a response of ours to nobody's eyes but the method's, for it may be a password.
    """

    START: ClassVar["EapPacket"]

    code: EapCode
    identifier: int
    type: int = EapType.NONE
    data: bytes = b""

    def __repr__(self) -> str:
        return f"<EAP {self.code.name} {self.identifier}, type {self.type}>"


EapPacket.START = EapPacket(EapCode.RESPONSE, 255)
"""What an EAP-Message without octets stands for: the client wants us to ask for the identity (RFC 3579 section 2.1)."""


def eap_of(packet: Packet) -> EapPacket | None:
    """The EAP packet that a RADIUS packet carries, in as many fragments as it likes; None when it carries none.

    Octets beyond the EAP packet's Length are padding (RFC 3748 section 4.1).

    Raises:
        MalformedPacket: the fragments do not stand together (RFC 3579 section 3.1), or are no EAP packet.
    """
    numbers = [number for number, _ in packet.attributes]
    if Attribute.EAP_MESSAGE not in numbers:
        return None
    places = [at for at, number in enumerate(numbers) if number == Attribute.EAP_MESSAGE]
    if places[-1] - places[0] != len(places) - 1:
        raise MalformedPacket("the EAP-Message attributes do not stand together")
    octets = b"".join(packet.attributes[at][1] for at in places)
    return _decode(octets) if octets else EapPacket.START


def eap_message(eap: EapPacket) -> tuple[Pair, ...]:
    """The EAP-Message attributes that carry a packet, in order."""
    body = bytes((eap.type,)) + eap.data if eap.code in _TYPED else b""
    octets = bytes((eap.code, eap.identifier)) + (_HEADER + len(body)).to_bytes(2, "big") + body
    fragments = (octets[at : at + LONGEST_VALUE] for at in range(0, len(octets), LONGEST_VALUE))
    return tuple((Attribute.EAP_MESSAGE, fragment) for fragment in fragments)


def _decode(octets: bytes) -> EapPacket:
    length = int.from_bytes(octets[2:4], "big")
    code = _CODES.get(octets[0])
    if code is None or not _HEADER + (code in _TYPED) <= length <= len(octets):
        raise MalformedPacket("EAP-Message carries no EAP packet")
    if code not in _TYPED:
        return EapPacket(code, octets[1])
    return EapPacket(code, octets[1], octets[_HEADER], octets[_HEADER + 1 : length])


_TYPED = frozenset({EapCode.REQUEST, EapCode.RESPONSE})
_CODES = {int(code): code for code in EapCode}
