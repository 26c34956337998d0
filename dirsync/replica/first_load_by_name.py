"""The first load of a directory that knows parents and targets by their names; see `first_load`."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from dirsync.change import Batch, Put
from dirsync.replica.entries import Parser, folded_dn
from dirsync.replica.first_load import Haste
from dirsync.replica.named import Named
from dirsync.replica.places import above, bearer
from dirsync.replica.references import INSERT, names_held, nobody, resolve_all
from schema.entry import Entry, EntryId, User

_STAGES: Final = """
CREATE TEMP TABLE IF NOT EXISTS holder (folded TEXT PRIMARY KEY, id BLOB) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS orphan (folded TEXT, id BLOB);
CREATE INDEX IF NOT EXISTS temp.orphan_by_parent ON orphan (folded);
DELETE FROM temp.holder;
DELETE FROM temp.orphan
"""
_SHELVE: Final = "INSERT INTO shelf (id, directory, parent, dn, folded) VALUES (?, ?, ?, ?, ?)"
_REMEMBERED: Final = 4096  # DNs of parents; a directory has few of them at a time


class FirstLoadByName(Haste[Named]):
    """As `Named`, for a replica that `is_empty` and a batch of all there is, and with the same outcome.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use.
        batch: the refresh.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser, batch: Batch) -> None:
        super().__init__(db, directory, parse)
        self._batch = batch
        self._known: dict[str, tuple[EntryId, str | None]] = {}
        self._holders: dict[str, EntryId] = {}
        self._orphans: list[tuple[str, EntryId]] = []
        for statement in _STAGES.split(";"):
            db.execute(statement)

    def _place(self, put: Put, entry: Entry | None) -> EntryId | None:
        """Most parents are told before their children; the others are found in the end."""
        if not isinstance(entry, User):  # a person seldom holds anything
            self._holders[folded_dn(put.dn)] = put.id
        dn = above(put.dn)
        known = self._known.get(dn)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[dn] = self._holder(folded_dn(dn))
        parent, missing = known
        if missing is not None:
            self._orphans.append((missing, put.id))
        return parent

    def _holder(self, folded: str) -> tuple[EntryId, str | None]:
        """Who has the DN; when that is not known yet, an id that nobody has, and the DN."""
        found = self._holders.get(folded)
        if found is None:
            row = self._db.execute("SELECT id FROM temp.holder WHERE folded = ?", (folded,)).fetchone()
            found = row[0] if row else None
        return (nobody(folded), folded) if found is None else (found, None)

    def _note(self, used: Sequence[Put], unused: Sequence[tuple[Put, EntryId | None]]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO temp.holder VALUES (?, ?)", self._holders.items())
        self._db.executemany("INSERT INTO temp.orphan VALUES (?, ?)", self._orphans)
        self._holders.clear()
        self._orphans.clear()
        shelved = [(put.id, self._directory, parent, put.dn, folded_dn(put.dn)) for put, parent in unused]
        self._db.executemany(_SHELVE, shelved)
        self._db.executemany(INSERT, [held for put in used if put.links for held in names_held(put)])

    def _finish(self) -> None:
        self._adopt_orphans()
        resolve_all(self._db, self._directory)

    def _hand_over(self) -> Named:
        named = Named(self._db, self._directory, self._parse, self._batch)
        query = "SELECT id, dn FROM entry UNION ALL SELECT id, dn FROM shelf"
        for entry_id, dn in self._db.execute(query):
            named.met(entry_id, dn)
        return named

    def _adopt_orphans(self) -> None:
        for (folded,) in self._db.execute("SELECT DISTINCT folded FROM temp.orphan").fetchall():
            parent = bearer(self._db, self._directory, folded)
            for table in ("entry", "shelf"):
                change = f"UPDATE {table} SET parent = ? WHERE id IN (SELECT id FROM temp.orphan WHERE folded = ?)"  # noqa: S608 - one of two constants
                self._db.execute(change, (parent, folded))
