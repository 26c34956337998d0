"""The access control lists of Active Directory's entries: how they are asked for, and what comes back."""

from collections.abc import Mapping, Sequence
from typing import Final

from dirsync.admin.security_descriptor import Acl, read
from dirsync.wire import ber
from dirsync.wire.search import Control, Scope, Search

_SD_FLAGS: Final = "1.2.840.113556.1.4.801"  # MS-ADTS section 3.1.1.3.4.1.11
_DACL: Final = 4
_ATTRIBUTE: Final = "nTSecurityDescriptor"


def permissions_at(base: str, scope: Scope = Scope.BASE, where: str = "(objectClass=*)") -> Search:
    """The search for lists; see `dirsync.wire.search.Search`."""
    return Search(base, (_ATTRIBUTE,), scope, where, (Control(_SD_FLAGS, ber.sequence(ber.integer(_DACL))),))


def permissions_in(attributes: Mapping[str, Sequence[bytes]]) -> Acl | None:
    """The list of an entry that was found; None when the account may not read it, or there is none.

    Raises:
        MalformedAnswer: what came is no security descriptor.
    """
    octets = attributes.get(_ATTRIBUTE, ())
    return read(octets[0]).dacl if octets else None
