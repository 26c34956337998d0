"""How often a person's codes may be guessed in a day, whatever the policy says and whoever logs on in between. Pure.

A lock of a quarter of an hour lets hundreds of guesses a day through, and a right code of the person's own begins the
count anew. So wrong codes of a day are counted by themselves. After a few of them the windows of software tokens are
narrow: a code further ahead is then only good as the first of two in a row (RFC 4226 section 7.4).
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from auth.state import Limit
from schema.entry import EntryId, Policy

DAY_SECONDS: Final = 86_400
MOST_WRONG: Final = 60
"""Wrong codes in a day after which nothing is compared any more until some are older than that."""
WIDE_WRONG: Final = 3
"""Wrong codes in a day after which the windows are narrow."""


def wide_guess(user: EntryId, unlocked_at: datetime | None) -> Limit:
    """One of the first wrong codes of a day; a helpdesk that unlocks the user begins the count anew."""
    return _of(user, f"guesses wide {_whose(user, unlocked_at)}", WIDE_WRONG)


def narrow_guess(user: EntryId, unlocked_at: datetime | None) -> Limit:
    """One of those after them."""
    return _of(user, f"guesses {_whose(user, unlocked_at)}", MOST_WRONG - WIDE_WRONG)


def guesses(user: EntryId, unlocked_at: datetime | None) -> tuple[Limit, Limit]:
    """Both, in the order in which they are counted; when nothing fits into either, there were too many."""
    return wide_guess(user, unlocked_at), narrow_guess(user, unlocked_at)


def narrowed(policy: Policy) -> Policy:
    """The policy with windows in which one code is good at a time."""
    return replace(policy, totp_window=0, hotp_look_ahead=0)


def day_line(today: int) -> str:
    """What somebody is told who asks where a user stands."""
    return f"{today} wrong codes within a day, whatever was right in between; after {MOST_WRONG} none is compared"


def most_likely(codes_at_once: int, code_space: int) -> float:
    """The most that a day of guessing may come to, by the union bound.

    Args:
        codes_at_once: how many codes are good in a wide window; one is in a narrow one.
        code_space: how many codes there are.
    """
    wide = min(WIDE_WRONG, MOST_WRONG)
    return (wide * codes_at_once + (MOST_WRONG - wide)) / code_space


def _of(user: EntryId, key: str, most: int) -> Limit:
    return Limit("", key, DAY_SECONDS, most, scope=user.hex())


def _whose(user: EntryId, unlocked_at: datetime | None) -> str:
    return user.hex() if unlocked_at is None else f"{user.hex()} {unlocked_at.timestamp():.0f}"
