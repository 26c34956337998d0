"""Grants in an access control list: which are missing, the list with them, the list without them. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from dirsync.admin.security_descriptor import ALLOW, ALLOW_OBJECT, Ace, AceFlag, Acl
from schema.access import Grant, Reach, Right
from schema.sid import Sid

_FLAGS: Final = {
    Reach.HERE: AceFlag(0),
    Reach.HERE_AND_BELOW: AceFlag.CONTAINER_INHERIT,
    Reach.BELOW: AceFlag.CONTAINER_INHERIT | AceFlag.INHERIT_ONLY,
}


def missing(acl: Acl, wanted: Iterable[Grant], sid: Sid) -> tuple[Grant, ...]:
    """What must be added so that the list itself, without what it inherits, grants an account all that is wanted."""
    return tuple(_parts((grant, grant.rights & ~_granted(acl, _ace(grant, sid))) for grant in wanted))


def present(acl: Acl, unwanted: Iterable[Grant], sid: Sid) -> tuple[Grant, ...]:
    """What of the unwanted the list itself, without what it inherits, grants an account."""
    return tuple(_parts((grant, grant.rights & _granted(acl, _ace(grant, sid))) for grant in unwanted))


def added(acl: Acl, new: Iterable[Grant], sid: Sid) -> Acl:
    """The list with these grants to an account, behind its own entries and in front of those that it inherits.

    That keeps the canonical order, in which Windows' own tools leave a list: what denies, what allows, what is
    inherited. The order of what is there stays as it is.
    """
    inherited = (index for index, entry in enumerate(acl.aces) if entry.flags & AceFlag.INHERITED)
    at = next(inherited, len(acl.aces))
    return replace(acl, aces=(*acl.aces[:at], *(_ace(grant, sid) for grant in new), *acl.aces[at:]))


def removed(acl: Acl, old: Iterable[Grant], sid: Sid) -> Acl:
    """The list without these rights of an account; an entry that grants others as well keeps them."""
    aces = list(acl.aces)
    for gone in (_ace(grant, sid) for grant in old):
        for entry in [entry for entry in aces if isinstance(entry, Ace) and _alike(entry, gone)]:
            left = entry.mask & ~gone.mask
            at = aces.index(entry)
            aces[at : at + 1] = [replace(entry, mask=left)] if left else []
    return replace(acl, aces=tuple(aces))


def _ace(grant: Grant, sid: Sid) -> Ace:
    return Ace(
        ALLOW_OBJECT if grant.target or grant.heirs else ALLOW,
        int(_FLAGS[grant.reach]),
        int(grant.rights),
        sid,
        grant.target.guid if grant.target else None,
        grant.heirs.guid if grant.heirs else None,
    )


def _granted(acl: Acl, wanted: Ace) -> Right:
    mask = 0
    for entry in acl.aces:
        if isinstance(entry, Ace) and _alike(entry, wanted):
            mask |= entry.mask
    return Right(mask)


def _alike(one: Ace, other: Ace) -> bool:
    """Whether two entries differ in their rights at most."""
    return replace(one, mask=0) == replace(other, mask=0)


def _parts(grants: Iterable[tuple[Grant, Right]]) -> Iterator[Grant]:
    return (replace(grant, rights=rights) for grant, rights in grants if rights)
