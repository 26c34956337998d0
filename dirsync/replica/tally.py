"""What becomes of each entry in the course of one batch, each counted once however often it is named."""

import sqlite3
from collections.abc import Iterator

from schema.entry import EntryId


class Tally:
    """Counts over one batch. It is kept in a temporary table, so that a batch of any size needs little memory.

    `doubted` is set by whoever finds that the batch does not fit to what is there, or that more may have happened.

    Args:
        db: the replica, in a transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.doubted = False
        self._unnamed = 0
        db.execute("CREATE TEMP TABLE IF NOT EXISTS met (id BLOB PRIMARY KEY, outcome TEXT) WITHOUT ROWID")
        db.execute("DELETE FROM temp.met")

    def meet(self, entry_id: EntryId) -> bool:
        """Note that the entry has been named; False when it had been before."""
        return self._db.execute("INSERT OR IGNORE INTO temp.met VALUES (?, NULL)", (entry_id,)).rowcount == 1

    def unmet(self, directory: int) -> list[EntryId]:
        """The entries of a directory that have not been named."""
        query = (
            "SELECT id FROM (SELECT id AS unnamed FROM entry EXCEPT SELECT id FROM temp.met)"
            " JOIN entry ON id = unnamed WHERE directory = ?"
        )
        return [entry_id for (entry_id,) in self._db.execute(query, (directory,))]

    def added(self, entry_id: EntryId) -> None:
        """The entry is there and was not; one that had been removed before has only changed."""
        self._db.execute(
            "INSERT INTO temp.met VALUES (?, 'added') ON CONFLICT DO UPDATE SET outcome ="
            " CASE outcome WHEN 'removed' THEN 'changed' ELSE 'added' END",
            (entry_id,),
        )

    def added_unnamed(self, count: int) -> None:
        """So many entries more are there that never were; which ones is not kept."""
        self._unnamed += count

    def changed(self, entry_id: EntryId) -> None:
        """The entry is different; one that has been added stays so."""
        self._db.execute(
            "INSERT INTO temp.met VALUES (?, 'changed')"
            " ON CONFLICT DO UPDATE SET outcome = coalesce(outcome, 'changed')",
            (entry_id,),
        )

    def removed(self, entry_id: EntryId) -> None:
        """The entry is gone; one that had been added was never there."""
        self._db.execute(
            "INSERT INTO temp.met VALUES (?, 'removed') ON CONFLICT DO UPDATE SET outcome ="
            " CASE outcome WHEN 'added' THEN NULL ELSE 'removed' END",
            (entry_id,),
        )

    def touched(self) -> Iterator[EntryId]:
        """The entries that have been added, changed or removed."""
        return (entry_id for (entry_id,) in self._db.execute("SELECT id FROM temp.met WHERE outcome IS NOT NULL"))

    def counts(self) -> tuple[int, int, int]:
        """How many entries were added, changed and removed."""
        counts = dict(self._db.execute("SELECT outcome, count(*) FROM temp.met GROUP BY outcome"))
        return counts.get("added", 0) + self._unnamed, counts.get("changed", 0), counts.get("removed", 0)
