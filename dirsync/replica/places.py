"""Where entries stand, for directories that say it by DN alone: parents' ids, and the DNs of what moves along."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from dirsync.replica.references import nobody
from dirsync.replica.tally import Tally
from schema.dn import fold, join, split
from schema.entry import EntryId

_TABLES: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS told (id BLOB PRIMARY KEY, under INTEGER) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS above (number INTEGER PRIMARY KEY, folded TEXT UNIQUE, id BLOB)",
    "CREATE TEMP TABLE IF NOT EXISTS moved (id BLOB PRIMARY KEY, dn TEXT, was TEXT) WITHOUT ROWID",
)
_PLACE: Final = """
SELECT id FROM main.entry WHERE folded = :folded AND directory = :directory
UNION ALL SELECT id FROM main.shelf WHERE folded = :folded AND directory = :directory LIMIT 1
"""
# told entries whose parent is not the one that their DN now says; CROSS JOIN keeps SQLite from going through all others
_CORRECT: Final = """
UPDATE main.{table} SET parent = (
    SELECT above.id FROM temp.told CROSS JOIN temp.above ON told.under = above.number WHERE told.id = {table}.id)
WHERE id IN (
    SELECT told.id FROM temp.told CROSS JOIN temp.above ON told.under = above.number
    CROSS JOIN main.{table} AS placed ON placed.id = told.id WHERE placed.parent IS NOT above.id)
