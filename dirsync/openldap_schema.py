"""What an OpenLDAP server's schema lacks of ours: compared definition by definition under cn=config. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dirsync.found import Found
from dirsync.schema_plan import Change, Conflict, Plan, Step
from schema.active_directory import Add, Extend
from schema.attributes import ARC
from schema.openldap import NAME, Definitions

# Where the schema entries stand, and what `make_plan` must be shown of each.
BASE = "cn=schema,cn=config"
ATTRIBUTES_READ = ("olcObjectIdentifier", "olcAttributeTypes", "olcObjectClasses")

_ORDER = re.compile(r"^\{\d+\}")
_DEFINITION = re.compile(r"\( *(?P<oid>[^ ]+) .*?NAME (?:'(?P<one>[^']+)'|\( *'(?P<first>[^']+)')")
_MAY = re.compile(r" MAY (?:\((?P<several>[^)]*)\)|(?P<one>[^ ]+))")
# The parts of an attribute type that may be another in a newer version: the rest decides how values are stored.
_CHANGEABLE = re.compile(r" DESC '[^']*'|\{\d+\}")


@dataclass(frozen=True, slots=True)
class _Definition:
    """An attribute type or object class as an entry of the schema has it.

    Attributes:
        dn: the entry.
        attribute: olcAttributeTypes or olcObjectClasses.
        value: its value there.
        text: the same, without its place in the order, with single spaces.
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
        holders = {identities.get(definition.oid), identities.get(definition.name.lower())}
        if holders == {None}:
            missing[definition.attribute].append(definition.text)
            continue
        problem = _problem(definition, holders)
        if problem:
            conflicts.append(Conflict(definition.name, problem))
        else:
            changes += _change(definition, next(holder for holder in holders if holder))
    if ours is None:
        attributes = (("olcObjectIdentifier", wanted.identifiers), *((key, tuple(missing[key])) for key in missing))
        steps: tuple[Step, ...] = (
            Add(target.dn, (("objectClass", ("olcSchemaConfig",)), ("cn", (NAME,)), *attributes)),
        )
    else:
        # attribute types before the classes that name them
        new = {key: Extend(target.dn, key, tuple(values)) for key, values in missing.items() if values}
        types = [step for step in new.values() if step.attribute == "olcAttributeTypes"]
        classes = [step for step in new.values() if step.attribute == "olcObjectClasses"]
        steps = (*_macro_steps(target, wanted), *types, *changes, *classes)
    return Plan("cn=config", steps, tuple(conflicts))


def _problem(ours: _Definition, holders: Iterable[_Definition | None]) -> str | None:
    for holder in holders:
        if holder is None:
            continue
        if holder.dn != ours.dn or holder.attribute != ours.attribute:
            return f"{holder.name} with OID {holder.oid} stands in {holder.dn}"
        if (holder.oid, holder.name.lower()) != (ours.oid, ours.name.lower()):
            return f"{holder.name} has OID {holder.oid}, {ours.name} would have {ours.oid}"
        if ours.attribute == "olcAttributeTypes" and _CHANGEABLE.sub("", holder.text) != _CHANGEABLE.sub("", ours.text):
            return f"it stores values otherwise: {holder.text}"
        if lost := _may(holder.text) - _may(ours.text):
            return f"it also allows {', '.join(sorted(lost))}: is a newer schema loaded?"
    return None


def _change(ours: _Definition, there: _Definition) -> Iterator[Change]:
    if ours.text != there.text:
        place = _ORDER.match(there.value.decode())
        after = (place[0] if place else "") + ours.text
        yield Change(ours.dn, ours.attribute, (there.value,), (after.encode(),))


def _macro_steps(target: Found, wanted: Definitions) -> Iterator[Extend]:
    have = {_plain(value) for value in target.attributes.get("olcobjectidentifier", ())}
    missing = tuple(macro for macro in wanted.identifiers if macro not in have)
    if missing:
        yield Extend(target.dn, "olcObjectIdentifier", missing)


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
                yield _Definition(found.dn, attribute, value, text, oid, match["one"] or match["first"])


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
