"""Effective policy: which one policy governs a login, and why every other candidate lost. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from auth.reason import Reason
from dirsync.view import Person, PolicyLink
from schema.entry import Policy


class Level(StrEnum):
    """Where a policy can be assigned, in the order of precedence."""

    USER = "user"
    GROUP = "group"
    CONTAINER = "organizational unit"
    NODE = "access node"
    SERVER = "server default"
    BUILT_IN = "built-in default"


class Candidate(msgspec.Struct, frozen=True):
    """One assignment that could have governed the login.

    Attributes:
        level: where it stands.
        holder: what it is assigned to: a DN or name.
        policy_name: the policy's DN or name.
        won: whether it is the one.
        why: why it won or lost, as a sentence without a full stop.
    """

    level: Level
    holder: str
    policy_name: str
    won: bool
    why: str


class Effective(msgspec.Struct, frozen=True):
    """The outcome.

    Attributes:
        policy: the policy that governs; None when there is none that may be used.
        name: its DN or name.
        reason: why there is none: POLICY_CONFLICT, POLICY_MISSING or POLICY_MALFORMED.
        candidates: every candidate in the order of precedence.
    """

    policy: Policy | None
    name: str
    reason: Reason | None
    candidates: tuple[Candidate, ...]


class _Assignment(msgspec.Struct, frozen=True):
    level: Level
    holder: str
    link: PolicyLink
    path: str = ""

    @property
    def policy_name(self) -> str:
        return self.link.dn or f"missing object {self.link.id.hex()}"

    @property
    def priority(self) -> int:
        """Between groups. One that cannot be known goes first, so that it is met and refused, not passed over."""
        policy = self.link.policy
        if policy is None or (policy.malformed and any(finding.attribute == _PRIORITY for finding in policy.malformed)):
            return _UNKNOWN
        return policy.priority


_PRIORITY = "dirfactorPriority"
_UNKNOWN = -1  # comes before every priority that can be written
_SERVER_ID = b"server default"
_BUILT_IN = _Assignment(
    Level.BUILT_IN, "dirfactor", PolicyLink(b"built-in default", "built-in", Policy(name="built-in"))
)


def effective_policy(
    person: Person, node_name: str, node_policy: PolicyLink | None, server_default: Policy | None
) -> Effective:
    """User > group > nearest container upward > access node > server default > built-in default; no merging.

    Between groups the lower dirfactorPriority wins; equal priority and different policies is a conflict. The winner
    is not passed over when its policy is missing or malformed: it refuses. Neither is a group's policy whose priority
    cannot be known: it wins, and refuses.
    """
    assignments = list(_assignments(person, node_name, node_policy, server_default))
    level = assignments[0].level
    rivals = [item for item in assignments if item.level is level]
    winner = min(rivals, key=lambda item: item.priority) if level is Level.GROUP else rivals[0]
    reason = _refusal(winner, rivals)
    candidates = tuple(_candidate(item, winner, reason) for item in assignments)
    return Effective(winner.link.policy if reason is None else None, winner.policy_name, reason, candidates)


def _assignments(
    person: Person, node_name: str, node_policy: PolicyLink | None, server_default: Policy | None
) -> Iterator[_Assignment]:
    if person.policy:
        yield _Assignment(Level.USER, person.dn, person.policy)
    for group in person.groups:
        if group.policy:
            yield _Assignment(Level.GROUP, group.dn, group.policy, " -> ".join(group.path))
    for ancestor in person.ancestors:
        if ancestor.policy:
            yield _Assignment(Level.CONTAINER, ancestor.dn, ancestor.policy)
    if node_policy:
        yield _Assignment(Level.NODE, node_name, node_policy)
    if server_default:
        yield _Assignment(Level.SERVER, "config.ini", PolicyLink(_SERVER_ID, "[policy:default]", server_default))
    yield _BUILT_IN


def _refusal(winner: _Assignment, rivals: Sequence[_Assignment]) -> Reason | None:
    if winner.link.policy is None:
        return Reason.POLICY_MISSING
    if winner.link.policy.malformed:
        return Reason.POLICY_MALFORMED
    if winner.level is Level.GROUP and any(_conflicts(winner, rival) for rival in rivals):
        return Reason.POLICY_CONFLICT
    return None


def _conflicts(winner: _Assignment, rival: _Assignment) -> bool:
    return rival.priority == winner.priority and rival.link.id != winner.link.id


def _candidate(item: _Assignment, winner: _Assignment, reason: Reason | None) -> Candidate:
    via = f", member through {item.path}" if item.path else ""
    if item.level is not winner.level:
        why = f"the {winner.level} level comes first"
    elif item is winner and reason is not None:
        why = reason.meaning + via
    elif item is winner and item.level is Level.GROUP:
        why = f"lowest priority at the first level that has an assignment: {item.priority}{via}"
    elif item is winner:
        why = "nearest assignment at the first level that has one"
    elif reason is Reason.POLICY_CONFLICT and _conflicts(winner, item):
        why = f"same priority {item.priority} as {winner.policy_name}{via}"
    elif item.level is Level.GROUP and item.link.id == winner.link.id:
        why = f"the same policy, assigned through another group{via}"
    elif winner.priority == _UNKNOWN and item.level is Level.GROUP:
        why = f"nothing comes before {winner.policy_name}, whose priority cannot be known{via}"
    elif item.level is Level.GROUP:
        why = f"priority {item.priority} is higher than {winner.priority}{via}"
    else:
        why = f"{winner.holder} is nearer"
    return Candidate(item.level, item.holder, item.policy_name, item is winner and reason is None, why)
