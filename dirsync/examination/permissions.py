"""The access control lists of Active Directory's entries: how they are asked for, and what comes back."""

from collections.abc import Mapping, Sequence
from typing import Final

from dirsync.ad.controls import Part, of_descriptor
from dirsync.admin.security_descriptor import Acl, read
from dirsync.wire.search import Scope, Search

_ATTRIBUTE: Final = "nTSecurityDescriptor"


def permissions_at(base: str, scope: Scope = Scope.BASE, where: str = "(objectClass=*)") -> Search:
    """The search for lists; see `dirsync.wire.search.Search`."""
    return Search(base, (_ATTRIBUTE,), scope, where, (of_descriptor(Part.DACL),))


def permissions_in(attributes: Mapping[str, Sequence[bytes]]) -> Acl | None:
    """The list of an entry that was found; None when the account may not read it, or there is none.

    Raises:
        MalformedAnswer: what came is no security descriptor.
    """
    octets = attributes.get(_ATTRIBUTE, ())
    return read(octets[0]).dacl if octets else None
