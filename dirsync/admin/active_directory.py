"""What an Active Directory's schema lacks of ours: compared object by object, before anything is written. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dirsync.admin.found import Found
from dirsync.admin.plan import Change, Conflict, Plan, Step, common_name, octets, shown
from schema.active_directory import FIXED, Add, Extend, Record, Reload, Value
from schema.dn import fold

# May be changed at any time.
_CHANGEABLE = (
    "searchFlags",
    "rangeLower",
    "rangeUpper",
    "attributeSecurityGUID",
    "adminDisplayName",
    "adminDescription",
    "showInAdvancedViewOnly",
    "defaultSecurityDescriptor",
    "defaultHidingValue",
    "displayName",
    "validAccesses",
)
# Grow only: what an administrator or another product has put there stays.
_LISTS = ("mayContain", "possSuperiors", "appliesTo")
# No two objects may share one; each with the words for it.
_IDENTITIES = {
    "attributeID": "OID",
    "governsID": "OID",
    "lDAPDisplayName": "name",
    "schemaIDGUID": "GUID",
    "rightsGuid": "GUID",
}
_OCTETS = {"schemaIDGUID", "oMObjectClass"}

# What `make_plan` must be shown of each object.
ATTRIBUTES_READ = (*FIXED, *_CHANGEABLE, *_LISTS, "auxiliaryClass", "isDefunct", "linkID")


def make_plan(forest_root: str, wanted: Iterable[Record], existing: Iterable[Found]) -> Plan:
    """The plan for a forest.

    Args:
        forest_root: DN of the forest root domain.
        wanted: the schema, with the DNs of this forest.
        existing: every attributeSchema, classSchema and controlAccessRight object of the forest, with
            `ATTRIBUTES_READ` of each.
    """
    objects = _Objects.of(existing)
    steps: list[Step] = []
    conflicts: list[Conflict] = []
    for record in wanted:
        if isinstance(record, Reload):
            # also before the first change: whoever came before us may have been interrupted in front of it
            steps += [record] if not steps or not isinstance(steps[-1], Reload) else []
            continue
        found = objects.by_dn.get(fold(record.dn))
        if isinstance(record, Extend):
            steps += _extension(record.dn, record.attribute, record.values, found)
        elif found is None:
            conflicts += _rivals(record, None, objects)
            steps.append(record)
        else:
            conflicts += _rivals(record, found, objects)
            conflicts += _differences_for_ever(record, found)
            steps += _differences(record, found)
    plan = Plan(forest_root, tuple(steps), tuple(conflicts))
    return plan if plan.changes else Plan(forest_root, (), plan.conflicts)


@dataclass(slots=True)
class _Objects:
    """The directory's objects by their DNs, and by what no two of them may share."""

    by_dn: dict[str, Found] = field(default_factory=dict)
    by_identity: dict[tuple[str, bytes], Found] = field(default_factory=dict)

    @classmethod
    def of(cls, existing: Iterable[Found]) -> "_Objects":
        objects = cls()
        for found in existing:
            objects.by_dn[fold(found.dn)] = found
            for attribute, kind in _IDENTITIES.items():
                for value in _values(found, attribute):
                    objects.by_identity[kind, _folded(attribute, value)] = found
        return objects


def _rivals(record: Add, found: Found | None, objects: _Objects) -> Iterator[Conflict]:
    for attribute, values in record.attributes:
        kind = _IDENTITIES.get(attribute)
        if kind is None:
            continue
        for value in map(octets, values):
            holder = objects.by_identity.get((kind, _folded(attribute, value)))
            if holder is not None and holder is not found:
                problem = f"its {kind} {shown(attribute, [value])} is taken by {holder.dn}"
                yield Conflict(common_name(record.dn), problem)


def _differences_for_ever(record: Add, found: Found) -> Iterator[Conflict]:
    name = common_name(record.dn)
    ours = dict(record.attributes)
    for attribute in FIXED:
        here = tuple(map(octets, ours.get(attribute, ())))
        there = _values(found, attribute)
        if here and {_folded(attribute, value) for value in here} != {_folded(attribute, value) for value in there}:
            yield Conflict(name, f"its {attribute} is {shown(attribute, there)}, not {shown(attribute, here)}")
    if found.text("isDefunct") == "TRUE":
        yield Conflict(name, "it has been switched off (isDefunct)")
    if "linkID" in ours and not found.text("linkID"):
        yield Conflict(name, "it is no link: it has no linkID")


def _differences(record: Add, found: Found) -> Iterator[Step]:
    ours = dict(record.attributes)
    for attribute in _CHANGEABLE:
        after = tuple(map(octets, ours.get(attribute, ())))
        before = _values(found, attribute)
        if after and before != after:
            yield Change(record.dn, attribute, before, after)
    for attribute in _LISTS:
        yield from _extension(record.dn, attribute, ours.get(attribute, ()), found)


def _extension(dn: str, attribute: str, values: Iterable[Value], found: Found | None) -> Iterator[Extend]:
    have = {value.lower() for value in _values(found, attribute)} if found else set()
    missing = tuple(value for value in values if octets(value).lower() not in have)
    if missing:
        yield Extend(dn, attribute, missing)


def _values(found: Found, attribute: str) -> tuple[bytes, ...]:
    return found.attributes.get(attribute.lower(), ())


def _folded(attribute: str, value: bytes) -> bytes:
    """The form in which values are compared: names and numbers as text without case, octets as they are."""
    return value if attribute in _OCTETS else value.lower()
