"""A client that sends what its test says: CHAP, MS-CHAP and MS-CHAPv2, computed from a code, or anything else."""

import asyncio
import hashlib
import secrets
import socket

from auth.chap.ms_chap import challenge_hash, challenge_response, nt_password_hash
from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet, encode_request, verify_response
from scenarios.office import Office


def shown(protocol: str, user: str, code: str, authenticator: bytes) -> list[tuple[int, bytes]]:
    """What a client of the protocol sends in the place of a code."""
    if protocol == "CHAP":
        return [(3, b"\7" + hashlib.md5(b"\7" + code.encode() + authenticator, usedforsecurity=False).digest())]
    peer, hashed = b"p" * 16, nt_password_hash(code)
    challenge = b"8 octets" if protocol == "MS-CHAP" else b"sixteen octets.."
    hidden = challenge if protocol == "MS-CHAP" else challenge_hash(peer, challenge, user.encode())
    octets = challenge_response(hidden, hashed)
    if protocol == "MS-CHAP":
        return [microsoft(11, challenge), microsoft(1, b"\7\1" + bytes(24) + octets)]
    return [microsoft(11, challenge), microsoft(25, b"\7\0" + peer + bytes(8) + octets)]


def microsoft(number: int, octets: bytes) -> tuple[int, bytes]:
    return Attribute.VENDOR_SPECIFIC, bytes((0, 0, 1, 0x37, number, len(octets) + 2)) + octets


async def show(office: Office, protocol: str, user: str, code: str, state: bytes | None = None) -> Packet:
    """One Access-Request, and its verified response."""
    authenticator = secrets.token_bytes(16)
    own = [(Attribute.USER_NAME, user.encode()), *shown(protocol, user, code, authenticator)]
    answered = [(Attribute.STATE, state)] if state else []
    return await exchange(office, [*own, *answered], authenticator)


async def exchange(office: Office, attributes: list[tuple[int, bytes]], authenticator: bytes = b"") -> Packet:
    """One Access-Request with these attributes and Message-Authenticator, and its verified response."""
    drawn = authenticator or secrets.token_bytes(16)
    request = Packet(Code.ACCESS_REQUEST, secrets.randbelow(256), drawn, tuple(attributes))
    secret = office.service.secret.octets
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", office.service.radius_port))
        client.send(encode_request(request, secret))
        octets = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 5000), 15)
    return verify_response(octets, request, secret)
