"""The temporary response: digits that the helpdesk gives somebody who has no token at hand, for a while. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from auth.codes import plain
from auth.keys.ring import Ring
from auth.keys.sealing import digested, is_digest_of
from auth.keys.text import NotOurs, Purpose, taken_apart
from schema.entry import EntryId, Policy, User
from schema.secret import Secret

RESPONSE_DIGITS = 8
_INSTANT = "%Y%m%dT%H%M%S.%fZ"
_HEADER_PARTS = 3


class _Uses(StrEnum):
    SINGLE = "single"
    MULTIPLE = "multiple"


class ResponseVerdict(StrEnum):
    """What came of comparing a temporary response."""

    NONE = "none"  # there is none that could be used now
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class TemporaryResponse:
    """What is clear of a temporary response.

    Attributes:
        issued_at: when the helpdesk set it.
        expires_at: when it is over.
        multiple: whether it may be used more than once.
    """

    issued_at: datetime
    expires_at: datetime
    multiple: bool

    def limited(self, policy: Policy) -> "TemporaryResponse":
        """As the policy allows it now, which may be less than when it was issued."""
        longest = self.issued_at + timedelta(minutes=policy.temporary_response_minutes)
        multiple = self.multiple and policy.temporary_response_multiple_use
        return TemporaryResponse(self.issued_at, min(self.expires_at, longest), multiple)


@dataclass(frozen=True, slots=True)
class ResponseChecked:
    """What came of a check.

    Attributes:
        verdict: the answer; RIGHT still depends on `mark`.
        detail: for the audit: why, without a secret.
        mark: of a response that is good once: right only if `Store.consume(consumed_key(entry), mark)` says so.
    """

    verdict: ResponseVerdict
    detail: str = ""
    mark: int | None = None


def drawn_response(below: Callable[[int], int]) -> Secret:
    """A new response. `below(n)` draws an integer in [0, n), unpredictably."""
    return Secret(f"{below(10**RESPONSE_DIGITS):0{RESPONSE_DIGITS}d}")


def response_value(ring: Ring, entry: EntryId, response: Secret, about: TemporaryResponse) -> str:
    """What dirfactorTemporaryResponse holds of a response. Raises Fault when the entry's id is not known."""
    instants = (at.astimezone(UTC).strftime(_INSTANT) for at in (about.issued_at, about.expires_at))
    uses = _Uses.MULTIPLE if about.multiple else _Uses.SINGLE
    return digested(ring, Purpose.TEMPORARY_RESPONSE, entry, (*instants, uses), plain(response))


def read_response(text: str) -> TemporaryResponse:
    """What is clear of a value of dirfactorTemporaryResponse. Raises NotOurs."""
    issued, expires, uses = taken_apart(Purpose.TEMPORARY_RESPONSE, text, _HEADER_PARTS).header
    try:
        issued_at, expires_at = (datetime.strptime(at, _INSTANT).replace(tzinfo=UTC) for at in (issued, expires))
        return TemporaryResponse(issued_at, expires_at, _Uses(uses) is _Uses.MULTIPLE)
    except ValueError as error:
        raise NotOurs(
            "a temporary response has no times", remedy="set it anew: dirfactor user temporary-response"
        ) from error


def usable_response(user: User, policy: Policy, now: datetime) -> tuple[TemporaryResponse | None, str]:
    """The response that could be used now, as the policy limits it; or None and why there is none. Raises NotOurs."""
    if user.temporary_response is None:
        return None, "no temporary response is set"
    if not policy.temporary_response_allowed:
        return None, "the policy allows no temporary response (dirfactorTemporaryResponseAllowed)"
    about = read_response(user.temporary_response).limited(policy)
    if now >= about.expires_at:
        return None, f"the temporary response expired at {about.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return about, ""


def check_response(
    user: User, entry: EntryId, typed: Secret, ring: Ring, policy: Policy, now: datetime
) -> ResponseChecked:
    """Whether this is the user's temporary response, and may be used now.

    Args:
        user: has dirfactorTemporaryResponse.
        entry: the user's objectGUID or entryUUID.
        typed: what was typed in the place of a code.
        ring: has the key of the digest.
        policy: says whether there may be one, for how long and how often.
        now: the present instant.

    Raises:
        Fault: it cannot be told: the digest is not ours, or its key is missing.
    """
    about, why_not = usable_response(user, policy, now)
    if about is None or user.temporary_response is None:
        return ResponseChecked(ResponseVerdict.NONE, why_not)
    value = user.temporary_response
    if not is_digest_of(ring, Purpose.TEMPORARY_RESPONSE, entry, value, _HEADER_PARTS, plain(typed)):
        return ResponseChecked(ResponseVerdict.WRONG)
    detail = f"temporary response, good until {about.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return ResponseChecked(ResponseVerdict.RIGHT, detail, None if about.multiple else _mark(about.issued_at))


def consumed_key(entry: EntryId) -> str:
    """Under what the store marks the last response that was used: its instant, so that an older one is used up too."""
    return f"response {entry.hex()}"


def used_up(about: TemporaryResponse, mark: int | None) -> bool:
    """Whether a response that is good once has been used; `mark` is what `Store.mark(consumed_key(entry))` says."""
    return not about.multiple and mark is not None and mark >= _mark(about.issued_at)


def _mark(issued_at: datetime) -> int:
    return (issued_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
