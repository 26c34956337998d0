"""Sealing anew, under the current key, what is sealed under another one. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from auth.keys.ring import Ring
from auth.keys.shared_secret import sealed_shared_secret, unsealed_shared_secret
from auth.keys.text import key_named_in
from auth.otp.sealed import sealed_token, unsealed_token
from dirsync.view import Node, Person

SEED = "dirfactorSecret"
SHARED_SECRET = "dirfactorSharedSecret"  # noqa: S105 - the name of an attribute


@dataclass(frozen=True, slots=True)
class Resealed:
    """What changes in one attribute of one entry.

    Attributes:
        dn: the entry.
        attribute: the attribute.
        removed: values as the directory has them.
        added: the same, sealed anew.
    """

    dn: str
    attribute: str
    removed: tuple[bytes, ...] = field(repr=False)
    added: tuple[bytes, ...] = field(repr=False)


def is_outdated(text: str, ring: Ring) -> bool:
    """Whether a value is sealed under another key than the current one."""
    return key_named_in(text) not in {None, ring.current.id}


def resealed_seeds(person: Person, ring: Ring, nonce: Callable[[], bytes]) -> Resealed | None:
    """The user's seeds; None when each is under the current key already.

    Raises:
        Fault: one of them does not open. None of the user's is changed then.
    """
    old = [text for text in person.user.secrets if is_outdated(text, ring)]
    new = [sealed_token(ring, person.id, unsealed_token(ring, person.id, text), nonce()) for text in old]
    return _resealed(person.dn, SEED, old, new)


def resealed_shared_secret(item: Node, ring: Ring, nonce: Callable[[], bytes]) -> Resealed | None:
    """The shared secret of an access node, likewise. Raises Fault."""
    text = item.node.shared_secret
    if text is None or not is_outdated(text, ring):
        return None
    secret = unsealed_shared_secret(ring, item.id, text)
    return _resealed(item.dn, SHARED_SECRET, [text], [sealed_shared_secret(ring, item.id, secret, nonce())])


def _resealed(dn: str, attribute: str, old: list[str], new: list[str]) -> Resealed | None:
    removed, added = (tuple(text.encode() for text in texts) for texts in (old, new))
    return Resealed(dn, attribute, removed, added) if old else None
