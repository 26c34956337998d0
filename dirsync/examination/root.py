"""What a server says of itself in its rootDSE: which kind it is, what time it has, where its schema stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dirsync.settings import DirectoryKind
from dirsync.wire.search import Dialogue, Search

_ATTRIBUTES: Final = (
    "objectClass",
    "vendorName",
    "supportedCapabilities",
    "defaultNamingContext",
    "subschemaSubentry",
    "currentTime",
)
_ACTIVE_DIRECTORY: Final = b"1.2.840.113556.1.4.800"  # MS-ADTS section 3.1.1.3.4.3.1
_TIME: Final = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Root:
    """A rootDSE.

    Attributes:
        kind: what the server is; None when it is none that we know.
        title: the server in words, for people.
        context: DN of the domain that it serves (ad).
        subschema: DN of the entry with its schema; empty when it does not say.
        time: what time it has there; None when it does not say.
    """

    kind: DirectoryKind | None
    title: str
    context: str
    subschema: str
    time: datetime | None


def read_root() -> Dialogue[Root]:
    """Ask a server what it is.

    Raises:
        DirectoryUnavailable: it does not answer.
        DirectoryRefused: it does not say.
    """
    page = yield Search("", _ATTRIBUTES)
    found = {name.lower(): tuple(values) for _, attributes in page.entries for name, values in attributes.items()}
    kind = _kind(found)
    vendor = _text(found, "vendorname")
    title = {
        DirectoryKind.AD: f"Active Directory{f' ({vendor})' if vendor else ''}",
        DirectoryKind.OPENLDAP: "OpenLDAP",
        DirectoryKind.DS389: "389 Directory Server",
    }
    return Root(
        kind,
        title[kind] if kind else vendor or "a server that does not say what it is",
        _text(found, "defaultnamingcontext"),
        _text(found, "subschemasubentry"),
        _instant(_text(found, "currenttime")),
    )


def _kind(found: Mapping[str, Iterable[bytes]]) -> DirectoryKind | None:
    if _ACTIVE_DIRECTORY in found.get("supportedcapabilities", ()):
        return DirectoryKind.AD
    if b"389 Project" in found.get("vendorname", ()):
        return DirectoryKind.DS389
    return DirectoryKind.OPENLDAP if b"OpenLDAProotDSE" in found.get("objectclass", ()) else None


def _text(found: Mapping[str, tuple[bytes, ...]], name: str) -> str:
    return found.get(name, (b"",))[0].decode(errors="replace")


def _instant(text: str) -> datetime | None:
    """A GeneralizedTime as AD writes it, `20260102030405.0Z`."""
    try:
        return datetime.strptime(text.partition(".")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
