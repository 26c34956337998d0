"""A refresh of a replica in which nothing is stored yet: rows go in by the hundred, and the indexes are made last."""

import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from dirsync.change import LinkKind, Put
from dirsync.replica.entries import INSERT, Parser, Row, names_in, pack, row, with_values
from dirsync.replica.merge import Refresh
from dirsync.replica.store import BULK_INDEXES
from dirsync.replica.tally import Tally
from schema.entry import EntryId

_AT_ONCE: Final = 500  # entries held in memory; SQLite takes as many values in one query
# What is keyed in another order than it comes in waits here, and is sorted and written once.
_STAGES: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_name (kind TEXT, name TEXT, id BLOB);
CREATE TEMP TABLE IF NOT EXISTS staged_link (kind TEXT, source BLOB, target BLOB);
DELETE FROM temp.staged_name;
DELETE FROM temp.staged_link
"""


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether the replica has no entry and no link, of any directory."""
    query = "SELECT EXISTS (SELECT 1 FROM entry) OR EXISTS (SELECT 1 FROM link)"
    return not db.execute(query).fetchone()[0]


class FirstLoad:
    """As `Refresh`, for a replica that `is_empty`, and with the same outcome.

    An entry that is named again, or deleted, ends the haste: an ordinary `Refresh` takes over from there.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser) -> None:
        self._db = db
        self._directory = directory
        self._parse = parse
        self._waiting: dict[EntryId, Put] = {}
        self._added = 0
        self._rest: Refresh | None = None
        for statement in _STAGES.split(";"):
            db.execute(statement)
        for index in BULK_INDEXES:
            db.execute(f"DROP INDEX {index}")

    def put(self, put: Put) -> None:
        """Take an entry in."""
        if self._rest is None and put.id not in self._waiting:
            self._waiting[put.id] = put
            if len(self._waiting) == _AT_ONCE:
                self._write()
        else:
            self._ordinary().put(put)

    def delete(self, entry_id: EntryId) -> None:
        """Forget an entry."""
        self._ordinary().delete(entry_id)

    def finish(self) -> Tally:
        """What has become of the entries."""
        self._write()
        if self._rest is not None:
            return self._rest.finish()
        self._settle("main.link")
        tally = Tally(self._db)
        tally.added_unnamed(self._added)
        return tally

    def _ordinary(self) -> Refresh:
        """What goes on from here one by one."""
        self._write()
        if self._rest is None:
            self._rest = Refresh(self._db, self._directory, self._parse)
            self._settle("temp.wanted")
            self._db.execute("INSERT INTO temp.met SELECT id, 'added' FROM entry")
        return self._rest

    def _write(self) -> None:
        """Store those that wait."""
        waiting, self._waiting = self._waiting, {}
        if not self._any_stored(waiting):
            self._insert(waiting.values())
            return
        rest = self._ordinary()
        for put in waiting.values():
            rest.put(put)

    def _any_stored(self, ids: Collection[EntryId]) -> bool:
        query = f"SELECT EXISTS (SELECT 1 FROM entry WHERE id IN ({', '.join('?' * len(ids))}))"  # noqa: S608 - marks
        found: int = self._db.execute(query, tuple(ids)).fetchone()[0]
        return bool(found)

    def _insert(self, puts: Iterable[Put]) -> None:
        rows: list[Row] = []
        names: list[tuple[str, str, EntryId]] = []
        links: list[tuple[LinkKind, EntryId, EntryId]] = []
        for put in puts:
            present = with_values(put.attributes)
            entry = self._parse(present)
            if entry is not None:
                rows.append(row(self._directory, put.id, put.dn, put.parent, entry, pack(present)))
                names += [(kind, name, put.id) for kind, name in names_in(entry, present)]
                links += [(kind, put.id, target) for kind, change in put.links.items() for target in change.added]
        self._db.executemany(INSERT, rows)
        self._db.executemany("INSERT INTO temp.staged_name VALUES (?, ?, ?)", names)
        self._db.executemany("INSERT INTO temp.staged_link VALUES (?, ?, ?)", links)
        self._added += len(rows)

    def _settle(self, links: str) -> None:
        """Sort in what waits, the links into the table `links`, and make the indexes."""
        self._db.execute("INSERT OR IGNORE INTO main.name SELECT * FROM temp.staged_name ORDER BY kind, name, id")
        self._db.execute(f"INSERT OR IGNORE INTO {links} SELECT * FROM temp.staged_link ORDER BY kind, source, target")  # noqa: S608 - one of two constants
        self._db.execute("DELETE FROM temp.staged_name")
        self._db.execute("DELETE FROM temp.staged_link")
        for statement in BULK_INDEXES.values():
            self._db.execute(statement)
