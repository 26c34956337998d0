"""Reads and writes the security descriptors of entries over LDAP: the one who may do what, and the owner."""

from dataclasses import dataclass
from typing import Final

from dirsync.ad.controls import SHOW_DELETED, Part, of_descriptor
from dirsync.admin import security_descriptor
from dirsync.admin.operations import AdminConnection, Operation
from dirsync.admin.security_descriptor import Acl, Control, SecurityDescriptor
from dirsync.errors import DirectoryRefused
from schema.sid import Sid

_ATTRIBUTE: Final = "nTSecurityDescriptor"
# what a write of the list must not change
_KEPT: Final = Control.DACL_PROTECTED | Control.DACL_AUTO_INHERITED


@dataclass(frozen=True, slots=True)
class Secured:
    """An entry's list of who may do what, as an account sees it.

    Attributes:
        dn: the entry's DN.
        control: the descriptor's bits.
        dacl: the list; None when the account may not read it.
        writable: the parts that the account may write.
    """

    dn: str
    control: int
    dacl: Acl | None
    writable: int


def read_security(connection: AdminConnection, dn: str) -> Secured:
    """An entry's list of who may do what, be the entry deleted or not.

    Raises:
        DirectoryRefused: there is no such entry, or it has no list, so that everybody may do everything.
        DirectoryUnavailable: the server did not answer, or not as it should.
    """
    found = connection.search(
        dn, attributes=[_ATTRIBUTE, "sDRightsEffective"], controls=[of_descriptor(Part.DACL), SHOW_DELETED]
    )
    if not found:
        raise DirectoryRefused(f"{connection.who} sees no entry {dn}", remedy="check the DN")
    writable = int(found[0].text("sDRightsEffective") or 0)
    octets = found[0].attributes.get(_ATTRIBUTE.lower())
    if not octets:
        return Secured(dn, 0, None, writable)
    descriptor = security_descriptor.read(octets[0])
    if descriptor.dacl is None:
        raise DirectoryRefused(
            f"{dn} has no access control list: everybody may do everything there",
            remedy="give it one, in ADUC on the tab Security",
        )
    return Secured(dn, descriptor.control, descriptor.dacl, writable)


def write_dacl(connection: AdminConnection, secured: Secured, dacl: Acl) -> None:
    """Put another list in the place of the one that was read; what is inherited, the server works out anew.

    Raises:
        OperationRefused: the server refused.
        DirectoryUnavailable: the server did not answer.
    """
    _write(connection, secured.dn, Part.DACL, SecurityDescriptor(secured.control & _KEPT, dacl=dacl))


def write_owner(connection: AdminConnection, dn: str, owner: Sid) -> None:
    """Make somebody the owner of an entry, who may then always change its list.

    Raises:
        OperationRefused: the server refused.
        DirectoryUnavailable: the server did not answer.
    """
    _write(connection, dn, Part.OWNER, SecurityDescriptor(0, owner=owner))


def _write(connection: AdminConnection, dn: str, part: Part, descriptor: SecurityDescriptor) -> None:
    value = security_descriptor.write(descriptor)
    connection.modify(dn, _ATTRIBUTE, (Operation.REPLACE, [value]), controls=[of_descriptor(part), SHOW_DELETED])
