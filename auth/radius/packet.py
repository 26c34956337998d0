"""RADIUS packets from octets and to octets (RFC 2865, RFC 3579): no I/O, no clock, no randomness."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import Protocol

from auth.radius.attributes import LONGEST_VALUE, Attribute, Pair
from schema.errors import Fault

HEADER = 20
"""Octets before a packet's attributes, which is the shortest packet (RFC 2865 section 3)."""

LONGEST_PACKET = 4096
"""Octets of a packet, header included (RFC 2865 section 3)."""

_MOST_ATTRIBUTES = 200
_BLOCK = 16
_LONGEST_PASSWORD = 128
_MD5_BLOCK = 64


class MalformedPacket(Exception):
    """The octets are no RADIUS packet, or a packet that breaks a rule of its form: discard it."""


class PacketTooLong(Fault):
    """A packet would have more octets than one may have."""


class UnverifiedResponse(Exception):
    """The response does not prove that the server we asked gave it to this request: discard it."""


class Code(IntEnum):
    """What a packet is (RFC 2865 section 3, RFC 2866 section 3, RFC 5997 section 2)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12


class Proof(Enum):
    """What a packet's Message-Authenticator says of it, or TLS where it says nothing."""

    ABSENT = auto()
    VALID = auto()
    WRONG = auto()
    BY_TLS = auto()  # RADIUS/1.1, which has no Message-Authenticator (RFC 9765 section 5.2)

    @property
    def proves(self) -> bool:
        """Whether the packet is known to be its client's, as it came."""
        return self in _PROVING


