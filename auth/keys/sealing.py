"""Sealing values and digesting codes under a key of the ring, each for one purpose and one entry. Pure.

A sealed value can be read again by whoever has the ring (AES-256-GCM); of a digested one it can only be told whether
something typed is it (HMAC-SHA-256). Both are bound to purpose, key, clear header and the entry's objectGUID or
entryUUID: copied to another entry, or with another header, they are nothing.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.keys.ring import Key, Ring
from auth.keys.text import Purpose, clear_part, taken_apart, written
from schema.entry import EntryId
from schema.errors import Fault
from schema.secret import Secret

NONCE_OCTETS = 12
_ENTRY_OCTETS = 16


class SealBroken(Fault):
    """A sealed value does not open: it was made for another entry, or altered."""


class NoEntryId(Fault):
    """The entry's id is not known, so nothing can be bound to it."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A sealed value, opened.

    Attributes:
        header: what was clear in it.
        octets: what was sealed.
    """

    header: tuple[str, ...]
    octets: bytes = field(repr=False)


def sealed(ring: Ring, purpose: Purpose, entry: EntryId, header: Iterable[str], octets: bytes, nonce: bytes) -> str:
    """Octets sealed under the current key, as one value of an attribute.

    Args:
        ring: has the key.
        purpose: what the value is for.
        entry: of whose entry it is to be.
        header: what stays clear: letters, digits, dots, dashes and underscores.
        octets: what is sealed.
        nonce: 12 random octets, never used before.

    Raises:
        NoEntryId: the entry's id is not known.
    """
    key = ring.current
    clear = clear_part(purpose, key.id, header)
    return written(clear, nonce + _cipher(key).encrypt(nonce, octets, _bound(entry, clear)))


def unsealed(ring: Ring, purpose: Purpose, entry: EntryId, text: str, header_parts: int) -> Unsealed:
    """What a sealed value holds.

    Raises:
        NotOurs: it is not a value of ours for this purpose.
        KeyMissing: the ring does not have its key.
        SealBroken: it was made for another entry, or altered.
        NoEntryId: the entry's id is not known.
    """
    parts = taken_apart(purpose, text, header_parts)
    cipher = _cipher(ring.named(parts.key_id))
    nonce, body = parts.body[:NONCE_OCTETS], parts.body[NONCE_OCTETS:]
    try:
        octets = cipher.decrypt(nonce, body, _bound(entry, parts.clear))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            f"the sealed value for purpose {purpose} is not this entry's: copied from another one, or altered",
            remedy="set it anew with dirfactor; a sealed value works for the entry it was made for and no other",
        ) from error
    return Unsealed(parts.header, octets)


def digested(ring: Ring, purpose: Purpose, entry: EntryId, header: Iterable[str], secret: Secret) -> str:
    """The keyed digest of a secret under the current key, as one value of an attribute. Raises NoEntryId."""
    key = ring.current
    clear = clear_part(purpose, key.id, header)
    return written(clear, _digest(key, entry, clear, secret))


def is_digest_of(ring: Ring, purpose: Purpose, entry: EntryId, text: str, header_parts: int, secret: Secret) -> bool:
    """Whether the value is this secret's digest, for this entry; in constant time.

    A digest that was copied from another entry is that of no secret.

    Raises:
        NotOurs: it is not a value of ours for this purpose.
        KeyMissing: the ring does not have its key.
        NoEntryId: the entry's id is not known.
    """
    parts = taken_apart(purpose, text, header_parts)
    key = ring.named(parts.key_id)
    return hmac.compare_digest(_digest(key, entry, parts.clear, secret), parts.body)


def _cipher(key: Key) -> AESGCM:
    return AESGCM(key.derived(b"sealing"))


def _digest(key: Key, entry: EntryId, clear: str, secret: Secret) -> bytes:
    return hmac.digest(key.derived(b"digests"), _bound(entry, clear) + b":" + secret.octets, hashlib.sha256)


def _bound(entry: EntryId, clear: str) -> bytes:
    """What a value is bound to; the id has a fixed length, so that the parts cannot be divided otherwise."""
    if len(entry) != _ENTRY_OCTETS:
        raise NoEntryId(
            "the entry's objectGUID or entryUUID cannot be read", remedy="let the account read it: sealing needs it"
        )
    return entry + clear.encode()
