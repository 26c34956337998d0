"""The replica's entries: their rows, the names they are found by, and their DNs when something above them moves."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from dirsync.change import Put
from dirsync.replica.tally import Tally
from schema.dn import fold, join, rebase, split
from schema.entry import AccessNode, Container, Entry, EntryId, Group, Policy, User
from schema.errors import Fault
from schema.parse import Attributes, names_of
from schema.parse import fold as fold_name

Parser = Callable[[Attributes], Entry | None]

_KIND_OF: Final[Mapping[type, str]] = {
    User: "user",
    Group: "group",
    Container: "container",
    Policy: "policy",
    AccessNode: "node",
}
# Columns in the order of INSERT.
Row = tuple[int, str, EntryId | None, str, str, bool, bytes, bytes, EntryId]
INSERT: Final = (
    "INSERT INTO entry (directory, kind, parent, dn, folded, malformed, parsed, raw, id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE: Final = (
    "UPDATE entry SET directory = ?, kind = ?, parent = ?, dn = ?, folded = ?, malformed = ?, parsed = ?, raw = ?"
    " WHERE id = ?"
)
pack: Final = msgspec.msgpack.Encoder().encode
_UNPACK_RAW: Final = msgspec.msgpack.Decoder(dict[str, tuple[bytes, ...]]).decode
# Entries below which one stands whose DN is not theirs with one RDN before it. In a folded value a comma is escaped.
_TOLD_APART: Final = r"""
SELECT DISTINCT above.id FROM entry AS child JOIN entry AS above ON above.id = child.parent
WHERE child.directory = ? AND (
    substr(child.folded, -length(above.folded) - 1) <> ',' || above.folded
    OR instr(replace(replace(substr(child.folded, 1, length(child.folded) - length(above.folded) - 1),
        '\\', ''), '\,', ''), ',') > 0)
ORDER BY above.id
"""
_AT_ONCE: Final = 500  # rows held in memory while all are gone through


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry's row, without what the parser has made of it."""

    directory: int
    kind: str
    parent: EntryId | None
    dn: str
    raw: bytes


