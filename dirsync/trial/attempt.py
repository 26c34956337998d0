"""Takes a file's changes into a copy of the replica, one after the other, as the directory would tell them."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from dirsync.change import LinkChange, LinkKind, Put
from dirsync.ldif.changes import Add, Delete, Modification, Modify, Operation, Record, Rename
from dirsync.mapping import translated
from dirsync.replica.directories import names_of
from dirsync.replica.merge import Increment
from dirsync.replica.references import nobody
from dirsync.replica.store import open_for_writing, transaction
from dirsync.replica.tally import Tally
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.trial.lookup import Found, Lookup, ids_of_a_missing
from dirsync.trial.refusal import ChangesRefused, Refusal
from dirsync.trial.values import LINKS, Impossible, kept_attributes, modified
from schema.dn import fold, join, split
from schema.dn import parent as parent_of
from schema.entry import EntryId
from schema.parse import Attributes, parse_entry

_UNPACK: Final = msgspec.msgpack.Decoder(dict[str, tuple[bytes, ...]]).decode
_UNFINISHED_ACCOUNT: Final = b"546"  # of a user who is made without userAccountControl: disabled, MS-ADTS 3.1.1.8.1
_CHECK_IT: Final = "check the DN; what dirfactor does not read, such as a computer, decides nothing: take it out"


@dataclass(frozen=True, slots=True)
class Attempted:
    """What the changes have come to.

    Attributes:
        touched: entries that are new, gone or different.
        notes: what is worth knowing, each with its line.
    """

    touched: frozenset[EntryId]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A directory, and how it tells changes."""

    increment: Increment
    settings: DirectorySettings
    kept: frozenset[str]
    by_name: bool


def attempt(copy: Path, records: Iterable[Record], directories: Mapping[str, DirectorySettings]) -> Attempted:
    """Take the changes into the copy.

    Args:
        copy: of the replica.
        records: the changes; consumed once.
        directories: the sections of config.ini, by the names of the directories.

    Raises:
        ChangesRefused: some of them cannot be followed; the copy is as it was.
        BrokenLdif: as the records are read.
        ReplicaUnavailable: the copy cannot be written.
    """
    with closing(open_for_writing(copy)) as db, transaction(db, copy):
        trial = _Trial(db, directories)
        for record in records:
            trial.take(record)
        return trial.finish()


