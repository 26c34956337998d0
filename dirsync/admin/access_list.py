"""Grants in an access control list: which are missing, the list with them, the list without them. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from dirsync.admin.security_descriptor import ALLOW, ALLOW_OBJECT, Ace, AceFlag, Acl
from schema.access import Grant, Reach
from schema.sid import Sid

_FLAGS: Final = {
    Reach.HERE: AceFlag(0),
    Reach.HERE_AND_BELOW: AceFlag.CONTAINER_INHERIT,
    Reach.BELOW: AceFlag.CONTAINER_INHERIT | AceFlag.INHERIT_ONLY,
}


def ace(grant: Grant, sid: Sid) -> Ace:
    """The entry that makes a grant to an account."""
    return Ace(
        ALLOW_OBJECT if grant.target or grant.heirs else ALLOW,
        int(_FLAGS[grant.reach]),
        int(grant.rights),
        sid,
        grant.target.guid if grant.target else None,
        grant.heirs.guid if grant.heirs else None,
    )


def missing(acl: Acl, wanted: Iterable[Ace]) -> tuple[Ace, ...]:
    """What must be added so that the list itself, without what it inherits, grants all that is wanted."""
    lacking = []
    for entry in wanted:
        mask = entry.mask & ~_granted(acl, entry)
        if mask:
            lacking.append(replace(entry, mask=mask))
    return tuple(lacking)


def surplus(acl: Acl, unwanted: Iterable[Ace]) -> tuple[Ace, ...]:
    """What of the unwanted the list itself, without what it inherits, grants."""
    found = (replace(entry, mask=entry.mask & _granted(acl, entry)) for entry in unwanted)
    return tuple(entry for entry in found if entry.mask)


def added(acl: Acl, new: Iterable[Ace]) -> Acl:
    """The list with entries that allow, behind its own entries and in front of those that it inherits.

    That is the canonical order, in which Windows' own tools leave a list: what denies, what allows, what is inherited.
    The order of what is there stays as it is.
    """
    inherited = (index for index, entry in enumerate(acl.aces) if entry.flags & AceFlag.INHERITED)
    at = next(inherited, len(acl.aces))
    return replace(acl, aces=(*acl.aces[:at], *new, *acl.aces[at:]))


def removed(acl: Acl, old: Iterable[Ace]) -> Acl:
    """The list without these rights; an entry that grants others as well keeps them."""
    left = list(acl.aces)
    for entry in old:
        cut = [
            replace(item, mask=item.mask & ~entry.mask) if isinstance(item, Ace) and _alike(item, entry) else item
            for item in left
        ]
        left = [item for item in cut if not isinstance(item, Ace) or item.mask or item in acl.aces]
    return replace(acl, aces=tuple(left))


def _granted(acl: Acl, entry: Ace) -> int:
    mask = 0
    for item in acl.aces:
        if isinstance(item, Ace) and _alike(item, entry):
            mask |= item.mask
    return mask


def _alike(one: Ace, other: Ace) -> bool:
    """Whether two entries differ in their rights at most."""
    return replace(one, mask=0) == replace(other, mask=0)
