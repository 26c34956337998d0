"""One value of config.ini: within which bounds it must be, what one looks like, and what may have been meant. Pure."""

import difflib
import types
import typing
from enum import StrEnum
from pathlib import Path
from typing import Any

from auth.lines import Lines
from schema import grammar
from schema.secret import Secret

_BOUNDS = {
    "port": (0, 65_535),
    "accounting_port": (0, 65_535),
    "reconcile_at": (0, 23),
    "sender_ton": (0, 255),
    "sender_npi": (0, 255),
    "window": (1, 10_000),
    "refusal_seconds": (0, 60),
    "days": (0, 36_500),
    "interval_seconds": (0.1, 3600),
    "packets_per_second": (0, 1_000_000),
    "journal_days": (0, 3650),
    "syslog_facility": (0, 23),
    "tripwire_users": (0, 1_000_000_000),
    "per_user_hour": (0, 1_000_000_000),
    "per_user_day": (0, 1_000_000_000),
    "per_number_day": (0, 1_000_000_000),
    "prefix_digits": (2, 12),
    "per_prefix_day": (0, 1_000_000_000),
    "per_day": (0, 1_000_000_000),
    "money_per_day": (0, 1_000_000_000),
    "alarm_below": (0, 1),
    "alarm_after": (0, 1_000_000_000),
}
_ANY_TIME = (0.001, 1e9)


def within(key: str, value: Any) -> Any:
    """The value, which is no number or one that the key allows. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    low, high = _BOUNDS.get(key, _ANY_TIME)
    if not low <= value <= high:
        msg = f"is not from {low:g} to {high:g}"
        raise ValueError(msg)
    return value


def expected(hint: Any) -> str:
    """What a value of the type looks like, for a remedy."""
    if isinstance(hint, types.UnionType):
        hint = next(item for item in hint.__args__ if item is not type(None))
    if hint is Secret:
        return "file:PATH, env:NAME or cred:NAME"
    if hint is Lines:
        return "lines, indented, one below the other"
    if typing.get_origin(hint) is tuple:
        return "a comma-separated list"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return grammar.word(hint).expected
    return {bool: "yes or no", int: "a whole number", float: "a number", Path: "a path"}.get(hint, "text")


def did_you_mean(word: str, known: list[str]) -> str:
    """What helps against a name that is not known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return (
        f"did you mean {close[0]}?" if close else "known are " + ", ".join(sorted(known)) if known else "there are none"
    )
