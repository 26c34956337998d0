"""Whether an account can read people, as far as the sync has to: a sample of them."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.search import Dialogue, Scope, Search

_MOST: Final = 200
# What a logon depends on, and an account that was given no rights does not see of others.
_TOLD: Final = {DirectoryKind.AD: "userAccountControl"}
_FILTERS: Final = {DirectoryKind.AD: "(&(objectClass=user)(!(objectClass=computer)))"}
_FILTER: Final = "(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=account))"


@dataclass(frozen=True, slots=True)
class Sample:
    """Some users.

    Attributes:
        seen: how many there are in the sample.
        readable: how many of them the account can read.
    """

    seen: int
    readable: int


def sample_users(settings: DirectorySettings) -> Dialogue[Sample]:
    """Look at the first users below the base.

    Raises:
        DirectoryUnavailable: the server does not answer.
        DirectoryRefused: it says no.
    """
    told = _TOLD.get(settings.kind, "uid")
    where = _FILTERS.get(settings.kind, _FILTER)
    page = yield Search(settings.base, (told,), Scope.SUBTREE, where)
    found = [bool(attributes) for _, attributes in islice(page.entries, _MOST)]
    return Sample(len(found), sum(found))
