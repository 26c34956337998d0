"""A role for an account, written down for each tool that can grant it: dsacls, PowerShell, SDDL. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from schema.access import Grant, Reach, Right
from schema.dn import fold, join, parent
from schema.errors import Fault
from schema.roles import Role
from schema.sid import Sid, parse_sid

DELETED_OBJECTS: Final = "CN=Deleted Objects"

# Each right in SDDL (MS-DTYP section 2.5.1.1), in dsacls, and as a .NET ActiveDirectoryRights.
_WORDS: Final = {
    Right.CREATE_CHILD: ("CC", "CC", "CreateChild"),
    Right.DELETE_CHILD: ("DC", "DC", "DeleteChild"),
    Right.LIST_CONTENTS: ("LC", "LC", "ListChildren"),
    Right.READ_PROPERTY: ("RP", "RP", "ReadProperty"),
    Right.WRITE_PROPERTY: ("WP", "WP", "WriteProperty"),
    Right.CONTROL_ACCESS: ("CR", "CA", "ExtendedRight"),
    Right.DELETE: ("SD", "SD", "Delete"),
}
_SDDL_FLAGS: Final = {Reach.HERE: "", Reach.HERE_AND_BELOW: "CI", Reach.BELOW: "CIIO"}
_DSACLS_FLAGS: Final = {Reach.HERE: "", Reach.HERE_AND_BELOW: " /I:T", Reach.BELOW: " /I:S"}
_DOTNET_INHERITANCE: Final = {Reach.HERE: "None", Reach.HERE_AND_BELOW: "All", Reach.BELOW: "Descendents"}
# what cmd would not pass on as it stands, even between quotation marks
_NOT_IN_CMD: Final = '"%'
# what PowerShell takes for the end of a string in single quotation marks
_QUOTES: Final = "'\u2018\u2019\u201a\u201b"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A role that is given to an account.

    Attributes:
        role: which role.
        account: who gets it: `DOMAIN` backslash name, a user principal name, or a SID.
        base: DN of the domain or organizational unit for which it is given.
    """

    role: Role
    account: str
    base: str

    @property
    def grants(self) -> tuple[tuple[str, Grant], ...]:
        """Each grant with the DN of the entry whose access control list it goes into.

        Raises:
            Fault: the base is no DN, or in no domain where the role needs one.
        """
        above = [(self.base, grant) for grant in self.role.grants]
        container = deleted_objects(self.base) if self.role.deleted_objects else ""
        return (*above, *((container, grant) for grant in self.role.deleted_objects))


def deleted_objects(base: str) -> str:
    """DN of the container with the deleted entries of the domain that an entry is in.

    Raises:
        Fault: the text is no DN, or in no domain.
    """
    domain = base
    try:
        while domain and not fold(domain).startswith("dc="):
            domain = parent(domain)
    except ValueError:
        domain = ""
    if not domain:
        raise Fault(f"{base!r} is no DN in a domain", remedy="give a DN such as DC=example,DC=org")
    return join(DELETED_OBJECTS, domain)


def as_sddl(delegation: Delegation) -> str:
    """A line for each entry: its DN, a tab, and its new access control entries (MS-DTYP section 2.5.1.1).

    Raises:
        Fault: the account is not given as a SID, by which SDDL knows accounts; or the base is no DN.
    """
    sid = _sid(delegation.account)
    if sid is None:
        raise Fault(
            f"SDDL knows accounts by their SIDs, and {delegation.account!r} is none",
            remedy="give the SID, S-1-5-21-...: Get-ADUser or Get-ADGroup print it",
        )
    lines: dict[str, str] = {}
    for dn, grant in delegation.grants:
        lines[dn] = lines.get(dn, "") + sddl(grant, sid)
    return _lines(f"{dn}\t{entries}" for dn, entries in lines.items())


def sddl(grant: Grant, sid: Sid) -> str:
    """One access control entry in SDDL (MS-DTYP section 2.5.1.1)."""
    kind = "OA" if grant.target or grant.heirs else "A"
    target, heirs = (str(item.guid) if item else "" for item in (grant.target, grant.heirs))
    return f"({kind};{_SDDL_FLAGS[grant.reach]};{_rights(grant, 0)};{target};{heirs};{sid})"


def as_dsacls(delegation: Delegation) -> str:
    """The dsacls commands for cmd.

    Raises:
        Fault: the account or the base has a character that cmd does not pass on; or the base is no DN.
    """
    for text in (delegation.account, delegation.base):
        if not text.isprintable() or any(character in text for character in _NOT_IN_CMD):
            raise Fault(f"cmd does not pass {text!r} on as it stands", remedy="use --format powershell")
    return _lines(_dsacls(delegation, lambda text: f'"{text}"'))


def as_powershell(delegation: Delegation) -> str:
    """A PowerShell script; it needs no module. The container of deleted entries can only be had through dsacls.

    Raises:
        Fault: the base is no DN.
    """
    kind = "SecurityIdentifier" if _sid(delegation.account) else "NTAccount"
    head = [
        f"$account = [System.Security.Principal.{kind}]{_quoted(delegation.account)}",
        f"$entry = [ADSI]{_quoted('LDAP://' + delegation.base.replace('/', chr(92) + '/'))}",
        "$entry.psbase.Options.SecurityMasks = 'Dacl'",
    ]
    rules = [
        f"$entry.psbase.ObjectSecurity.AddAccessRule([System.DirectoryServices.ActiveDirectoryAccessRule]::new("
        f"$account, '{_rights(grant, 2, ', ')}', 'Allow', {_guid(grant.target and grant.target.guid)}, "
        f"'{_DOTNET_INHERITANCE[grant.reach]}', {_guid(grant.heirs and grant.heirs.guid)}))"
        for grant in delegation.role.grants
    ]
    deletions = replace(delegation, role=replace(delegation.role, grants=()))
    return _lines([*head, *rules, "$entry.psbase.CommitChanges()", *_dsacls(deletions, _quoted)])


def _dsacls(delegation: Delegation, quoted: Callable[[str], str]) -> Iterator[str]:
    if delegation.role.deleted_objects:
        yield f"dsacls {quoted(deleted_objects(delegation.base))} /takeownership"
    for dn, grant in delegation.grants:
        target, heirs = (item.name if item else "" for item in (grant.target, grant.heirs))
        wanted = f"{delegation.account}:{_rights(grant, 1)}"
        if target or heirs:
            wanted += f";{target};{heirs}"
        yield f"dsacls {quoted(dn)}{_DSACLS_FLAGS[grant.reach]} /G {quoted(wanted)}"


def _rights(grant: Grant, column: int, separator: str = "") -> str:
    return separator.join(words[column] for right, words in _WORDS.items() if right in grant.rights)


def _guid(guid: object) -> str:
    return f"[guid]'{guid}'" if guid else "[guid]::Empty"


def _sid(account: str) -> Sid | None:
    try:
        return parse_sid(account)
    except ValueError as error:
        raise Fault(f"{account!r} is no SID: {error}", remedy="give it as S-1-5-21-...") from error


def _quoted(text: str) -> str:
    return "'" + "".join(character * 2 if character in _QUOTES else character for character in text) + "'"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
