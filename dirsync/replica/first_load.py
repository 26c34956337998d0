"""A refresh of a replica in which nothing is stored yet: rows go in by the hundred, and the indexes are made last."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from dirsync.change import Put
from dirsync.replica.entries import INSERT, Entries, Parser, Row, names_in, pack, row, with_values
from dirsync.replica.merge import Refresh
from dirsync.replica.store import BULK_INDEXES
from dirsync.replica.tally import Tally
from schema.entry import Entry, EntryId

_AT_ONCE: Final = 500  # entries held in memory; SQLite takes as many values in one query
# KiB of pages held meanwhile: ids come in no order, and each may belong on another page. Then SQLite's own measure.
_CACHE: Final = "PRAGMA cache_size = -16384"
_USUAL_CACHE: Final = "PRAGMA cache_size = -2000"
_EMPTY: Final = "SELECT NOT EXISTS (SELECT 1 FROM {})"
_HELD: Final = ("entry", "shelf", "link", "reference")
# What is keyed in another order than it comes in waits here, and is sorted and written once.
_STAGES: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_name (kind TEXT, name TEXT, id BLOB);
CREATE TEMP TABLE IF NOT EXISTS staged_link (kind TEXT, source BLOB, target BLOB);
DELETE FROM temp.staged_name;
DELETE FROM temp.staged_link
"""


class Merge(Protocol):
    """What takes changes in one by one."""

    def put(self, put: Put) -> None:
        """Take an entry in."""
        ...

    def delete(self, entry_id: EntryId) -> None:
        """Forget an entry."""
        ...

    def finish(self) -> Tally:
        """What has become of the entries."""
        ...


Ordinary = TypeVar("Ordinary", bound=Merge)


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether the replica holds nothing of any directory."""
    return all(db.execute(_EMPTY.format(table)).fetchone()[0] for table in _HELD)


class Haste(ABC, Generic[Ordinary]):
    """Takes entries in by the hundred, until one is named again or deleted; the ordinary merge goes on from there.

    Args:
        db: the replica, which `is_empty`, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser) -> None:
        self._db = db
        self._directory = directory
        self._parse = parse
        self._waiting: dict[EntryId, Put] = {}
        self._added = 0
        self._rest: Ordinary | None = None
        for statement in (_CACHE, *_STAGES.split(";")):
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
        self._settle()
        self._finish()
        tally = Tally(self._db)
        tally.added_unnamed(self._added)
        return tally

    @abstractmethod
    def _place(self, put: Put, entry: Entry | None) -> EntryId | None:
        """The id of the entry above; asked once for each entry, those of no use included, in the order of the batch."""

    @abstractmethod
    def _note(self, used: Sequence[Put], unused: Sequence[tuple[Put, EntryId | None]]) -> None:
        """Keep what else is told of entries than their rows and names; with those of no use comes their parent."""

    @abstractmethod
    def _finish(self) -> None:
        """Write what was noted; entries and names are there, and all is indexed."""

    @abstractmethod
    def _hand_over(self) -> Ordinary:
        """The ordinary merge, told of what was noted; entries and names are there, and all is indexed."""

    def _ordinary(self) -> Ordinary:
        """What goes on from here one by one."""
        self._write()
        if self._rest is None:
            self._settle()
            self._rest = self._hand_over()
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
        marks = ", ".join(f"?{number}" for number in range(1, len(ids) + 1))  # bound once, asked twice
        query = f"SELECT EXISTS (SELECT 1 FROM entry WHERE id IN ({marks}))"  # noqa: S608 - marks
        query += f" OR EXISTS (SELECT 1 FROM shelf WHERE id IN ({marks}))"  # noqa: S608 - marks
        found: int = self._db.execute(query, (*ids,)).fetchone()[0]
        return bool(found)

    def _insert(self, puts: Iterable[Put]) -> None:
        rows: list[Row] = []
        names: list[tuple[str, str, EntryId]] = []
        used: list[Put] = []
        unused: list[tuple[Put, EntryId | None]] = []
        for put in puts:
            present = with_values(put.attributes)
            entry = self._parse(present)
            parent = self._place(put, entry)
            if entry is None:
                unused.append((put, parent))
            else:
                rows.append(row(self._directory, put.id, put.dn, parent, entry, pack(present)))
                names += [(kind, name, put.id) for kind, name in names_in(entry, present)]
                used.append(put)
        self._db.executemany(INSERT, rows)
        self._db.executemany("INSERT INTO temp.staged_name VALUES (?, ?, ?)", names)
        self._note(used, unused)
        self._added += len(rows)

    def _settle(self) -> None:
        """Sort the names in, and make the indexes."""
        self._db.execute("INSERT OR IGNORE INTO main.name SELECT * FROM temp.staged_name ORDER BY kind, name, id")
        self._db.execute("DELETE FROM temp.staged_name")
        for statement in (*BULK_INDEXES.values(), _USUAL_CACHE):
            self._db.execute(statement)


class FirstLoad(Haste[Refresh]):
    """As `Refresh`, for a replica that `is_empty`, and with the same outcome."""

    def _place(self, put: Put, entry: Entry | None) -> EntryId | None:
        del entry  # the source knows
        return put.parent

    def _note(self, used: Sequence[Put], unused: Sequence[tuple[Put, EntryId | None]]) -> None:
        del unused  # of no use to anybody
        links = [
            (kind, put.id, target) for put in used for kind, change in put.links.items() for target in change.added
        ]
        self._db.executemany("INSERT INTO temp.staged_link VALUES (?, ?, ?)", links)

    def _finish(self) -> None:
        # whatever becomes of entries here, they are new
        Entries(self._db, self._directory, self._parse, Tally(self._db)).carry_all()
        self._link("main.link")

    def _hand_over(self) -> Refresh:
        refresh = Refresh(self._db, self._directory, self._parse)
        self._link("temp.wanted")
        return refresh

    def _link(self, table: str) -> None:
        order = "SELECT * FROM temp.staged_link ORDER BY kind, source, target"
        self._db.execute(f"INSERT OR IGNORE INTO {table} {order}")
        self._db.execute("DELETE FROM temp.staged_link")
