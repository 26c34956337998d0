"""The [directory], [directory:NAME] and [sync] sections of config.ini as values."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from schema.secret import Secret


class DirectoryKind(StrEnum):
    """What kind of directory it is."""

    AUTO = "auto"
    AD = "ad"
    OPENLDAP = "openldap"
    DS389 = "389ds"
    LDIF = "ldif"


class SignIn(StrEnum):
    """How the account that reads the directory proves who it is."""

    SIMPLE = "simple"  # a name and a password (RFC 4513 section 5.1.3)
    GSSAPI = "gssapi"  # Kerberos, with a keytab (RFC 4752)
    EXTERNAL = "external"  # a client certificate, or over ldapi:// the process's user (RFC 4422 appendix A)


class ChangeFeed(StrEnum):
    """How Active Directory is asked what has changed."""

    AUTO = "auto"
    DIRSYNC = "dirsync"
    USN = "usn"


class DirectorySettings(msgspec.Struct, frozen=True):
    """A [directory] or [directory:NAME] section.

    Attributes:
        kind: what the directory is: `ad` for Active Directory, `openldap`, `389ds` for 389 Directory Server, `auto` to
            ask the server which of these it is, or `ldif` for a file.
        url: servers of the directory in the order of preference, ldaps:// or ldap:// with start_tls; with sign_in
            gssapi also plain ldap://, which Kerberos encrypts; with external also ldapi://. When absent, DNS is asked
            for the domain's servers (ad).
        domain: DNS name of the domain, to find its servers; that in base when absent (ad).
        site: the site whose servers are preferred, as it is called in Active Directory Sites and Services (ad).
        dns_servers: who is asked for the domain's servers, ADDRESS or ADDRESS:PORT; the system's resolvers when absent.
        base: DN of the domain or of an organisational unit in it (ad), or of the tree.
        changes: how changes are read (ad): `dirsync`; `usn` for polling by uSNChanged, which is what remains when
            DirSync is refused or `base` is no whole domain; or `auto` to have that decided.
        sign_in: how the account that reads the directory proves who it is.
        bind_dn: the account: a user principal name or DN (simple).
        bind_password: its password, resolved from the reference in config.ini (simple).
        keytab: file with the account's Kerberos keys; one for all directories (gssapi).
        principal: the account in the keytab; its first entry when absent (gssapi).
        client_certificate: PEM file of the account's certificate (external, over TLS).
        client_key: PEM file of its private key.
        ca_file: PEM file of the certificate authorities that may vouch for the servers; the system's when absent.
        start_tls: upgrade ldap:// to TLS before anything else; without it only ldaps:// is accepted.
        timeout_seconds: how long one operation may take.
        file: the LDIF file that is the directory (ldif).
        netbios_name: the domain's short name, for logins as DOMAIN-backslash-user; AD is asked when it is absent.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
        mapping: the [map] section: ours -> the attribute that stands in for it, in a directory without our schema.
    """

    kind: DirectoryKind = DirectoryKind.LDIF
    url: tuple[str, ...] = ()
    domain: str | None = None
    site: str | None = None
    dns_servers: tuple[str, ...] = ()
    base: str = ""
    changes: ChangeFeed = ChangeFeed.AUTO
    sign_in: SignIn = SignIn.SIMPLE
    bind_dn: str = ""
    bind_password: Secret | None = None
    keytab: Path | None = None
    principal: str | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    ca_file: Path | None = None
    start_tls: bool = False
    timeout_seconds: float = 5.0
    file: Path | None = None
    netbios_name: str | None = None
    extra_attributes: tuple[str, ...] = ()
    mapping: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"DirectorySettings({self.kind}, url={self.url}, base={self.base!r}, file={self.file})"


class SyncSettings(msgspec.Struct, frozen=True):
    """The [sync] section.

    Attributes:
        interval_seconds: pause between two looks for changes.
        reconcile_at: hour of the day, local time, at which the replica is compared with a full read.
        expired_after_seconds: age of the data at which logons are refused when the policy says nothing.
        tripwire_users: how many users may lose their factors within an hour before changes are held; 0 holds none.
    """

    interval_seconds: float = 2.0
    reconcile_at: int = 3
    expired_after_seconds: int = 86400
    tripwire_users: int = 100
