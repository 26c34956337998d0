"""What an answer rests on, beside the policies: tokens with their addresses, groups, replies, violations. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from auth.facts import Facts, NodeFacts
from auth.guessing import MOST_WRONG
from auth.prompts import destination
from auth.standing import Standing, standing, unlocked_at
from auth.steps import Decision
from auth.tokens import Unusable, Usable, phone_home, usable_tokens
from auth.vip.credential import shown
from dirsync.view import Membership, Person
from schema.dn import split
from schema.entry import Policy, User
from schema.grammar import ReplyRule
from schema.words import TokenKind


@dataclass(frozen=True, slots=True)
class TokenGround:
    """A token, and why it is used or not.

    Attributes:
        kind: the token.
        usable: whether it could be asked for.
        address: where its code goes, masked, or the credentials that may answer.
        attribute: where the directory has that.
        why: why it cannot be used; empty when it can.
    """

    kind: TokenKind
    usable: bool
    address: str
    attribute: str
    why: str


@dataclass(frozen=True, slots=True)
class GroupGround:
    """A group that the user is in.

    Attributes:
        dn: its DN.
        path: names from the user to the group: `alice`, `vpn-users`, `staff`.
        counts_for: what it decides about: `policy`, `reply attributes`, `access node`; nothing is empty.
    """

    dn: str
    path: tuple[str, ...]
    counts_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplyGround:
    """A reply attribute, and whose it is."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an answer rests on.

    Attributes:
        tokens: those that the policy knows, in its order, and those that the user has; empty without a policy.
        groups: every group of the user, nearest first.
        replies: what an accept would carry, in order.
        standing: violations and lock; None without a user and a policy.
        failures_to_lock: how many more wrong codes lock; None when that is not known, or nothing is compared now.
        locked_until: the end of the lock that holds; None when none does.
        staleness_limit: seconds of age at which the directory's data is too old.
    """

    tokens: tuple[TokenGround, ...] = ()
    groups: tuple[GroupGround, ...] = ()
    replies: tuple[ReplyGround, ...] = ()
    standing: Standing | None = None
    failures_to_lock: int | None = None
    locked_until: datetime | None = None
    staleness_limit: int = 0


def grounds(facts: Facts, decided: Decision, now: datetime) -> Grounds:
    """What a decision about these facts rests on."""
    person, policy = decided.person, decided.policy
    if person is None:
        return Grounds(staleness_limit=facts.expired_after)
    groups = tuple(_group(person, group, facts.node) for group in person.groups)
    if policy is None:
        return Grounds(groups=groups, staleness_limit=facts.expired_after)
    where = standing(facts.failures, policy, unlocked_at(person.user, now), facts.wrong_today).at(now)
    limit = policy.logon_attempts * policy.violation_limit
    return Grounds(
        tokens=tuple(
            _token(person.user, policy, token)
            for token in usable_tokens(person.user, policy, facts.region, facts.reach)
        ),
        groups=groups,
        replies=tuple(_replies(person, policy, decided.policy_name, facts.node)),
        standing=where,
        failures_to_lock=_left(where, limit),
        locked_until=where.locked_until,
        staleness_limit=policy.maximum_staleness or facts.expired_after,
    )


def _left(where: Standing, limit: int) -> int | None:
    if where.locked_until is not None or where.too_many:
        return None
    return max(0, min(limit - where.failures, MOST_WRONG - where.today))


def _token(user: User, policy: Policy, token: Usable | Unusable) -> TokenGround:
    home = _home(user, policy, token.kind)
    if isinstance(token, Unusable):
        return TokenGround(token.kind, usable=False, address="", attribute=home, why=token.why)
    address = destination(token) or ", ".join(map(shown, token.credentials))
    return TokenGround(token.kind, usable=True, address=address, attribute=home, why="")


def _home(user: User, policy: Policy, kind: TokenKind) -> str:
    """The attribute that says where a token's code goes or comes from."""
    match kind:
        case TokenKind.SMS:
            return phone_home(user, policy)[0]
        case TokenKind.EMAIL:
            return "dirfactorMail" if user.mail_override else policy.email_mail_attribute
        case TokenKind.VIP:
            return "dirfactorVipCredential"
        case _:
            return "dirfactorSecret"


def _group(person: Person, group: Membership, node: NodeFacts | None) -> GroupGround:
    path = (person.user.sam or person.user.upn or _name(person.dn), *map(_name, group.path))
    members = node.members if node else None
    counts = {
        "policy": group.policy is not None,
        "reply attributes": bool(group.group.reply_attributes),
        "access node": members is not None and group.id in members,
    }
    return GroupGround(group.dn, path, tuple(what for what, does in counts.items() if does))


def _name(dn: str) -> str:
    """The name in the first RDN."""
    return split(dn)[0].partition("=")[2]


def _replies(person: Person, policy: Policy, policy_name: str, node: NodeFacts | None) -> Iterator[ReplyGround]:
    """Each reply attribute once, from the first that gives it: policy, groups, containers, user, node."""
    given: list[tuple[str, tuple[ReplyRule, ...]]] = [
        (f"policy {policy_name}", policy.reply_attribute),
        *((f"group {item.dn}", item.group.reply_attributes) for item in person.groups),
        *((f"container {item.dn}", item.container.reply_attributes) for item in person.ancestors),
        (f"user {person.dn}", person.user.reply_attributes),
        *([(f"access node {node.node.name}", node.node.reply_attribute)] if node else []),
    ]
    met: set[ReplyRule] = set()
    for source, rules in given:
        for rule in rules:
            if rule not in met:
                met.add(rule)
                yield ReplyGround(rule.name, rule.value, source)
