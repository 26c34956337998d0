"""The LDAP controls of Active Directory that a sync needs, as octets and back (MS-ADTS section 3.1.1.3.4.1)."""

import re
import uuid
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple

from dirsync.wire import ber
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Control
from schema.entry import EntryId

DIRSYNC: Final = "1.2.840.113556.1.4.841"
_EXTENDED_DN: Final = "1.2.840.113556.1.4.529"
_SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
_NOTIFICATION: Final = "1.2.840.113556.1.4.528"
_SD_FLAGS: Final = "1.2.840.113556.1.4.801"
PAGED: Final = "1.2.840.113556.1.4.319"

# Flags of the DirSync control.
OBJECT_SECURITY: Final = 0x1  # each account sees what it may read; no replication right is needed
INCREMENTAL_VALUES: Final = 0x80000000  # of links, only the values that came or went
_SIGN: Final = 0x80000000
# How much the server may put into one page. It is cut to the server's own limit.
_PAGE_OCTETS: Final = 8 * 1024 * 1024
# How many entries one page of a paged search may have: Windows gives no more than MaxPageSize, which is 1,000.
_PAGE_ENTRIES: Final = 1000

_GUID_OCTETS: Final = 16
_EXTENDED: Final = re.compile(r"<GUID=([0-9a-f]{32})>;(?:<SID=[0-9a-f]*>;)?([^<].*)", re.IGNORECASE | re.DOTALL)
_TOMBSTONE: Final = re.compile(r"[^,]*\\0ADEL:", re.IGNORECASE)


# DNs, those in link values included, come as `<GUID=hex>;<SID=hex>;DN`; without a value the numbers are in hex.
EXTENDED_DN: Final = Control(_EXTENDED_DN)
# Tombstones are found as well (MS-ADTS section 3.1.1.3.4.1.14).
SHOW_DELETED: Final = Control(_SHOW_DELETED)
# The search has no end: it tells of each change from now on (MS-ADTS section 3.1.1.3.4.1.9).
NOTIFICATION: Final = Control(_NOTIFICATION)


class Part(IntFlag):
    """The parts of a security descriptor (MS-ADTS section 3.1.1.3.4.1.11), as sDRightsEffective numbers them too."""

    OWNER = 1
    DACL = 4


def of_descriptor(part: Part) -> Control:
    """Security descriptors are read, or written, in this part alone."""
    return Control(_SD_FLAGS, ber.sequence(ber.integer(part)))


def dirsync(flags: int, cookie: bytes) -> Control:
    """The request control (MS-ADTS section 3.1.1.3.4.1.3).

    Args:
        flags: 32 bits. They go out as a signed number: Windows refuses the five octets of 0x80000000 as positive.
        cookie: of the last answer; empty for everything.
    """
    signed = flags - 2 * _SIGN if flags & _SIGN else flags
    value = ber.sequence(ber.integer(signed), ber.integer(_PAGE_OCTETS), ber.octet_string(cookie))
    return Control(DIRSYNC, value)


@dataclass(frozen=True, slots=True)
class DirSyncAnswer:
    """The response control's value.

    Attributes:
        more: there is another page to ask for, with this cookie.
        cookie: stands for all that has been sent.
    """

    more: bool
    cookie: bytes


def read_dirsync(value: bytes) -> DirSyncAnswer:
    """The value of the response control (MS-ADTS section 3.1.1.3.4.1.3).

    Raises:
        MalformedAnswer: these octets are none.
    """
    outer = ber.Reader(value)
    fields = outer.sequence()
    outer.end()
    more = fields.integer()
    fields.integer()
    cookie = fields.octet_string()
    fields.end()
    return DirSyncAnswer(more != 0, cookie)


def paged(cookie: bytes) -> Control:
    """The request control of a search in pages (RFC 2696 section 2).

    Args:
        cookie: of the last page; empty for the first.
    """
    return Control(PAGED, ber.sequence(ber.integer(_PAGE_ENTRIES), ber.octet_string(cookie)))


def read_paged(value: bytes) -> bytes:
    """The cookie for the next page; empty when there is none (RFC 2696 section 2).

    Raises:
        MalformedAnswer: these octets are no value of the response control.
    """
    outer = ber.Reader(value)
    fields = outer.sequence()
    outer.end()
    fields.integer()
    cookie = fields.octet_string()
    fields.end()
    return cookie


class ExtendedDn(NamedTuple):
    """An entry's id and DN.

    Attributes:
        id: its objectGUID.
        dn: its DN.
    """

    id: EntryId
    dn: str

    @property
    def deleted(self) -> bool:
        r"""Whether it is a tombstone, `CN=name\0ADEL:guid,CN=Deleted Objects,...` (MS-ADTS section 3.1.1.5.5.1.1)."""
        return "\\0" in self.dn and _TOMBSTONE.match(self.dn) is not None


def read_extended_dn(text: str) -> ExtendedDn:
    """An extended DN in the form with hex numbers (MS-ADTS section 3.1.1.3.4.1.5).

    Raises:
        MalformedAnswer: the text is none.
    """
    match = _EXTENDED.fullmatch(text)
    if match is None:
        raise MalformedAnswer(f"{text[:200]!r} is no extended DN")
    return ExtendedDn(entry_id(bytes.fromhex(match[1])), match[2])


def entry_id(guid: bytes) -> EntryId:
    """An objectGUID, whose first three numbers are little-endian (MS-DTYP section 2.3.4.2), in RFC 4122 order.

    Raises:
        MalformedAnswer: these are not 16 octets.
    """
    if len(guid) != _GUID_OCTETS:
        raise MalformedAnswer(f"a GUID has {len(guid)} octets")
    return guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]


def guid_dn(entry: EntryId) -> str:
    """The DN by which an entry is found whatever it is called: `<GUID=...>` (MS-ADTS section 3.1.1.3.1.2.4)."""
    return f"<GUID={uuid.UUID(bytes=entry)}>"
