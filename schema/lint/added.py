"""What every object that is added to the schema must have: its name, its number, its GUID, values that can be read."""

import re
from collections.abc import Iterator

from schema.dn import parent, split
from schema.lint.changes import Addition
from schema.lint.rules import Finding, Rule

_NAME = re.compile("[A-Za-z][A-Za-z0-9-]{0,255}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
# What one component may be at most, so that the number fits where a domain controller and its clients keep it.
_LARGEST_COMPONENT = 2**28 - 1
_GUID_LENGTH = 16
_BOOLEANS = (
    "isSingleValued",
    "systemOnly",
    "showInAdvancedViewOnly",
    "defaultHidingValue",
    "isMemberOfPartialAttributeSet",
)
# May have several values; whatever else an object of the schema is described by has one.
_LISTS = {"objectclass", "maycontain", "mustcontain", "auxiliaryclass", "posssuperiors"}
# Written by the domain controller alone (MS-ADTS 3.1.1.5.2.2).
_KEPT_BY_THE_SERVER = {
    "distinguishedname",
    "isdefunct",
    "mapiid",
    "name",
    "objectcategory",
    "objectguid",
    "schemaflagsex",
    "usnchanged",
    "usncreated",
    "whenchanged",
    "whencreated",
}


def findings(item: Addition, oid: str, arc: str) -> Iterator[Finding]:
    """What is wrong with an attributeSchema or classSchema object, whichever of the two it is.

    Args:
        item: the object.
        oid: the attribute that holds its number: attributeID or governsID.
        arc: the arc under which numbers must stand.
    """
    yield from _names(item)
    yield from _number(item, oid, arc)
    yield from _system(item)
    guids = item.values("schemaIDGUID")
    if not guids or len(guids[0].octets) != _GUID_LENGTH or not any(guids[0].octets):
        yield Finding(item.line_of("schemaIDGUID"), Rule.GUID, "it has no schemaIDGUID of 16 octets")
    for name in _BOOLEANS:
        for value in item.values(name):
            if value.text not in {"TRUE", "FALSE"}:
                yield Finding(value.line, Rule.BOOLEAN, f"{name} is {value.text}")
    for name, values in item.attributes.items():
        if len(values) > 1 and name not in _LISTS:
            yield Finding(values[1].line, Rule.REQUIRED, f"{name} has {len(values)} values")


def required(item: Addition, *names: str) -> Iterator[Finding]:
    """The attributes that lack, of those without which the object cannot be made."""
    for name in names:
        if not item.text(name):
            yield Finding(item.line, Rule.REQUIRED, f"{name} is missing")


def _names(item: Addition) -> Iterator[Finding]:
    kind, _, value = split(item.dn)[0].partition("=")
    name = item.text("lDAPDisplayName")
    if not _NAME.fullmatch(name):
        yield Finding(item.line_of("lDAPDisplayName"), Rule.NAME, f"lDAPDisplayName is {name or 'missing'}")
    if kind.lower() != "cn" or (item.values("cn") and item.text("cn") != value):
        yield Finding(item.line_of("cn"), Rule.NAME, f"cn and DN differ: {item.text('cn')}, {kind}={value}")
    if split(parent(item.dn))[0].lower() != "cn=schema":
        yield Finding(item.line, Rule.KIND, "it does not stand in the schema")


def _number(item: Addition, attribute: str, arc: str) -> Iterator[Finding]:
    for value in item.values(attribute)[:1]:
        components = value.text.split(".")
        if (
            not _OID.fullmatch(value.text)
            or max(map(int, components)) > _LARGEST_COMPONENT
            or components[:2] == ["2", "25"]
        ):
            yield Finding(value.line, Rule.OID, f"{attribute} is {value.text}")
        elif not value.text.startswith(f"{arc}."):
            yield Finding(value.line, Rule.OID, f"{attribute} {value.text} is not under {arc}")


def _system(item: Addition) -> Iterator[Finding]:
    for name, values in item.attributes.items():
        if name == "systemonly":
            wrong = values[0].text != "FALSE"
        else:
            wrong = name.startswith("system") or name in _KEPT_BY_THE_SERVER
        if wrong:
            yield Finding(values[0].line, Rule.SYSTEM, f"{name} is set")
