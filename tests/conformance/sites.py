"""The directories that are followed: a real server, how an administrator edits it, and how the service reads it."""

from dataclasses import dataclass, field
from typing import Protocol

from conformance.dialects import ACTIVE_DIRECTORY, DIRECTORY_SERVER_389, STANDARD, Dialect
from dirsync.settings import ChangeFeed, DirectoryKind, DirectorySettings
from real_domain import apply_schema
from rig.ds389 import DirectoryServer389
from rig.ldaptools import LdapTools
from rig.process import Process
from rig.samba import DomainController
from rig.slapd import Slapd
from schema.secret import Secret


class Server(Protocol):
    """A server of the rig."""

    process: Process

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Site:
    """One directory, and one way to follow it.

    Attributes:
        name: for the report.
        server: the server, running.
        account: of the administrator.
        dialect: how the directory has it.
        settings: of the service's [directory].
        root: DN of what the administrator makes first, and works in.
    """

    name: str
    server: Server
    account: LdapTools
    dialect: Dialect
    settings: DirectorySettings
    root: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", f"OU=Conformance,{self.settings.base}")


def active_directory(dc: DomainController, changes: ChangeFeed) -> Site:
    """A domain controller with our schema and nothing else, as it is afterwards."""
    dc.become("dirfactor schema", apply_schema)
    settings = DirectorySettings(
        kind=DirectoryKind.AD,
        url=(dc.ldaps,),
        base=dc.base_dn,
        bind_dn=dc.admin,
        bind_password=Secret(dc.admin_password),
        ca_file=dc.ca_file,
        changes=changes,
    )
    account = dc.as_user(dc.admin, dc.admin_password)
    return Site(f"Samba AD DC, {changes}", dc, account, ACTIVE_DIRECTORY, settings)


def openldap(slapd: Slapd, name: str) -> Site:
    """An OpenLDAP server with an almost empty tree, as it is afterwards."""
    slapd.reset()
    return _standard(slapd, DirectoryKind.OPENLDAP, name, STANDARD)


def ds389(server: DirectoryServer389) -> Site:
    """A 389 Directory Server with an almost empty tree, as it is afterwards."""
    server.reset()
    return _standard(server, DirectoryKind.DS389, "389 Directory Server", DIRECTORY_SERVER_389)


def _standard(server: Slapd | DirectoryServer389, kind: DirectoryKind, name: str, dialect: Dialect) -> Site:
    settings = DirectorySettings(
        kind=kind,
        url=(server.ldaps,),
        base=server.base_dn,
        bind_dn=server.sync,
        bind_password=Secret(server.sync_password),
        ca_file=server.ca_file,
    )
    return Site(name, server, server.tools(), dialect, settings)
