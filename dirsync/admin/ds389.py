"""What a 389 Directory Server's schema lacks of ours: compared definition by definition in cn=schema. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace

from dirsync.admin.definitions import Definition, compare, plain, read
from dirsync.admin.found import Found
from dirsync.admin.plan import Plan, Redefine, Step
from schema.active_directory import Extend
from schema.rfc4512 import Definitions

# The one entry that has all of the server's schema, and what `make_plan` must be shown of it.
BASE = "cn=schema"
ATTRIBUTES_READ = ("attributeTypes", "objectClasses")
# What a rootDSE says as its vendorName (RFC 3045).
VENDOR = "389 Project"

# The server keeps no lengths, and writes down where a definition came from.
_NOT_COMPARED = re.compile(r"\{\d+\}| X-ORIGIN (?:'[^']*'|\([^)]*\))")


def make_plan(wanted: Definitions, existing: Found) -> Plan:
    """The plan for a server.

    Args:
        wanted: our schema.
        existing: the entry `BASE`, with `ATTRIBUTES_READ`.
    """
    values = zip(ATTRIBUTES_READ, (wanted.attribute_types, wanted.object_classes), strict=True)
    ours = Found(BASE, {name.lower(): tuple(item.encode() for item in items) for name, items in values})
    comparison = compare(_comparable(ours), _comparable(replace(existing, dn=BASE)))
    steps: list[Step] = []
    for kind in ATTRIBUTES_READ:  # attribute types before the classes that name them
        missing = tuple(plain(item.value) for item in comparison.missing if item.attribute == kind)
        steps += [Extend(BASE, kind, missing)] if missing else []
        steps += [_redefinition(*pair) for pair in comparison.other if pair[0].attribute == kind]
    return Plan(BASE, tuple(steps), comparison.conflicts)


def _comparable(found: Found) -> Iterator[Definition]:
    for definition in read(found, ATTRIBUTES_READ, {}):
        yield replace(definition, text=_NOT_COMPARED.sub("", definition.text))


def _redefinition(ours: Definition, there: Definition) -> Redefine:
    return Redefine(BASE, ours.attribute, there.value, plain(ours.value).encode())
