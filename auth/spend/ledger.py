"""What was sent, in the tables of the embedded store: reserve all or nothing, give back, add up."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from auth.state import Limit

TABLES: Final = """
CREATE TABLE IF NOT EXISTS spend (key TEXT NOT NULL, at REAL NOT NULL, amount INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS spend_key ON spend (key, at, amount);
"""
KEPT: Final = timedelta(days=2)
_Run = Callable[..., sqlite3.Cursor]


def reserve(run: _Run, limits: Sequence[Limit], at: datetime) -> Limit | None:
    """Count each under its key, once for each key, or nothing: then the first limit that would be passed.

    Within one transaction that holds the write lock.
    """
    for limit in limits:
        if limit.most is not None and tally(run, limit.key, at, limit.window_seconds) + limit.amount > limit.most:
            return limit
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        run("INSERT INTO spend VALUES (?, ?, ?)", (key, at.timestamp(), amount))
    return None


def give_back(run: _Run, limits: Sequence[Limit], at: datetime) -> None:
    """Take back what `reserve` counted at this instant."""
    for key, amount in {limit.key: limit.amount for limit in limits}.items():
        run(
            "DELETE FROM spend WHERE rowid IN "
            "(SELECT rowid FROM spend WHERE key = ? AND at = ? AND amount = ? LIMIT 1)",
            (key, at.timestamp(), amount),
        )


def tally(run: _Run, key: str, at: datetime, window_seconds: int) -> int:
    """What was counted under a key since the window began, also what lies ahead of a clock that was set back."""
    since = at.timestamp() - window_seconds
    (total,) = run("SELECT total(amount) FROM spend WHERE key = ? AND at > ?", (key, since)).fetchone()
    return int(total)
