"""The replica's links between entries, by the ids of both ends; either end may not be there (yet)."""

import sqlite3
from typing import Final, Self

from dirsync.change import LinkChange, LinkKind, Put
from schema.entry import EntryId

_WANTED: Final = """
CREATE TEMP TABLE IF NOT EXISTS wanted (kind TEXT, source BLOB, target BLOB, PRIMARY KEY (kind, source, target))
WITHOUT ROWID
"""
# a link belongs to the directory of its source; one whose source has just been dropped belongs to nobody
_OURS: Final = "NOT EXISTS (SELECT 1 FROM entry WHERE id = source AND directory <> ?)"
# sources whose links differ between the replica and what a refresh has named
_DIFFERING: Final = """
SELECT source FROM main.link AS l WHERE __OURS AND NOT EXISTS (
    SELECT 1 FROM temp.wanted AS w WHERE w.kind = l.kind AND w.source = l.source AND w.target = l.target)
UNION
SELECT source FROM temp.wanted AS w WHERE NOT EXISTS (
    SELECT 1 FROM main.link AS l WHERE l.kind = w.kind AND l.source = w.source AND l.target = w.target)
""".replace("__OURS", _OURS)


class Links:
    """Writes one table of links: the replica's own, or the one in which a refresh gathers those it names.

    Args:
        db: the replica, in a transaction.
        table: `main.link` or `temp.wanted`.
    """

    def __init__(self, db: sqlite3.Connection, table: str) -> None:
        self._db = db
        self._select = f"SELECT target FROM {table} WHERE kind = ? AND source = ?"  # noqa: S608 - one of two constants
        self._sources = f"SELECT DISTINCT source FROM {table} WHERE target = ?"  # noqa: S608 - likewise
        self._insert = f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)"  # noqa: S608 - likewise
        self._delete = f"DELETE FROM {table} WHERE kind = ? AND source = ? AND target = ?"  # noqa: S608 - likewise
        self._delete_kind = f"DELETE FROM {table} WHERE kind = ? AND source = ?"  # noqa: S608 - likewise
        self._delete_to = f"DELETE FROM {table} WHERE target = ?"  # noqa: S608 - likewise

    @classmethod
    def of_replica(cls, db: sqlite3.Connection) -> Self:
        """The replica's own links."""
        return cls(db, "main.link")

    @classmethod
    def of_refresh(cls, db: sqlite3.Connection) -> Self:
        """An empty table for the links that a refresh names."""
        db.execute(_WANTED)
        db.execute("CREATE INDEX IF NOT EXISTS temp.wanted_by_target ON wanted (target)")
        db.execute("DELETE FROM temp.wanted")
        return cls(db, "temp.wanted")

    def put(self, put: Put) -> bool:
        """Change the links from an entry as `put` says; whether any is different now."""
        before = self._db.total_changes
        for kind in LinkKind:
            if kind in put.links:
                self._change(kind, put.id, put.links[kind])
            elif put.whole:
                self._db.execute(self._delete_kind, (kind, put.id))
        return self._db.total_changes != before

    def drop_from(self, source: EntryId) -> None:
        """Forget all links from an entry."""
        self._db.executemany(self._delete_kind, [(kind, source) for kind in LinkKind])

    def drop_to(self, target: EntryId) -> list[EntryId]:
        """Forget all links to an entry, as a directory does when it deletes one; returns whose they were."""
        sources = [source for (source,) in self._db.execute(self._sources, (target,))]
        self._db.execute(self._delete_to, (target,))
        return sources

    def _change(self, kind: LinkKind, source: EntryId, change: LinkChange) -> None:
        added, removed = set(change.added), set(change.removed)
        if change.whole:
            known = {target for (target,) in self._db.execute(self._select, (kind, source))}
            added, removed = added - known, known - added
        self._db.executemany(self._delete, [(kind, source, target) for target in removed - added])
        self._db.executemany(self._insert, [(kind, source, target) for target in added])


def take_over_refresh(db: sqlite3.Connection, directory: int) -> list[EntryId]:
    """Make the links that a refresh of a directory has named those of the replica; returns whose were different."""
    differing = [source for (source,) in db.execute(_DIFFERING, (directory,))]
    if differing:
        db.execute(
            f"DELETE FROM main.link WHERE {_OURS} AND (kind, source, target) NOT IN (SELECT * FROM temp.wanted)",  # noqa: S608 - a constant
            (directory,),
        )
        db.execute("INSERT OR IGNORE INTO main.link SELECT * FROM temp.wanted")
    return differing
