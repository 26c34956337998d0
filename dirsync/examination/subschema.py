"""The schema as a server publishes it (RFC 4512 section 4.2), and what it lacks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dirsync.wire.search import Dialogue, Search
from schema.attributes import ATTRIBUTES, CLASSES
from schema.errors import Fault

_HEAD: Final = re.compile(r"\(\s*([0-9A-Za-z.-]+)\s.*?\bNAME\s+(?:'([^']*)'|\(([^)]*)\))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Published:
    """What is defined: names in lower case -> OID.

    Attributes:
        types: attribute types.
        classes: object classes.
    """

    types: Mapping[str, str]
    classes: Mapping[str, str]


def read_subschema(dn: str) -> Dialogue[Published]:
    """Read the schema.

    Args:
        dn: of the entry that the rootDSE names as subschemaSubentry.

    Raises:
        DirectoryUnavailable: the server does not answer.
        DirectoryRefused: the account may not read it.
    """
    page = yield Search(dn, ("attributeTypes", "objectClasses"))
    found = {name.lower(): values for _, attributes in page.entries for name, values in attributes.items()}
    return Published(_defined(found.get("attributetypes", ())), _defined(found.get("objectclasses", ())))


def lacking(published: Published) -> Fault | None:
    """What of ours the schema lacks, or has under another OID; None when it has all of it.

    It may lack more than what it shows: `dirfactor schema plan` compares everything.
    """
    ours = [(item.name, item.oid, published.types) for item in ATTRIBUTES]
    ours += [(item.name, item.oid, published.classes) for item in CLASSES]
    missing = [name for name, _, there in ours if name.lower() not in there]
    foreign = [name for name, oid, there in ours if there.get(name.lower(), oid) != oid]
    if foreign:
        return Fault(
            f"the directory means something else by {_some(foreign)}: their OIDs are not ours",
            remedy="see `dirfactor schema plan` for what stands in the way",
        )
    if len(missing) == len(ours):
        return Fault(
            "the directory has nothing of our schema",
            remedy="`dirfactor schema plan` shows what is to be added and `dirfactor schema apply` adds it; "
            "for a trial without it, write a [map] section",
        )
    if missing:
        return Fault(
            f"the directory's schema is older than this version: it lacks {_some(missing)}",
            remedy="`dirfactor schema plan` shows what is to be added and `dirfactor schema apply` adds it",
        )
    return None


def unknown(names: Iterable[str], published: Published) -> tuple[str, ...]:
    """Those of the names that are no attribute types of the directory."""
    return tuple(name for name in names if name.lower() not in published.types)


def _defined(definitions: Iterable[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for definition in definitions:
        match = _HEAD.match(definition.decode(errors="replace"))
        if match:
            oid, one, several = match.groups()
            names = [one] if one is not None else re.findall(r"'([^']*)'", several)
            found |= {name.lower(): oid for name in names}
    return found


def _some(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
