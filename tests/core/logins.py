"""People, nodes and facts in a few words, for tests of the decision."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from auth.facts import Facts, NodeFacts, Reach
from dirsync.view import Ancestor, Freshness, Membership, Person, PolicyLink
from schema.entry import AccessNode, AttributeText, Container, Group, Policy, User
from schema.errors import Malformed
from schema.words import LoginMode, Method, TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
BASE = "dc=lab,dc=example"
PHONE = "+436640000067"
MAIL = "alice@example.org"
BAD = Malformed("dirfactorToken", "smoke", "one of the words")
ALL_TOKENS = tuple(TokenKind)

# everything that a policy of these tests may name is configured
REACH = Reach(sms=frozenset({"gateway"}), mail=frozenset({"relay"}), vip=True)


def entry_id(name):
    return name.encode().ljust(16, b".")[:16]


def policy(name="staff", **settings):
    """A policy that demands password and token, with every token enabled."""
    settings = {
        "first_method": Method.PASSWORD,
        "second_method": Method.TOKEN,
        "sms_enabled": True,
        "email_enabled": True,
        "vip_enabled": True,
        **settings,
    }
    return Policy(name=name, **settings)


def link(policy_or_none, name=None):
    """The assignment of a policy, or of one that the replica does not have."""
    if policy_or_none is None:
        return PolicyLink(entry_id(name or "missing"), None, None)
    return PolicyLink(entry_id(policy_or_none.name), f"cn={policy_or_none.name},{BASE}", policy_or_none)


def membership(name, assigned=None, path=(), **group):
    dn = f"cn={name},{BASE}"
    full = (*(f"cn={step},{BASE}" for step in path), dn)
    return Membership(entry_id(name), dn, Group(name=name, **group), assigned, full)


def ancestor(name, assigned=None, **container):
    return Ancestor(entry_id(name), f"ou={name},{BASE}", Container(name=name, **container), assigned)


def user(**values):
    """Somebody with every token and everything that they need."""
    values = {
        "sam": "alice",
        "tokens": ALL_TOKENS,
        "texts": (AttributeText("mobile", PHONE), AttributeText("mail", MAIL)),
        "vip_credentials": ("VSST12345678",),
        **values,
    }
    return User(**values)


def person(assigned=None, groups=(), ancestors=(), name="alice", **values):
    dn = f"cn={name},ou=staff,{BASE}"
    return Person(entry_id(name), dn, user(**values), assigned, tuple(groups), tuple(ancestors))


def node(members=None, assigned=None, mode=LoginMode.CHALLENGE, **values):
    return NodeFacts(AccessNode(name="vpn", login_mode=mode, **values), assigned, members)


def facts(somebody=None, at=None, default=None, **values):
    """What is known of a login of one person at a node that everybody may use, with data that is five seconds old."""
    found = (person(link(policy())),) if somebody is None else (somebody,)
    known = {
        "node": node() if at is None else at,
        "found": found,
        "server_default": default,
        "freshness": Freshness(7, NOW - timedelta(seconds=5)),
        "expired_after": 86_400,
        "region": "AT",
        "reach": REACH,
    }
    return Facts(**{**known, **values})


def governed(settings, mode=LoginMode.CHALLENGE, **values):
    """Facts of a person who has this policy, at a node of this mode."""
    return facts(person(link(settings), **values), node(mode=mode))


def with_policy(known, settings):
    """The same facts under another policy of the person."""
    governed = (replace(somebody, policy=link(settings)) for somebody in known.found)
    return replace(known, found=tuple(governed))
