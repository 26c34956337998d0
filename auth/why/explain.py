"""Explain is decide: the same function, walked to its end under the assumption that every factor is shown. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from auth import steps as step
from auth.decision import decide, passed
from auth.facts import CodeVerdict, Evidence, Facts, Typed
from auth.prompts import destination
from auth.steps import Decision, Finding
from auth.tokens import Usable
from auth.vip.credential import shown
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
    credentials = ", ".join(map(shown, token.credentials))
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
