"""A directory that is an LDIF file: saving the file is the edit. The source of its changes."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from dirsync.change import Batch, LinkChange, LinkKind, Put
from dirsync.ldif_file import Stamp, read_whole, stamp
from dirsync.ldif_password import LdifPasswordCheck
from dirsync.rfc2849 import Addition, BrokenLdif, Record, read_ldif
from schema.attributes import ATTRIBUTES
from schema.dn import fold, parent
from schema.entry import EntryId
from schema.parse import ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES
from schema.syntax import Syntax

__all__ = ["LdifPasswordCheck", "LdifSource"]

# Names hash into ids under this namespace: of entries without an id of their own, and of those that are missing.
_NAMESPACE: Final = uuid.UUID("8c668536-ffad-4120-80e3-5beb3ff1fa72")
_OURS: Final = tuple(attribute.name for attribute in ATTRIBUTES if attribute.syntax is not Syntax.DN)
_DN_LINKS: Final[Mapping[str, LinkKind]] = {
    "member": LinkKind.MEMBER,
    "uniquemember": LinkKind.MEMBER,
    "dirfactorpolicy": LinkKind.POLICY,
    "dirfactormember": LinkKind.NODE_MEMBER,
}
_GUID_OCTETS: Final = 16
_BIT_STRING: Final = re.compile(r"#'[01]*'B\Z")  # may follow the DN of a uniqueMember, RFC 4517 section 3.3.21
# A file saved again within the grain of its time stamp may look unchanged; FAT's grain is the coarsest.
_GRAIN: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Index:
    """What must be known of the whole file before the first entry can be told.

    Attributes:
        ids: folded DN -> id, in the order of the file.
        additions: folded DN -> attributes that records further down add.
        uids: uid -> ids, for memberUid.
    """

    ids: dict[str, EntryId] = field(default_factory=dict)
    additions: dict[str, list[Mapping[str, list[bytes]]]] = field(default_factory=dict)
    uids: dict[bytes, list[EntryId]] = field(default_factory=dict)


class LdifSource:
    """Tells all entries of the file whenever its content has changed; a `dirsync.change.Source`.

    Args:
        file: the LDIF file.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
    """

    def __init__(self, file: Path, extra_attributes: Iterable[str] = ()) -> None:
        self._file = file
        names = (*DIRECTORY_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *_OURS, *extra_attributes)
        self._wanted = frozenset(name.lower() for name in names)
        self._seen: tuple[Stamp, bytes] | None = None

    @property
    def identity(self) -> str:
        """The file and what is read of it."""
        attributes = hashlib.sha256(" ".join(sorted(self._wanted)).encode()).hexdigest()
        return f"ldif {self._file.absolute()} {attributes[:16]}"

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """Nothing when the file's content has the digest `cookie`, else all entries with its digest as cookie.

        Raises:
            DirectoryUnavailable: the file cannot be read or any line of it is wrong.
        """
        if cookie is not None and self._seen == (stamp(self._file), cookie):
            return Batch(iter(()), cookie, refresh=False, as_of=now)
        as_it_was, (digest, octets, index) = read_whole(self._file, lambda octets: _understand(octets, cookie))
        modified = datetime.fromtimestamp(as_it_was.mtime_ns / 1e9, tz=UTC)
        self._seen = (as_it_was, digest) if now - modified > _GRAIN else None
        if index is None:
            return Batch(iter(()), digest, refresh=False, as_of=now)
        return Batch(self._puts(octets, index), digest, refresh=True, as_of=now)

    def _puts(self, octets: bytes, index: _Index) -> Iterator[Put]:
        entries = (record for record in read_ldif(octets) if not isinstance(record, Addition))
        for record, (folded, entry_id) in zip(entries, index.ids.items(), strict=True):
            above = parent(folded)
            attributes = _plain(record)
            for added in index.additions.get(folded, ()):
                for name, values in added.items():
                    attributes[name] = [*attributes.get(name, ()), *values]
            yield Put(
                entry_id,
                record.dn,
                index.ids.get(above),
                {name: tuple(dict.fromkeys(values)) for name, values in attributes.items() if name in self._wanted},
                _links(attributes, index),
            )


def _understand(octets: bytes, cookie: bytes | None) -> tuple[bytes, bytes, _Index | None]:
    """Digest and octets of the file, and its index unless the digest is `cookie`. Raises BrokenLdif."""
    digest = hashlib.sha256(octets).digest()
    return digest, octets, None if digest == cookie else _index(octets)


def _index(octets: bytes) -> _Index:
    """Goes through the whole file, so that nothing of it is told when any of it is wrong. Raises BrokenLdif."""
    index = _Index()
    lines: dict[EntryId, int] = {}
    for record in read_ldif(octets):
        try:
            folded = fold(record.dn)
        except ValueError as error:
            raise BrokenLdif(record.line, "what follows `dn: ` is no DN") from error
        if isinstance(record, Addition):
            if folded not in index.ids:
                raise BrokenLdif(record.line, "adds to an entry that does not stand before it")
            index.additions.setdefault(folded, []).append(_plain(record))
            continue
        entry_id = _entry_id(record, folded)
        if folded in index.ids:
            raise BrokenLdif(record.line, f"the DN is that of line {lines[index.ids[folded]]}")
        if entry_id in lines:
            raise BrokenLdif(record.line, f"entryUUID or objectGUID is that of line {lines[entry_id]}")
        _plain(record)
        lines[entry_id] = record.line
        index.ids[folded] = entry_id
        for uid in record.attributes.get("uid", ()):
            index.uids.setdefault(uid, []).append(entry_id)
    if not index.ids:
        raise BrokenLdif(1, "there is no entry in the file")
    return index


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
    return _derived(folded)


def _derived(name: str) -> EntryId:
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


def _links(attributes: Mapping[str, list[bytes]], index: _Index) -> dict[LinkKind, LinkChange]:
    targets: dict[LinkKind, list[EntryId]] = {}
    for name, kind in _DN_LINKS.items():
        for value in attributes.get(name, ()):
            targets.setdefault(kind, []).append(_target(value, index))
    for uid in attributes.get("memberuid", ()):
        targets.setdefault(LinkKind.MEMBER, []).extend(index.uids.get(uid, ()))
    return {kind: LinkChange(added=tuple(dict.fromkeys(ids))) for kind, ids in targets.items()}


def _target(value: bytes, index: _Index) -> EntryId:
    """The entry that a DN names; for one that names none an id that no entry has, so that the link leads nowhere."""
    text = _BIT_STRING.sub("", value.decode(errors="replace"))
    try:
        folded = fold(text)
    except ValueError:
        return _derived(text)
    return index.ids.get(folded) or _derived(folded)
