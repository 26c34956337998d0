"""Which keys of the ring are still needed, and by what. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auth.keys.ring import Ring
from auth.keys.text import NotOurs, key_named_in
from auth.memorised.temporary_response import read_response
from dirsync.view import Node
from schema.entry import User


class Use(StrEnum):
    """What a key is needed for."""

    SEEDS = "seeds"
    SHARED_SECRETS = "shared secrets"
    PINS = "PINs"
    CHANGED_PINS = "changed PINs"
    RESPONSES = "temporary responses"


SEALED = frozenset({Use.SEEDS, Use.SHARED_SECRETS})  # what can be sealed anew; digests need what they are a digest of


@dataclass(frozen=True, slots=True)
class Usage:
    """How many values need which key; add to it with the methods.

    Attributes:
        counts: by the key's id and what it is needed for.
    """

    counts: Counter[tuple[str, Use]] = field(default_factory=Counter)

    def add_user(self, user: User, now: datetime) -> None:
        """A user's seeds, PIN and temporary response, unless that is over."""
        for text in user.secrets:
            self._add(text, Use.SEEDS)
        if user.pin is not None:
            self._add(user.pin, Use.PINS)
        if user.temporary_response is not None and _is_open(user.temporary_response, now):
            self._add(user.temporary_response, Use.RESPONSES)

    def add_nodes(self, nodes: Iterable[Node]) -> None:
        """The shared secrets of access nodes."""
        for item in nodes:
            if item.node.shared_secret is not None:
                self._add(item.node.shared_secret, Use.SHARED_SECRETS)

    def add_changed_pins(self, kept: Iterable[bytes]) -> None:
        """PINs that people have changed, as the store keeps them."""
        for octets in kept:
            self._add(octets.decode(errors="replace"), Use.CHANGED_PINS)

    def of(self, key_id: str) -> Mapping[Use, int]:
        """What needs a key, and how often."""
        return {use: number for (key, use), number in sorted(self.counts.items()) if key == key_id}

    def unneeded(self, ring: Ring) -> list[str]:
        """The keys that nothing needs any more; the current one is needed by what is to come."""
        needed = {key for key, _ in self.counts}
        return [key.id for key in ring.keys if key is not ring.current and key.id not in needed]

    def missing(self, ring: Ring) -> list[str]:
        """The keys that are needed and that the ring does not have."""
        return sorted({key for key, _ in self.counts} - {key.id for key in ring.keys})

    def _add(self, text: str, use: Use) -> None:
        key_id = key_named_in(text)
        if key_id is not None:
            self.counts[key_id, use] += 1


def _is_open(text: str, now: datetime) -> bool:
    try:
        return read_response(text).expires_at > now
    except NotOurs:
        return False
