"""RADIUS as its documents have it, read a second time, to hold against it what the door does.

Nothing here may come from `auth.radius`.
"""

import hashlib
import hmac
import socket

from rig.ports import LOOPBACK

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE, STATUS_SERVER = 1, 2, 3, 11, 12
MESSAGE_AUTHENTICATOR, PROXY_STATE, EAP_MESSAGE = 80, 33, 79
KNOWN_CODES = frozenset({1, 2, 3, 4, 5, 11, 12})


def attributes_of(datagram: bytes) -> list[tuple[int, bytes]] | None:
    """Number and value of each attribute; None for what is no RADIUS packet (RFC 2865 sections 3 and 5)."""
    if len(datagram) < 20:
        return None
    length = datagram[2] << 8 | datagram[3]
    if not 20 <= length <= min(len(datagram), 4096):
        return None
    found, at = [], 20
    while at < length:
        # an attribute is two octets at least, and ends within the packet
        if at + 2 > length or datagram[at + 1] < 2 or at + datagram[at + 1] > length:
            return None
        found.append((datagram[at], datagram[at + 2 : at + datagram[at + 1]]))
        at += datagram[at + 1]
    return found


def is_proven(datagram: bytes, secret: bytes) -> bool:
    """Whether a request has one Message-Authenticator, and it is right (RFC 3579 section 3.2)."""
    length, at, places = datagram[2] << 8 | datagram[3], 20, []
    while at < length:
        if datagram[at] == MESSAGE_AUTHENTICATOR:
            places.append(at)
        at += datagram[at + 1]
    if len(places) != 1 or datagram[places[0] + 1] != 18:
        return False
    start = places[0] + 2
    blank = datagram[:start] + bytes(16) + datagram[start + 16 : length]
    return hmac.compare_digest(hmac.digest(secret, blank, "md5"), datagram[start : start + 16])


def answers(reply: bytes, request: bytes, secret: bytes) -> bool:
    """Whether a reply belongs to a request: its Response Authenticator says so (RFC 2865 section 3)."""
    if reply[1] != request[1]:
        return False
    return hashlib.md5(reply[:4] + request[4:20] + reply[20:] + secret, usedforsecurity=False).digest() == reply[4:20]


def begins_with_its_proof(reply: bytes) -> bool:
    """Whether Message-Authenticator is the first attribute of a reply, if it is one to a logon (CVE-2024-3596)."""
    if reply[0] not in (ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE):
        return True
    attributes = attributes_of(reply)
    return bool(attributes) and attributes[0][0] == MESSAGE_AUTHENTICATOR


def with_identifier(request: bytes, identifier: int, secret: bytes) -> bytes:
    """The request with another identifier, its Message-Authenticator computed anew where it has one."""
    return _proven(request[:1] + bytes((identifier,)) + request[2:], secret)


def sealed(datagram: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """The packet as one who knows the secret makes it: Message-Authenticator where it has one, then its Authenticator.

    Args:
        datagram: a well-formed packet.
        authenticator: of the request for a reply (RFC 2865 section 3); zeros for accounting (RFC 2866 section 3).
        secret: shared.
    """
    proven = _proven(datagram[:4] + authenticator + datagram[20:], secret)
    return proven[:4] + hashlib.md5(proven + secret, usedforsecurity=False).digest() + proven[20:]


def _proven(packet: bytes, secret: bytes) -> bytes:
    changed, at = bytearray(packet[: packet[2] << 8 | packet[3]]), 20
    while at < len(changed):
        if changed[at] == MESSAGE_AUTHENTICATOR:
            changed[at + 2 : at + 18] = bytes(16)
            changed[at + 2 : at + 18] = hmac.digest(secret, bytes(changed), "md5")
            break
        at += changed[at + 1]
    return bytes(changed)


def exchange(request: bytes, door_port: int, source: str, *, seconds: float = 5.0) -> bytes | None:
    """What the door on 127.0.0.1 says to a datagram from a fresh port of `source`; None for nothing in that time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.connect((LOOPBACK, door_port))
        client.settimeout(seconds)
        client.send(request)
        try:
            return client.recv(65535)
        except TimeoutError:
            return None
