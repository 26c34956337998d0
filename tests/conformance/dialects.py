"""In what the directories differ for an administrator: object classes, names, and what becomes of links. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from conformance.requests import Values


class Kind(StrEnum):
    """What an entry is; the values are the replica's words."""

    PERSON = "user"
    GROUP = "group"
    UNIT = "container"
    POLICY = "policy"
    NODE = "node"
    SHELF = "shelf"  # of no use to us, and holds units all the same


POLICY_LINK = "dirfactorPolicy"
NODE_MEMBER_LINK = "dirfactorMember"
MEMBER_LINK = "member"

# attribute -> values that are well-formed, and values that are not
Choices = Mapping[str, tuple[tuple[Values, ...], tuple[Values, ...]]]

_REPLY: Choices = {"dirfactorReplyAttribute": ((("Filter-Id=vpn",), ("Filter-Id=a", "Class=b")), (("nonsense",),))}
_PERSON: Choices = {
    "mail": ((("a@example.test",), ("b@example.test",), ("C@example.test",)), ()),
    "mobile": ((("+43 664 0000001",), ("+43 664 0000002",)), ()),
    "displayName": ((("Änne",), ("Bert, B.",)), ()),
    "dirfactorToken": ((("sms",), ("vip",), ("email", "vip")), (("teapot",), ("sms", "teapot"))),
    "dirfactorPhone": ((("+43 664 0000003",),), ()),
    "dirfactorLoginName": ((("first",), ("second",)), ()),
}
CHOICES: Mapping[Kind, Choices] = {
    Kind.PERSON: _PERSON | _REPLY,
    Kind.GROUP: _REPLY,
    Kind.UNIT: _REPLY,
    Kind.POLICY: {
        "dirfactorPriority": ((("1",), ("2",), ("3",)), ()),
        "dirfactorFirstMethod": ((("token",), ("password",)), (("hope",),)),
        "dirfactorSmsTemplate": ((("{code} it is",),), (("no code at all",),)),
    },
    Kind.NODE: {
        "dirfactorAddress": ((("192.0.2.7",), ("192.0.2.0/24", "198.51.100.1")), (("nowhere",),)),
        "dirfactorLoginMode": ((("append",), ("challenge",)), (("shout",),)),
    },
    Kind.SHELF: {},
}


@dataclass(frozen=True)
class Dialect:
    """How one kind of directory has it.

    Attributes:
        classes: object classes of an entry, for each kind that there is.
        rdn: attribute type of its RDN.
        login: attribute that has the login name.
        logins_of_groups: groups have one, too.
        always: attributes that an entry must have, by its kind; `{login}` and `{name}` are filled in.
        choices: further attributes that may be set, as `CHOICES`.
        links_follow: a link is to an entry: its DN changes with the entry's, and it falls with the entry. Else it is a
            text, to which anything may happen.
        kept_member: a value that each group has, because the schema demands one.
        removes_trees: one request deletes an entry with all below it.
        carries_names: what stands below a renamed entry is shown under the new name by the server itself, always.
    """

    classes: Mapping[Kind, Values]
    rdn: Mapping[Kind, str]
    login: str
    logins_of_groups: bool
    always: Mapping[Kind, Mapping[str, str]]
    choices: Mapping[Kind, Choices]
    links_follow: bool
    kept_member: str
    removes_trees: bool
    carries_names: bool = True


ACTIVE_DIRECTORY = Dialect(
    classes={
        Kind.PERSON: ("user",),
        Kind.GROUP: ("group",),
        Kind.UNIT: ("organizationalUnit",),
        Kind.POLICY: ("dirfactorSecurityPolicy",),
        Kind.NODE: ("dirfactorAccessNode",),
    },
    rdn=dict.fromkeys(Kind, "CN") | {Kind.UNIT: "OU"},
    login="sAMAccountName",
    logins_of_groups=True,
    always={Kind.PERSON: {"userPrincipalName": "{login}@lab.example.test", "userAccountControl": "544"}},
    choices={Kind.PERSON: {"userAccountControl": ((("544",), ("546",)), ())}},
    links_follow=True,
    kept_member="",
    removes_trees=True,
)
STANDARD = Dialect(
    classes={
        Kind.PERSON: ("inetOrgPerson", "dirfactorUser", "dirfactorSubject"),
        Kind.GROUP: ("groupOfNames", "dirfactorSubject"),
        Kind.UNIT: ("organizationalUnit", "dirfactorSubject"),
        Kind.POLICY: ("dirfactorSecurityPolicy",),
        Kind.NODE: ("dirfactorAccessNode",),
        Kind.SHELF: ("locality",),
    },
    rdn=dict.fromkeys(Kind, "cn") | {Kind.UNIT: "ou", Kind.SHELF: "l"},
    login="uid",
    logins_of_groups=False,
    always={Kind.PERSON: {"sn": "{name}"}},
    choices={},
    links_follow=False,
    kept_member="cn=nobody,dc=example",
    removes_trees=False,
)
# 389 Directory Server 2.3.1 now and then goes on showing the old name to everybody, a new full read included, even
# after it was started again; renamed trees are left to the tests that do one at a time.
DIRECTORY_SERVER_389 = replace(STANDARD, carries_names=False)
