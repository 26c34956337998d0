"""Events as octets, and back: what many of them share is a part of its own, known by its digest. Pure."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from auth.facts import Evidence, Facts, NodeFacts
from auth.why.described import described
from auth.why.record import Event, Moment
from auth.why.redact import redacted_evidence, redacted_node, redacted_person
from dirsync.view import Freshness, Person

_ENCODE: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_REMEMBERED: Final = 4096
_NOTHING: Final = Freshness(0, None)


class _Asked(msgspec.Struct, frozen=True, array_like=True):
    """A moment with its parts by their digests."""

    node: bytes
    people: tuple[bytes, ...]
    frame: bytes
    freshness: Freshness
    failures: tuple[datetime, ...]
    evidence: Evidence
    now: datetime
    step: str
    wrong_today: int = 0


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    at: datetime
    correlation: str
    login: str
    node: str
    outcome: str
    reason: str
    asked: tuple[_Asked, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A moment as it was kept; `step` is what was decided, in words."""

    facts: Facts
    evidence: Evidence
    now: datetime
    step: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it was kept; its attributes are those of `Event`."""

    at: datetime
    correlation: str
    login: str
    node: str
    outcome: str
    reason: str
    moments: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """An event as octets.

    Attributes:
        value: the event without its parts.
        parts: digest -> octets, of those that may not be stored yet.
        known: what to give back to `Packer.stored`.
    """

    value: bytes
    parts: dict[bytes, bytes] = field(default_factory=dict)
    known: dict[int, tuple[object, bytes]] = field(default_factory=dict)


class Packer:
    """Packs events. It remembers what was stored lately: the replica shows the same person as the same object."""

    def __init__(self) -> None:
        # by an object's identity, which is its own while it is held here
        self._known: dict[int, tuple[object, bytes]] = {}
        self._digests: set[bytes] = set()
        self._frames: dict[tuple[object, ...], tuple[object, bytes]] = {}

    def pack(self, event: Event) -> Packed:
        """The event without any secret."""
        packed = Packed(b"")
        asked = tuple(self._asked(moment, packed) for moment in event.moments)
        reason = str(event.reason)
        stored = _Stored(event.at, event.correlation, event.login, event.node, event.outcome, reason, asked)
        return Packed(_ENCODE(stored), packed.parts, packed.known)

    def stored(self, packed: Packed) -> None:
        """The parts have been stored, and need not be again."""
        if len(self._digests) > _REMEMBERED:
            self.forget()
        self._known |= packed.known
        self._digests.update(packed.parts)

    def forget(self) -> None:
        """Nothing is known to be stored."""
        self._known.clear()
        self._digests.clear()

    def _asked(self, moment: Moment, packed: Packed) -> _Asked:
        facts = moment.facts
        node = facts.node
        return _Asked(
            self._digest(node, lambda: node and redacted_node(node), packed),
            tuple(
                self._digest(one, partial(redacted_person, one, facts.region, facts.reach.numbers), packed)
                for one in facts.found
            ),
            self._frame(facts, packed),
            facts.freshness,
            tuple(facts.failures),
            redacted_evidence(moment.evidence),
            moment.now,
            described(moment.step),
            facts.wrong_today,
        )

    def _frame(self, facts: Facts, packed: Packed) -> bytes:
        """What is the same for everybody, as a rule; then its parts are the same objects each time."""
        same = (id(facts.server_default), id(facts.reach), facts.expired_after, facts.region)
        usual = not facts.stock and facts.response_mark is None and facts.pin_chosen_at is None
        known = self._frames.get(same) if usual else None
        if known is not None and known[1] in self._digests:
            return known[1]
        frame = replace(facts, node=None, found=(), freshness=_NOTHING, failures=(), wrong_today=0)
        digest = self._part(frame, packed)
        if usual:
            self._frames = {same: ((facts.server_default, facts.reach), digest)}  # the objects keep their identity
        return digest

    def _digest(self, whole: NodeFacts | Person | None, bare: Callable[[], object], packed: Packed) -> bytes:
        """Of what is stored in the place of a node or person."""
        known = packed.known.get(id(whole)) or self._known.get(id(whole))
        if known is None:
            known = packed.known[id(whole)] = (whole, self._part(bare(), packed))
        return known[1]

    def _part(self, value: object, packed: Packed) -> bytes:
        octets = _ENCODE(value)
        digest = hashlib.blake2b(octets, digest_size=16).digest()
        if digest not in self._digests:
            packed.parts[digest] = octets
        return digest


def unpacked(value: bytes, part: Callable[[bytes], bytes]) -> Kept:
    """The event.

    Args:
        value: as `Packed.value`.
        part: gives the part with a digest.

    Raises:
        msgspec.MsgspecError: the octets are no event.
    """
    stored = msgspec.msgpack.decode(value, type=_Stored)
    moments = tuple(_recorded(asked, part) for asked in stored.asked)
    return Kept(stored.at, stored.correlation, stored.login, stored.node, stored.outcome, stored.reason, moments)


def _recorded(asked: _Asked, part: Callable[[bytes], bytes]) -> Recorded:
    facts = replace(
        msgspec.msgpack.decode(part(asked.frame), type=Facts),
        node=msgspec.msgpack.decode(part(asked.node), type=NodeFacts | None),
        found=tuple(msgspec.msgpack.decode(part(digest), type=Person) for digest in asked.people),
        freshness=asked.freshness,
        failures=asked.failures,
        wrong_today=asked.wrong_today,
    )
    return Recorded(facts, asked.evidence, asked.now, asked.step)
