"""The rules of an attribute that is added to the schema (MS-ADTS 3.1.1.2.3)."""

import re
from collections.abc import Iterator

from schema.active_directory import LINK_ID_ON_REQUEST
from schema.lint import added
from schema.lint.changes import Addition
from schema.lint.rules import Finding, Rule

_NUMBER = re.compile("-?[0-9]{1,10}")

# attributeSyntax, oMSyntax and the BER of oMObjectClass, in the order of MS-ADTS 3.1.1.2.2.2.
_SYNTAXES = {
    ("2.5.5.8", "1", ""),  # Boolean
    ("2.5.5.9", "10", ""),  # Enumeration
    ("2.5.5.9", "2", ""),  # Integer
    ("2.5.5.16", "65", ""),  # LargeInteger
    ("2.5.5.14", "127", "2b0c0287731c00853e"),  # Object(Access-Point)
    ("2.5.5.14", "127", "2a864886f7140101010c"),  # Object(DN-String)
    ("2.5.5.7", "127", "56060102050b1d"),  # Object(OR-Name)
    ("2.5.5.7", "127", "2a864886f7140101010b"),  # Object(DN-Binary)
    ("2.5.5.1", "127", "2b0c0287731c00854a"),  # Object(DS-DN)
    ("2.5.5.13", "127", "2b0c0287731c00855c"),  # Object(Presentation-Address)
    ("2.5.5.10", "127", "2a864886f71401010106"),  # Object(Replica-Link)
    ("2.5.5.3", "27", ""),  # String(Case)
    ("2.5.5.5", "22", ""),  # String(IA5)
    ("2.5.5.15", "66", ""),  # String(NT-Sec-Desc)
    ("2.5.5.6", "18", ""),  # String(Numeric)
    ("2.5.5.2", "6", ""),  # String(Object-Identifier)
    ("2.5.5.10", "4", ""),  # String(Octet)
    ("2.5.5.5", "19", ""),  # String(Printable)
    ("2.5.5.17", "4", ""),  # String(Sid)
    ("2.5.5.4", "20", ""),  # String(Teletex)
    ("2.5.5.12", "64", ""),  # String(Unicode)
    ("2.5.5.11", "23", ""),  # String(UTC-Time)
    ("2.5.5.11", "24", ""),  # String(Generalized-Time)
}
_DS_DN = "2.5.5.1"
_WITH_RANGE = {f"2.5.5.{number}" for number in (3, 4, 5, 6, 9, 10, 12, 16)}
_STRINGS = {f"2.5.5.{number}" for number in (4, 5, 12)}

# searchFlags (MS-ADTS 2.2.9)
_INDEX = 0x001
_ANR = 0x004
_KEPT_IN_TOMBSTONE = 0x008
_COPIED = 0x010
_CONFIDENTIAL = 0x080
_ALL_FLAGS = 0x1FFF


def findings(item: Addition, arc: str) -> Iterator[Finding]:
    """What is wrong with an attributeSchema object by itself.

    Args:
        item: the object.
        arc: the arc under which its number must stand.
    """
    yield from added.findings(item, "attributeID", arc)
    yield from added.required(item, "attributeID", "attributeSyntax", "oMSyntax", "isSingleValued")
    yield from _syntax(item)
    yield from _range(item)
    yield from _search_flags(item)
    yield from _link(item)
    if item.text("isMemberOfPartialAttributeSet") == "TRUE":
        line = item.line_of("isMemberOfPartialAttributeSet")
        yield Finding(line, Rule.GLOBAL_CATALOG, "it would be in every global catalog")


def _syntax(item: Addition) -> Iterator[Finding]:
    classes = item.values("oMObjectClass")
    row = (item.text("attributeSyntax"), item.text("oMSyntax"), classes[0].octets.hex() if classes else "")
    if row[0] and row[1] and row not in _SYNTAXES:
        known = f"attributeSyntax {row[0]}, oMSyntax {row[1]}, oMObjectClass {row[2] or '(none)'}"
        yield Finding(item.line_of("attributeSyntax"), Rule.SYNTAX, f"there is no syntax {known}")


def _range(item: Addition) -> Iterator[Finding]:
    bounds: list[int] = []
    for name in ("rangeLower", "rangeUpper"):
        for value in item.values(name)[:1]:
            if not _NUMBER.fullmatch(value.text):
                yield Finding(value.line, Rule.RANGE, f"{name} is {value.text}")
            else:
                bounds.append(int(value.text))
            if item.text("attributeSyntax") not in _WITH_RANGE:
                yield Finding(value.line, Rule.RANGE, f"{name} for values that have no size")
    if bounds != sorted(bounds):
        yield Finding(item.line_of("rangeUpper"), Rule.RANGE, f"rangeLower {bounds[0]} is above rangeUpper {bounds[1]}")


def _search_flags(item: Addition) -> Iterator[Finding]:
    for value in item.values("searchFlags")[:1]:
        flags = int(value.text) if _NUMBER.fullmatch(value.text) else -1
        if flags & ~_ALL_FLAGS:
            yield Finding(value.line, Rule.SEARCH_FLAGS, f"searchFlags is {value.text}")
            continue
        if flags & _ANR and not (flags & _INDEX and item.text("attributeSyntax") in _STRINGS):
            yield Finding(value.line, Rule.SEARCH_FLAGS, f"searchFlags {flags} has ANR without an index of strings")
        if flags & _CONFIDENTIAL and flags & (_KEPT_IN_TOMBSTONE | _COPIED):
            yield Finding(value.line, Rule.CONFIDENTIAL, f"searchFlags {flags} keeps or copies what is confidential")
        if flags & _CONFIDENTIAL and item.text("isMemberOfPartialAttributeSet") == "TRUE":
            yield Finding(value.line, Rule.CONFIDENTIAL, "what is confidential would be in every global catalog")


def _link(item: Addition) -> Iterator[Finding]:
    for value in item.values("linkID")[:1]:
        if item.text("attributeSyntax") != _DS_DN:
            yield Finding(value.line, Rule.LINK, "its values are no DNs")
        if value.text != LINK_ID_ON_REQUEST and item.text("isSingleValued") != "FALSE":
            yield Finding(value.line, Rule.LINK, "a back link has many values")
        if value.text.isdigit():
            yield Finding(value.line, Rule.LINK, f"linkID {value.text} may be taken in another forest")
