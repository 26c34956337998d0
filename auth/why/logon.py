"""What a logon comes to, small enough to be compared with what it comes to after a change. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from auth.facts import Facts
from auth.prompts import destination
from auth.reason import Reason
from auth.steps import Decision
from auth.tokens import Usable, usable_tokens
from auth.why.explain import explain
from schema.hours import LogonHours
from schema.words import Method

_HOURS_OF_A_WEEK = 168


class Effect(StrEnum):
    """What a change does to somebody's logon, the worst first."""

    LOSES = "loses access"
    AMBIGUOUS = "has a login name that means two users"
    WEAKER = "is asked for less"
    GAINS = "gains access"
    STRICTER = "is asked for more"
    TOKEN = "is asked for another token"  # noqa: S105 - words
    POLICY = "is governed by another policy"
    HOURS = "may log on at other hours"
    REPLY = "gets other reply attributes"
    REASON = "is refused for another reason"


@dataclass(frozen=True, slots=True)
class Logon:
    """What a logon comes to when password and codes are right.

    Attributes:
        outcome: accepted or refused with its reason.
        policy: DN or name of the policy that governs.
        demands: the methods, in order; a PIN in front of the code is one of them.
        token: the token that is asked for.
        replies: what the accept carries.
        hours: when the policy permits it.
        grid: when the directory permits it.
    """

    outcome: str
    policy: str
    demands: tuple[Method, ...]
    token: Usable | None
    replies: tuple[tuple[str, str], ...]
    hours: LogonHours | None
    grid: bytes | None

    @property
    def accepted(self) -> bool:
        """Whether it succeeds."""
        return self.outcome == "accepted"

    def __str__(self) -> str:
        if not self.accepted:
            return self.outcome
        address = f" to {destination(self.token)}" if self.token and destination(self.token) else ""
        shown = [
            f"{self.token.kind}{address}" if one is Method.TOKEN and self.token else str(one) for one in self.demands
        ]
        return f"accepted with {', '.join(shown)}"


def logon(facts: Facts, at: datetime) -> Logon:
    """What a login with these facts comes to at an instant."""
    explained = explain(facts, at)
    decided = explained.decision
    person, policy = decided.person, decided.policy
    demands = _demands(decided)
    token = None
    if person and policy and explained.outcome == "accepted" and Method.TOKEN in demands:
        tokens = usable_tokens(person.user, policy, facts.region, facts.reach)
        token = next((one for one in tokens if isinstance(one, Usable)), None)
    return Logon(
        explained.outcome,
        decided.policy_name,
        demands,
        token,
        explained.reply_attributes,
        policy.logon_hours if policy else None,
        person.user.logon_grid if person else None,
    )


def _demands(decided: Decision) -> tuple[Method, ...]:
    methods = tuple(stage.method for stage in decided.stages)
    if decided.policy is None or not decided.policy.pin_with_token or Method.TOKEN not in methods:
        return methods
    place = methods.index(Method.TOKEN)
    return (*methods[:place], Method.PIN, *methods[place:])


def effect(before: Logon | None, after: Logon | None) -> Effect | None:
    """What has become of a logon; the worst of it, None for nothing. A logon of somebody who is not there is None."""
    if before is None or after is None:
        was, now = before is not None and before.accepted, after is not None and after.accepted
        return None if was == now else Effect.LOSES if was else Effect.GAINS
    if before.accepted != after.accepted:
        return Effect.LOSES if before.accepted else Effect.GAINS
    if not before.accepted:
        return Effect.REASON if before.outcome != after.outcome else None
    lost, more = set(before.demands) - set(after.demands), set(after.demands) - set(before.demands)
    compared = (
        (bool(lost), Effect.WEAKER),
        (bool(more), Effect.STRICTER),
        (before.token != after.token, Effect.TOKEN),
        (before.policy != after.policy, Effect.POLICY),
        ((before.hours, before.grid) != (after.hours, after.grid), Effect.HOURS),
        (before.replies != after.replies, Effect.REPLY),
    )
    return next((found for differs, found in compared if differs), None)


def both(before: Facts, after: Facts, at: datetime, *, exactly: bool) -> tuple[Logon, Logon]:
    """What a logon comes to before and after.

    Args:
        before: what was known.
        after: what is known.
        at: an instant.
        exactly: at this one; else at the first one from then on at which the hours permit it, so that a change is
            seen at night as well.
    """
    instants = [at] if exactly else [at + timedelta(hours=hours) for hours in range(_HOURS_OF_A_WEEK)]
    at_first: tuple[Logon, Logon] | None = None
    permitted_before: tuple[Logon, Logon] | None = None
    for instant in instants:
        found = logon(_fresh(before, instant), instant), logon(_fresh(after, instant), instant)
        if not any(map(_refused_by_hours, found)):
            return found
        at_first = at_first or found
        if not _refused_by_hours(found[0]):
            permitted_before = permitted_before or found
    return permitted_before or at_first or found


def _fresh(facts: Facts, at: datetime) -> Facts:
    """The same, as if the directory had just been read and the PIN just been chosen: their age is another matter."""
    return replace(facts, freshness=replace(facts.freshness, as_of=at), pin_chosen_at=at)


def _refused_by_hours(found: Logon) -> bool:
    return found.outcome == f"refused: {Reason.LOGON_HOURS}"
