"""What an OpenLDAP server's schema lacks of ours: compared definition by definition under cn=config. Pure."""

from collections.abc import Iterable, Iterator

from dirsync.admin.definitions import Definition, compare, place, plain, read
from dirsync.admin.found import Found
from dirsync.admin.plan import Change, Plan, Step
from schema.active_directory import Add, Extend
from schema.attributes import ARC
from schema.openldap import NAME
from schema.rfc4512 import Definitions

# Where the schema entries stand, and what `make_plan` must be shown of each.
BASE = "cn=schema,cn=config"
ATTRIBUTES_READ = ("olcObjectIdentifier", "olcAttributeTypes", "olcObjectClasses")

_TYPES, _CLASSES = ATTRIBUTES_READ[1:]


def make_plan(wanted: Definitions, existing: Iterable[Found]) -> Plan:
    """The plan for a server.

    Args:
        wanted: our schema.
        existing: the entries below `BASE`, with `ATTRIBUTES_READ` of each.
    """
    entries = tuple(existing)
    macros = dict(_macros(entries)) | dict(_macros([_as_entry("", wanted)]))
    there = [definition for found in entries for definition in read(found, (_TYPES, _CLASSES), macros)]
    # wherever it was loaded: slaptest names the entry after the file
    home = next((definition.dn for definition in there if definition.oid.startswith(f"{ARC}.")), None)
    ours = next((found for found in entries if found.dn == home), None)
    target = ours or Found(f"cn={NAME},{BASE}", {})
    comparison = compare(read(_as_entry(target.dn, wanted), (_TYPES, _CLASSES), macros), there)
    if ours is None:
        return Plan("cn=config", (_whole(wanted),), comparison.conflicts)
    # attribute types before the classes that name them
    types, classes = (
        Extend(target.dn, kind, tuple(item.text for item in comparison.missing if item.attribute == kind))
        for kind in (_TYPES, _CLASSES)
    )
    changes = [_change(definition, holder) for definition, holder in comparison.other]
    steps: tuple[Step, ...] = (*([types] if types.values else []), *changes, *([classes] if classes.values else []))
    return Plan("cn=config", steps, comparison.conflicts)


def _whole(wanted: Definitions) -> Add:
    found = _as_entry(f"cn={NAME},{BASE}", wanted)
    values = ((name, tuple(map(plain, found.attributes[name.lower()]))) for name in ATTRIBUTES_READ)
    return Add(found.dn, (("objectClass", ("olcSchemaConfig",)), ("cn", (NAME,)), *values))


def _change(ours: Definition, there: Definition) -> Change:
    return Change(ours.dn, ours.attribute, (there.value,), ((place(there.value) + ours.text).encode(),))


def _as_entry(dn: str, wanted: Definitions) -> Found:
    values = (wanted.identifiers, wanted.attribute_types, wanted.object_classes)
    rows = zip(ATTRIBUTES_READ, values, strict=True)
    return Found(dn, {name.lower(): tuple(value.encode() for value in items) for name, items in rows})


def _macros(entries: Iterable[Found]) -> Iterator[tuple[str, str]]:
    for found in entries:
        for value in found.attributes.get("olcobjectidentifier", ()):
            name, _, oid = plain(value).partition(" ")
            yield name.lower(), oid
