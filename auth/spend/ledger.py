"""What was sent, in a table of the embedded store: reserve all or nothing, give back, add up."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from auth.state import Limit

TABLE: Final = """
CREATE TABLE IF NOT EXISTS spend (
    key TEXT NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (key, at)
) WITHOUT ROWID;
"""
KEPT: Final = timedelta(days=2)
# One row for each: a day of texts is added up in a millisecond, however many there were.
_GRAIN: Final = 60


class Totals(Protocol):
    """What is counted under keys, to be read."""

    def total(self, key: str, since: float) -> int:
        """All that is counted after an instant, in seconds since 1970."""
        ...


class Sums(Totals, Protocol):
    """The same, to be counted by the minute."""

    def add(self, key: str, minute: int, amount: int) -> None:
        """Count so much more, or less."""
        ...


def reserve(sums: Sums, limits: Sequence[Limit], at: datetime) -> Limit | None:
    """Count each under its key, once for each key, or nothing: then the first limit that would be passed.

    Within one transaction that holds the write lock.
    """
    for limit in limits:
        if limit.most is not None and tally(sums, limit.key, at, limit.window_seconds) + limit.amount > limit.most:
            return limit
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        _add(sums, key, at, amount)
    return None


def give_back(sums: Sums, limits: Sequence[Limit], at: datetime) -> None:
    """Take back what `reserve` counted at this instant."""
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        _add(sums, key, at, -amount)


def tally(sums: Totals, key: str, at: datetime, window_seconds: int) -> int:
    """What was counted under a key since the window began, also what lies ahead of a clock that was set back.

    What was counted within a minute counts until the last of it is out of the window.
    """
    return sums.total(key, at.timestamp() - window_seconds)


def _add(sums: Sums, key: str, at: datetime, amount: int) -> None:
    sums.add(key, math.ceil(at.timestamp() / _GRAIN) * _GRAIN, amount)
