"""How to learn from a domain controller what has changed: a dialogue of searches, without a connection."""

from dataclasses import dataclass
from typing import Final, Protocol

from dirsync.ad.controls import (
    DIRSYNC,
    EXTENDED_DN,
    INCREMENTAL_VALUES,
    OBJECT_SECURITY,
    dirsync,
    guid_dn,
    read_dirsync,
)
from dirsync.ad.cookie import AdCookie, Standing
from dirsync.ad.entry import BOOKKEEPING, LINK_ATTRIBUTES, AdEntry, Rest, read_entry, read_rest
from dirsync.ad.server import identify, only
from dirsync.ber import MalformedAnswer
from dirsync.change import Change, Delete, LinkKind
from dirsync.errors import DirectoryRefused
from dirsync.search import Dialogue, Scope, Search
from schema.attributes import ATTRIBUTES
from schema.entry import EntryId
from schema.parse import ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES

# By class alone: what stops matching a filter leaves the answers without a word, and the class of an entry is for
# ever. In AD a computer is a user.
WHERE: Final = (
    "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=group)(objectClass=organizationalUnit)"
    "(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS)"
    "(objectClass=dirfactorSecurityPolicy)(objectClass=dirfactorAccessNode))"
)


class Sink(Protocol):
    """Where changes go."""

    def append(self, change: Change, /) -> None:
        """Take a change."""
        ...

    def clear(self) -> None:
        """Forget the changes: they turned out not to be all."""
        ...


@dataclass(frozen=True, slots=True)
class Domain:
    """What to read.

    Attributes:
        base: DN of the domain.
        attributes: which attributes.
    """

    base: str
    attributes: tuple[str, ...]


def domain(base: str, extra_attributes: tuple[str, ...]) -> Domain:
    """A domain with the attributes that the parser and the replica want.

    Args:
        base: DN of the domain.
        extra_attributes: further attributes for phone numbers and mail addresses.
    """
    ours = (attribute.name for attribute in ATTRIBUTES if attribute.forward_link is None)
    wanted = (*BOOKKEEPING, *DIRECTORY_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *extra_attributes, *LINK_ATTRIBUTES, *ours)
    return Domain(base, tuple({name.lower(): name for name in wanted}.values()))


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of the dialogue.

    Attributes:
        cookie: stands for all that has gone into the sink.
        refresh: the sink has all entries there are.
    """

    cookie: bytes
    refresh: bool


def read_changes(wanted: Domain, cookie: bytes | None, sink: Sink) -> Dialogue[Answer]:
    """Read what has changed since the cookie; all there is when the server cannot say what has changed.

    Args:
        wanted: what to read.
        cookie: of an earlier answer; None for all.
        sink: takes the changes; what is in it before is forgotten.

    Raises:
        DirectoryUnavailable: the server is not fit to be asked now, or its answer makes no sense.
        DirectoryRefused: the server denies a full read.
    """
    sink.clear()
    identity, server = yield from identify(wanted.base)
    known = AdCookie.decode(cookie)
    standing = known.standing(identity, server) if known else Standing.BROKEN
    if known and cookie and standing is Standing.UNCHANGED:
        return Answer(cookie, refresh=False)
    if known and standing is Standing.CONTINUES:
        try:
            raw = yield from _walk(wanted, known.raw, _Since(), sink)
        except (DirectoryRefused, _RestoredError):
            sink.clear()
        else:
            return Answer(known.advanced(server, raw).encode(), refresh=False)
    raw = yield from _walk(wanted, b"", _Everything(), sink)
    return Answer(AdCookie(identity, (server,), raw).encode(), refresh=True)


class _RestoredError(Exception):
    """A deleted entry has come back, with attributes and links that count as unchanged and are not sent."""


class _Since:
    """Reads an answer to "what has changed?"."""

    flags = OBJECT_SECURITY | INCREMENTAL_VALUES

    def change(self, entry: AdEntry) -> Change | None:
        if entry.deleted:
            return Delete(entry.id)
        if entry.restored:
            raise _RestoredError
        return entry.put(whole=False)


class _Everything:
    """Reads an answer to "what is there?"; an entry may come again in a later page because it has changed."""

    flags = OBJECT_SECURITY

    def __init__(self) -> None:
        self._seen: set[EntryId] = set()

    def change(self, entry: AdEntry) -> Change | None:
        again = entry.id in self._seen
        if entry.deleted:
            self._seen.discard(entry.id)
            return Delete(entry.id) if again else None
        self._seen.add(entry.id)
        return entry.put(whole=not again)


def _walk(wanted: Domain, raw: bytes, reading: "_Since | _Everything", sink: Sink) -> Dialogue[bytes]:
    """Ask page after page until there is no more; only then the cookie counts."""
    while True:
        controls = (dirsync(reading.flags, raw), EXTENDED_DN)
        page = yield Search(wanted.base, wanted.attributes, Scope.SUBTREE, WHERE, controls)
        incomplete: list[AdEntry] = []
        empty = True
        for found in page.entries:
            empty = False
            entry = read_entry(found)
            if entry.rests and not entry.deleted:
                incomplete.append(entry)
            else:
                _append(reading.change(entry), sink)
        for entry in incomplete:
            _append(reading.change((yield from _completed(entry))), sink)
        if DIRSYNC not in page.controls:
            raise MalformedAnswer("it lacks the DirSync control", remedy="let url name domain controllers only")
        answer = read_dirsync(page.controls[DIRSYNC])
        if not answer.more:
            return answer.cookie
        if empty and answer.cookie == raw:
            raise MalformedAnswer("it promises more and never sends it")
        raw = answer.cookie


def _append(change: Change | None, sink: Sink) -> None:
    if change is not None:
        sink.append(change)


def _completed(entry: AdEntry) -> Dialogue[AdEntry]:
    """The entry with the links that the server had held back."""
    more: dict[LinkKind, tuple[EntryId, ...]] = {}
    for rest in entry.rests:
        ahead: Rest | None = rest
        while ahead:
            attribute = f"{ahead.attribute};range={ahead.start}-*"
            page = yield Search(guid_dn(entry.id), (attribute,), controls=(EXTENDED_DN,))
            targets, ahead = read_rest(only(page, entry.dn), ahead)
            more[rest.kind] = more.get(rest.kind, ()) + targets
    return entry.completed(more)
