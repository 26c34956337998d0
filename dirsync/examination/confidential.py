"""Which confidential attributes an account of Active Directory may read, by the permissions of the sync's base.

Whoever may not read one is shown entries without it, and filters on it match nothing: asking for values proves nothing.
"""

from collections.abc import Container, Iterable
from typing import Final

from dirsync.admin.security_descriptor import ALLOW, ALLOW_OBJECT, DENY, DENY_OBJECT, Ace, AceFlag, Acl
from dirsync.examination.permissions import permissions_at, permissions_in
from dirsync.wire.search import Dialogue, Search
from schema.access import Right
from schema.attributes import ATTRIBUTES, AttributeType
from schema.sid import Sid, read_sid

_NEEDED: Final = Right.READ_PROPERTY | Right.CONTROL_ACCESS  # MS-ADTS section 3.1.1.4.4


def hidden_secrets(base: str) -> Dialogue[tuple[str, ...] | None]:
    """Names of our confidential attributes that the account may not read below the base.

    Args:
        base: DN of the domain or unit.

    Returns:
        The names; None when the account may not read the permissions of the base, so that nobody can say.

    Raises:
        DirectoryUnavailable: the server does not answer, or not as it should.
        DirectoryRefused: there is no such entry.
    """
    groups = yield Search("", ("tokenGroups",))
    own = {read_sid(value) for _, found in groups.entries for value in found.get("tokenGroups", ())}
    page = yield permissions_at(base)
    acl = next((permissions_in(found) for _, found in page.entries), None)
    if acl is None or not own:
        return None
    return tuple(item.name for item in ATTRIBUTES if item.confidential and not may_read(acl, own, item))


def may_read(acl: Acl, own: Container[Sid], attribute: AttributeType) -> bool:
    """Whether a list that is inherited lets somebody read a confidential attribute of the entries below.

    Args:
        acl: the list.
        own: the SIDs of the account and its groups.
        attribute: a confidential one.
    """
    return (
        _NEEDED & ~(_mask(acl, own, attribute, ALLOW, ALLOW_OBJECT) & ~_mask(acl, own, attribute, DENY, DENY_OBJECT))
        == 0
    )


def _mask(acl: Acl, own: Container[Sid], attribute: AttributeType, *kinds: int) -> int:
    mask = 0
    for ace in _inherited(acl):
        if ace.kind in kinds and ace.sid in own and ace.object_type in {None, attribute.guid}:
            mask |= ace.mask
    return mask


def _inherited(acl: Acl) -> Iterable[Ace]:
    """The entries that are for users below, or for everything there."""
    for ace in acl.aces:
        if isinstance(ace, Ace) and ace.flags & AceFlag.CONTAINER_INHERIT and ace.inherited_type is None:
            yield ace
