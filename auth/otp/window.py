"""Which codes of a software token count now: the window around the present, and the wider one to find it again."""

import hmac
from collections.abc import Sequence
from datetime import datetime

import msgspec

from auth.chap.response import Shown
from auth.otp.token import SoftwareToken
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind


class Position(msgspec.Struct, frozen=True):
    """Where a token is, as far as its codes have told.

    Attributes:
        mark: the last time step or counter value of which a code was accepted; None before the first one.
        drift: time steps by which the token's clock is ahead of ours; negative when it is behind.
    """

    mark: int | None = None
    drift: int = 0


def window(token: SoftwareToken, position: Position, policy: Policy, now: datetime) -> range:
    """The positions whose codes are accepted.

    TOTP: dirfactorTotpWindow time steps before and after now, by the token's clock. HOTP: the next counter value and
    dirfactorHotpLookAhead ones after it (RFC 4226 section 7.4). Those up to the mark are among them for TOTP; they
    are recognised, and refused.
    """
    if token.kind is TokenKind.TOTP:
        return _around(token, token.step(now) + position.drift, policy.totp_window)
    following = _next_counter(token, position)
    return range(following, following + policy.hotp_look_ahead + 1)


def wider_window(token: SoftwareToken, position: Position, policy: Policy, now: datetime) -> range:
    """The positions at which two codes in a row find a token again: dirfactorResynchroniseWindow, as in `window`."""
    if token.kind is TokenKind.TOTP:
        return _around(token, token.step(now) + position.drift, policy.resynchronise_window)
    following = _next_counter(token, position)
    return range(following, following + policy.resynchronise_window + 1)


def matches(token: SoftwareToken, typed: Shown, positions: Sequence[int]) -> list[int]:
    """The positions whose code this is; the time does not tell which, nor how much of a code was right."""
    if not isinstance(typed, Secret):
        return [where for where in positions if typed.proves(token.code(where))]
    if len(typed.text) != token.digits:
        return []
    own, compare = typed.octets, hmac.compare_digest
    return [where for where, code in zip(positions, token.codes(positions), strict=True) if compare(code, own)]


def drift_after(token: SoftwareToken, position: Position, accepted: int, policy: Policy, now: datetime) -> int:
    """The drift after a code of the time step `accepted` has been accepted in the window.

    It moves by one step, and only when the code was at the window's very edge: so the window follows a clock that goes
    wrong slowly, and comes back from somebody who types slowly.
    """
    offset = accepted - token.step(now)
    if policy.totp_window == 0 or abs(offset - position.drift) < policy.totp_window:
        return position.drift
    return position.drift + (1 if offset > position.drift else -1)


def _around(token: SoftwareToken, middle: int, steps: int) -> range:
    return range(max(token.first, middle - steps), max(token.first, middle + steps + 1))


def _next_counter(token: SoftwareToken, position: Position) -> int:
    return token.first if position.mark is None else max(token.first, position.mark + 1)
