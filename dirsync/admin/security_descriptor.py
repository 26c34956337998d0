"""The octets of an nTSecurityDescriptor, strictly read and written (MS-DTYP sections 2.4.4 to 2.4.6). Pure."""

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from dirsync.wire.ber import MalformedAnswer
from schema.sid import Sid, read_sid_at

# MS-DTYP section 2.4.4.1: the entries that we take apart, those with object types among them, and those that deny.
ALLOW: Final = 0
DENY: Final = 1
ALLOW_OBJECT: Final = 5
DENY_OBJECT: Final = 6
_OBJECTS: Final = (ALLOW_OBJECT, DENY_OBJECT)
_TYPE_PRESENT: Final = 0x1
_INHERITED_TYPE_PRESENT: Final = 0x2

_DESCRIPTOR: Final = struct.Struct("<BBHIIII")
_LIST: Final = struct.Struct("<BBHHH")
_ENTRY: Final = struct.Struct("<BBH")
_MASK: Final = struct.Struct("<I")
_GUID: Final = 16
_WORD: Final = 4
_REVISIONS: Final = (2, 4)  # 4 where entries with object types may stand
_WITH_OBJECTS: Final = 4
_LARGEST: Final = 0xFFFF


class Control(IntFlag):
    """The bits of a descriptor that matter here (MS-DTYP section 2.4.6)."""

    DACL_PRESENT = 0x0004
    SACL_PRESENT = 0x0010
    DACL_AUTO_INHERITED = 0x0400
    DACL_PROTECTED = 0x1000
    SELF_RELATIVE = 0x8000


class AceFlag(IntFlag):
    """How an entry is inherited (MS-DTYP section 2.4.4.1)."""

    CONTAINER_INHERIT = 0x02
    INHERIT_ONLY = 0x08
    INHERITED = 0x10


@dataclass(frozen=True, slots=True)
class Ace:
    """An entry that allows or denies.

    Attributes:
        kind: `ALLOW`, `DENY`, `ALLOW_OBJECT` or `DENY_OBJECT`.
        flags: how it is inherited.
        mask: the rights.
        sid: whose they are.
        object_type: the attribute, property set or class that it is about; only where the kind has object types.
        inherited_type: the class of the entries that inherit it; likewise.
    """

    kind: int
    flags: int
    mask: int
    sid: Sid
    object_type: uuid.UUID | None = None
    inherited_type: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class OtherAce:
    """An entry of another kind, which is kept as it is.

    Attributes:
        kind: its type.
        flags: how it is inherited.
        body: what follows its header.
    """

    kind: int
    flags: int
    body: bytes


AnyAce = Ace | OtherAce


@dataclass(frozen=True, slots=True)
class Acl:
    """An access control list.

    Attributes:
        revision: 2, or 4 where entries with object types may stand.
        aces: its entries in their order, which decides.
    """

    revision: int
    aces: tuple[AnyAce, ...]


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """A security descriptor, or the parts of it that were asked for.

    Attributes:
        control: its bits.
        owner: who may always change it.
        group: the owner's primary group, which Active Directory does not use.
        sacl: what is audited.
        dacl: who may do what.
    """

    control: int
    owner: Sid | None = None
    group: Sid | None = None
    sacl: Acl | None = None
    dacl: Acl | None = None


def read(octets: bytes) -> SecurityDescriptor:
    """A self-relative descriptor from its octets.

    Raises:
        MalformedAnswer: these octets are none.
    """
    try:
        revision, _, control, owner, group, sacl, dacl = _DESCRIPTOR.unpack_from(octets)
        if revision != 1 or not control & Control.SELF_RELATIVE:
            raise MalformedAnswer("a security descriptor is not self-relative, of revision 1")
        return SecurityDescriptor(
            control,
            read_sid_at(octets, owner)[0] if owner else None,
            read_sid_at(octets, group)[0] if group else None,
            _read_acl(octets, sacl) if control & Control.SACL_PRESENT and sacl else None,
            _read_acl(octets, dacl) if control & Control.DACL_PRESENT and dacl else None,
        )
    except (struct.error, ValueError) as error:
        raise MalformedAnswer(f"a security descriptor: {error}") from error