class _Trial:
    """Follows the changes; what it refuses is gathered, so that all of it is said at once."""

    def __init__(self, db: sqlite3.Connection, directories: Mapping[str, DirectorySettings]) -> None:
        self._db = db
        self._lookup = Lookup(db)
        self._refusals: list[Refusal] = []
        self._notes: list[str] = []
        self._stirred: set[EntryId] = set()
        self._made = 0
        self._told = {
            number: self._directory(number, directories.get(name, DirectorySettings()))
            for number, name in names_of(db).items()
        }
        self._tally = Tally(db)

    def take(self, record: Record) -> None:
        """Follow one change."""
        try:
            match record:
                case Add():
                    self._add(record)
                case Modify():
                    self._modify(record)
                case Delete():
                    self._delete(record)
                case Rename():
                    self._rename(record)
        except _RefusedError as refused:
            self._refusals.append(refused.refusal)

    def finish(self) -> Attempted:
        """What has come of it. Raises ChangesRefused."""
        if self._refusals:
            raise ChangesRefused(self._refusals)
        self._db.execute("UPDATE meta SET version = version + 1")
        return Attempted(frozenset(self._tally.touched()) | self._stirred, tuple(self._notes))

    def _directory(self, number: int, settings: DirectorySettings) -> _Told:
        further = (*settings.extra_attributes, *settings.mapping.values())
        extra = tuple(sorted({name.lower() for name in further}))
        increment = Increment(self._db, number, lambda attributes: parse_entry(attributes, extra))
        named = "SELECT 1 FROM reference JOIN entry ON id = source WHERE directory = ? LIMIT 1"
        by_name = settings.kind not in {DirectoryKind.AD, DirectoryKind.AUTO}
        by_name = by_name or self._db.execute(named, (number,)).fetchone() is not None
        return _Told(increment, settings, kept_attributes(further), by_name)

    def _add(self, record: Add) -> None:
        if self._lookup.entry(record.dn):
            raise _RefusedError(record.line, f"there is an entry {record.dn} already", "use `changetype: modify`")
        above = self._lookup.above(_checked(record.line, record.dn))
        if above is None and len(self._told) > 1:
            raise _RefusedError(record.line, f"{record.dn} is below no entry that is known", _CHECK_IT)
        told = self._told[above.directory if above else next(iter(self._told))]
        attributes = {name: values for name, values in record.attributes.items() if name in told.kept}
        kind, _, value = split(record.dn)[0].partition("=")
        attributes.setdefault(kind.lower(), (value.encode(),))
        if not told.by_name and b"user" in {each.lower() for each in attributes.get("objectclass", ())}:
            attributes.setdefault("useraccountcontrol", (_UNFINISHED_ACCOUNT,))
        links: dict[LinkKind, LinkChange] = {}
        for name in LINKS.keys() & record.attributes.keys():
            targets = tuple(self._targets(record.line, name, record.attributes[name]))
            known = links.get(LINKS[name])
            links[LINKS[name]] = LinkChange(added=(*(known.added if known else ()), *targets))
        self._made += 1
        entry = nobody(f"made {self._made}")  # not by its DN, which may pass to another one
        holder = self._lookup.entry(parent_of(record.dn))
        self._put(told, Put(entry, record.dn, holder.id if holder else None, attributes, links))
        self._adopt(record.dn, entry)

    def _modify(self, record: Modify) -> None:
        found = self._known(record.line, record.dn)
        told = self._told[found.directory]
        held = self._attributes(found.id)
        changed: dict[str, tuple[bytes, ...]] = {}
        links: dict[LinkKind, LinkChange] = {}
        for change in record.modifications:
            name = change.attribute
            if name in LINKS:
                links[LINKS[name]] = self._linked(found, links.get(LINKS[name]), change)
            elif name in told.kept:
                try:
                    changed[name] = modified(changed.get(name, held.get(name, ())), change)
                except Impossible as error:
                    problem = f"{found.dn}: {error}: the directory would refuse this"
                    raise _RefusedError(change.line, problem, "see what the entry holds now") from error
        self._put(told, Put(found.id, found.dn, None, changed, links, whole=False))

    def _delete(self, record: Delete) -> None:
        found = self._known(record.line, record.dn)
        below = list(self._all_below(found.id))
        if below and not record.tree:
            raise _RefusedError(
                record.line,
                f"{record.dn} has {len(below)} entries below it: the directory would refuse this",
                "delete them first, or write `control: 1.2.840.113556.1.4.805 true` to delete the tree",
            )
        for entry in (*reversed(below), found):
            told = self._told[entry.directory]
            links = self._db.execute("SELECT kind, source FROM link WHERE target = ?", (entry.id,)).fetchall()
            told.increment.delete(entry.id)
            self._stirred.update(source for _, source in links)
            if told.by_name:  # who names it by its DN goes on doing so, and means nobody
                nowhere = nobody(fold(entry.dn))
                rows = [(kind, source, nowhere) for kind, source in links]
                self._db.executemany("INSERT OR IGNORE INTO link VALUES (?, ?, ?)", rows)

    def _rename(self, record: Rename) -> None:
        found = self._known(record.line, record.dn)
        told = self._told[found.directory]
        superior = parent_of(found.dn) if record.superior is None else record.superior
        dn = _checked(record.line, join(record.rdn, superior))
        other = self._lookup.entry(dn)
        if other and other.id != found.id:
            raise _RefusedError(record.line, f"there is an entry {dn} already", "give another name")
        holder = self._lookup.entry(superior)
        if holder is None and self._lookup.above(dn) is None and not self._lookup.has_below(superior):
            raise _RefusedError(record.line, f"{dn} would be below no entry that is known", _CHECK_IT)
        moving = [(entry.id, entry.dn) for entry in (found, *self._all_below(found.id))]
        kind, _, value = record.rdn.partition("=")
        name, held = kind.strip().lower(), self._attributes(found.id)
        kept = held.get(name, ()) if record.keep_old else ()
        attributes = {key: (*kept, value.strip().encode()) for key in {name, "name"} if key == name or key in held}
        above = holder.id if holder else nobody(fold(superior)) if superior else None
        self._put(told, Put(found.id, dn, above, attributes, whole=False))
        if told.by_name:
            self._break_links(record.line, moving)

    def _put(self, told: _Told, put: Put) -> None:
        mapping = {ours.lower(): theirs.lower() for ours, theirs in told.settings.mapping.items()}
        told.increment.put(translated(put, mapping) if mapping else put)

    def _linked(self, found: Found, before: LinkChange | None, change: Modification) -> LinkChange:
        """All links of a kind after a modification."""
        kind = LINKS[change.attribute]
        query = "SELECT target FROM link WHERE kind = ? AND source = ?"
        targets = dict.fromkeys(
            before.added if before else (target for (target,) in self._db.execute(query, (kind, found.id)))
        )
        named = list(self._targets(change.line, change.attribute, change.values))
        match change.operation:
            case Operation.ADD:
                targets |= dict.fromkeys(named)
            case Operation.REPLACE:
                targets = dict.fromkeys(named)
            case Operation.DELETE:
                targets = {target: None for target in targets if change.values and target not in named}
        if kind is LinkKind.POLICY and len(targets) > 1:
            raise _RefusedError(
                change.line, f"{found.dn} has a policy already: the directory would refuse this", "use `replace:`"
            )
        return LinkChange(added=tuple(targets))

    def _targets(self, line: int, attribute: str, values: Iterable[bytes]) -> Iterator[EntryId]:
        for value in values:
            text = value.decode(errors="replace")
            if attribute == "memberuid":
                yield from self._lookup.logins(text)
                continue
            target, there = self._lookup.target(text)
            if not there:
                self._notes.append(f"line {line}: {attribute} names {text}, which is no entry that dirfactor knows")
            yield target

    def _break_links(self, line: int, moved: Iterable[tuple[EntryId, str]]) -> None:
        """Whoever names a moved entry by its DN means nobody any more, and whoever named the new DN means it."""
        broken = 0
        for entry, was in moved:
            query = "UPDATE OR REPLACE link SET target = ? WHERE target = ? RETURNING source"
            sources = [source for (source,) in self._db.execute(query, (nobody(fold(was)), entry))]
            broken += len(sources)
            self._stirred.update(sources)
            for (dn,) in self._db.execute("SELECT dn FROM entry WHERE id = ?", (entry,)).fetchall():
                self._adopt(dn, entry)
        if broken:
            self._notes.append(
                f"line {line}: {broken} links lead to what is renamed, and nowhere afterwards, unless the server or the"
                " file is made to follow"
            )

    def _adopt(self, dn: str, entry: EntryId) -> None:
        for missing in ids_of_a_missing(dn):
            query = "UPDATE OR REPLACE link SET target = ? WHERE target = ? RETURNING source"
            self._stirred.update(source for (source,) in self._db.execute(query, (entry, missing)))

    def _all_below(self, entry: EntryId) -> Iterator[Found]:
        for child in self._lookup.below(entry):
            yield child
            yield from self._all_below(child.id)

    def _attributes(self, entry: EntryId) -> Attributes:
        (raw,) = self._db.execute("SELECT raw FROM entry WHERE id = ?", (entry,)).fetchone()
        return _UNPACK(raw)

    def _known(self, line: int, dn: str) -> Found:
        found = self._lookup.entry(dn)
        if found is None:
            raise _RefusedError(line, f"no entry that dirfactor knows has the DN {dn}", _CHECK_IT)
        return found


class _RefusedError(Exception):
    """A change cannot be followed."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.refusal = Refusal(line, problem, remedy)


def _checked(line: int, dn: str) -> str:
    """The DN. Raises _RefusedError for what is none."""
    try:
        fold(dn)
        parent_of(dn)
    except ValueError as error:
        raise _RefusedError(line, f"{dn!r} is no DN", "write it as the directory does") from error
    return dn