class Entries:
    """Writes entries; what becomes of each is noted in the tally.

    Args:
        db: the replica, in a transaction.
        directory: number of the directory that is written.
        parse: from attributes to an entry; None for one of no use, which is not stored.
        tally: keeps what becomes of each entry.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, parse: Parser, tally: Tally) -> None:
        self._db = db
        self._directory = directory
        self._parse = parse
        self._tally = tally

    def stored(self, entry_id: EntryId) -> Stored | None:
        """The entry's row as it is now."""
        query = "SELECT directory, kind, parent, dn, raw FROM entry WHERE id = ?"
        row = self._db.execute(query, (entry_id,)).fetchone()
        return Stored(*row) if row else None

    def write(self, put: Put, base: Stored | None, before: Stored | None) -> bool:
        """Store the entry; False when it is of no use here and is not stored, or no longer.

        An entry of another directory becomes this one's: it has moved from one domain of a forest to another, where
        it keeps its objectGUID (MS-ADTS section 3.1.1.5.4.2). What is of no use here stays another directory's.

        Args:
            put: how the entry has changed.
            base: what a `put` that is not whole is merged into.
            before: the entry's row as it is now.

        Raises:
            Fault: the DN is none.
        """
        attributes, parent = put.attributes, put.parent
        if base and not put.whole:
            attributes, parent = {**_UNPACK_RAW(base.raw), **attributes}, parent or base.parent
        present = with_values(attributes)
        raw = pack(present)
        if before == Stored(self._directory, before.kind if before else "", parent, put.dn, raw):
            return True
        entry = self._parse(present)
        if entry is None:
            if before is None or before.directory == self._directory:
                self.drop(put.id)
            return False
        new = row(self._directory, put.id, put.dn, parent, entry, raw)
        if before is None:
            self._db.execute(INSERT, new)
            self._tally.added(put.id)
        else:
            self._db.execute(_UPDATE, new)
            self._db.execute("DELETE FROM name WHERE id = ?", (put.id,))
            self._tally.changed(put.id)
        self._name(put.id, entry, present)
        return True

    def drop(self, entry_id: EntryId) -> bool:
        """Forget the entry and its names; False when it was not stored."""
        if not self._db.execute("DELETE FROM entry WHERE id = ?", (entry_id,)).rowcount:
            return False
        self._db.execute("DELETE FROM name WHERE id = ?", (entry_id,))
        self._tally.removed(entry_id)
        return True

    def carry(self, entry_id: EntryId, dn: str, before: Stored | None) -> None:
        """Give everything below an entry the DN that follows from the entry's own.

        Directories report a renamed or moved container alone. What stands below it is known by the parent's id,
        whatever DNs were given in between. Below a container, an entry whose parent is not in the replica is known
        by its DN; where that DN has passed to another entry since, the next refresh puts it right.

        Args:
            entry_id: the entry that has been put.
            dn: its DN now.
            before: its row before; None when it was not stored.
        """
        moved = {entry_id}
        pending = [(entry_id, dn)]
        if before and before.kind == "container":
            pending += self._orphans(before.dn, dn)
        while pending:
            above, above_dn = pending.pop()
            children = self._db.execute("SELECT id, dn FROM entry WHERE parent = ?", (above,)).fetchall()
            renamed = [(child, join(split(child_dn)[0], above_dn), child_dn) for child, child_dn in children]
            for child, child_dn, was in renamed:
                if child_dn != was and child not in moved:
                    moved.add(child)  # ids of parents may run in a circle where a directory is broken
                    self._rename(child, child_dn)
                    pending.append((child, child_dn))

    def carry_all(self) -> None:
        """Give every entry of the directory the DN that follows from the one above it.

        A full read takes a while. What it tells before a container is renamed has the old DN, and the container,
        when it comes after that, the new one: told once more, it shows no difference that anything would follow.
        """
        for (above,) in self._db.execute(_TOLD_APART, (self._directory,)).fetchall():
            (dn,) = self._db.execute("SELECT dn FROM entry WHERE id = ?", (above,)).fetchone()
            self.carry(above, dn, None)

    def parse_again(self) -> None:
        """Have the parser read the attributes of every entry of the directory anew."""
        last = 0
        query = "SELECT number, id, parsed, raw FROM entry WHERE number > ? AND directory = ? ORDER BY number LIMIT ?"
        while rows := self._db.execute(query, (last, self._directory, _AT_ONCE)).fetchall():
            for number, entry_id, parsed, raw in rows:
                last = number
                self._parse_one_again(entry_id, parsed, raw)

    def _parse_one_again(self, entry_id: EntryId, parsed: bytes, raw: bytes) -> None:
        attributes = _UNPACK_RAW(raw)
        entry = self._parse(attributes)
        if entry is None:
            self.drop(entry_id)
        elif (packed := pack(entry)) != parsed:
            self._db.execute(
                "UPDATE entry SET kind = ?, malformed = ?, parsed = ? WHERE id = ?",
                (_KIND_OF[type(entry)], bool(entry.malformed), packed, entry_id),
            )
            self._db.execute("DELETE FROM name WHERE id = ?", (entry_id,))
            self._name(entry_id, entry, attributes)
            self._tally.changed(entry_id)

    def _orphans(self, old_base: str, new_base: str) -> list[tuple[EntryId, str]]:
        """Rename what stands below a container and whose parent is not stored."""
        suffix = f",{folded_dn(old_base)}"
        orphans = self._db.execute(
            "SELECT id, dn FROM entry AS e WHERE directory = ? AND substr(folded, ?) = ?"
            " AND (parent IS NULL OR NOT EXISTS (SELECT 1 FROM entry WHERE id = e.parent))",
            (self._directory, -len(suffix), suffix),
        ).fetchall()
        renamed = [(orphan, rebase(dn, old_base, new_base)) for orphan, dn in orphans]
        for orphan, dn in renamed:
            self._rename(orphan, dn)
        return renamed

    def _rename(self, entry_id: EntryId, dn: str) -> None:
        self._db.execute("UPDATE entry SET dn = ?, folded = ? WHERE id = ?", (dn, folded_dn(dn), entry_id))
        self._tally.changed(entry_id)

    def _name(self, entry_id: EntryId, entry: Entry, attributes: Attributes) -> None:
        names = [(kind, name, entry_id) for kind, name in names_in(entry, attributes)]
        self._db.executemany("INSERT OR IGNORE INTO name VALUES (?, ?, ?)", names)


def with_values(attributes: Attributes) -> Attributes:
    """The attributes that have any values, in an order of their own, so that equal ones are packed alike."""
    return {name: attributes[name] for name in sorted(attributes) if attributes[name]}


def row(directory: int, entry_id: EntryId, dn: str, parent: EntryId | None, entry: Entry, raw: bytes) -> Row:
    """The row of an entry.

    Raises:
        Fault: the DN is none.
    """
    kind = _KIND_OF[type(entry)]
    return (directory, kind, parent, dn, folded_dn(dn), bool(entry.malformed), pack(entry), raw, entry_id)


def names_in(entry: Entry, attributes: Attributes) -> Iterator[tuple[str, str]]:
    """The names under which an entry is found, as (kind, folded name).

    Beside those of `names_of`, `uid` for further values of uid: memberUid may mean any of them, a login the first one.
    """
    yield from names_of(entry)
    if isinstance(entry, User):
        uids = (value.decode(errors="replace") for value in attributes.get("uid", ()))
        yield from (("uid", fold_name(uid)) for uid in uids if uid != entry.sam)


def folded_dn(dn: str) -> str:
    """The form in which DNs are compared.

    Raises:
        Fault: the DN is none.
    """
    try:
        return fold(dn)
    except ValueError as error:
        raise Fault(f"the directory gave a DN that is none: {dn!r}", remedy="report this with the DN") from error
