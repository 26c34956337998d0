"""What one entry of a DirSync answer says (MS-ADTS section 3.1.1.3.4.1.3), and the change that it is. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from dirsync.ad.controls import ExtendedDn, entry_id, read_extended_dn
from dirsync.change import LinkChange, LinkKind, Put
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import RawEntry
from schema.entry import EntryId
from schema.parse import Attributes

LINK_ATTRIBUTES: Final[Mapping[str, LinkKind]] = {
    "member": LinkKind.MEMBER,
    "dirfactorpolicy": LinkKind.POLICY,
    "dirfactormember": LinkKind.NODE_MEMBER,
}
# What tells about the entry and is no attribute of it. DirSync reports a move or a deletion only to those who ask
# for these, and `name`.
BOOKKEEPING: Final = ("objectGUID", "parentGUID", "isDeleted", "instanceType")
# It stays with an entry that has been deleted and restored, and tells that it was.
LAST_KNOWN_PARENT: Final = "lastKnownParent"

_LAST_KNOWN_PARENT_KEY: Final = LAST_KNOWN_PARENT.lower()
# A server writes each name in one way, but for the ranges of large groups.
_SPELLINGS: Final = 1024
_BOOKKEEPING_KEYS: Final = {name.lower() for name in (*BOOKKEEPING, LAST_KNOWN_PARENT)}
_RANGE: Final = re.compile(r"range=(\d{1,9})-(\d{1,9}|\*)")
# DirSync's own use of ranges, with incremental values.
_ADDED: Final = "range=1-1"
_REMOVED: Final = "range=0-0"


@dataclass(frozen=True, slots=True)
class Rest:
    """Values that the server held back (MS-ADTS section 3.1.1.3.1.3.3).

    Attributes:
        kind: of these links.
        attribute: which attribute they are values of.
        start: the position of the first of them.
    """

    kind: LinkKind
    attribute: str
    start: int


@dataclass(frozen=True, slots=True)
class AdEntry:
    """One entry of an answer.

    Attributes:
        id: its objectGUID.
        dn: its DN.
        parent: its parentGUID, if the server sent it.
        attributes: names in lower case -> values; no values: the attribute is gone.
        links: how its links change.
        deleted: it is a tombstone.
        restored: it was a tombstone and is none now: what is not named here may have come back with it.
        was_deleted: it was a tombstone at any time in the past; only for who asks for `LAST_KNOWN_PARENT`.
        rests: where to go on for links of which there are more.
    """

    id: EntryId
    dn: str
    parent: EntryId | None
    attributes: Attributes = field(repr=False)
    links: Mapping[LinkKind, LinkChange]
    deleted: bool
    restored: bool
    was_deleted: bool
    rests: tuple[Rest, ...]

    def put(self, *, whole: bool) -> Put:
        """The entry as a change.

        Args:
            whole: what is not named is gone.
        """
        return Put(self.id, self.dn, self.parent, self.attributes, self.links, whole)

    def completed(self, more: Mapping[LinkKind, tuple[EntryId, ...]]) -> "AdEntry":
        """The entry with the links that the server had held back."""
        links = {kind: LinkChange(self.links[kind].added + targets) for kind, targets in more.items()}
        return replace(self, links={**self.links, **links}, rests=())


def read_entry(raw: RawEntry) -> AdEntry:
    """One entry of a DirSync answer with extended DNs.

    Raises:
        MalformedAnswer: it is none.
    """
    name = read_extended_dn(raw[0])
    attributes: dict[str, tuple[bytes, ...]] = {}
    bookkeeping: dict[str, Sequence[bytes]] = {}
    linked: dict[str, dict[str, Sequence[bytes]]] = {}
    for written, found in raw[1].items():
        key, link, option = _meaning(written)
        if link is not None:
            linked.setdefault(link, {})[option] = found
        elif key in _BOOKKEEPING_KEYS:
            bookkeeping[key] = found
        else:
            attributes[key] = tuple(found)
    deletion = bookkeeping.get("isdeleted")
    deleted = name.deleted or bool(deletion and deletion[0] == b"TRUE")
    parents = bookkeeping.get("parentguid")
    links: dict[LinkKind, LinkChange] = {}
    rests: list[Rest] = []
    for attribute, options in linked.items():
        kind = LINK_ATTRIBUTES[attribute]
        links[kind], start = _links(options)
        if start is not None:
            rests.append(Rest(kind, attribute, start))
    return AdEntry(
        id=name.id,
        dn=name.dn,
        parent=entry_id(parents[0]) if parents else None,
        attributes=attributes,
        links=links,
        deleted=deleted,
        restored=deletion is not None and not deleted,
        was_deleted=_LAST_KNOWN_PARENT_KEY in bookkeeping,
        rests=tuple(rests),
    )


@lru_cache(_SPELLINGS)
def _meaning(written: str) -> tuple[str, str | None, str]:
    """An attribute's name in lower case, the link attribute that it tells of, if any, and its options."""
    key = written.lower()
    attribute, _, option = key.partition(";")
    return key, attribute if attribute in LINK_ATTRIBUTES else None, option


def read_rest(raw: RawEntry, rest: Rest) -> tuple[tuple[EntryId, ...], Rest | None]:
    """Some of the values that a server had held back, and where to go on.

    Raises:
        MalformedAnswer: the answer leads nowhere.
    """
    for key, found in raw[1].items():
        attribute, _, option = key.lower().partition(";")
        match = _RANGE.fullmatch(option)
        if attribute == rest.attribute and match:
            return _living(found), _go_on(rest, match[2])
    return (), None


def _go_on(rest: Rest, last: str) -> Rest | None:
    if last == "*":
        return None
    if int(last) < rest.start:
        raise MalformedAnswer(f"a range of {rest.attribute} from {rest.start} ends at {last}")
    return Rest(rest.kind, rest.attribute, int(last) + 1)


def _links(options: Mapping[str, Sequence[bytes]]) -> tuple[LinkChange, int | None]:
    """The values of one link attribute by their option, and where to go on if the server held some back."""
    if _ADDED in options or _REMOVED in options:
        gone = tuple(name.id for name in _names(options.get(_REMOVED, ())))
        return LinkChange(_living(options.get(_ADDED, ())), gone, whole=False), None
    for option, found in options.items():
        if match := _RANGE.fullmatch(option):
            return LinkChange(_living(found)), None if match[2] == "*" else int(match[2]) + 1
    return LinkChange(_living(options.get("", ()))), None


def _living(values: Iterable[bytes]) -> tuple[EntryId, ...]:
    """Whom the values name, without tombstones: a directory may keep links to them."""
    return tuple(name.id for name in _names(values) if not name.deleted)


def _names(values: Iterable[bytes]) -> Iterator[ExtendedDn]:
    return (read_extended_dn(value.decode(errors="replace")) for value in values)