class Version(Protocol):
    """A version of RADIUS: how packets are framed, what proves them, and how secrets in them are hidden."""

    def decode(self, octets: bytes) -> "Packet":
        """The packet in some octets. Raises MalformedPacket."""
        ...

    def proof(self, octets: bytes, packet: "Packet", secret: bytes) -> Proof:
        """What proves an Access-Request or Status-Server; `packet` is the octets decoded."""
        ...

    def is_accounting(self, octets: bytes, packet: "Packet", secret: bytes) -> bool:
        """Whether an Accounting-Request comes from who knows the secret; `packet` is the octets decoded."""
        ...

    def response(self, code: Code, request: "Packet", attributes: Iterable[Pair], secret: bytes) -> bytes:
        """The response to a request: what proves it, `attributes`, then the request's Proxy-State.

        Raises:
            PacketTooLong: it would be longer than 4096 octets.
            ValueError: an attribute's value is too long, or one is there that is added here.
        """
        ...

    def acknowledge(self, request: "Packet", secret: bytes) -> bytes:
        """The Accounting-Response. Raises as `response`."""
        ...

    def reveal(self, value: bytes, request: "Packet", secret: bytes) -> bytes:
        """The password in a User-Password. Raises MalformedPacket."""
        ...

    def challenge(self, request: "Packet") -> bytes:
        """What a CHAP response without CHAP-Challenge answers (RFC 2865 section 5.3). Raises MalformedPacket."""
        ...

    def hide_key(self, key: bytes, request: "Packet", secret: bytes, salt: int) -> bytes:
        """A key as MS-MPPE-Send-Key carries it."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Packet:
    """One RADIUS packet.

    Attributes:
        code: what it is.
        identifier: the same in a request and its response: 0 to 255, or RADIUS/1.1's Token.
        authenticator: 16 octets that tell a request from others with its identifier.
        attributes: number and value of each, in the order they have in the packet, repeats included.
        version: that it came in.
    """

    code: Code
    identifier: int
    authenticator: bytes
    attributes: tuple[Pair, ...] = ()
    version: Version = field(default_factory=lambda: RADIUS_1_0)

    def __repr__(self) -> str:
        return f"<{self.code.name} {self.identifier}, {len(self.attributes)} attributes>"

    def values(self, number: int) -> tuple[bytes, ...]:
        """Every value of one attribute, in order."""
        return tuple([value for found, value in self.attributes if found == number])

    def single(self, number: int) -> bytes | None:
        """The value of an attribute that may stand once at most; None when it is absent.

        Raises:
            MalformedPacket: it stands there more than once.
        """
        values = self.values(number)
        if len(values) > 1:
            raise MalformedPacket(f"attribute {number} is there {len(values)} times")
        return values[0] if values else None


def decode(datagram: bytes) -> Packet:
    """The packet in a datagram; octets beyond its Length are padding (RFC 2865 section 3).

    Raises:
        MalformedPacket: anything else, which also is: a Code that we do not know, more than 200 attributes, a second
            Message-Authenticator, or one that has not 16 octets (RFC 3579 section 3.2).
    """
    code, attributes = opened(datagram)
    proofs = [value for number, value in attributes if number == Attribute.MESSAGE_AUTHENTICATOR]
    if len(proofs) > 1 or (proofs and len(proofs[0]) != _BLOCK):
        raise MalformedPacket("Message-Authenticator is there twice or has not 16 octets")
    return Packet(code, datagram[1], datagram[4:HEADER], attributes)


def opened(datagram: bytes) -> tuple[Code, tuple[Pair, ...]]:
    """Code and attributes, which every version has in the same place. Raises MalformedPacket."""
    length = int.from_bytes(datagram[2:4], "big")
    if not HEADER <= length <= LONGEST_PACKET:
        raise MalformedPacket(f"Length is {length}, allowed are {HEADER} to {LONGEST_PACKET}")
    if len(datagram) < length:
        raise MalformedPacket(f"Length is {length}, {len(datagram)} octets came")
    code = _CODES.get(datagram[0])
    if code is None:
        raise MalformedPacket(f"unknown Code {datagram[0]}")
    return code, _split(datagram, length)


def encode(packet: Packet) -> bytes:
    """The packet's octets as it stands, nothing added or computed.

    Raises:
        PacketTooLong: it would be longer than 4096 octets.
        ValueError: an attribute's value is longer than 253 octets, or a number does not fit its octet.
    """
    return _join(packet.code, packet, packet.attributes)


def encode_request(packet: Packet, secret: bytes) -> bytes:
    """A request with its Message-Authenticator in front of its attributes.

    Raises:
        PacketTooLong, ValueError: as `encode`.
    """
    return _prove(_join(packet.code, packet, (_ROOM_FOR_PROOF, *packet.attributes)), secret)


def encode_response(code: Code, request: Packet, attributes: Iterable[Pair], secret: bytes) -> bytes:
    """The response to a request: Message-Authenticator, `attributes`, then the request's Proxy-State.

    The Message-Authenticator stands first, so that no attacker can put chosen octets in front of it (CVE-2024-3596);
    Proxy-State is copied unmodified and in order (RFC 2865 section 5.33).

    Raises:
        PacketTooLong, ValueError: as `encode`; ValueError also when `attributes` bring one of those that are added.
    """
    told = with_proxy_state(attributes, request)
    return seal_response(_prove(_join(code, request, (_ROOM_FOR_PROOF, *told)), secret), secret)


def with_proxy_state(attributes: Iterable[Pair], request: Packet) -> tuple[Pair, ...]:
    """Attributes of a response, and behind them the request's Proxy-State.

    Raises:
        ValueError: one is there that only a codec adds.
    """
    ours = tuple(attributes)
    if not _ADDED_BY_US.isdisjoint([number for number, _ in ours]):
        raise ValueError("Message-Authenticator and Proxy-State are added by the codec")
    return (*ours, *[pair for pair in request.attributes if pair[0] == Attribute.PROXY_STATE])


def seal_response(datagram: bytes, secret: bytes) -> bytes:
    """A response that still has the Request Authenticator, with the Response Authenticator in its place.

    That is MD5 over the whole response as it comes, and the secret (RFC 2865 section 3).
    """
    return datagram[:4] + _md5(datagram + secret) + datagram[HEADER:]


def verify_request(datagram: bytes, packet: Packet, secret: bytes) -> Proof:
    """What the Message-Authenticator says of a request (RFC 3579 section 3.2); `packet` is the datagram decoded."""
    return _proof(datagram, packet, packet.authenticator, secret)


def verify_response(datagram: bytes, request: Packet, secret: bytes, *, require_proof: bool = True) -> Packet:
    """The response in a datagram, proven to be the answer of our server to this request.

    Args:
        datagram: what came.
        request: ours.
        secret: shared with the server.
        require_proof: whether the Message-Authenticator may not be missing; a wrong one never proves anything.

    Raises:
        MalformedPacket: it is no packet.
        UnverifiedResponse: it has another Identifier, is no response, its Response Authenticator or its
            Message-Authenticator is missing or wrong, or its Proxy-State is not the request's.
    """
    response = decode(datagram)
    if response.identifier != request.identifier or response.code not in _RESPONSES:
        raise UnverifiedResponse("it answers another request")
    length = int.from_bytes(datagram[2:4], "big")
    sealed = seal_response(datagram[:4] + request.authenticator + datagram[HEADER:length], secret)
    if not hmac.compare_digest(sealed[4:HEADER], response.authenticator):
        raise UnverifiedResponse("its Response Authenticator is wrong")
    proof = _proof(datagram, response, request.authenticator, secret)
    if proof is Proof.WRONG or (require_proof and proof is Proof.ABSENT):
        raise UnverifiedResponse("its Message-Authenticator is missing or wrong")
    if response.values(Attribute.PROXY_STATE) != request.values(Attribute.PROXY_STATE):
        raise UnverifiedResponse("its Proxy-State is not the request's")
    return response


def is_accounting(datagram: bytes, packet: Packet, secret: bytes) -> bool:
    """Whether an Accounting-Request comes from who knows the secret; `packet` is the datagram decoded.

    Its authenticator is MD5 over the packet with sixteen zero octets in its place, and the secret (RFC 2866 section 3).
    A Message-Authenticator, which it need not have, must be right (RFC 5080 section 2.2.2).
    """
    length = int.from_bytes(datagram[2:4], "big")
    right = _md5(datagram[:4] + bytes(_BLOCK) + datagram[HEADER:length] + secret)
    proven = _proof(datagram, packet, bytes(_BLOCK), secret) is not Proof.WRONG
    return hmac.compare_digest(right, packet.authenticator) and proven


def acknowledge(request: Packet, secret: bytes) -> bytes:
    """The Accounting-Response: the request's Proxy-State and nothing else (RFC 2866 section 4.2).

    Raises:
        Fault, ValueError: as `encode`.
    """
    return seal_response(_join(Code.ACCOUNTING_RESPONSE, request, with_proxy_state((), request)), secret)


def hide_key(key: bytes, secret: bytes, authenticator: bytes, salt: int) -> bytes:
    """A key as MS-MPPE-Send-Key carries it (RFC 2548 section 2.4.2).

    Args:
        key: at most 239 octets.
        secret: shared with the client.
        authenticator: that of the request.
        salt: from 0x8000 to 0xFFFF, another one for each key of a packet.
    """
    plain = bytes((len(key),)) + key
    plain = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK, b"\0")
    start = salt.to_bytes(2, "big")
    hidden, previous = b"", authenticator + start
    for at in range(0, len(plain), _BLOCK):
        previous = _xor(plain[at : at + _BLOCK], _md5(secret + previous))
        hidden += previous
    return start + hidden


def hide(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """A password as User-Password carries it (RFC 2865 section 5.2): 16 to 128 octets.

    Args:
        password: at most 128 octets; the empty one becomes a block of padding.
        secret: shared with the server.
        authenticator: that of the request it goes into.

    Raises:
        ValueError: it is too long.
    """
    if len(password) > _LONGEST_PASSWORD:
        raise ValueError(f"a password has at most {_LONGEST_PASSWORD} octets")
    padded = password.ljust(max(_BLOCK, -(-len(password) // _BLOCK) * _BLOCK), b"\0")
    hidden, previous = b"", authenticator
    for at in range(0, len(padded), _BLOCK):
        previous = _xor(padded[at : at + _BLOCK], _md5(secret + previous))
        hidden += previous
    return hidden


def reveal(hidden: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """The password in a User-Password, without the NULs at its end (RFC 2865 section 5.2); see `hide`.

    Raises:
        MalformedPacket: not 16 to 128 octets, or no multiple of 16.
    """
    if len(hidden) % _BLOCK or not _BLOCK <= len(hidden) <= _LONGEST_PASSWORD:
        raise MalformedPacket(f"User-Password has {len(hidden)} octets")
    password, previous = b"", authenticator
    for at in range(0, len(hidden), _BLOCK):
        block = hidden[at : at + _BLOCK]
        password += _xor(block, _md5(secret + previous))
        previous = block
    return password.rstrip(b"\0")


def _split(datagram: bytes, length: int) -> tuple[Pair, ...]:
    attributes = []
    at = HEADER
    while at < length:
        end = at + datagram[at + 1] if at + 1 < length else at
        if end < at + 2 or end > length:
            raise MalformedPacket(f"the attribute at octet {at} has a Length that cannot be")
        attributes.append((datagram[at], datagram[at + 2 : end]))
        at = end
    if len(attributes) > _MOST_ATTRIBUTES:
        raise MalformedPacket(f"more than {_MOST_ATTRIBUTES} attributes")
    return tuple(attributes)


def _proof(datagram: bytes, packet: Packet, authenticator: bytes, secret: bytes) -> Proof:
    at = HEADER
    for number, value in packet.attributes:
        end = at + 2 + len(value)
        if number == Attribute.MESSAGE_AUTHENTICATOR:
            length = int.from_bytes(datagram[2:4], "big")
            # by its place and never by its value: the same 16 octets may stand elsewhere as well
            blanked = datagram[HEADER : at + 2] + bytes(_BLOCK) + datagram[end:length]
            right = _hmac_md5(secret, datagram[:4] + authenticator + blanked)
            return Proof.VALID if hmac.compare_digest(right, value) else Proof.WRONG
        at = end
    return Proof.ABSENT


def _join(code: Code, frame: Packet, attributes: Iterable[Pair]) -> bytes:
    # the frame lends identifier and authenticator, which a response has in common with its request until it is sealed
    body = joined(attributes)
    return bytes((code, frame.identifier)) + (HEADER + len(body)).to_bytes(2, "big") + frame.authenticator + body


def joined(attributes: Iterable[Pair]) -> bytes:
    """Attributes as octets, which every version writes alike.

    Raises:
        PacketTooLong: they do not fit into a packet.
        ValueError: a value is longer than 253 octets.
    """
    body = bytearray()
    for number, value in attributes:
        if len(value) > LONGEST_VALUE:
            raise ValueError(f"attribute {number}: {len(value)} octets, at most {LONGEST_VALUE} fit")
        body += bytes((number, len(value) + 2))
        body += value
    length = HEADER + len(body)
    if length > LONGEST_PACKET:
        raise PacketTooLong(
            f"a RADIUS packet would have {length} octets, at most {LONGEST_PACKET} are allowed",
            remedy="return fewer or shorter reply attributes",
        )
    return bytes(body)


def _prove(datagram: bytes, secret: bytes) -> bytes:
    start, end = HEADER + 2, HEADER + 2 + _BLOCK
    return datagram[:start] + _hmac_md5(secret, datagram) + datagram[end:]


def _hmac_md5(key: bytes, message: bytes) -> bytes:
    # RFC 2104 by hand, because the hmac module refuses MD5 where OpenSSL is in FIPS mode
    key = (_md5(key) if len(key) > _MD5_BLOCK else key).ljust(_MD5_BLOCK, b"\0")
    return _md5(key.translate(_OUTER) + _md5(key.translate(_INNER) + message))


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(_BLOCK, "big")


_CODES = {int(code): code for code in Code}
_RESPONSES = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})
_PROVING = frozenset({Proof.VALID, Proof.BY_TLS})
_ROOM_FOR_PROOF = (Attribute.MESSAGE_AUTHENTICATOR, bytes(_BLOCK))
_ADDED_BY_US = frozenset({Attribute.MESSAGE_AUTHENTICATOR, Attribute.PROXY_STATE})
_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))


class _Radius10:
    """RADIUS as it always was: what is told apart and hidden goes by MD5 and the shared secret."""

    decode = staticmethod(decode)
    proof = staticmethod(verify_request)
    is_accounting = staticmethod(is_accounting)
    response = staticmethod(encode_response)
    acknowledge = staticmethod(acknowledge)

    def __repr__(self) -> str:
        return "RADIUS/1.0"

    def reveal(self, value: bytes, request: Packet, secret: bytes) -> bytes:
        """See `Version.reveal`."""
        return reveal(value, secret, request.authenticator)

    def challenge(self, request: Packet) -> bytes:
        """See `Version.challenge`."""
        return request.authenticator

    def hide_key(self, key: bytes, request: Packet, secret: bytes, salt: int) -> bytes:
        """See `Version.hide_key`."""
        return hide_key(key, secret, request.authenticator, salt)


RADIUS_1_0: Version = _Radius10()
"""RFC 2865 and what builds on it."""
