"""The attributes of an entry after a modification, as a directory would have them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from dirsync.change import LinkKind
from dirsync.ldif.changes import Modification, Operation
from schema.attributes import BY_NAME
from schema.parse import ACCOUNT_ATTRIBUTES, ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES
from schema.syntax import Syntax

LINKS: Final[Mapping[str, LinkKind]] = {
    "member": LinkKind.MEMBER,
    "uniquemember": LinkKind.MEMBER,
    "memberuid": LinkKind.MEMBER,
    "dirfactorpolicy": LinkKind.POLICY,
    "dirfactormember": LinkKind.NODE_MEMBER,
}


class Impossible(ValueError):
    """A directory would refuse the modification; the text says why."""


def kept_attributes(further: Iterable[str]) -> frozenset[str]:
    """Names in lower case of what the replica keeps of an entry, links excepted.

    Args:
        further: attributes that config.ini names.
    """
    ours = (name for name, attribute in BY_NAME.items() if attribute.syntax is not Syntax.DN)
    names = (*DIRECTORY_ATTRIBUTES, *ACCOUNT_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *ours, *further)
    return frozenset(name.lower() for name in names)


def modified(held: tuple[bytes, ...], change: Modification) -> tuple[bytes, ...]:
    """The values of an attribute after a modification (RFC 4511 section 4.6).

    Nothing is held against a change of a confidential attribute, for whoever syncs may not be permitted to read it.

    Raises:
        Impossible: a value to add is there, one to delete is not, or there would be more than may be.
    """
    attribute = BY_NAME.get(change.attribute)
    spelled = attribute.name if attribute else change.attribute
    seen = attribute is None or not attribute.confidential
    match change.operation:
        case Operation.REPLACE:
            values = change.values
        case Operation.ADD:
            if seen and _meeting(held, change.values):
                raise Impossible(f"{spelled} has that value already")
            values = (*held, *change.values)
        case Operation.DELETE:
            missing = change.values and len(_meeting(held, change.values)) < len(change.values)
            if seen and (missing or not held):
                raise Impossible(f"{spelled} has no such value")
            gone = _meeting(held, change.values)
            values = tuple(value for value in held if value not in gone) if change.values else ()
    if attribute is not None and attribute.single and len(values) > 1:
        raise Impossible(f"{spelled} holds one value, and would have {len(values)}")
    return values


def _meeting(held: Iterable[bytes], named: Iterable[bytes]) -> list[bytes]:
    """Those of the held values that are named, in any case: no attribute here tells case apart."""
    wanted = {value.strip().lower() for value in named}
    return [value for value in held if value.strip().lower() in wanted]
