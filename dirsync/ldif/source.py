"""A directory that is an LDIF file: saving the file is the edit. The source of its changes."""

import hashlib
import re
import uuid
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

import msgspec

from dirsync.authorship import Authorship
from dirsync.change import Batch, Change, LinkChange, LinkKind, Put
from dirsync.errors import DirectoryUnavailable
from dirsync.ldif.file import Stamp, read_whole, stamp
from dirsync.ldif.rfc2849 import Addition, Record, read_ldif
from schema.attributes import ATTRIBUTES
from schema.dn import fold, parent
from schema.entry import EntryId
from schema.ldif_lines import BrokenLdif
from schema.parse import ACCOUNT_ATTRIBUTES, ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES
from schema.syntax import Syntax

# Names hash into ids under this namespace: of entries without an id of their own, and of those that are missing.
_NAMESPACE: Final = uuid.UUID("8c668536-ffad-4120-80e3-5beb3ff1fa72")
_OURS: Final = tuple(attribute.name for attribute in ATTRIBUTES if attribute.syntax is not Syntax.DN)
_DN_LINKS: Final[Mapping[str, LinkKind]] = {
    "member": LinkKind.MEMBER,
    "uniquemember": LinkKind.MEMBER,
    "dirfactorpolicy": LinkKind.POLICY,
    "dirfactormember": LinkKind.NODE_MEMBER,
}
_LINKS: Final = _DN_LINKS.keys() | {"memberuid"}
_GUID_OCTETS: Final = 16
_BIT_STRING: Final = re.compile(r"#'[01]*'B\Z")  # may follow the DN of a uniqueMember, RFC 4517 section 3.3.21
# A file saved again within the grain of its time stamp may look unchanged; FAT's grain is the coarsest.
_GRAIN: Final = timedelta(seconds=2)
_PACK: Final = msgspec.msgpack.Encoder().encode


class _Entry(msgspec.Struct, array_like=True):
    """An entry of the file, with only those of its attributes that are wanted."""

    dn: str
    attributes: dict[str, list[bytes]]


_UNPACK: Final = msgspec.msgpack.Decoder(_Entry).decode


@dataclass(frozen=True, slots=True)
class _Contents:
    """The whole file: links can be followed, and anything be told, only when all of it is known to be right.

    Attributes:
        ids: folded DN -> id, in the order of the file.
        entries: the entries in that order, packed.
        additions: folded DN -> attributes that records further down add.
        uids: uid -> ids, for memberUid.
    """

    ids: dict[str, EntryId] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    additions: dict[str, list[Mapping[str, list[bytes]]]] = field(default_factory=dict)
    uids: dict[bytes, list[EntryId]] = field(default_factory=dict)


class LdifSource:
    """Tells all entries of the file whenever its content has changed; a `dirsync.change.Source`.

    Args:
        file: the LDIF file.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
        netbios_name: the domain's short name, if it has one.
    """

    def __init__(self, file: Path, extra_attributes: Iterable[str] = (), netbios_name: str | None = None) -> None:
        self._file = file
        self._netbios_name = netbios_name
        names = (*DIRECTORY_ATTRIBUTES, *ACCOUNT_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *_OURS, *extra_attributes)
        self._wanted = frozenset(name.lower() for name in names) | _LINKS
        self._closed = Event()
        self._seen: tuple[Stamp, bytes] | None = None
        self._useless: tuple[Stamp | None] | None = None  # what the file was that could not be used

    @property
    def identity(self) -> str:
        """The file and what is read of it."""
        attributes = hashlib.sha256(" ".join(sorted(self._wanted)).encode()).hexdigest()
        return f"ldif {self._file.absolute()} {attributes[:16]}"

    @property
    def method(self) -> str:
        """How changes come."""
        return "the file is read again when it has been saved"

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """Nothing when the file's content has the digest `cookie`, else all entries with its digest as cookie.

        Raises:
            DirectoryUnavailable: the file cannot be read or any line of it is wrong.
        """
        was = _glimpse(self._file)
        try:
            batch = self._changes(cookie, now)
        except DirectoryUnavailable:
            self._useless = (was,)
            raise
        self._useless = None
        return batch

    def _changes(self, cookie: bytes | None, now: datetime) -> Batch:
        if cookie is not None and self._seen == (stamp(self._file), cookie):
            return self._batch(iter(()), cookie, now)
        as_it_was, (digest, contents) = read_whole(self._file, lambda octets: self._understand(octets, cookie))
        modified = datetime.fromtimestamp(as_it_was.mtime_ns / 1e9, tz=UTC)
        self._seen = (as_it_was, digest) if now - modified > _GRAIN else None
        if contents is None:
            return self._batch(iter(()), digest, now)
        batch = self._batch(_puts(contents), digest, now, refresh=True)
        return replace(batch, size=len(contents.entries))

    def wait(self, seconds: float) -> bool:
        """Whether a file that could not be used is another one now; of one that could nobody tells when it is saved."""
        self._closed.wait(seconds)
        return self._useless is not None and self._useless != (_glimpse(self._file),)

    def changed_when(self, entry: EntryId, attribute: str) -> Authorship | None:  # noqa: ARG002 - a file has no past
        """A file does not tell."""
        return None

    def close(self) -> None:
        """Nothing is held open between two questions; whoever waits is let go."""
        self._closed.set()

    def _batch(self, changes: Iterator[Change], cookie: bytes, now: datetime, *, refresh: bool = False) -> Batch:
        return Batch(changes, cookie, refresh=refresh, as_of=now, netbios_name=self._netbios_name)

    def _understand(self, octets: bytes, cookie: bytes | None) -> tuple[bytes, _Contents | None]:
        """The digest of the file, and what it contains unless the digest is `cookie`. Raises BrokenLdif."""
        digest = hashlib.sha256(octets).digest()
        return digest, None if digest == cookie else _contents(octets, self._wanted)


