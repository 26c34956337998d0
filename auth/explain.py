"""Explain is decide: the same function, walked to its end under the assumption that every factor is shown. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from auth import steps as step
from auth.decision import decide, passed
from auth.effective import Candidate
from auth.facts import CodeVerdict, Evidence, Facts, Typed
from auth.prompts import destination
from auth.steps import Decision, Finding
from auth.tokens import Usable
from dirsync.password import PasswordVerdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen at a login, and why.

    Attributes:
        outcome: one line: accepted or refused with its reason.
        steps: what would be asked and done, in order.
        decision: the last decision, with the policies that could have governed.
        trace: what was looked at on the whole way, each finding once.
        reply_attributes: what an accept would carry.
        remedy: what helps against a refusal.
        directory_version: version of the replica.
        directory_age: its age in seconds.
    """

    outcome: str
    steps: tuple[str, ...]
    decision: Decision
    trace: tuple[Finding, ...]
    reply_attributes: tuple[tuple[str, str], ...]
    remedy: str
    directory_version: int
    directory_age: float


def explain(facts: Facts, now: datetime) -> Explanation:
    """Walk a login through `decide`, assuming that password and codes are right and messages arrive.

    Args:
        facts: as for a real login.
        now: the instant of the login (aware).
    """
    evidence = Evidence(typed_password=Typed.GIVEN)
    steps: list[str] = []
    trace: dict[Finding, None] = {}
    while True:
        decided = decide(facts, evidence, now)
        trace |= dict.fromkeys(decided.trace)
        if decided.stage != evidence.stage:
            evidence = passed(evidence, decided.stage)
        match decided.step:
            case step.Accept(reply_rules=rules):
                pairs = tuple((rule.name, rule.value) for rule in rules)
                return _explanation("accepted", steps, decided, trace, facts, now, pairs)
            case step.Refuse(reason=reason):
                return _explanation(f"refused: {reason}", steps, decided, trace, facts, now, remedy=reason.remedy)
            case step.CheckPassword() | step.AskPassword():
                steps.append("the directory checks the password")
                evidence = replace(evidence, password=PasswordVerdict.RIGHT, typed_password=Typed.GIVEN)
            case step.SendCode(token=token):
                steps.append(f"a code is sent by {token.kind} to {destination(token)} and asked for")
                evidence = replace(evidence, token=token.kind, code=CodeVerdict.RIGHT)
            case step.AskCode(token=token) | step.CheckCode(token=token):
                steps.append(_checked_elsewhere(token))
                evidence = replace(evidence, token=token.kind, code=CodeVerdict.RIGHT)


def _checked_elsewhere(token: Usable) -> str:
    credentials = ", ".join(token.credentials)
    return f"the code of {token.kind} is asked for" + (f" and checked by VIP for {credentials}" if credentials else "")


def _explanation(
    outcome: str,
    steps: list[str],
    decided: Decision,
    trace: Iterable[Finding],
    facts: Facts,
    now: datetime,
    pairs: tuple[tuple[str, str], ...] = (),
    remedy: str = "",
) -> Explanation:
    age = facts.freshness.age(now)
    return Explanation(outcome, tuple(steps), decided, tuple(trace), pairs, remedy, facts.freshness.version, age)


def as_text(explanation: Explanation) -> str:
    """The explanation for a terminal, without colours."""
    decided = explanation.decision
    lines = [explanation.outcome]
    if explanation.remedy:
        lines.append(f"  remedy: {explanation.remedy}")
    lines += ["", "what is looked at"]
    lines += [f"  {finding.check:<20} {finding.found}" for finding in explanation.trace]
    if decided.candidates:
        lines += ["", "policies that could govern"]
        lines += [candidate_line(candidate) for candidate in decided.candidates]
    if explanation.steps:
        lines += ["", "what happens"]
        lines += [f"  {number}. {step}" for number, step in enumerate(explanation.steps, 1)]
    if explanation.reply_attributes:
        lines += ["", "what an accept carries"]
        lines += [f"  {name} = {value}" for name, value in explanation.reply_attributes]
    lines += ["", f"directory data: version {explanation.directory_version}, {explanation.directory_age:.0f} s old"]
    return "\n".join(lines)


def candidate_line(candidate: Candidate) -> str:
    """A policy that could have governed, in two lines; a star marks the one that does."""
    mark = "*" if candidate.won else " "
    return f"  {mark} {candidate.level:<20} {candidate.policy_name}\n      at {candidate.holder}: {candidate.why}"


def as_data(explanation: Explanation) -> dict[str, Any]:
    """The explanation for --json."""
    decided = explanation.decision
    return {
        "outcome": explanation.outcome,
        "remedy": explanation.remedy,
        "user": decided.person.dn if decided.person else None,
        "policy": decided.policy_name,
        "trace": [{"check": item.check, "found": item.found} for item in explanation.trace],
        "candidates": [candidate_data(candidate) for candidate in decided.candidates],
        "steps": list(explanation.steps),
        "reply_attributes": [{"name": name, "value": value} for name, value in explanation.reply_attributes],
        "directory_version": explanation.directory_version,
        "directory_age": explanation.directory_age if explanation.directory_age != float("inf") else None,
    }


def candidate_data(candidate: Candidate) -> dict[str, Any]:
    """A policy that could have governed, for --json."""
    return {
        "level": candidate.level,
        "holder": candidate.holder,
        "policy": candidate.policy_name,
        "won": candidate.won,
        "why": candidate.why,
    }
