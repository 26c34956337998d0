"""What a person's next logon will be like, for whoever changes a token or a policy: explain, in a sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth.effective import Effective, Level, effective_policy
from auth.facts import Facts, NodeFacts, Reach
from auth.standing import Standing, standing, unlocked_at
from auth.tokens import Unusable, Usable, usable_tokens
from auth.why.explain import Explanation, explain
from dirsync.view import Freshness, Person
from schema.entry import AccessNode, Policy
from schema.words import Method, TokenKind

_NODE = "any access node"
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around the person.

    Attributes:
        server_default: the [policy:default] section.
        region: country of phone numbers without a country code.
        reach: what config.ini has; None when there is no config.ini to ask, then nothing is held against a token.
        failures: instants of the person's wrong codes.
        wrong_today: how many there were within a day, see `auth.guessing`.
        pin_chosen_at: when the person chose the PIN that the state store keeps; None when it keeps none.
    """

    server_default: Policy | None = None
    region: str | None = None
    reach: Reach | None = None
    failures: Sequence[datetime] = ()
    wrong_today: int = 0
    pin_chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a logon would do as things stand.

    Attributes:
        effective: the policy that governs.
        tokens: every token, usable or why not; empty when no policy can govern.
        chosen: the token that is asked for; None when none is.
        explanation: the whole way.
        standing: violations and lock; by the built-in numbers where no policy can govern.
    """

    effective: Effective
    tokens: tuple[Usable | Unusable, ...]
    chosen: Usable | None
    explanation: Explanation
    standing: Standing

    @property
    def accepted(self) -> bool:
        """Whether a logon with all factors right would succeed."""
        return self.explanation.outcome == "accepted"


def outlook(person: Person, around: Around, now: datetime) -> Outlook:
    """Walk a logon through an access node that has no policy of its own and lets everybody in."""
    effective = effective_policy(person, _NODE, None, around.server_default)
    reach = around.reach or _whatever_it_names(effective.policy)
    facts = Facts(
        node=NodeFacts(AccessNode(name=_NODE), None, None),
        found=(person,),
        server_default=around.server_default,
        freshness=Freshness(1, now),
        expired_after=_DAY,
        reach=reach,
        failures=around.failures,
        region=around.region,
        wrong_today=around.wrong_today,
        pin_chosen_at=around.pin_chosen_at,
    )
    explanation = explain(facts, now)
    policy = effective.policy
    counting = policy or Policy(name="built-in")
    where = standing(around.failures, counting, unlocked_at(person.user, now), around.wrong_today).at(now)
    if policy is None:
        return Outlook(effective, (), None, explanation, where)
    tokens = tuple(usable_tokens(person.user, policy, around.region, reach))
    demanded = Method.TOKEN in explanation.decision.methods
    chosen = next((token for token in tokens if isinstance(token, Usable)), None) if demanded else None
    return Outlook(effective, tokens, chosen, explanation, where)


def warnings(name: str, ahead: Outlook, kind: TokenKind | None = None) -> tuple[str, ...]:
    """What will not be as it was meant.

    Args:
        name: whose logon.
        ahead: how it will be.
        kind: the token that is meant to work; None when any is as good.
    """
    governs = ahead.effective.name
    found = []
    if not ahead.accepted:
        found.append(f"a logon of {name} is {ahead.explanation.outcome}; {ahead.explanation.remedy}")
    elif ahead.chosen is None:
        found.append(f"no token is asked for: the policy {governs} does not demand one")
    obstacle = _obstacle(ahead, kind)
    if obstacle:
        found.append(f"the {kind} token will not work: {obstacle}")
    elif kind and ahead.chosen and ahead.chosen.kind is not kind:
        found.append(f"the policy {governs} has {ahead.chosen.kind} asked for before {kind} (dirfactorTokenOrder)")
    if any(item.won and item.level in {Level.SERVER, Level.BUILT_IN} for item in ahead.effective.candidates):
        found.append("no policy is assigned to user, groups or containers: an access node's own policy would govern")
    return tuple(found)


def works(ahead: Outlook, kind: TokenKind | None = None) -> bool:
    """Whether a logon would succeed, and the token that is meant to work could be used and would be of use."""
    useful = kind is None or (ahead.chosen is not None and not _obstacle(ahead, kind))
    return ahead.accepted and useful


def _obstacle(ahead: Outlook, kind: TokenKind | None) -> str:
    """Why a token cannot be used; empty when it can, or nobody knows because no policy can govern."""
    return next((item.why for item in ahead.tokens if isinstance(item, Unusable) and item.kind is kind), "")


def _whatever_it_names(policy: Policy | None) -> Reach:
    named = policy or Policy(name="")
    some = frozenset({_NODE})
    return Reach(frozenset(named.sms_gateways) or some, frozenset(named.email_gateways) or some, vip=True)
