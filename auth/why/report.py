"""An explanation with what it rests on, as programs read it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from auth.effective import Candidate
from auth.facts import Facts
from auth.why.explain import Explanation, explain
from auth.why.grounds import Grounds, grounds
from auth.why.report_data import CandidatePolicy, Explained, Looked, Violations


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to "what would happen, and why".

    Attributes:
        explanation: the walk through `decide`.
        grounds: what it rests on.
        asked_at: the instant that was asked about; None for the present.
        node: the access node, with its login mode.
    """

    explanation: Explanation
    grounds: Grounds
    asked_at: datetime | None
    node: str


def reported(facts: Facts, now: datetime, asked_at: datetime | None = None) -> Report:
    """The answer for a login now, or at another instant with the directory's data as they are, and as old as now.

    Args:
        facts: as for a real login now.
        now: the present (aware).
        asked_at: the instant of the login, if it is another (aware).
    """
    at = asked_at or now
    as_of = facts.freshness.as_of
    if as_of is not None:
        facts = replace(facts, freshness=replace(facts.freshness, as_of=as_of + (at - now)))
    explanation = explain(facts, at)
    node = f"{facts.node.node.name} ({facts.node.node.login_mode})" if facts.node else "unknown"
    return Report(explanation, grounds(facts, explanation.decision, at), asked_at, node)


def candidate_line(candidate: Candidate) -> str:
    """A policy that could have governed, in two lines; a star marks the one that does."""
    mark = "*" if candidate.won else " "
    return f"  {mark} {candidate.level:<20} {candidate.policy_name}\n      at {candidate.holder}: {candidate.why}"


def as_data(report: Report) -> Explained:
    """The answer for programs."""
    explanation, known = report.explanation, report.grounds
    decided, age = explanation.decision, explanation.directory_age
    return Explained(
        outcome=explanation.outcome,
        remedy=explanation.remedy,
        user=decided.person.dn if decided.person else None,
        user_id=decided.person.id.hex() if decided.person else None,
        access_node=report.node.partition(" (")[0],
        at=report.asked_at,
        policy=decided.policy_name,
        trace=[Looked(item.check, item.found) for item in explanation.trace],
        candidates=[candidate_data(candidate) for candidate in decided.candidates],
        steps=explanation.steps,
        tokens=known.tokens,
        groups=known.groups,
        violations=_violations_data(known),
        reply_attributes=known.replies if explanation.reply_attributes else (),
        directory_version=explanation.directory_version,
        directory_age=age if age != float("inf") else None,
        directory_age_limit=known.staleness_limit,
    )


def _violations_data(known: Grounds) -> Violations | None:
    where, left = known.standing, known.failures_to_lock
    if where is None:
        return None
    return Violations(where.failures, where.violations, known.locked_until, left, where.today)


def candidate_data(candidate: Candidate) -> CandidatePolicy:
    """A policy that could have governed, for programs."""
    return CandidatePolicy(candidate.level, candidate.holder, candidate.policy_name, candidate.won, candidate.why)
