"""Compares schema definitions of RFC 4512 with those that a server has: what lacks, differs or is in the way. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dirsync.admin.found import Found
from dirsync.admin.plan import Conflict

_ORDER = re.compile(r"^\{\d+\}")
_DEFINITION = re.compile(r"\( *(?P<oid>[^ ]+) .*?NAME (?:'(?P<one>[^']+)'|\( *'(?P<first>[^']+)')")
_MAY = re.compile(r" MAY (?:\((?P<several>[^)]*)\)|(?P<one>[^ ]+))")
# What a newer version may have otherwise; the rest decides how values are stored and what entries must have.
_CHANGEABLE = re.compile(rf" DESC '[^']*'|\{{\d+\}}|{_MAY.pattern}")


@dataclass(frozen=True, slots=True)
class Definition:
    """An attribute type or object class as an entry of the schema has it.

    Attributes:
        dn: the entry.
        attribute: the attribute that holds it, such as olcAttributeTypes.
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """What becomes of our definitions.

    Attributes:
        missing: those that the server has not.
        other: those that it has with other words, lengths or optional attributes, each with the server's.
        conflicts: those that cannot be had beside what is there.
    """

    missing: tuple[Definition, ...]
    other: tuple[tuple[Definition, Definition], ...]
    conflicts: tuple[Conflict, ...]


def read(found: Found, attributes: Iterable[str], macros: Mapping[str, str]) -> Iterator[Definition]:
    """The definitions in an entry of the schema.

    Args:
        found: the entry.
        attributes: which of its attributes hold definitions.
        macros: names in lower case -> the OIDs they stand for, in numbers or by another name.
    """
    for attribute in attributes:
        for value in found.attributes.get(attribute.lower(), ()):
            text = plain(value)
            match = _DEFINITION.match(text)
            if match:
                oid = _number(match["oid"], macros)
                numbered = f"( {oid}{text[match.end('oid') :]}"
                yield Definition(found.dn, attribute, value, numbered, oid, match["one"] or match["first"])


def compare(ours: Iterable[Definition], there: Iterable[Definition]) -> Comparison:
    """What the server's definitions mean for ours; both with texts that can be compared."""
    identities = {key: definition for definition in there for key in _keys(definition)}
    missing: list[Definition] = []
    other: list[tuple[Definition, Definition]] = []
    conflicts: list[Conflict] = []
    for definition in ours:
        holders = [identities[key] for key in _keys(definition) if key in identities]
        problem = next(filter(None, (_problem(definition, holder) for holder in holders)), None)
        if problem:
            conflicts.append(Conflict(definition.name, problem))
        elif not holders:
            missing.append(definition)
        elif holders[0].text != definition.text:
            other.append((definition, holders[0]))
    return Comparison(tuple(missing), tuple(other), tuple(conflicts))


def place(value: bytes) -> str:
    """The place in the order that OpenLDAP writes in front of a value, such as `{3}`; else nothing."""
    match = _ORDER.match(value.decode(errors="replace"))
    return match[0] if match else ""


def plain(value: bytes) -> str:
    """A definition on one line with single spaces, without its place in the order."""
    return " ".join(_ORDER.sub("", value.decode(errors="replace")).split())


def _keys(definition: Definition) -> tuple[str, str]:
    return definition.oid, definition.name.lower()


def _problem(ours: Definition, holder: Definition) -> str | None:
    if holder.dn != ours.dn or holder.attribute != ours.attribute:
        return f"{holder.name} with OID {holder.oid} stands in {holder.dn}"
    if _keys(holder) != _keys(ours):
        return f"{holder.name} has OID {holder.oid}, {ours.name} would have {ours.oid}"
    if _CHANGEABLE.sub("", holder.text) != _CHANGEABLE.sub("", ours.text):
        return f"it is another in what cannot be changed: {holder.text}"
    if lost := _may(holder.text) - _may(ours.text):
        return f"it also allows {', '.join(sorted(lost))}: is a newer schema loaded?"
    return None


def _number(oid: str, macros: Mapping[str, str]) -> str:
    """An OID in numbers; macros build on each other: `dirfactorClass:2` is `dirfactor:2:2`."""
    name, colon, rest = oid.partition(":")
    base = macros.get(name.lower())
    if base is None:
        return oid
    return _number(base, macros) + (f".{rest}" if colon else "")


def _may(text: str) -> set[str]:
    match = _MAY.search(text)
    names = (match["several"] or match["one"]) if match else ""
    return {name.strip().lower() for name in names.split("$") if name.strip()}
