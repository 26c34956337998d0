"""How to learn from a domain controller what has changed: a dialogue of searches, without a connection."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, Protocol

from dirsync.ad_cookie import AdCookie, Server, Standing
from dirsync.ad_entry import BOOKKEEPING, LINK_ATTRIBUTES, AdEntry, Rest, read_entry, read_rest
from dirsync.ber import MalformedAnswer
from dirsync.change import Change, Delete, LinkKind
from dirsync.controls import (
    DIRSYNC,
    EXTENDED_DN,
    INCREMENTAL_VALUES,
    OBJECT_SECURITY,
    dirsync,
    guid_dn,
    read_dirsync,
)
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.search import Dialogue, Page, Scope, Search
from schema.attributes import ATTRIBUTES
from schema.dn import fold
from schema.entry import EntryId
from schema.parse import ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES

# By class alone: what stops matching a filter leaves the answers without a word, and the class of an entry is for
# ever. In AD a computer is a user.
WHERE: Final = (
    "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=group)(objectClass=organizationalUnit)"
    "(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS)"
    "(objectClass=dirfactorSecurityPolicy)(objectClass=dirfactorAccessNode))"
)
_ROOT_DSE: Final = ("dsServiceName", "highestCommittedUSN", "isSynchronized", "defaultNamingContext")


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
        sink: takes the changes.

    Raises:
        DirectoryUnavailable: the server is not fit to be asked now, or its answer makes no sense.
        DirectoryRefused: the server denies a full read.
    """
    identity, server = yield from _server(wanted)
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
            return Delete(entry.id) if again else None
        self._seen.add(entry.id)
        return entry.put(whole=not again)