def write(descriptor: SecurityDescriptor) -> bytes:
    """The octets of a descriptor; the bits that say which parts there are, are set as the parts are there.

    Raises:
        ValueError: a list is larger than 64 KiB, which no descriptor can hold.
    """
    present = Control.SELF_RELATIVE
    present |= Control.SACL_PRESENT if descriptor.sacl else Control(0)
    present |= Control.DACL_PRESENT if descriptor.dacl else Control(0)
    control = descriptor.control & ~(Control.SACL_PRESENT | Control.DACL_PRESENT) | present
    parts = (
        descriptor.owner.octets if descriptor.owner else b"",
        descriptor.group.octets if descriptor.group else b"",
        _write_acl(descriptor.sacl) if descriptor.sacl else b"",
        _write_acl(descriptor.dacl) if descriptor.dacl else b"",
    )
    offsets, end = [], _DESCRIPTOR.size
    for part in parts:
        offsets.append(end if part else 0)
        end += len(part)
    return _DESCRIPTOR.pack(1, 0, control, *offsets) + b"".join(parts)


def _read_acl(octets: bytes, start: int) -> Acl:
    revision, _, size, count, _ = _LIST.unpack_from(octets, start)
    if revision not in _REVISIONS or start + size > len(octets):
        raise MalformedAnswer(f"an access control list has revision {revision} and {size} octets")
    return Acl(revision, tuple(_read_aces(octets[start + _LIST.size : start + size], count)))


def _read_aces(octets: bytes, count: int) -> Iterator[AnyAce]:
    position = 0
    for _ in range(count):
        kind, flags, size = _ENTRY.unpack_from(octets, position)
        body = octets[position + _ENTRY.size : position + size]
        if size % _WORD or len(body) != size - _ENTRY.size:
            raise MalformedAnswer(f"an access control entry claims {size} octets")
        yield _read_ace(kind, flags, body) if kind in {ALLOW, DENY, *_OBJECTS} else OtherAce(kind, flags, body)
        position += size


def _read_ace(kind: int, flags: int, body: bytes) -> Ace:
    (mask,), position = _MASK.unpack_from(body), _MASK.size
    types: list[uuid.UUID | None] = [None, None]
    if kind in _OBJECTS:
        (present,) = _MASK.unpack_from(body, position)
        position += _MASK.size
        if present & ~(_TYPE_PRESENT | _INHERITED_TYPE_PRESENT):
            raise MalformedAnswer(f"an access control entry has the object flags {present:#x}")
        for index, bit in enumerate((_TYPE_PRESENT, _INHERITED_TYPE_PRESENT)):
            if present & bit:
                types[index] = uuid.UUID(bytes_le=body[position : position + _GUID])
                position += _GUID
    sid, end = read_sid_at(body, position)
    if end != len(body):
        raise MalformedAnswer("octets follow the SID of an access control entry")
    return Ace(kind, flags, mask, sid, *types)


def _write_acl(acl: Acl) -> bytes:
    entries = b"".join(map(_write_ace, acl.aces))
    revision = _WITH_OBJECTS if any(ace.kind in _OBJECTS for ace in acl.aces) else acl.revision
    size = _LIST.size + len(entries)
    if size > _LARGEST:
        msg = f"an access control list of {size} octets"
        raise ValueError(msg)
    return _LIST.pack(revision, 0, size, len(acl.aces), 0) + entries


def _write_ace(ace: AnyAce) -> bytes:
    body = ace.body if isinstance(ace, OtherAce) else _body(ace)
    return _ENTRY.pack(ace.kind, ace.flags, _ENTRY.size + len(body)) + body


def _body(ace: Ace) -> bytes:
    if ace.kind not in _OBJECTS:
        return _MASK.pack(ace.mask) + ace.sid.octets
    types = [(_TYPE_PRESENT, ace.object_type), (_INHERITED_TYPE_PRESENT, ace.inherited_type)]
    present = sum(bit for bit, guid in types if guid)
    guids = b"".join(guid.bytes_le for _, guid in types if guid)
    return _MASK.pack(ace.mask) + _MASK.pack(present) + guids + ace.sid.octets
