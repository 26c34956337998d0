"""What one batch does to the replica, when its source knows parents and targets by their names and not by their ids."""

import logging
import sqlite3
from dataclasses import replace

from dirsync.change import Batch, LinkKind, Placing, Put
from dirsync.replica.entries import Entries, Parser, Stored
from dirsync.replica.places import Places
from dirsync.replica.references import References
from dirsync.replica.tally import Tally
from schema.dn import fold
from schema.entry import EntryId

_log = logging.getLogger("dirfactor.sync")


class Named:
    """Whole entries by their DNs, on top of what the replica has.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that the changes come from.
        parse: from attributes to an entry; None for one of no use, of which only its place is stored.
        batch: is placed by DN; what is present is consumed by `finish`.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser, batch: Batch) -> None:
        self._db = db
        self._directory = directory
        self._whole = batch.refresh
        self._in_turn = batch.placing is Placing.BY_DN_IN_TURN
        self._present = iter(()) if batch.refresh else batch.present
        self._tally = Tally(db)
        self._entries = Entries(db, directory, parse, self._tally)
        self._references = References(db, directory, self._tally, whole=batch.refresh)
        self._places = Places(db, directory, self._tally, whole=batch.refresh)
        self._policies: list[str] = []

    def put(self, put: Put) -> None:
        """Take a new or changed entry in.

        Raises:
            Fault: the DN is none.
        """
        before = self._entries.stored(put.id)
        parent = self._places.tell(put.id, put.dn)
        # the parent of a known entry is not known before all has been told: others may be given its DN meanwhile
        placed = replace(put, parent=before.parent if before else parent)
        was = before.dn if before else None
        if self._entries.write(placed, before, before):
            self._references.put(put)
            if before is None:
                was = self._unshelve(put.id)
        else:
            was = self._shelve(put, parent) or was
            self._references.drop(put.id)
        if was != put.dn:
            self._places.move(put.id, put.dn, was)
        if was is not None and was != put.dn and not self._whole:
            self._doubt_links_to(was, put.id, before)
        if self._in_turn:
            self._settle()

    def met(self, entry_id: EntryId, dn: str) -> None:
        """Note that an entry has been told, and stands in the replica as it was."""
        self._places.tell(entry_id, dn)

    def delete(self, entry_id: EntryId) -> None:
        """Forget an entry with the links from it; those to it lead nowhere, as they do in the directory."""
        before = self._entries.stored(entry_id)
        if before and before.directory != self._directory:
            return
        was = before.dn if before else None
        self._entries.drop(entry_id)
        self._references.drop(entry_id)
        if shelved := self._unshelve(entry_id):
            was = shelved
        if was is not None:
            self._places.leave(entry_id, was)
        if before and before.kind == "policy":
            self._policies.append(before.dn)

    def finish(self) -> Tally:
        """What has become of the entries, those among them that are not present any more."""
        if self._present is not None:
            if not self._places.present(self._present):
                _log.warning("the directory names an entry as unchanged that was deleted: it is read anew")
                self._tally.doubted = True
            for entry_id in self._places.untold():
                self.delete(entry_id)
        self._settle()
        self._references.finish()
        for dn in self._policies:
            if holders := self._references.holders(fold(dn), LinkKind.POLICY):
                _log.warning("policy %s is gone: %d that have it assigned are refused until it is mended", dn, holders)
        return self._tally

    def _settle(self) -> None:
        """Have all that was told fit together; doubt it where a name has a new bearer who may not be meant by it.

        OpenLDAP's overlay refint takes a deleted entry out of the groups that named it, and the server tells nobody.
        The name kept here would make whoever is called so next a member of all of them.
        """
        if not self._tally.doubted:
            for dn in self._places.taken():
                if self._references.is_held_from_before(fold(dn)):
                    _log.info("%s is new, and others have named it before: the directory is read anew", dn)
                    self._tally.doubted = True
                    break
        self._places.settle()

    def _doubt_links_to(self, was: str, entry_id: EntryId, before: Stored | None) -> None:
        """Have everything read anew after a renaming that others' links may have followed.

        OpenLDAP's overlays refint and memberof write the new DN to those who named the old one, and the server tells
        nobody: a group would lose its member here, and the member what the group demands.
        """
        holds_others = before is None or before.kind == "container" or self._places.holds_others(entry_id)
        if holds_others or any(self._references.holders(fold(was), kind) for kind in LinkKind):
            _log.info("%s was renamed, and others may name it: the directory is read anew", was)
            self._tally.doubted = True

    def _shelve(self, put: Put, parent: EntryId | None) -> str | None:
        """Keep the place of an entry of no use; the DN that it had there."""
        row = self._db.execute("SELECT dn, parent FROM shelf WHERE id = ?", (put.id,)).fetchone()
        if row is None:
            query = "INSERT INTO shelf (id, directory, parent, dn, folded) VALUES (?, ?, ?, ?, ?)"
            self._db.execute(query, (put.id, self._directory, parent, put.dn, fold(put.dn)))
            return None
        query = "UPDATE shelf SET directory = ?, dn = ?, folded = ? WHERE id = ?"
        self._db.execute(query, (self._directory, put.dn, fold(put.dn), put.id))
        return str(row[0])

    def _unshelve(self, entry_id: EntryId) -> str | None:
        """Forget the place of an entry that was of no use; the DN that it had."""
        row = self._db.execute("DELETE FROM shelf WHERE id = ? RETURNING dn", (entry_id,)).fetchone()
        return None if row is None else str(row[0])
