"""What an Active Directory's schema still lacks: the steps that lead to ours, or why nothing may be written. Pure."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dirsync.found import Found
from schema.active_directory import Add, Extend, Record, Reload, Value
from schema.dn import fold, split

# Never to be changed once they are there (MS-ADTS 3.1.1.3.1.1.2); Samba would let some of it pass.
_FIXED = (
    "attributeID",
    "governsID",
    "lDAPDisplayName",
    "schemaIDGUID",
    "attributeSyntax",
    "oMSyntax",
    "oMObjectClass",
    "isSingleValued",
    "objectClassCategory",
    "subClassOf",
    "rDNAttID",
    "rightsGuid",
)
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
    "attributeid": "OID",
    "governsid": "OID",
    "ldapdisplayname": "name",
    "schemaidguid": "GUID",
    "rightsguid": "GUID",
}
_OCTETS = {"schemaidguid", "attributesecurityguid", "omobjectclass"}
# What must be read of each object for a plan.
ATTRIBUTES_READ = (*_FIXED, *_CHANGEABLE, *_LISTS, "auxiliaryClass", "isDefunct", "linkID")


@dataclass(frozen=True, slots=True)
class Change:
    """Replaces the value of an attribute that may be changed.

    Attributes:
        dn: the object's DN.
        attribute: the attribute.
        before: its values now.
        after: its values then.
    """

    dn: str
    attribute: str
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


Step = Add | Extend | Change | Reload


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something in the directory that ours cannot live with, and that cannot be changed.

    Attributes:
        name: the name of ours.
        problem: what stands against it.
    """

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a directory's schema becomes ours.

    Attributes:
        forest_root: DN of the forest root domain.
        steps: what to write, in this order.
        conflicts: what stands against it; nothing is written while there is any.
    """

    forest_root: str
    steps: tuple[Step, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the directory has all of the schema."""
        return not self.steps and not self.conflicts


def make_plan(forest_root: str, wanted: Iterable[Record], existing: Iterable[Found]) -> Plan:
    """The plan for a directory.

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
            # worth the time only when something has changed since the last one
            steps += [record] if steps and not isinstance(steps[-1], Reload) else []
        elif isinstance(record, Extend):
            found = objects.by_dn.get(fold(record.dn))
            steps += _extension(record.dn, record.attribute, record.values, found)
        else:
            found = objects.by_dn.get(fold(record.dn))
            conflicts += _conflicts(record, found, objects)
            steps += [record] if found is None else _differences(record, found)
    return Plan(forest_root, tuple(steps), tuple(conflicts))


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
                for value in found.attributes.get(attribute, ()):
                    objects.by_identity[kind, _folded(attribute, value)] = found
        return objects


def _conflicts(record: Add, found: Found | None, objects: _Objects) -> Iterator[Conflict]:
    name = common_name(record.dn)
    for attribute, values in record.attributes:
        kind = _IDENTITIES.get(attribute.lower())
        for value in values if kind else ():
            holder = objects.by_identity.get((kind or "", _folded(attribute, _octets(value))))
            if holder is not None and holder is not found:
                yield Conflict(name, f"its {kind} {_shown(attribute, _octets(value))} is taken by {holder.dn}")
    if found is None:
        return
    ours = dict(record.attributes)
    for attribute in _FIXED:
        here = tuple(_octets(value) for value in ours.get(attribute, ()))
        there = found.attributes.get(attribute.lower(), ())
        if here and {_folded(attribute, value) for value in here} != {_folded(attribute, value) for value in there}:
            yield Conflict(name, f"its {attribute} is {_list(attribute, there)}, not {_list(attribute, here)}")
    if found.text("isDefunct") == "TRUE":
        yield Conflict(name, "it has been switched off (isDefunct)")
    if "linkID" in ours and not found.text("linkID"):
        yield Conflict(name, "it has no linkID")


def _differences(record: Add, found: Found) -> Iterator[Step]:
    ours = dict(record.attributes)
    for attribute in _CHANGEABLE:
        after = tuple(_octets(value) for value in ours.get(attribute, ()))
        before = found.attributes.get(attribute.lower(), ())
        if after and before != after:
            yield Change(record.dn, attribute, before, after)
    for attribute in _LISTS:
        yield from _extension(record.dn, attribute, ours.get(attribute, ()), found)


def _extension(dn: str, attribute: str, values: Iterable[Value], found: Found | None) -> Iterator[Extend]:
    there = found.attributes.get(attribute.lower(), ()) if found else ()
    have = {value.lower() for value in there}
    missing = tuple(value for value in values if _octets(value).lower() not in have)
    if missing:
        yield Extend(dn, attribute, missing)


def render(plan: Plan) -> str:
    """The plan for a person to read: a line for each change, conflicts first, then a sum; no newline at the end."""
    lines = [f"! {conflict.name}: {conflict.problem}" for conflict in plan.conflicts]
    lines += [describe(step) for step in plan.steps if not isinstance(step, Reload)]
    if plan.conflicts:
        return "\n".join([*lines, f"{len(plan.conflicts)} conflicts: nothing can be written to {plan.forest_root}"])
    if not lines:
        return f"nothing to do: {plan.forest_root} has all of the schema"
    return "\n".join([*lines, f"{len(lines)} changes to the schema of {plan.forest_root}; they cannot be undone"])


def describe(step: Step) -> str:
    """A step in one line: `+` adds an object, `>` adds values to one, `~` changes one."""
    if isinstance(step, Reload):
        return "  reload the schema"
    name = common_name(step.dn)
    if isinstance(step, Add):
        kind, oid = _kind(step)
        return f"+ {kind} {name} {oid}"
    if isinstance(step, Extend):
        return f"> {name}: {step.attribute} gets {_list(step.attribute, map(_octets, step.values))}"
    before = _list(step.attribute, step.before)
    return f"~ {name}: {step.attribute} {before} becomes {_list(step.attribute, step.after)}"


def common_name(dn: str) -> str:
    """What stands behind `CN=` in a DN's first RDN."""
    return split(dn)[0].partition("=")[2]


def object_class(step: Add) -> str:
    """The class of the object that a step adds."""
    return str(dict(step.attributes)["objectClass"][0])


def _kind(step: Add) -> tuple[str, str]:
    ours = dict(step.attributes)
    for kind, identity in (("attribute", "attributeID"), ("class", "governsID"), ("property set", "rightsGuid")):
        if identity in ours:
            return kind, str(ours[identity][0])
    return object_class(step), ""


def _octets(value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _folded(attribute: str, value: bytes) -> bytes:
    """The form in which values are compared: names and numbers as text without case, octets as they are."""
    return value if attribute.lower() in _OCTETS else value.lower()


def _shown(attribute: str, value: bytes) -> str:
    if attribute.lower() not in _OCTETS:
        return value.decode(errors="backslashreplace")
    return str(uuid.UUID(bytes_le=value)) if len(value) == 16 else value.hex()  # noqa: PLR2004 - a GUID's octets


def _list(attribute: str, values: Iterable[bytes]) -> str:
    return ", ".join(_shown(attribute, value) for value in values) or "(none)"