def _glimpse(file: Path) -> Stamp | None:
    """The file's stamp; None when there is no such file."""
    try:
        return stamp(file)
    except DirectoryUnavailable:
        return None


def _contents(octets: bytes, wanted: Container[str]) -> _Contents:
    """Raises BrokenLdif when anything in the file is wrong."""
    contents = _Contents()
    lines: dict[EntryId, int] = {}
    for record in read_ldif(octets):
        try:
            folded = fold(record.dn)
        except ValueError as error:
            raise BrokenLdif(record.line, "what follows `dn: ` is no DN") from error
        attributes = {name: values for name, values in _plain(record).items() if name in wanted}
        if isinstance(record, Addition):
            if folded not in contents.ids:
                raise BrokenLdif(record.line, "adds to an entry that does not stand before it")
            contents.additions.setdefault(folded, []).append(attributes)
            continue
        entry_id = _entry_id(record, folded)
        if folded in contents.ids:
            raise BrokenLdif(record.line, f"the DN is that of line {lines[contents.ids[folded]]}")
        if entry_id in lines:
            raise BrokenLdif(record.line, f"entryUUID or objectGUID is that of line {lines[entry_id]}")
        lines[entry_id] = record.line
        contents.ids[folded] = entry_id
        contents.entries.append(_PACK(_Entry(record.dn, attributes)))
        for uid in attributes.get("uid", ()):
            contents.uids.setdefault(uid, []).append(entry_id)
    if not contents.ids:
        raise BrokenLdif(1, "there is no entry in the file")
    return contents


def _puts(contents: _Contents) -> Iterator[Put]:
    for packed, (folded, entry_id) in zip(contents.entries, contents.ids.items(), strict=True):
        entry = _UNPACK(packed)
        for added in contents.additions.get(folded, ()):
            for name, values in added.items():
                entry.attributes[name] = [*entry.attributes.get(name, ()), *values]
        links = _links(entry.attributes, contents)
        values_of = {name: tuple(dict.fromkeys(values)) for name, values in entry.attributes.items()}
        for name in _LINKS & values_of.keys():
            del values_of[name]
        yield Put(entry_id, entry.dn, contents.ids.get(parent(folded)), values_of, links)


def _entry_id(record: Record, folded: str) -> EntryId:
    """The entry's own id, or the one that follows from its DN."""
    try:
        for value in record.attributes.get("entryuuid", ()):
            return uuid.UUID(value.decode()).bytes
        for value in record.attributes.get("objectguid", ()):
            if len(value) == _GUID_OCTETS:
                return uuid.UUID(bytes_le=value).bytes  # MS-DTYP 2.3.4.2: the first three parts are little-endian
            return uuid.UUID(value.decode()).bytes
    except ValueError as error:
        raise BrokenLdif(record.line, "entryUUID or objectGUID of this entry is none") from error
    return derived_id(folded)


def derived_id(name: str) -> EntryId:
    """The id of an entry without one of its own, or of one that is missing, by its folded DN."""
    return uuid.uuid5(_NAMESPACE, name).bytes


def _plain(record: Record) -> dict[str, list[bytes]]:
    """The record's attributes, with lists that AD has cut put together again.

    AD gives a long list as `member;range=0-1499` and so on to `-*` (MS-ADTS 3.1.1.3.1.3.3). Raises BrokenLdif for a
    list without its end: to know a part of a group is not to know it.
    """
    attributes = {name: values for name, values in record.attributes.items() if ";range=" not in name}
    ended: dict[str, bool] = {}
    for name in record.attributes.keys() - attributes.keys():
        plain, _, limits = name.partition(";range=")
        ended[plain] = ended.get(plain, False) or limits.endswith("-*")
        attributes[plain] = [*attributes.get(plain, ()), *record.attributes[name]]
    for plain, whole in ended.items():
        if not whole:
            raise BrokenLdif(record.line, f"only a part of the values of {plain} was exported")
    return attributes


def _links(attributes: Mapping[str, list[bytes]], contents: _Contents) -> dict[LinkKind, LinkChange]:
    targets: dict[LinkKind, list[EntryId]] = {}
    for name, kind in _DN_LINKS.items():
        for value in attributes.get(name, ()):
            targets.setdefault(kind, []).append(_target(value, contents))
    for uid in attributes.get("memberuid", ()):
        targets.setdefault(LinkKind.MEMBER, []).extend(contents.uids.get(uid, ()))
    return {kind: LinkChange(added=tuple(dict.fromkeys(ids))) for kind, ids in targets.items()}


def _target(value: bytes, contents: _Contents) -> EntryId:
    """The entry that a DN names; for one that names none an id that no entry has, so that the link leads nowhere."""
    text = _BIT_STRING.sub("", value.decode(errors="replace"))
    try:
        folded = fold(text)
    except ValueError:
        return derived_id(text)
    return contents.ids.get(folded) or derived_id(folded)
