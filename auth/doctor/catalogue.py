"""Every check by its name: what it looks at, when it is not well, and what helps. docs/doctor.md is made of this."""

from enum import StrEnum
from typing import Self


class Check(StrEnum):
    """A check. The value is its name on the command line."""

    looks_at: str
    unwell: str
    helps: str

    def __new__(cls, name: str, looks_at: str, unwell: str, helps: str) -> Self:
        """A name with what the check looks at, its statuses other than ok, and what helps."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.looks_at = looks_at
        member.unwell = unwell
        member.helps = helps
        return member

    CONFIG = (
        "config",
        "config.ini, and the files it names",
        "failed: a problem that keeps the service from starting",
        "mend the line that is named",
    )
    NAMES = (
        "directory-names",
        "the names of the directory's servers in DNS, or the SRV records that name them",
        "failed: a name is not known",
        "correct url or domain, or the resolvers of this machine",
    )
    SERVERS = (
        "directory-servers",
        "each server: connection, TLS, certificate and its days; those of our own",
        "failed: not reached, not trusted, or under 7 days left; warning: under 30",
        "start the server, open the firewall, set ca_file, or renew the certificate",
    )
    SIGN_IN = (
        "directory-sign-in",
        "the service account, with one attempt",
        "failed: it is not let in",
        "set bind_dn and bind_password, or make a new keytab or certificate",
    )
    KIND = (
        "directory-kind",
        "what the server is, against kind",
        "failed: it is something else",
        "set kind to what it is",
    )
    BASE = (
        "directory-base",
        "the base: there, and served by this server",
        "failed: it is not",
        "set base to the DN that is named",
    )
    USERS = (
        "directory-users",
        "the first 200 users: whether the account can read them",
        "failed: it sees none, or can read none but itself; warning: it cannot read some",
        "`dirfactor delegate apply sync`, or the server's access rules",
    )
    SECRETS = (
        "directory-secrets",
        "the right to our confidential attributes (Active Directory)",
        "warning: the account may not read them",
        "`dirfactor delegate apply sync`",
    )
    WRITERS = (
        "directory-writers",
        "who may write our attributes of users (Active Directory), as the base and the units below it hand it down",
        "warning: everybody may, all users, or people themselves",
        "withdraw that; who should have which right is in docs/least-privilege.md",
    )
    DELETIONS = (
        "directory-deletions",
        "the right to list CN=Deleted Objects (Active Directory)",
        "warning: deletions are noticed at night only",
        "`dirfactor delegate apply sync`",
    )
    SCHEMA = (
        "directory-schema",
        "our schema in the directory; skipped with [map]",
        "failed: missing, older than this version, or in conflict",
        "`dirfactor schema plan`, then `dirfactor schema apply`",
    )
    MAP = (
        "directory-map",
        "the attributes that [map] names",
        "failed: the directory has no such attribute",
        "name one that it has",
    )
    CHANGES = (
        "directory-changes",
        "how the directory tells changes: DirSync and change notification, or syncrepl (RFC 4533)",
        "failed: it does not",
        "load syncprov (OpenLDAP), enable the Content Synchronization plug-in (389), or set changes = usn",
    )
    ENTRIES = (
        "directory-size-limit",
        "a search for all entries (OpenLDAP, 389)",
        "failed: the server cuts it off",
        "lift the size limit for the account",
    )
    FILE = (
        "directory-file",
        "the LDIF file, all of it",
        "failed: it cannot be read or understood",
        "mend the line that is named",
    )
    CLOCK = (
        "clock",
        "this machine's clock against each domain controller's",
        "failed: more than 300 s apart; warning: more than 60 s",
        "set this machine's clock by the domain's (chrony, systemd-timesyncd)",
    )
    REPLICA = (
        "replica",
        "the replica: there, and its age for each directory",
        "failed: missing, or older than expired_after_seconds; warning: older than a quarter of it",
        "start the service, or run `dirfactor sync`, which says what is wrong",
    )
    VALUES = (
        "replica-values",
        "malformed values in the directory",
        "warning: there are some",
        "`dirfactor check values` prints what mends each",
    )
    HELD = (
        "replica-held",
        "changes that the tripwire holds",
        "failed: changes wait for somebody",
        "`dirfactor sync held` shows them, `dirfactor sync release` lets them in",
    )
    SMS = (
        "sms-gateway",
        "each SMS gateway: name, connection, TLS, certificate and its days, or its program; no text is sent",
        "failed: not reached, not trusted, or under 7 days left; warning: under 30",
        "correct url, host or ca_file, open the firewall, or tell the provider; `dirfactor sms test` goes further",
    )
    MAIL = (
        "mail-server",
        "each mail server or Microsoft Graph: greeting, TLS, AUTH, access token, certificates; no mail is sent",
        "failed: not reached, not trusted, no AUTH, no token, or under 7 days left; warning: under 30",
        "do what stands below the finding, or renew the certificate; `dirfactor email test` goes further",
    )
    VIP_CERTIFICATE = (
        "vip-certificate",
        "the VIP certificate: opened with its password, and its days",
        "failed: not opened, or under 7 days left; warning: under 30; info: under 60",
        "request a new one in VIP Manager: Account, Manage VIP Certificates",
    )
    VIP_SERVICE = (
        "vip-service",
        "the VIP service over TLS with our certificate; no credential is asked about",
        "failed: not reached, or one does not trust the other; warning: its certificate has under 30 days left",
        "check network, proxies and ca_file, and that the certificate belongs to this account",
    )
    HTTP_CERTIFICATE = (
        "http-certificate",
        "the certificate that the HTTP door shows, and those of its clients' authorities",
        "failed: under 7 days left, or expired; warning: under 30",
        "put a new one in its place; the running service takes it by itself",
    )
    SHARED_STATE = (
        "shared-state",
        "the Valkey or Redis of [state]: reached, release, rights, memory policy, clock, nodes",
        "failed: it cannot be used, or a node is waited for; warning: it persists nothing",
        "see docs/nodes.md",
    )
    RADSEC_CERTIFICATE = (
        "radsec-certificate",
        "the certificate that the RadSec door shows, and those of its clients' authorities",
        "failed: under 7 days left, or expired; warning: under 30",
        "put a new one in its place; the running service takes it by itself",
    )
    SECRET_FILES = (
        "secret-files",
        "files with secrets that config.ini names: owner and mode",
        "failed: others may read or change one, or it is not the service's; warning: it is not there",
        "chmod 600 and chown to the service's user",
    )
    STATE = (
        "state-directory",
        "the state directory and the files in it: owner and mode, release",
        "failed: others may read the server's key, the state is of a later release; warning: others may look into it",
        "chmod 700 for the directory, 600 for the files",
    )
    AUDIT = (
        "audit",
        "the audit's files: owner and mode, the head, what waits for a signature, and the disk's room",
        "failed: others may touch them, the head is missing or not ours, or no room; warning: room for under 30 days",
        "chmod 600 for the key, 640 for the rest; `dirfactor audit verify`; a larger disk, or [audit] days",
    )
    KEYS = (
        "keys",
        "the key ring: owner and mode, the keys that are needed, and whether each seed opens for whom it is",
        "failed: no ring, a key is missing, or others may read it; warning: a seed does not open; info: an old key",
        "copy keys.ring from another machine or a backup, chmod 600, enrol anew, or `dirfactor keys retire`",
    )
    SHARED_SECRETS = (
        "shared-secrets",
        "RADIUS shared secrets: length, well-known ones, the same one twice",
        "failed: a well-known one; warning: under 16 characters, or at several access nodes",
        "draw a new one for each access node: openssl rand -hex 24",
    )
    FACTORS = (
        "factors",
        "whether codes go out by SMS or e-mail",
        "info: NIST SP 800-63B-4 restricts SMS and does not take e-mail as an authenticator",
        "move people to VIP, or to tokens of their own",
    )
    SPEND = (
        "spend",
        "what texts may cost: the limits of [spend], against the number of users",
        "warning: no limit where there should be one; info: one that a busy day may reach",
        "set region, countries, per_day, per_prefix_day or prices",
    )
    PORTS = (
        "ports",
        "the addresses and ports of both doors",
        "failed: no such address, or not allowed; info: in use, as it is while the service runs",
        "correct host and port, or let the service bind ports below 1024",
    )


def as_table() -> str:
    """All checks as the table of docs/doctor.md."""
    rows = [f"| `{item.value}` | {item.looks_at} | {item.unwell} | {item.helps} |" for item in Check]
    return "\n".join(["| check | looks at | when it is not well | what helps |", "|---|---|---|---|", *rows])
