"""What was sent, in a table of the embedded store: reserve all or nothing, give back, add up."""

import math
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from auth.state import Limit

TABLE: Final = """
CREATE TABLE IF NOT EXISTS spend (
    key TEXT NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (key, at)
) WITHOUT ROWID;
"""
KEPT: Final = timedelta(days=2)
# One row for each: a day of texts is added up in a millisecond, however many there were.
_GRAIN: Final = 60
_Run = Callable[..., sqlite3.Cursor]


def reserve(run: _Run, limits: Sequence[Limit], at: datetime) -> Limit | None:
    """Count each under its key, once for each key, or nothing: then the first limit that would be passed.

    Within one transaction that holds the write lock.
    """
    for limit in limits:
        if limit.most is not None and tally(run, limit.key, at, limit.window_seconds) + limit.amount > limit.most:
            return limit
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        _add(run, key, at, amount)
    return None


def give_back(run: _Run, limits: Sequence[Limit], at: datetime) -> None:
    """Take back what `reserve` counted at this instant."""
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        _add(run, key, at, -amount)


def tally(run: _Run, key: str, at: datetime, window_seconds: int) -> int:
    """What was counted under a key since the window began, also what lies ahead of a clock that was set back.

    What was counted within a minute counts until the last of it is out of the window.
    """
    since = at.timestamp() - window_seconds
    (total,) = run("SELECT total(amount) FROM spend WHERE key = ? AND at > ?", (key, since)).fetchone()
    return int(total)


def _add(run: _Run, key: str, at: datetime, amount: int) -> None:
    minute = math.ceil(at.timestamp() / _GRAIN) * _GRAIN
    run(
        "INSERT INTO spend VALUES (?, ?, ?) ON CONFLICT (key, at) DO UPDATE SET amount = amount + excluded.amount",
        (key, minute, amount),
    )
