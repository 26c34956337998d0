"""The key ring as a value: several keys, one of them current. Pure."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from schema.errors import Fault

KEY_OCTETS = 32
_ID_DIGITS = 8


class KeyMissing(Fault):
    """A value was sealed or digested under a key that the ring does not have, or not any more."""


@dataclass(frozen=True)
class Key:
    """One key of the ring.

    Attributes:
        octets: the key itself, 32 octets.
        made_at: when it was drawn.
    """

    octets: bytes = field(repr=False)
    made_at: datetime

    @cached_property
    def id(self) -> str:
        """What values name it by: eight hex digits of a hash of the key, so that no id ever means two keys."""
        return hashlib.sha256(b"dirfactor key id" + self.octets).hexdigest()[:_ID_DIGITS]

    def derived(self, use: bytes) -> bytes:
        """The key for one use, 32 octets; from one use's key nothing follows for another's (HKDF-Expand, RFC 5869)."""
        known = self._derived.get(use)
        if known is None:
            known = self._derived[use] = hmac.digest(self.octets, b"dirfactor " + use + b"\x01", hashlib.sha256)
        return known

    @cached_property
    def _derived(self) -> dict[bytes, bytes]:
        """Derived before; there are as many uses as the code has."""
        return {}


@dataclass(frozen=True)
class Ring:
    """Keys in the order in which they were drawn; the last one is current.

    Attributes:
        keys: at least one.
    """

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key under which new values are sealed."""
        return self.keys[-1]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of its keys."""
        return frozenset(key.id for key in self.keys)

    def named(self, key_id: str) -> Key:
        """The key with this id. Raises KeyMissing."""
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyMissing(
            f"the key ring has no key {key_id}",
            remedy="copy keys.ring from the machine where the value was written, or set the value anew",
        )

    def with_new(self, key: Key) -> "Ring":
        """The ring with one key more, which is the current one."""
        return Ring((*self.keys, key))

    def without(self, ids: Iterable[str]) -> "Ring":
        """The ring without these keys; the current one always stays."""
        gone = set(ids)
        return Ring(tuple(key for key in self.keys if key is self.current or key.id not in gone))
