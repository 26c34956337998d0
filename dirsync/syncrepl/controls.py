"""The values of the Content Synchronization Operation (RFC 4533 section 2), as octets and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from dirsync.wire import ber
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Control
from schema.entry import EntryId

SYNC_REQUEST: Final = "1.3.6.1.4.1.4203.1.9.1.1"
SYNC_STATE: Final = "1.3.6.1.4.1.4203.1.9.1.2"
SYNC_DONE: Final = "1.3.6.1.4.1.4203.1.9.1.3"
SYNC_INFO: Final = "1.3.6.1.4.1.4203.1.9.1.4"

_REFRESH_AND_PERSIST: Final = 3
_ID_OCTETS: Final = 16
_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3
# SEQUENCE { ENUMERATED, OCTET STRING of 16 octets } without a cookie, as servers write it
_STATE_HEAD: Final = b"\x30\x15\x0a\x01"
_STATE_ID: Final = b"\x04\x10"
_STATE_OCTETS: Final = 23


class State(IntEnum):
    """What an entry's Sync State control says of it (RFC 4533 section 2.3)."""

    PRESENT = 0
    ADD = 1
    MODIFY = 2
    DELETE = 3


@dataclass(frozen=True, slots=True)
class SyncState:
    """The value of a Sync State control.

    Attributes:
        state: what has become of the entry.
        id: its entryUUID.
        cookie: stands for all that has been sent up to here, if the server says so.
    """

    state: State
    id: EntryId
    cookie: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewCookie:
    """A Sync Info message: the cookie stands for all that has been sent."""

    cookie: bytes


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """A Sync Info message: a phase of the refresh has ended (RFC 4533 section 2.5).

    Attributes:
        present: the phase has named all entries there are; else it has named those that were deleted.
        cookie: stands for all that has been sent.
        done: what follows are changes as they happen.
    """

    present: bool
    cookie: bytes | None
    done: bool


@dataclass(frozen=True, slots=True)
class IdSet:
    """A Sync Info message that names entries.

    Attributes:
        ids: their entryUUIDs.
        deleted: they are gone; else they are as they were.
        cookie: stands for all that has been sent.
    """

    ids: tuple[EntryId, ...]
    deleted: bool
    cookie: bytes | None


SyncInfo = NewCookie | PhaseEnd | IdSet


def sync_request(cookie: bytes | None) -> Control:
    """The request control (section 2.2): what has changed since, and what changes from now on.

    Args:
        cookie: of an earlier answer; None for everything.
    """
    known = () if cookie is None else (ber.octet_string(cookie),)
    return Control(SYNC_REQUEST, ber.sequence(ber.enumerated(_REFRESH_AND_PERSIST), *known))


def read_state(value: bytes) -> SyncState:
    """The value of a Sync State control (section 2.3). There is one for each entry: the usual form is read at a glance.

    Raises:
        MalformedAnswer: these octets are none.
    """
    if len(value) == _STATE_OCTETS and value[:4] == _STATE_HEAD and value[5:7] == _STATE_ID:
        return SyncState(_state(value[4]), value[7:])
    fields = _only_sequence(value)
    state = _state(fields.enumerated())
    entry = _id(fields.octet_string())
    cookie = fields.octet_string() if fields.next_is(ber.OCTET_STRING) else None
    fields.end()
    return SyncState(state, entry, cookie)


def read_info(value: bytes) -> SyncInfo:
    """The value of a Sync Info message (section 2.5).

    Raises:
        MalformedAnswer: these octets are none.
    """
    reader = ber.Reader(value)
    tag = reader.tag()
    read = _CHOICES.get(tag) if tag is not None else None
    if tag is None or read is None:
        raise MalformedAnswer(f"there is no Sync Info message {value[:1].hex()!r}")
    info = read(reader.tagged(tag))
    reader.end()
    return info


def _phase_end(fields: ber.Reader, *, present: bool) -> PhaseEnd:
    cookie = _cookie(fields)
    done = fields.boolean() if fields.next_is(ber.BOOLEAN) else True
    fields.end()
    return PhaseEnd(present, cookie, done)


def _id_set(fields: ber.Reader) -> IdSet:
    cookie = _cookie(fields)
    deleted = fields.boolean() if fields.next_is(ber.BOOLEAN) else False
    members = fields.tagged(ber.SET)
    fields.end()
    ids: list[EntryId] = []
    while members.more():
        ids.append(_id(members.octet_string()))
    return IdSet(tuple(ids), deleted, cookie)


_CHOICES: Final[Mapping[int, Callable[[ber.Reader], SyncInfo]]] = {
    _NEW_COOKIE: lambda contents: NewCookie(contents.rest()),
    _REFRESH_DELETE: lambda fields: _phase_end(fields, present=False),
    _REFRESH_PRESENT: lambda fields: _phase_end(fields, present=True),
    _ID_SET: _id_set,
}


def _cookie(fields: ber.Reader) -> bytes | None:
    return fields.octet_string() if fields.next_is(ber.OCTET_STRING) else None


def _only_sequence(value: bytes) -> ber.Reader:
    outer = ber.Reader(value)
    fields = outer.sequence()
    outer.end()
    return fields


def _state(number: int) -> State:
    try:
        return State(number)
    except ValueError:
        raise MalformedAnswer(f"an entry has the sync state {number}") from None


def _id(octets: bytes) -> EntryId:
    if len(octets) != _ID_OCTETS:
        raise MalformedAnswer(f"an entryUUID has {len(octets)} octets")
    return octets
