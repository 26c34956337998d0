"""In what OpenLDAP and 389 Directory Server differ, and how either is asked whether it is still the same."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dirsync.syncrepl.cookie import Witness
from dirsync.syncrepl.entry import STAMP
from dirsync.wire.search import Dialogue, RawEntry, Scope, Search
from schema.entry import EntryId

# the values of an attribute that grows with each change of the directory; none where the server does not show it
Progress = tuple[bytes, ...]


# a change sequence number: instant, count, server id, modification; those of one server are ordered as texts
_CSN: Final = re.compile(rb"\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}")
_SERVER_ID: Final = slice(-10, -7)


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server.

    Attributes:
        name: as in config.ini.
        title: for people.
        key: the attribute that has what the Sync State control calls entryUUID.
        written: an id as a value of that attribute.
        resumes: its cookies can be relied upon.
        progress: the attribute of that name.
        at_base: it is one of the base entry; else of the rootDSE.
        caught_up: whether all has been told, by the progress now and when last all had been told, the newest cookie,
            and how many changes have been told in between.
    """

    name: str
    title: str
    key: str
    written: Callable[[EntryId], str]
    resumes: bool
    progress: str
    at_base: bool
    caught_up: Callable[[Progress, Progress, bytes, int], bool]


def _uuid(entry: EntryId) -> str:
    return str(uuid.UUID(bytes=entry))


def _in_eights(entry: EntryId) -> str:
    """`12345678-9abcdef0-12345678-9abcdef0`."""
    digits = entry.hex()
    return "-".join(digits[start : start + 8] for start in range(0, len(digits), 8))


def has_passed(cookie: bytes, progress: Progress) -> bool:
    """Whether a cookie such as `rid=000,csn=CSN;CSN` stands for all that was done up to there, by every server.

    While others go on writing, a cookie is past an instant and not at it.
    """
    newest = {csn[_SERVER_ID]: csn for csn in _CSN.findall(cookie)}
    return all(newest.get(csn[_SERVER_ID], b"") >= csn for csn in progress)


OPENLDAP: Final = Server(
    name="openldap",
    title="OpenLDAP",
    key="entryUUID",
    written=_uuid,
    resumes=True,
    progress="contextCSN",
    at_base=True,
    caught_up=lambda now, _before, cookie, _told: has_passed(cookie, now),
)


def _number(progress: Progress) -> int:
    return int(progress[0]) if progress and progress[0].isdigit() else 0


# 389-ds 2.3 gives the cookie ...#4294967295 with each change, and where the retro changelog is not told to keep
# nsUniqueId, it takes a cookie and then tells nothing of what has changed since.
DS389: Final = Server(
    name="389ds",
    title="389 Directory Server",
    key="nsUniqueId",
    written=_in_eights,
    resumes=False,
    progress="lastChangeNumber",
    at_base=False,
    caught_up=lambda now, before, _cookie, told: _number(now) - _number(before) <= told,
)


def find_progress(server: Server, base: str) -> Dialogue[Progress]:
    """How far the directory has come; nothing when the server does not show it. That it answers is an answer, too.

    Raises:
        DirectoryUnavailable: it does not answer.
    """
    page = yield Search(base if server.at_base else "", (server.progress,))
    return tuple(value for _, attributes in page.entries for value in _values(attributes, server.progress))


@dataclass(frozen=True, slots=True)
class Testimony:
    """How the newest changes that were seen compare with what a server has now.

    Attributes:
        denied: one of them has never happened here: the server went back in time.
        missing: entries that are not there; the server must say that they were deleted.
    """

    denied: bool
    missing: frozenset[EntryId]


def hear(base: str, witnesses: Iterable[Witness]) -> Dialogue[Testimony]:
    """Compare the newest changes that were seen with what the server has now.

    Raises:
        DirectoryUnavailable: the server does not answer.
    """
    seen = {witness.id: witness.stamp for witness in witnesses}
    if not seen:
        return Testimony(denied=False, missing=frozenset())
    any_of_them = "".join(f"({OPENLDAP.key}={OPENLDAP.written(entry)})" for entry in seen)
    page = yield Search(base, (OPENLDAP.key, STAMP), Scope.SUBTREE, f"(|{any_of_them})")
    there = {_value(found, OPENLDAP.key).decode().lower(): _value(found, STAMP) for found in page.entries}
    stamps = {entry: there.get(OPENLDAP.written(entry)) for entry in seen}
    # a deleted entry is there again, or an entry is older than it was
    denied = any(now is not None and (not seen[entry] or now < seen[entry]) for entry, now in stamps.items())
    return Testimony(denied, frozenset(entry for entry in seen if seen[entry] and stamps[entry] is None))


@dataclass(frozen=True, slots=True)
class Stock:
    """The entries that there are.

    Attributes:
        complete: every one has shown its id.
        newest: the one that was changed last; None when none shows its change stamp.
    """

    complete: bool
    newest: Witness | None


def take_stock(base: str, keep: Callable[[EntryId], None]) -> Dialogue[Stock]:
    """Have the id of every entry kept.

    Raises:
        DirectoryUnavailable: the server does not answer.
    """
    page = yield Search(base, (OPENLDAP.key, STAMP), Scope.SUBTREE)
    complete, newest = True, Witness(b"", b"")
    for found in page.entries:
        if text := _value(found, OPENLDAP.key):
            entry, stamp = uuid.UUID(text.decode()).bytes, _value(found, STAMP)
            keep(entry)
            if stamp > newest.stamp:
                newest = Witness(entry, stamp)
        else:
            complete = False
    return Stock(complete, newest if newest.stamp else None)


def _value(found: RawEntry, name: str) -> bytes:
    return next(iter(_values(found[1], name)), b"")


def _values(attributes: Mapping[str, Sequence[bytes]], name: str) -> Sequence[bytes]:
    """Values by an attribute's name, which a server may write in another case than it was asked for."""
    return next((values for written, values in attributes.items() if written.lower() == name.lower()), ())
