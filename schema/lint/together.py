"""What only all objects of a file together can break: what no two may share, pairs of links, property sets."""

import uuid
from collections.abc import Iterator, Sequence

from schema.active_directory import LINK_ID_ON_REQUEST
from schema.dn import fold
from schema.lint.changes import Addition, Value
from schema.lint.rules import Finding, Rule

# No two objects may have the same; attributes and classes share one space of each.
_IDENTITIES = {
    "lDAPDisplayName": "name",
    "attributeID": "OID",
    "governsID": "OID",
    "schemaIDGUID": "GUID",
    "rightsGuid": "GUID of rights",
}


def findings(items: Sequence[Addition]) -> Iterator[Finding]:
    """What is wrong between the objects of a file."""
    yield from _shared(items)
    yield from _links(items)
    yield from _property_sets(items)


def _shared(items: Sequence[Addition]) -> Iterator[Finding]:
    holders: dict[tuple[str, bytes], int] = {}
    for item in items:
        identities = [("DN", item.line, fold(item.dn).encode())]
        for attribute, kind in _IDENTITIES.items():
            identities += [(kind, value.line, _folded(attribute, value)) for value in item.values(attribute)]
        for kind, line, identity in identities:
            if (kind, identity) in holders:
                yield Finding(line, Rule.UNIQUE, f"its {kind} is that of line {holders[kind, identity]}")
            holders.setdefault((kind, identity), line)


def _folded(attribute: str, value: Value) -> bytes:
    return value.octets if attribute == "schemaIDGUID" else value.octets.lower()


def _links(items: Sequence[Addition]) -> Iterator[Finding]:
    forward = {item.text("attributeID") for item in items if item.text("linkID") == LINK_ID_ON_REQUEST}
    taken: set[str] = set()
    for item in items:
        link = item.text("linkID")
        if not link or link == LINK_ID_ON_REQUEST or link.isdigit():
            continue
        if link not in forward:
            yield Finding(item.line_of("linkID"), Rule.LINK, f"linkID {link} is no forward link's attributeID")
        elif link in taken:
            yield Finding(item.line_of("linkID"), Rule.LINK, f"{link} has two back links")
        taken.add(link)


def _property_sets(items: Sequence[Addition]) -> Iterator[Finding]:
    sets: set[bytes] = set()
    for item in items:
        if not item.is_a("controlAccessRight"):
            continue
        for name in ("rightsGuid", "appliesTo"):
            for value in item.values(name):
                guid = _guid(value.text)
                if guid is None:
                    yield Finding(value.line, Rule.PROPERTY_SET, f"{name} is {value.text}")
                elif name == "rightsGuid":
                    sets.add(guid.bytes_le)
    for item in items:
        for value in item.values("attributeSecurityGUID"):
            if value.octets not in sets:
                yield Finding(value.line, Rule.PROPERTY_SET, f"{value.octets.hex()} is no property set of this file")


def _guid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
