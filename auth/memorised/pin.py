"""The PIN: whether what was typed is it, and what is kept of one that the person has changed. Pure.

A PIN stands in two places: the directory has the one that an administrator set (dirfactorPin, dirfactorPinSetAt), the
state store the one that the person chose at a logon. The newer one counts (docs/adr/0004).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from auth.codes import plain
from auth.keys.ring import Ring
from auth.keys.sealing import digested, is_digest_of
from auth.keys.text import NotOurs, Purpose, taken_apart
from schema.entry import EntryId, Policy, User
from schema.secret import Secret

_INSTANT = "%Y%m%dT%H%M%S.%fZ"
_KEPT_HEADER = 1  # the instant


class PinVerdict(StrEnum):
    """What came of comparing a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_SET = "not set"
    EXPIRED = "expired"  # right, but older than the policy allows: a new one is wanted


@dataclass(frozen=True, slots=True)
class _InForce:
    """The PIN that counts."""

    purpose: Purpose
    text: str = field(repr=False)
    header_parts: int
    set_at: datetime | None


def pin_verdict(
    user: User, entry: EntryId, typed: Secret, kept: bytes | None, ring: Ring, policy: Policy, now: datetime
) -> PinVerdict:
    """Whether this is the user's PIN.

    A PIN without an instant at which it was set, or with one that is still to come, is expired where the policy has
    PINs expire at all.

    Args:
        user: has dirfactorPin and dirfactorPinSetAt; without the first there is no PIN, whatever is kept.
        entry: the user's objectGUID or entryUUID.
        typed: what was typed as the PIN.
        kept: what the store keeps under `kept_key`; None when it keeps nothing.
        ring: has the keys of the digests.
        policy: says after how many days a PIN expires.
        now: the present instant.

    Raises:
        Fault: it cannot be told: the digest is not ours, or its key is missing.
    """
    pin = _in_force(user, kept, now)
    if pin is None:
        return PinVerdict.NOT_SET
    if not is_digest_of(ring, pin.purpose, entry, pin.text, pin.header_parts, plain(typed)):
        return PinVerdict.WRONG
    return PinVerdict.EXPIRED if _expired(pin.set_at, policy, now) else PinVerdict.RIGHT


def has_pin(user: User) -> bool:
    """Whether there is a PIN to ask for. An administrator who clears it clears the changed one as well."""
    return user.pin is not None


def pin_value(ring: Ring, entry: EntryId, pin: Secret) -> str:
    """What dirfactorPin holds of a PIN. Raises Fault when the entry's id is not known."""
    return digested(ring, Purpose.PIN, entry, (), plain(pin))


def is_expired(user: User, chosen: datetime | None, policy: Policy, now: datetime) -> bool:
    """Whether the PIN that counts is older than the policy allows, so that a new one is wanted.

    Args:
        user: has dirfactorPin and dirfactorPinSetAt; without the first there is nothing to expire.
        chosen: what `chosen_at` says of the PIN that the store keeps.
        policy: says after how many days a PIN expires.
        now: the present instant.
    """
    if user.pin is None:
        return False
    set_at = _set_at(user, now)
    return _expired(chosen if _counts(chosen, set_at) else set_at, policy, now)


def chosen_at(kept: bytes | None) -> datetime | None:
    """When the person chose the PIN that the store keeps; None when it keeps none, or one that cannot be read."""
    if kept is None:
        return None
    try:
        return _changed_at(kept.decode(errors="replace"))
    except NotOurs:
        return None


KEPT_PREFIX = "pin "


def kept_key(entry: EntryId) -> str:
    """Under what the store keeps a changed PIN."""
    return f"{KEPT_PREFIX}{entry.hex()}"


def make_kept(ring: Ring, entry: EntryId, pin: Secret, now: datetime) -> bytes:
    """What the store keeps of a PIN that the person has chosen: its digest and its instant. Raises Fault."""
    at = now.astimezone(UTC).strftime(_INSTANT)
    return digested(ring, Purpose.CHANGED_PIN, entry, (at,), plain(pin)).encode()


def _in_force(user: User, kept: bytes | None, now: datetime) -> _InForce | None:
    if user.pin is None:
        return None
    set_at = _set_at(user, now)
    if kept is not None:
        text = kept.decode(errors="replace")
        changed_at = _changed_at(text)
        if _counts(changed_at, set_at):
            return _InForce(Purpose.CHANGED_PIN, text, _KEPT_HEADER, changed_at)
    return _InForce(Purpose.PIN, user.pin, 0, set_at)


def _set_at(user: User, now: datetime) -> datetime | None:
    """When the administrator set the PIN, as far as that can be believed."""
    return user.pin_set_at if user.pin_set_at is not None and user.pin_set_at <= now else None


def _counts(changed_at: datetime | None, set_at: datetime | None) -> bool:
    """Whether the PIN that the person chose is the newer one."""
    return changed_at is not None and (set_at is None or changed_at > set_at)


def _changed_at(text: str) -> datetime:
    (at,) = taken_apart(Purpose.CHANGED_PIN, text, _KEPT_HEADER).header
    try:
        return datetime.strptime(at, _INSTANT).replace(tzinfo=UTC)
    except ValueError as error:
        raise NotOurs("a changed PIN has no instant", remedy="have the PIN set anew: dirfactor user pin") from error


def _expired(set_at: datetime | None, policy: Policy, now: datetime) -> bool:
    if policy.pin_expire_days == 0:
        return False
    return set_at is None or set_at > now or now - set_at >= timedelta(days=policy.pin_expire_days)
