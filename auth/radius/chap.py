"""CHAP, MS-CHAP and MS-CHAPv2 in RADIUS attributes (RFC 2865 section 5.3, RFC 2548 section 2), both ways."""

import hashlib
from collections.abc import Iterator

from auth.chap.response import ChapResponse, MsChap2Success, MsChapResponse, Response, ms_chap2_response
from auth.radius.attributes import Attribute, Pair
from auth.radius.packet import MalformedPacket, Packet

_MICROSOFT = (311).to_bytes(4, "big")

# RFC 2548 sections 2.1 to 2.4
_MS_CHAP_RESPONSE, _MS_CHAP_ERROR, _MS_CHAP_CHALLENGE = 1, 2, 11
_ENCRYPTION_POLICY, _ENCRYPTION_TYPES, _SEND_KEY, _RECEIVE_KEY = 7, 8, 16, 17
_MS_CHAP2_RESPONSE, _MS_CHAP2_SUCCESS = 25, 26
_ALLOWED = (1).to_bytes(4, "big")
_128_BITS = (4).to_bytes(4, "big")

_CHAP_OCTETS = 17
_MS_CHAP_OCTETS = 50
_CHALLENGE_OCTETS, _CHALLENGE2_OCTETS = 8, 16
_USES_NT = 1


def chap_protocol(packet: Packet) -> str:
    """By which of these protocols a request proves who asks; empty when by none of them."""
    if packet.values(Attribute.CHAP_PASSWORD):
        return "CHAP"
    numbers = {number for number, _ in _microsoft(packet)}
    if _MS_CHAP2_RESPONSE in numbers:
        return "MS-CHAPv2"
    return "MS-CHAP" if numbers & {_MS_CHAP_RESPONSE, _MS_CHAP_CHALLENGE} else ""


def response_of(packet: Packet) -> Response:
    """The response in a request that has a `chap_protocol`.

    Raises:
        MalformedPacket: it cannot be read: something is missing, repeated or of a wrong length.
    """
    octets = packet.single(Attribute.CHAP_PASSWORD)
    if octets is not None:
        if len(octets) != _CHAP_OCTETS:
            raise MalformedPacket(f"CHAP-Password has {len(octets)} octets")
        challenge = packet.single(Attribute.CHAP_CHALLENGE)
        return ChapResponse(octets[0], packet.version.challenge(packet) if challenge is None else challenge, octets[1:])
    version2, version1 = _single(packet, _MS_CHAP2_RESPONSE), _single(packet, _MS_CHAP_RESPONSE)
    challenge, octets = _single(packet, _MS_CHAP_CHALLENGE), version2 or version1
    wanted = _CHALLENGE2_OCTETS if version2 else _CHALLENGE_OCTETS
    if octets is None or challenge is None or len(octets) != _MS_CHAP_OCTETS or len(challenge) != wanted:
        raise MalformedPacket("MS-CHAP-Challenge or MS-CHAP response is missing or of a wrong length")
    if version2:
        name = packet.single(Attribute.USER_NAME) or b""
        return ms_chap2_response(octets[0], octets[2:18], challenge, name, octets[26:])
    if octets[1] != _USES_NT:
        raise MalformedPacket("MS-CHAP-Response has no Windows NT response")
    return MsChapResponse(octets[0], challenge, octets[26:])


def success_attributes(success: MsChap2Success, request: Packet, secret: bytes) -> tuple[Pair, ...]:
    """What an Access-Accept tells the client of MS-CHAPv2: the server's proof, and the keys, hidden."""
    salt = int.from_bytes(_md5(b"salt" + request.authenticator)[:2], "big") & 0x7FFE | 0x8000

    def hidden(key: bytes, salt: int) -> bytes:
        return request.version.hide_key(key, request, secret, salt)

    return (
        _pair(_MS_CHAP2_SUCCESS, bytes((success.identifier,)) + success.proof.encode()),
        _pair(_ENCRYPTION_POLICY, _ALLOWED),
        _pair(_ENCRYPTION_TYPES, _128_BITS),
        _pair(_SEND_KEY, hidden(success.send_key, salt)),
        _pair(_RECEIVE_KEY, hidden(success.receive_key, salt + 1)),
    )


def error_attributes(request: Packet, message: bytes) -> tuple[Pair, ...]:
    """What an Access-Reject tells a client of MS-CHAPv2 (RFC 2548 section 2.1.5): no, and no retry."""
    found = [octets for number, octets in _microsoft(request) if number == _MS_CHAP2_RESPONSE and octets]
    if not found:
        return ()
    challenge = _md5(b"challenge" + request.authenticator).hex().upper().encode()
    text = b"E=691 R=0 C=%s V=3 M=%s" % (challenge, message)
    return (_pair(_MS_CHAP_ERROR, found[0][:1] + text),)


def _single(packet: Packet, number: int) -> bytes | None:
    values = [octets for found, octets in _microsoft(packet) if found == number]
    if len(values) > 1:
        raise MalformedPacket(f"Microsoft's attribute {number} is there {len(values)} times")
    return values[0] if values else None


def _microsoft(packet: Packet) -> Iterator[Pair]:
    """Microsoft's attributes, one or more in a Vendor-Specific; what does not fit its length is left out."""
    for octets in packet.values(Attribute.VENDOR_SPECIFIC):
        rest = octets[len(_MICROSOFT) :] if octets.startswith(_MICROSOFT) else b""
        while len(rest) > 1 and 1 < rest[1] <= len(rest):
            yield rest[0], rest[2 : rest[1]]
            rest = rest[rest[1] :]


def _pair(number: int, octets: bytes) -> Pair:
    return Attribute.VENDOR_SPECIFIC, _MICROSOFT + bytes((number, len(octets) + 2)) + octets


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).digest()
