"""In what OpenLDAP and 389 Directory Server differ, and how either is asked whether it is still the same."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dirsync.search import Dialogue, RawEntry, Scope, Search
from dirsync.syncrepl.cookie import Witness
from schema.entry import EntryId


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server.

    Attributes:
        name: as in config.ini.
        title: for people.
        id_attribute: the attribute that has what the Sync State control calls entryUUID.
        id_text: an id as that attribute's value.
        stamp: the attribute that grows with each change of an entry.
        progress: the attribute that grows with each change of the directory.
        at_base: it is one of the base entry; else of the rootDSE.
        covers: whether a cookie stands for this progress.
    """

    name: str
    title: str
    id_attribute: str
    id_text: Callable[[EntryId], str]
    stamp: str
    progress: str
    at_base: bool
    covers: Callable[[bytes, bytes], bool]


def _in_eights(entry: EntryId) -> str:
    """`12345678-9abcdef0-12345678-9abcdef0`."""
    digits = entry.hex()
    return "-".join(digits[start : start + 8] for start in range(0, len(digits), 8))


OPENLDAP: Final = Server(
    name="openldap",
    title="OpenLDAP",
    id_attribute="entryUUID",
    id_text=lambda entry: str(uuid.UUID(bytes=entry)),
    stamp="entryCSN",
    progress="contextCSN",
    at_base=True,
    covers=lambda cookie, csn: csn in cookie,  # rid=000,csn=CSN;CSN
)
DS389: Final = Server(
    name="389ds",
    title="389 Directory Server",
    id_attribute="nsUniqueId",
    id_text=_in_eights,
    stamp="modifyTimestamp",
    progress="lastChangeNumber",
    at_base=False,
    covers=lambda cookie, number: cookie.rpartition(b"#")[2] == number,  # server#client#number
)


def find_progress(server: Server, base: str) -> Dialogue[tuple[bytes, ...]]:
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


def hear(server: Server, base: str, witnesses: Iterable[Witness]) -> Dialogue[Testimony]:
    """Compare the newest changes that were seen with what the server has now.

    Raises:
        DirectoryUnavailable: the server does not answer.
    """
    seen = {witness.id: witness.stamp for witness in witnesses}
    if not seen:
        return Testimony(denied=False, missing=frozenset())
    any_of_them = "".join(f"({server.id_attribute}={server.id_text(entry)})" for entry in seen)
    wanted = (server.id_attribute, server.stamp)
    page = yield Search(base, wanted, Scope.SUBTREE, f"(|{any_of_them})")
    there = {text.decode().lower(): stamp for found in page.entries for text, stamp in [_id_and_stamp(found, server)]}
    stamps = {entry: there.get(server.id_text(entry)) for entry in seen}
    # a deleted entry is there again, or an entry is older than it was
    denied = any(now is not None and (not seen[entry] or now < seen[entry]) for entry, now in stamps.items())
    return Testimony(denied, frozenset(entry for entry in seen if seen[entry] and stamps[entry] is None))


def _id_and_stamp(found: RawEntry, server: Server) -> tuple[bytes, bytes]:
    ids, stamps = _values(found[1], server.id_attribute), _values(found[1], server.stamp)
    return (ids[0] if ids else b""), (stamps[0] if stamps else b"")


def _values(attributes: Mapping[str, Sequence[bytes]], name: str) -> Sequence[bytes]:
    """Values by an attribute's name, which a server may write in another case than it was asked for."""
    return next((values for written, values in attributes.items() if written.lower() == name.lower()), ())
