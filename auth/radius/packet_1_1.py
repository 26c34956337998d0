"""RADIUS/1.1 (RFC 9765): over TLS only, which proves and hides everything; no secret, no MD5. No I/O."""

import hashlib
from collections.abc import Iterable

from auth.radius.attributes import Attribute, Pair
from auth.radius.packet import (
    HEADER,
    Code,
    MalformedPacket,
    Packet,
    Proof,
    Version,
    joined,
    opened,
    with_proxy_state,
)

_TOKEN = slice(4, 8)
_RESERVED_1 = 0
_RESERVED_2 = bytes(12)
_DIGEST_OCTETS = 16
_LONGEST_PASSWORD = 128
_EXTENDED, _ORIGINAL_PACKET_CODE = 241, b"\x04"  # attribute 241.4 (RFC 6929 section 2.1)


class _Radius11:
    """The Token takes the place of the Identifier; the rest of the old Authenticator is reserved (section 4.1)."""

    def __repr__(self) -> str:
        return "RADIUS/1.1"

    def decode(self, octets: bytes) -> Packet:
        """See `Version.decode`. What says nothing here is left out, and so goes on to no other server (section 5).

        What tells two requests with one Token apart is computed: a Token may be used again when its request is
        answered (section 4.2.1), and the answer to the earlier one is none to it.
        """
        code, attributes = opened(octets)
        token = int.from_bytes(octets[_TOKEN], "big")
        length = int.from_bytes(octets[2:4], "big")
        told = tuple(pair for pair in attributes if not _says_nothing(pair))
        digest = hashlib.sha256(octets[:1] + octets[_TOKEN] + octets[HEADER:length]).digest()
        return Packet(code, token, digest[:_DIGEST_OCTETS], told, self)

    def proof(self, octets: bytes, packet: Packet, secret: bytes) -> Proof:
        """See `Version.proof`: TLS has proven it."""
        del octets, packet, secret
        return Proof.BY_TLS

    def is_accounting(self, octets: bytes, packet: Packet, secret: bytes) -> bool:
        """See `Version.is_accounting`: TLS has proven it."""
        del octets, packet, secret
        return True

    def response(self, code: Code, request: Packet, attributes: Iterable[Pair], secret: bytes) -> bytes:
        """See `Version.response`. It has no Message-Authenticator (section 5.2)."""
        del secret
        return framed(code, request.identifier, with_proxy_state(attributes, request))

    def acknowledge(self, request: Packet, secret: bytes) -> bytes:
        """See `Version.acknowledge`."""
        return self.response(Code.ACCOUNTING_RESPONSE, request, (), secret)

    def reveal(self, value: bytes, request: Packet, secret: bytes) -> bytes:
        """See `Version.reveal`: it stands there as it is, and is not padded (section 5.1.1)."""
        del request, secret
        if not 1 <= len(value) <= _LONGEST_PASSWORD:
            raise MalformedPacket(f"User-Password has {len(value)} octets")
        return value

    def challenge(self, request: Packet) -> bytes:
        """See `Version.challenge`: nothing stands in for CHAP-Challenge (section 5.1.2)."""
        del request
        raise MalformedPacket("CHAP-Challenge is missing, which RADIUS/1.1 demands")

    def hide_key(self, key: bytes, request: Packet, secret: bytes, salt: int) -> bytes:
        """See `Version.hide_key`: it stands there as it is (section 5.1.4)."""
        del request, secret, salt
        return key


def _says_nothing(pair: Pair) -> bool:
    """Message-Authenticator (section 5.2), and Original-Packet-Code (section 5.5; RFC 7930 section 4)."""
    number, value = pair
    return number == Attribute.MESSAGE_AUTHENTICATOR or (number == _EXTENDED and value[:1] == _ORIGINAL_PACKET_CODE)


def framed(code: Code, token: int, attributes: Iterable[Pair]) -> bytes:
    """A packet's octets.

    Args:
        code: what it is.
        token: of the request; 32 bits.
        attributes: number and value of each.

    Raises:
        PacketTooLong, ValueError: as `auth.radius.packet.joined`; OverflowError: the token has more bits.
    """
    body = joined(attributes)
    length = (HEADER + len(body)).to_bytes(2, "big")
    return bytes((code, _RESERVED_1)) + length + token.to_bytes(4, "big") + _RESERVED_2 + body


def needs_1_1() -> bytes:
    """What somebody is told who has not offered RADIUS/1.1 where nothing else will do (section 3.3.1).

    A Protocol-Error (RFC 7930 section 4) in the framing that they know, in answer to nothing; it is for whoever looks
    at their log.
    """
    why = b"this server speaks RADIUS/1.1 only (RFC 9765)"
    body = joined([(_ERROR_CAUSE, _UNSUPPORTED_EXTENSION), (Attribute.REPLY_MESSAGE, why)])
    return bytes((_PROTOCOL_ERROR, 0)) + (HEADER + len(body)).to_bytes(2, "big") + bytes(16) + body


_PROTOCOL_ERROR = 52
_ERROR_CAUSE, _UNSUPPORTED_EXTENSION = 101, (406).to_bytes(4, "big")

RADIUS_1_1: Version = _Radius11()
"""RFC 9765."""