RETURNING id
"""
_CHILDREN: Final = """
SELECT id, dn, 'entry' FROM main.entry AS e WHERE parent = :above
AND NOT EXISTS (SELECT 1 FROM temp.told WHERE id = e.id AND under IS NOT NULL)
UNION ALL SELECT id, dn, 'shelf' FROM main.shelf AS s WHERE parent = :above
AND NOT EXISTS (SELECT 1 FROM temp.told WHERE id = s.id AND under IS NOT NULL)
"""
_HOLDS_OTHERS: Final = """
SELECT EXISTS (SELECT 1 FROM main.entry WHERE parent = :above)
OR EXISTS (SELECT 1 FROM main.shelf WHERE parent = :above)
"""
_RENAME: Final = {
    "entry": "UPDATE main.entry SET dn = ?, folded = ? WHERE id = ?",
    "shelf": "UPDATE main.shelf SET dn = ?, folded = ? WHERE id = ?",
}
_ADOPT: Final = (
    "UPDATE main.entry SET parent = ? WHERE parent = ? RETURNING id",
    "UPDATE main.shelf SET parent = ? WHERE parent = ? RETURNING NULL",
)
_UNTOLD: Final = """
SELECT id FROM main.entry WHERE directory = :directory AND id NOT IN (SELECT id FROM temp.told)
UNION ALL SELECT id FROM main.shelf WHERE directory = :directory AND id NOT IN (SELECT id FROM temp.told)
"""
_STRANGER: Final = """
SELECT id FROM temp.told WHERE under IS NULL
AND id NOT IN (SELECT id FROM main.entry UNION ALL SELECT id FROM main.shelf) LIMIT 1
"""
_REMEMBERED: Final = 4096  # DNs of parents; a directory has few of them at a time


def above(dn: str) -> str:
    """The DN of the entry above, as it is written.

    Raises:
        ValueError: the DN is none; a DN without anything escaped or quoted is not looked at closely.
    """
    return split(dn)[1] if "\\" in dn or '"' in dn else dn.partition(",")[2].lstrip(" ")


def bearer(db: sqlite3.Connection, directory: int, folded: str) -> EntryId:
    """Who has the DN; an id that nobody has when it is not known."""
    found = db.execute(_PLACE, {"folded": folded, "directory": directory}).fetchone()
    return bytes(found[0]) if found else nobody(folded)


class Places:
    """Notes where entries are told to stand, and sees in the end that all of them fit together.

    An entry is told when it has changed itself; what stands below a renamed one is not told, and moves along.

    Args:
        db: the replica, in a transaction that ends after `settle`.
        directory: number of the directory that is written.
        tally: keeps what becomes of each entry.
        whole: every entry will be told, so that none moves along.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, tally: Tally, *, whole: bool) -> None:
        self._db = db
        self._directory = directory
        self._tally = tally
        self._whole = whole
        self._known: dict[str, tuple[int, EntryId | None]] = {}
        for statement in _TABLES:
            db.execute(statement)
        self._clear()

    def tell(self, entry: EntryId, dn: str) -> EntryId | None:
        """Note that an entry has been told; the parent that it has by what is known up to here.

        Raises:
            ValueError: the DN is none.
        """
        holder = above(dn)
        known = self._known.get(holder)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[holder] = self._parent(fold(holder))
        self._db.execute("INSERT OR REPLACE INTO temp.told VALUES (?, ?)", (entry, known[0]))
        return known[1]

    def move(self, entry: EntryId, dn: str, was: str | None) -> None:
        """Note that an entry has got another DN, or is new."""
        if not self._whole:
            self._db.execute("INSERT OR REPLACE INTO temp.moved VALUES (?, ?, ?)", (entry, dn, was))

    def present(self, entries: Iterable[EntryId]) -> bool:
        """Note that entries are there as they were; False when one of them was not there before."""
        self._db.executemany("INSERT OR IGNORE INTO temp.told VALUES (?, NULL)", ((entry,) for entry in entries))
        return self._db.execute(_STRANGER).fetchone() is None

    def leave(self, entry: EntryId, dn: str) -> None:
        """Note that an entry is gone; what may stand below it has a parent that is not there."""
        self._db.execute("DELETE FROM temp.told WHERE id = ?", (entry,))
        self._db.execute("DELETE FROM temp.moved WHERE id = ?", (entry,))
        self._adopt(nobody(fold(dn)), entry)
        self._known.clear()

    def untold(self) -> list[EntryId]:
        """The directory's entries that are neither told nor noted as present."""
        return [entry for (entry,) in self._db.execute(_UNTOLD, {"directory": self._directory})]

    def taken(self) -> list[str]:
        """The DNs that told entries have and had not before, since places were last settled."""
        return [dn for (dn,) in self._db.execute("SELECT dn FROM temp.moved")]

    def holds_others(self, entry: EntryId) -> bool:
        """Whether anything stands directly below an entry."""
        found: int = self._db.execute(_HOLDS_OTHERS, {"above": entry}).fetchone()[0]
        return bool(found)

    def settle(self) -> None:
        """Have everything below moved entries move along, and every told entry know its parent."""
        for entry, dn, _ in self._db.execute("SELECT id, dn, was FROM temp.moved WHERE was IS NOT NULL").fetchall():
            self._carry(entry, dn)
        for number, folded in self._db.execute("SELECT number, folded FROM temp.above").fetchall():
            self._db.execute("UPDATE temp.above SET id = ? WHERE number = ?", (self._stands(folded), number))
        for table in ("entry", "shelf"):
            for (entry,) in self._db.execute(_CORRECT.format(table=table)):
                if table == "entry":
                    self._tally.changed(entry)
        for entry, dn in self._db.execute("SELECT id, dn FROM temp.moved").fetchall():
            self._adopt(entry, nobody(fold(dn)))
        self._clear()

    def _clear(self) -> None:
        self._known.clear()
        for table in ("told", "above", "moved"):
            self._db.execute(f"DELETE FROM temp.{table}")  # noqa: S608 - constants

    def _parent(self, folded: str) -> tuple[int, EntryId | None]:
        self._db.execute("INSERT OR IGNORE INTO temp.above (folded) VALUES (?)", (folded,))
        number = self._db.execute("SELECT number FROM temp.above WHERE folded = ?", (folded,)).fetchone()[0]
        return number, self._stands(folded)

    def _stands(self, folded: str) -> EntryId:
        return bearer(self._db, self._directory, folded)

    def _carry(self, entry: EntryId, dn: str) -> None:
        """Give everything below an entry that is not told the DN that follows from the entry's own."""
        carried = {entry}  # ids of parents run in no circle, but nothing ends here by that alone
        pending = [(entry, dn)]
        while pending:
            above, above_dn = pending.pop()
            for child, was, table in self._db.execute(_CHILDREN, {"above": above}).fetchall():
                child_dn = join(split(was)[0], above_dn)
                if child_dn != was and child not in carried:
                    carried.add(child)
                    self._db.execute(_RENAME[table], (child_dn, fold(child_dn), child))
                    if table == "entry":
                        self._tally.changed(child)
                    pending.append((child, child_dn))

    def _adopt(self, parent: EntryId, before: EntryId) -> None:
        for statement in _ADOPT:
            for (child,) in self._db.execute(statement, (parent, before)).fetchall():
                if child is not None:
                    self._tally.changed(child)
