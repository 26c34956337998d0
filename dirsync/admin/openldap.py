"""What an OpenLDAP server's schema lacks of ours: compared definition by definition under cn=config. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dirsync.admin.found import Found
from dirsync.admin.plan import Change, Conflict, Plan, Step
from schema.active_directory import Add, Extend
from schema.attributes import ARC
from schema.openldap import NAME
from schema.rfc4512 import Definitions

# Where the schema entries stand, and what `make_plan` must be shown of each.
BASE = "cn=schema,cn=config"
ATTRIBUTES_READ = ("olcObjectIdentifier", "olcAttributeTypes", "olcObjectClasses")

_ORDER = re.compile(r"^\{\d+\}")
_DEFINITION = re.compile(r"\( *(?P<oid>[^ ]+) .*?NAME (?:'(?P<one>[^']+)'|\( *'(?P<first>[^']+)')")
_MAY = re.compile(r" MAY (?:\((?P<several>[^)]*)\)|(?P<one>[^ ]+))")
# What a newer version may have otherwise; the rest decides how values are stored and what entries must have.
_CHANGEABLE = re.compile(rf" DESC '[^']*'|\{{\d+\}}|{_MAY.pattern}")


@dataclass(frozen=True, slots=True)
class _Definition:
    """An attribute type or object class as an entry of the schema has it.

    Attributes:
        dn: the entry.
        attribute: olcAttributeTypes or olcObjectClasses.
        value: its value there.
        text: the same, without its place in the order, with single spaces and its OID in numbers.
        oid: its OID in numbers.
        name: its first name.
    """

    dn: str
    attribute: str
    value: bytes
    text: str
    oid: str
    name: str


def make_plan(wanted: Definitions, existing: Iterable[Found]) -> Plan:
    """The plan for a server.

    Args:
        wanted: our schema.
        existing: the entries below `BASE`, with `ATTRIBUTES_READ` of each.
    """
    entries = tuple(existing)
    macros = dict(_macros(entries)) | dict(_macros([_as_entry("", wanted)]))
    there = [definition for found in entries for definition in _definitions(found, macros)]
    # wherever it was loaded: slaptest names the entry after the file
    home = next((definition.dn for definition in there if definition.oid.startswith(f"{ARC}.")), None)
    ours = next((found for found in entries if found.dn == home), None)
    target = ours or Found(f"cn={NAME},{BASE}", {})
    identities = {key: definition for definition in there for key in (definition.oid, definition.name.lower())}
    conflicts: list[Conflict] = []
    changes: list[Step] = []
    missing: dict[str, list[str]] = {"olcAttributeTypes": [], "olcObjectClasses": []}
    for definition in _definitions(_as_entry(target.dn, wanted), macros):
        keys = (definition.oid, definition.name.lower())
        holders = [identities[key] for key in keys if key in identities]
        problem = next(filter(None, (_problem(definition, holder) for holder in holders)), None)
        if problem:
            conflicts.append(Conflict(definition.name, problem))
        elif holders:
            changes += _change(definition, holders[0])
        else:
            missing[definition.attribute].append(definition.text)
    if ours is None:
        return Plan("cn=config", (_whole(wanted),), tuple(conflicts))
    # attribute types before the classes that name them
    types, classes = (Extend(target.dn, key, tuple(values)) for key, values in missing.items())
    steps = (*([types] if types.values else []), *changes, *([classes] if classes.values else []))
    return Plan("cn=config", steps, tuple(conflicts))


def _whole(wanted: Definitions) -> Add:
    found = _as_entry(f"cn={NAME},{BASE}", wanted)
    values = ((name, tuple(map(_plain, found.attributes[name.lower()]))) for name in ATTRIBUTES_READ)
    return Add(found.dn, (("objectClass", ("olcSchemaConfig",)), ("cn", (NAME,)), *values))


def _problem(ours: _Definition, holder: _Definition) -> str | None:
    if holder.dn != ours.dn or holder.attribute != ours.attribute:
        return f"{holder.name} with OID {holder.oid} stands in {holder.dn}"
    if (holder.oid, holder.name.lower()) != (ours.oid, ours.name.lower()):
        return f"{holder.name} has OID {holder.oid}, {ours.name} would have {ours.oid}"
    if _CHANGEABLE.sub("", holder.text) != _CHANGEABLE.sub("", ours.text):
        return f"it is another in what cannot be changed: {holder.text}"
    if lost := _may(holder.text) - _may(ours.text):
        return f"it also allows {', '.join(sorted(lost))}: is a newer schema loaded?"
    return None


def _change(ours: _Definition, there: _Definition) -> Iterator[Change]:
    if ours.text != there.text:
        place = _ORDER.match(there.value.decode())
        after = (place[0] if place else "") + ours.text
        yield Change(ours.dn, ours.attribute, (there.value,), (after.encode(),))


def _as_entry(dn: str, wanted: Definitions) -> Found:
    values = (wanted.identifiers, wanted.attribute_types, wanted.object_classes)
    rows = zip(ATTRIBUTES_READ, values, strict=True)
    return Found(dn, {name.lower(): tuple(value.encode() for value in items) for name, items in rows})


def _definitions(found: Found, macros: Mapping[str, str]) -> Iterator[_Definition]:
    for attribute in ("olcAttributeTypes", "olcObjectClasses"):
        for value in found.attributes.get(attribute.lower(), ()):
            text = _plain(value)
            match = _DEFINITION.match(text)
            if match:
                oid = _number(match["oid"], macros)
                plain = f"( {oid}{text[match.end('oid') :]}"
                yield _Definition(found.dn, attribute, value, plain, oid, match["one"] or match["first"])


def _macros(entries: Iterable[Found]) -> Iterator[tuple[str, str]]:
    for found in entries:
        for value in found.attributes.get("olcobjectidentifier", ()):
            name, _, oid = _plain(value).partition(" ")
            yield name.lower(), oid


def _number(oid: str, macros: Mapping[str, str]) -> str:
    """An OID in numbers; macros build on each other: `dirfactorClass:2` is `dirfactor:2:2`."""
    name, colon, rest = oid.partition(":")
    base = macros.get(name.lower())
    if base is None:
        return oid
    return _number(base, macros) + (f".{rest}" if colon else "")


def _plain(value: bytes) -> str:
    return " ".join(_ORDER.sub("", value.decode(errors="replace")).split())


def _may(text: str) -> set[str]:
    match = _MAY.search(text)
    names = (match["several"] or match["one"]) if match else ""
    return {name.strip().lower() for name in names.split("$") if name.strip()}
