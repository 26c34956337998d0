"""The directory of a scenario, entry by entry: what an administrator would type into an LDIF file, and edit there."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

BASE = "dc=demo,dc=example"
NODE_MEMBERS = f"cn=vpn-users,ou=groups,{BASE}"
STAFF = f"cn=staff,ou=policies,{BASE}"
ONE_ACCESS_NODE = f"""
[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorApiKeyHash = {{api_key_hash}}
dirfactorMember = {NODE_MEMBERS}
"""
"""Of config.ini, where both doors are the same node's; `open_office` puts the key's hash in."""
PASSWORD = "Teapot-41"
"""What everybody's password ends with."""

Value = str | bytes | tuple[str, ...] | None
"""One value, several, octets, or none: the entry does not have the attribute."""


def password_of(uid: str) -> str:
    return f"{uid}-{PASSWORD}"


@dataclass
class Entry:
    """One entry, and its attributes by the names that LDIF has."""

    dn: str
    attributes: dict[str, Value]

    def text(self) -> str:
        lines = [f"dn: {self.dn}"]
        for name, value in self.attributes.items():
            if isinstance(value, bytes):
                lines.append(f"{name}:: {base64.b64encode(value).decode()}")
            else:
                lines += [f"{name}: {each}" for each in ((value,) if isinstance(value, str) else value or ())]
        return "\n".join(lines) + "\n"


def person(uid: str, *tokens: str, ou: str = "people", **attributes: Value) -> Entry:
    """Somebody with a password, a mail address, and these tokens."""
    standard: dict[str, Value] = {
        "objectClass": ("inetOrgPerson", "dirfactorUser", "dirfactorSubject"),
        "uid": uid,
        "mail": f"{uid}@demo.example",
        "userPassword": f"{{CLEARTEXT}}{password_of(uid)}",
        "dirfactorToken": tokens,
    }
    return Entry(f"uid={uid},ou={ou},{BASE}", standard | attributes)


def texted(uid: str, number: int, **attributes: Value) -> Entry:
    """Somebody who gets texts at +43 664 0000000 and `number`."""
    return person(uid, "sms", mobile=phone(number), **attributes)


def with_vip(uid: str, *credentials: str, **attributes: Value) -> Entry:
    return person(uid, "vip", dirfactorVipCredential=credentials, **attributes)


def phone(number: int) -> str:
    return f"+43664{number:07d}"


def policy(name: str, **attributes: Value) -> Entry:
    """First the password, then whatever token there is, unless `attributes` say otherwise."""
    standard: dict[str, Value] = {
        "objectClass": "dirfactorSecurityPolicy",
        "cn": name,
        "dirfactorFirstMethod": "password",
        "dirfactorSecondMethod": "token",
        "dirfactorSmsEnabled": "TRUE",
        "dirfactorEmailEnabled": "TRUE",
        "dirfactorVipEnabled": "TRUE",
        "dirfactorReplyAttribute": f"Filter-Id={name}",
    }
    return Entry(policy_dn(name), standard | attributes)


def policy_dn(name: str) -> str:
    return f"cn={name},ou=policies,{BASE}"


def group(name: str, *members: str, **attributes: Value) -> Entry:
    """A group of people, by their uids."""
    standard: dict[str, Value] = {
        "objectClass": ("groupOfNames", "dirfactorSubject"),
        "cn": name,
        "member": tuple(f"uid={uid},ou=people,{BASE}" for uid in members),
    }
    return Entry(f"cn={name},ou=groups,{BASE}", standard | attributes)


def unit(name: str, **attributes: Value) -> Entry:
    standard: dict[str, Value] = {"objectClass": ("organizationalUnit", "dirfactorSubject"), "ou": name}
    return Entry(f"ou={name},{BASE}", standard | attributes)


@dataclass
class Company:
    """All entries: the given ones, and what every scenario has.

    Everyone may use the access nodes who is not an outsider. The policy `staff` is assigned to ou=people.
    """

    given: Iterable[Entry]
    outsiders: tuple[str, ...] = ()
    entries: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = list(self.given)
        people = [entry.dn for entry in given if entry.dn.startswith("uid=")]
        insiders = tuple(dn for dn in people if dn.split(",")[0].removeprefix("uid=") not in self.outsiders)
        standard = (
            Entry(BASE, {"objectClass": ("dcObject", "organization"), "dc": "demo", "o": "Demo"}),
            unit("people", dirfactorPolicy=STAFF),
            unit("groups"),
            unit("policies"),
            policy("staff"),
            Entry(NODE_MEMBERS, {"objectClass": "groupOfNames", "cn": "vpn-users", "member": insiders}),
        )
        self.entries = {entry.dn.split(",")[0]: entry for entry in (*standard, *given)}
        assert len(self.entries) == len(standard) + len(given), "each relative DN stands once"

    def __getitem__(self, rdn: str) -> Entry:
        return self.entries[rdn]

    def text(self) -> str:
        return "version: 1\n\n" + "\n".join(entry.text() for entry in self.entries.values())
