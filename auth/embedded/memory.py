"""What is asked of the state at every login, as the open transaction has it: failures, marks, values that are kept.

A login with a right code counts an attempt and takes it back again, both before anything is committed: in memory that
is nothing, in the file it would be two statements.
"""

import sqlite3
from datetime import UTC, datetime

from auth.embedded.batch import Run
from dirsync.replica.recent import Recent
from schema.entry import EntryId

_MOST = 20_000


class Memory:
    """A `auth.embedded.batch.Kept`. Reads what it does not know; writes when the transaction is committed.

    Every method raises sqlite3.Error when the file cannot be read.

    Args:
        connection: the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._version = -1
        self.forget()

    def look(self) -> None:
        """Forget everything when somebody else has written."""
        (version,) = self._run("PRAGMA data_version").fetchone()
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Know nothing, and have nothing to write."""
        self._failures: Recent[EntryId, tuple[datetime, ...]] = Recent(_MOST)
        self._marks: Recent[str, tuple[int | None]] = Recent(_MOST)
        self._kept: Recent[str, tuple[bytes | None]] = Recent(_MOST)
        self._written: Recent[str, tuple[bool]] = Recent(_MOST)
        self._new_sums: dict[str, dict[int, int]] = {}
        self._new_failures: list[tuple[EntryId, datetime]] = []
        self._new_marks: dict[str, int] = {}
        self._new_kept: dict[str, bytes] = {}

    def flush(self, run: Run) -> None:
        """Write what is new."""
        for user, at in self._new_failures:
            run("INSERT INTO failure VALUES (?, ?)", (user, at.timestamp()))
        for row in self._new_marks.items():
            run(
                "INSERT INTO mark VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value "
                "WHERE excluded.value > value",
                row,
            )
        for name, octets in self._new_kept.items():
            run("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, octets))
        for key, sums in self._new_sums.items():
            for minute, amount in sums.items():
                if amount:
                    self._written.keep(key, (True,))
                    run(
                        "INSERT INTO spend VALUES (?, ?, ?) "
                        "ON CONFLICT (key, at) DO UPDATE SET amount = amount + excluded.amount",
                        (key, minute, amount),
                    )
        self._new_sums.clear()
        self._new_failures.clear()
        self._new_marks.clear()
        self._new_kept.clear()

    def failures(self, user: EntryId) -> tuple[datetime, ...]:
        """The user's failures, oldest first."""
        known = self._failures.get(user)
        if known is None:
            rows = self._run("SELECT at FROM failure WHERE user = ? ORDER BY at", (user,)).fetchall()
            known = self._failures.keep(user, instants(rows))
        return known

    def strike(self, user: EntryId, at: datetime) -> tuple[datetime, ...]:
        """One more; the earlier ones."""
        at, earlier = at.astimezone(UTC), self.failures(user)
        self._failures.keep(user, tuple(sorted((*earlier, at))))
        self._new_failures.append((user, at))
        return earlier

    def withdraw(self, user: EntryId, at: datetime) -> None:
        """One of this instant less."""
        at = at.astimezone(UTC)
        left = list(self.failures(user))
        if (user, at) in self._new_failures:
            self._new_failures.remove((user, at))
        else:
            self._run(
                "DELETE FROM failure WHERE rowid IN (SELECT rowid FROM failure WHERE user = ? AND at = ? LIMIT 1)",
                (user, at.timestamp()),
            )
        if at in left:
            left.remove(at)
        self._failures.keep(user, tuple(left))

    def forgive(self, user: EntryId) -> None:
        """None any more; where there are none, which is the rule, nothing is written."""
        if not self.failures(user):
            return
        self._new_failures = [item for item in self._new_failures if item[0] != user]
        self._run("DELETE FROM failure WHERE user = ?", (user,))
        self._failures.keep(user, ())

    def mark(self, key: str) -> int | None:
        """Where the mark stands."""
        known = self._marks.get(key)
        if known is None:
            row = self._run("SELECT value FROM mark WHERE key = ?", (key,)).fetchone()
            known = self._marks.keep(key, (None if row is None else int(row[0]),))
        return known[0]

    def consume(self, key: str, mark: int) -> bool:
        """Move it up, if it is not there yet."""
        at = self.mark(key)
        if at is not None and at >= mark:
            return False
        self._marks.keep(key, (mark,))
        self._new_marks[key] = mark
        return True

    def total(self, key: str, since: float) -> int:
        """See `auth.spend.ledger.Sums`."""
        new = self._new_sums.get(key)
        return self._written_total(key, since) + (sum(amount for at, amount in new.items() if at > since) if new else 0)

    def _written_total(self, key: str, since: float) -> int:
        """Of what is in the file: of most people nothing is counted there, and that is remembered."""
        known = self._written.get(key)
        if known is None:
            row = self._run("SELECT 1 FROM spend WHERE key = ? LIMIT 1", (key,)).fetchone()
            known = self._written.keep(key, (row is not None,))
        if not known[0]:
            return 0
        (total,) = self._run("SELECT total(amount) FROM spend WHERE key = ? AND at > ?", (key, since)).fetchone()
        return int(total)

    def add(self, key: str, minute: int, amount: int) -> None:
        """See `auth.spend.ledger.Sums`."""
        new = self._new_sums.setdefault(key, {})
        new[minute] = new.get(minute, 0) + amount

    def kept(self, key: str) -> bytes | None:
        """The value under a key."""
        known = self._kept.get(key)
        if known is None:
            row = self._run("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
            known = self._kept.keep(key, (None if row is None else bytes(row[0]),))
        return known[0]

    def keep(self, key: str, octets: bytes) -> None:
        """Another value."""
        self._kept.keep(key, (octets,))
        self._new_kept[key] = octets


def instants(rows: list[tuple[float]]) -> tuple[datetime, ...]:
    """Of a column of them."""
    return tuple(datetime.fromtimestamp(at, UTC) for (at,) in rows)
