"""When an attribute was changed, and at which domain controller: from the metadata of replication."""

import struct
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dirsync.ad.controls import guid_dn
from dirsync.ad.server import only
from dirsync.authorship import Authorship
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Dialogue, Scope, Search, escaped
from schema.dn import parent, split
from schema.entry import EntryId

# Of each attribute, and of each value of a link, made to be read (MS-ADTS section 3.1.1.4.5). Samba has neither.
_XML: Final = ("msds-replattributemetadata", "msds-replvaluemetadata")
# What the first is made of, as it is stored.
_STORED: Final = "replpropertymetadata"
_HEADER: Final = struct.Struct("<IIII")
_STAMP: Final = struct.Struct("<IIQ16sQQ")
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_END_OF_TIME: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH).total_seconds()
_UNSIGNED: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Stamp:
    """One change in the metadata.

    Attributes:
        attribute: name in lower case, or number where only that is stored.
        when: the instant at which it was made.
        invocation: invocationId of the server at which it was made.
        server: DN of that server's settings, if it is given.
    """

    attribute: str | int
    when: datetime
    invocation: uuid.UUID
    server: str = ""


def read_xml(value: bytes) -> Stamp:
    """One value of msDS-ReplAttributeMetaData or msDS-ReplValueMetaData.

    Raises:
        MalformedAnswer: it is none.
    """
    try:
        root = fromstring(value.rstrip(b"\0\n").decode())
        when = datetime.fromisoformat(root.findtext("ftimeLastOriginatingChange", ""))
        name = root.findtext("pszAttributeName", "").lower()
        invocation = uuid.UUID(root.findtext("uuidLastOriginatingDsaInvocationID", ""))
    except (ValueError, ParseError, DefusedXmlException) as error:
        raise MalformedAnswer("metadata of replication is not as specified") from error
    return Stamp(name, when, invocation, root.findtext("pszLastOriginatingDsaDN", ""))


def read_stored(value: bytes) -> tuple[Stamp, ...]:
    """The value of replPropertyMetaData: attributes by their number.

    Raises:
        MalformedAnswer: it is none.
    """
    if len(value) < _HEADER.size:
        raise MalformedAnswer("metadata of replication has no header")
    version, _, count, _ = _HEADER.unpack_from(value)
    if version != 1 or len(value) != _HEADER.size + count * _STAMP.size:
        raise MalformedAnswer(f"metadata of replication of version {version} has {len(value)} octets")
    stamps = (_STAMP.unpack_from(value, _HEADER.size + _STAMP.size * index) for index in range(count))
    return tuple(
        Stamp(number, _EPOCH + timedelta(seconds=seconds), uuid.UUID(bytes_le=invocation))
        for number, _, seconds, invocation, _, _ in stamps
        if seconds < _END_OF_TIME
    )


def changed_when(entry: EntryId, attribute: str) -> Dialogue[Authorship | None]:
    """When an attribute was last changed, and at which domain controller; None when that is not told.

    Active Directory does not record who changed it.

    Args:
        entry: whose attribute.
        attribute: its name.

    Raises:
        MalformedAnswer: the metadata make no sense.
        DirectoryRefused: the entry is not there or cannot be read.
    """
    page = yield Search(guid_dn(entry), (*_XML, _STORED))
    values = only(page, "the entry")[1]
    stamps = [stamp for stamp in _told(values) if stamp.attribute == attribute.lower()]
    if not stamps:
        number = yield from _number(attribute)
        stamps = [stamp for stamp in _stored(values) if stamp.attribute == number]
    if not stamps:
        return None
    last = max(stamps, key=lambda stamp: stamp.when)
    server = last.server or (yield from _settings_of(last.invocation))
    return Authorship(None, last.when, _server_name(server))


def _told(values: Mapping[str, Sequence[bytes]]) -> Iterator[Stamp]:
    """From the attributes that are made to be read; the server may send a part of the values, by range."""
    for name, found in values.items():
        if name.lower().partition(";")[0] in _XML:
            yield from map(read_xml, found)


def _stored(values: Mapping[str, Sequence[bytes]]) -> Iterable[Stamp]:
    found = next((found for name, found in values.items() if name.lower() == _STORED), ())
    return read_stored(found[0]) if found else ()


def _number(attribute: str) -> Dialogue[int | None]:
    """The number under which metadata are stored; None for attributes of Microsoft's own, whose OID is their number."""
    schema = yield from _context("schemaNamingContext")
    where = f"(&(objectClass=attributeSchema)(lDAPDisplayName={escaped(attribute.encode())}))"
    page = yield Search(schema, ("msDS-IntId",), Scope.SUBTREE, where)
    numbers = [int(values["msDS-IntId"][0]) & _UNSIGNED for _, values in page.entries if "msDS-IntId" in values]
    return numbers[0] if numbers else None


def _settings_of(invocation: uuid.UUID) -> Dialogue[str]:
    """DN of the settings of the server with this invocationId; empty when it is known no more."""
    configuration = yield from _context("configurationNamingContext")
    where = f"(&(objectClass=nTDSDSA)(invocationId={escaped(invocation.bytes_le)}))"
    page = yield Search(f"CN=Sites,{configuration}", ("1.1",), Scope.SUBTREE, where)
    return next((dn for dn, _ in page.entries), "")


def _context(name: str) -> Dialogue[str]:
    root = only((yield Search("", (name,))), "the rootDSE")[1]
    return b"".join(root.get(name, ())).decode(errors="replace")


def _server_name(settings: str) -> str | None:
    """`DC1` of `CN=NTDS Settings,CN=DC1,CN=Servers,...`."""
    try:
        return split(parent(settings))[0].partition("=")[2]
    except ValueError:
        return None
