"""What one batch does to the replica, change by change: as an increment, or as a refresh that names all there is."""

import logging
import sqlite3

from dirsync.change import Put
from dirsync.replica.entries import Entries, Parser
from dirsync.replica.links import Links, take_over_refresh
from dirsync.replica.tally import Tally
from schema.entry import EntryId

_log = logging.getLogger("dirfactor.sync")


class Increment:
    """Changes on top of what the replica has.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser) -> None:
        self._directory = directory
        self._tally = Tally(db)
        self._entries = Entries(db, directory, parse, self._tally)
        self._links = Links.of_replica(db)

    def put(self, put: Put) -> None:
        """Take a new or changed entry in."""
        before = self._entries.stored(put.id)
        if not self._entries.write(put, before, before):
            if before is None or before.directory == self._directory:
                self._links.drop_from(put.id)
        elif self._links.put(put):
            self._tally.changed(put.id)
        if before is None or before.dn != put.dn:
            self._entries.carry(put.id, put.dn, before)

    def delete(self, entry_id: EntryId) -> None:
        """Forget an entry with the links from it and to it; not one that has moved to another directory meanwhile.

        The directory drops the links to a deleted policy by itself, and so its people follow the next level: not an
        error, but nothing that should happen unnoticed.
        """
        before = self._entries.stored(entry_id)
        if before and before.directory != self._directory:
            return
        stored = self._entries.drop(entry_id)
        self._links.drop_from(entry_id)
        sources = self._links.drop_to(entry_id)
        if before is not None and before.kind == "policy" and sources:
            _log.warning(
                "policy %s was deleted: %d that had it assigned now follow the next level", before.dn, len(sources)
            )
        if not stored:
            for source in sources:
                self._tally.changed(source)

    def finish(self) -> Tally:
        """What has become of the entries."""
        return self._tally


class Refresh:
    """Changes on top of nothing: afterwards the replica holds of the directory what they name, and only that.

    What is there already and named again unchanged is not touched. Links that lead to an entry that is no longer
    named stay when they are named: whoever depends on them is refused, not passed over.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser) -> None:
        self._db = db
        self._directory = directory
        self._tally = Tally(db)
        self._entries = Entries(db, directory, parse, self._tally)
        self._links = Links.of_refresh(db)

    def put(self, put: Put) -> None:
        """Take an entry in; a second `Put` of the same one may complete it."""
        first = self._tally.meet(put.id)
        before = self._entries.stored(put.id)
        if not self._entries.write(put, None if first else before, before):
            self._links.drop_from(put.id)
        elif put.links or not first:  # most entries have none
            self._links.put(put)

    def delete(self, entry_id: EntryId) -> None:
        """Forget an entry; a full read of AD reports what was deleted long ago."""
        before = self._entries.stored(entry_id)
        if before and before.directory != self._directory:
            return
        self._entries.drop(entry_id)
        self._links.drop_from(entry_id)
        self._links.drop_to(entry_id)

    def finish(self) -> Tally:
        """Forget what has not been named; what has become of the entries."""
        for entry_id in self._tally.unmet(self._directory):
            self._entries.drop(entry_id)
        self._entries.carry_all()
        for source in take_over_refresh(self._db, self._directory):
            self._tally.changed(source)
        return self._tally
