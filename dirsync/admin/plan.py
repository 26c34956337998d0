"""A plan: the steps by which a directory's schema becomes ours, or what stands against it, for people to read."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from schema.active_directory import Add, Extend, Reload
from schema.dn import split

_DEFINITIONS = {"olcAttributeTypes", "olcObjectClasses", "attributeTypes", "objectClasses"}
_GUIDS = {"schemaidguid", "attributesecurityguid"}
_NAME = re.compile(r"NAME \(? *'([^']+)'")


@dataclass(frozen=True, slots=True)
class Change:
    """Puts other values in the place of some of an attribute.

    Attributes:
        dn: the object's DN.
        attribute: the attribute.
        before: the values that go.
        after: the values that come.
    """

    dn: str
    attribute: str
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Redefine:
    """Adds a definition whose OID is there, by which 389 Directory Server puts it in the place of the old one.

    It refuses to delete a definition that is in use or came from a file.

    Attributes:
        dn: the schema's DN.
        attribute: the attribute.
        before: the definition that goes.
        after: the definition that comes.
    """

    dn: str
    attribute: str
    before: bytes
    after: bytes


Step = Add | Extend | Change | Redefine | Reload


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
        target: DN of the forest root domain, or of OpenLDAP's configuration.
        steps: what to write, in this order.
        conflicts: what stands against it; nothing is written while there is any.
    """

    target: str
    steps: tuple[Step, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the directory has all of the schema, as it should be."""
        return not self.steps and not self.conflicts

    @property
    def changes(self) -> tuple[Add | Extend | Change | Redefine, ...]:
        """The steps that change something: all but the reloads."""
        return tuple(step for step in self.steps if not isinstance(step, Reload))


def render(plan: Plan) -> str:
    """The plan for a person to read: a line for each conflict and each change, then a sum; no newline at the end."""
    lines = [f"! {conflict.name}: {conflict.problem}" for conflict in plan.conflicts]
    lines += [describe(step) for step in plan.changes]
    if plan.done:
        lines.append(f"nothing to do: {plan.target} has all of the schema")
    elif plan.conflicts:
        lines.append(f"conflicts: {len(plan.conflicts)}; nothing will be written to {plan.target}")
    else:
        lines.append(f"changes to the schema of {plan.target}: {len(plan.changes)}; what is added cannot be removed")
    return "\n".join(lines)


def describe(step: Step) -> str:
    """A step in one line: `+` adds an object, `>` adds values to one, `~` changes one."""
    if isinstance(step, Reload):
        return "reload the schema"
    name = common_name(step.dn)
    if isinstance(step, Add):
        return f"+ {_summary(step)}"
    if isinstance(step, Extend):
        return f"> {name}: {step.attribute} gets {shown(step.attribute, map(octets, step.values))}"
    after = shown(step.attribute, (step.after,) if isinstance(step, Redefine) else step.after)
    if isinstance(step, Redefine) or step.attribute in _DEFINITIONS:
        return f"~ {name}: {step.attribute} {after} is defined anew"
    before = shown(step.attribute, step.before)
    return f"~ {name}: {step.attribute} {before} becomes {after}"


def common_name(dn: str) -> str:
    """What stands behind `CN=` in a DN's first RDN."""
    return split(dn)[0].partition("=")[2]


def shown(attribute: str, values: Iterable[bytes]) -> str:
    """An attribute's values as a person reads them: GUIDs as such, definitions by their names."""
    return ", ".join(_shown(attribute, value) for value in values) or "(none)"


def octets(value: str | bytes) -> bytes:
    """A value as the directory has it."""
    return value.encode() if isinstance(value, str) else value


def _summary(step: Add) -> str:
    ours = dict(step.attributes)
    for kind, identity in (("attribute", "attributeID"), ("class", "governsID"), ("property set", "rightsGuid")):
        if identity in ours:
            meaning = ours.get("adminDescription", ours.get("displayName", ("",)))[0]
            return f"{kind} {common_name(step.dn)}: {meaning!s} [{ours[identity][0]!s}]"
    parts = [
        f"{name}: {shown(name, map(octets, values))}" for name, values in step.attributes if name.startswith("olc")
    ]
    return "\n    ".join([f"schema {common_name(step.dn)}", *parts])


def _shown(attribute: str, value: bytes) -> str:
    if attribute.lower() in _GUIDS and len(value) == 16:  # noqa: PLR2004 - a GUID's octets
        return str(uuid.UUID(bytes_le=value))
    text = value.decode(errors="backslashreplace")
    definition = _NAME.search(text) if attribute in _DEFINITIONS else None
    return definition[1] if definition else text
