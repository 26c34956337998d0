"""The directory of a scenario as LDIF, as an administrator writes it: alice, her groups, policies and access node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from options.sealed import ALICE_UUID, NODE_UUID
from scenarios.company import BASE, Entry, Value

POLICIES = f"ou=policies,{BASE}"
ALICE = f"uid=alice,ou=staff,{BASE}"
STAFF = f"cn=staff,{POLICIES}"
OPEN = f"cn=open,{POLICIES}"
"""A policy that takes the password alone: who has it is accepted by it."""
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Setup:
    """What an administrator has written, beside what every scenario starts from.

    The policy `staff` is assigned to alice; it demands password and token. She has an SMS token and a number.

    Attributes:
        policy: attributes of the policy staff.
        user: of alice.
        node: of the access node vpn.
        group: of the group vpn-users, which alice is in.
        second: of the group second, which she is in as well.
        unit: of the organizational unit that she stands in.
        other: of the policy `open`, which takes the password alone and is assigned to nobody.
        config: further sections of config.ini.
    """

    policy: Values = field(default_factory=dict)
    user: Values = field(default_factory=dict)
    node: Values = field(default_factory=dict)
    group: Values = field(default_factory=dict)
    second: Values = field(default_factory=dict)
    unit: Values = field(default_factory=dict)
    other: Values = field(default_factory=dict)
    config: str = ""

    def over(self, below: "Setup") -> "Setup":
        """These values on top of those."""
        merged = {name: {**getattr(below, name), **getattr(self, name)} for name in PLACES}
        return replace(below, config=below.config + self.config, **merged)

    def differing(self, other: "Setup") -> set[str]:
        """The attributes that have other values there."""
        mine, theirs = (
            {(place, name): value for place in PLACES for name, value in getattr(setup, place).items()}
            for setup in (self, other)
        )
        sections = re.findall(r"^\[.*\]$", self.config, re.MULTILINE) if self.config != other.config else []
        return {key[1] for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)} | set(sections)


def prefixed(values: Values) -> dict[str, Value]:
    """The attributes with these names behind `dirfactor`."""
    return {f"dirfactor{name}": value for name, value in values.items()}


PLACES = tuple(each.name for each in fields(Setup) if each.name != "config")
NOTHING = Setup()


def directory(setup: Setup) -> str:
    """The LDIF file."""
    entries = (
        Entry(BASE, {"objectClass": ("dcObject", "organization"), "dc": "demo", "o": "Demo"}),
        Entry(POLICIES, {"objectClass": "organizationalUnit", "ou": "policies"}),
        Entry(
            f"ou=staff,{BASE}", {"objectClass": ("organizationalUnit", "dirfactorSubject"), "ou": "staff"} | setup.unit
        ),
        Entry(STAFF, {"objectClass": "dirfactorSecurityPolicy", "cn": "staff", **_STAFF, **setup.policy}),
        Entry(OPEN, {"objectClass": "dirfactorSecurityPolicy", "cn": "open", **_OPEN, **setup.other}),
        Entry(ALICE, {**_ALICE, **setup.user}),
        _group("vpn-users", setup.group),
        _group("second", setup.second),
        Entry(f"cn=vpn,{BASE}", {**_NODE, **setup.node}),
    )
    return "version: 1\n\n" + "\n".join(entry.text() for entry in entries)


def _group(name: str, values: Values) -> Entry:
    standard: Values = {"objectClass": ("groupOfNames", "dirfactorSubject"), "cn": name, "member": ALICE}
    return Entry(f"cn={name},{BASE}", {**standard, **values})


_UNIT: Values = {"objectClass": ("organizationalUnit", "dirfactorSubject"), "ou": "staff"}
_STAFF: Values = {
    "dirfactorFirstMethod": "password",
    "dirfactorSecondMethod": "token",
    "dirfactorSmsEnabled": "TRUE",
    "dirfactorEmailEnabled": "TRUE",
    "dirfactorVipEnabled": "TRUE",
}
_OPEN: Values = {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "none"}
_ALICE: Values = {
    "objectClass": ("inetOrgPerson", "dirfactorUser", "dirfactorSubject"),
    "uid": "alice",
    "entryUUID": ALICE_UUID,
    "mail": "alice@example.org",
    "mobile": "+436640000001",
    "dirfactorToken": "sms",
    "dirfactorPolicy": STAFF,
}
_NODE: Values = {
    "objectClass": ("dirfactorAccessNode", "dirfactorSubject"),
    "cn": "vpn",
    "entryUUID": NODE_UUID,
    "dirfactorAddress": "127.0.0.1",
    "dirfactorSharedSecretName": "vpn",
    "dirfactorMember": ALICE,
    "dirfactorCoalesceSeconds": "0",
}
