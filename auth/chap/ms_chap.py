"""What MS-CHAPv2 computes (RFC 2759 section 8), and the keys that follow from it (RFC 3079 section 3)."""

import hashlib
import hmac
from collections.abc import Iterator

from Cryptodome.Cipher import DES
from Cryptodome.Hash import MD4

_BLOCK = 8
_DES_KEY_OCTETS = 7
_KEY_OCTETS = 16


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, user: bytes) -> bytes:
    """The 8 octets that a response is computed for (RFC 2759 section 8.2); the user's name is without domain."""
    return _sha1(peer_challenge + authenticator_challenge + user)[:8]


def nt_password_hash(password: str) -> bytes:
    """RFC 2759 section 8.3."""
    return _md4(password.encode("utf-16-le", "surrogatepass"))


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """The 24 octets of a response to 8 octets of challenge (RFC 2759 section 8.5)."""
    return b"".join(_blocks(challenge, password_hash))


def is_response(octets: bytes, challenge: bytes, password_hash: bytes) -> bool:
    """Whether these 24 octets are the response.

    It looks no further than the first block that differs, since there may be hundreds of candidates; how far it has
    looked tells of a hash, and nothing of what was hashed.
    """
    places = range(0, len(octets), _BLOCK)
    right = _blocks(challenge, password_hash)
    return all(hmac.compare_digest(octets[at : at + _BLOCK], block) for at, block in zip(places, right, strict=True))


def _blocks(challenge: bytes, password_hash: bytes) -> Iterator[bytes]:
    padded = password_hash.ljust(3 * _DES_KEY_OCTETS, b"\0")
    for at in range(0, len(padded), _DES_KEY_OCTETS):
        key = _with_parity(padded[at : at + _DES_KEY_OCTETS])
        # the protocol's own cipher; what protects a code here is that it is good once, and the tunnel around it
        yield DES.new(key, DES.MODE_ECB).encrypt(challenge)  # noqa: S304 - RFC 2759 wants DES


def authenticator_response(password_hash: bytes, response: bytes, challenge: bytes) -> str:
    """How the server proves that it knows the password as well (RFC 2759 section 8.7); `challenge` is the hash."""
    digest = _sha1(_md4(password_hash) + response + _SIGNING)
    return "S=" + _sha1(digest + challenge + _MORE).hex().upper()


def master_keys(password_hash: bytes, response: bytes) -> tuple[bytes, bytes]:
    """The server's MasterSendKey and MasterReceiveKey, 128 bits each (RFC 3079 section 3.4)."""
    master = _sha1(_md4(password_hash) + response + b"This is the MPPE Master Key")[:_KEY_OCTETS]
    return _start_key(master, _TO_CLIENT), _start_key(master, _TO_SERVER)


def _start_key(master: bytes, direction: bytes) -> bytes:
    return _sha1(master + bytes(40) + direction + b"\xf2" * 40)[:_KEY_OCTETS]


def _with_parity(key: bytes) -> bytes:
    # seven bits in each octet; the eighth, which DES ignores, stays 0 (RFC 2759 section 8.6)
    bits = int.from_bytes(key, "big")
    return bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))


def _md4(octets: bytes) -> bytes:
    return MD4.new(octets).digest()  # noqa: S303 - the protocol's own


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()


_SIGNING = b"Magic server to client signing constant"
_MORE = b"Pad to make it do more than one iteration"
_TO_CLIENT = b"On the client side, this is the receive key; on the server side, it is the send key."
_TO_SERVER = b"On the client side, this is the send key; on the server side, it is the receive key."
