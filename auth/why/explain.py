"""Explain is decide: the same function, walked to its end under the assumption that every factor is shown. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from auth import steps as step
from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Facts, PinShown, Typed
from auth.prompts import destination
from auth.steps import Decision, Finding
from auth.tokens import Usable
from auth.vip.credential import shown
from dirsync.password import PasswordVerdict

# password and code, in whichever order they share a field
_ALL_THAT_IS_WANTED = Typed(40, 10, 10)


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
    evidence = Evidence(typed_password=_ALL_THAT_IS_WANTED)
    steps: list[str] = []
    trace: dict[Finding, None] = {}
    while True:
        decided = decide(facts, evidence, now)
        trace |= dict.fromkeys(decided.trace)
        match decided.step:
            case step.Accept(reply_rules=rules):
                pairs = tuple((rule.name, rule.value) for rule in rules)
                return _explanation("accepted", steps, decided, trace, facts, now, pairs)
            case step.Forward() | step.AskForwarded() | step.AcceptForwarded():
                target = facts.node.node.proxy_target if facts.node else None
                return _explanation(f"forwarded: {target} decides", steps, decided, trace, facts, now)
            case step.Refuse(reason=reason):
                return _explanation(f"refused: {reason}", steps, decided, trace, facts, now, remedy=reason.remedy)
            case done:
                said = _told(done)
                steps += [said] if said else []
                evidence = went_well(done, decided.evidence)


def went_well(done: step.Performed, evidence: Evidence) -> Evidence:
    """The evidence when a step has gone well: everything that was checked is right, every message has arrived."""
    match done:
        case step.CheckPassword() | step.AskPassword():
            return replace(evidence, password=PasswordVerdict.RIGHT)
        case step.CheckPin() | step.AskPin() | step.CheckNewPin() | step.KeepPin() | step.AskNewPin():
            return replace(evidence, pin=PinShown.RIGHT)
        case step.CheckKeyword(token=token):
            return replace(evidence, keyword=token.kind, factor=True)
        case step.SendCode(token=token) | step.AskCode(token=token) | step.CheckCode(token=token):
            return replace(evidence, token=token.kind, code=CodeVerdict.RIGHT)
        case _:
            assert_never(done)


def _told(done: step.Performed) -> str:
    """What happens, in a line; empty for what is part of another line."""
    match done:
        case step.CheckPassword() | step.AskPassword():
            return "the directory checks the password"
        case step.CheckPin() | step.AskPin():
            return "the PIN is asked for and checked"
        case step.CheckNewPin() | step.KeepPin() | step.AskNewPin():
            return "a new PIN is kept"
        case step.CheckKeyword(token=token, kind=kind):
            return f"the {kind} is the keyword that has a code sent by {token.kind}"
        case step.SendCode(token=token, stock=stock):
            what = f"a message with {stock} codes" if stock else "a code"
            return f"{what} is sent by {token.kind} to {destination(token)} and asked for"
        case step.AskCode(token=token) | step.CheckCode(token=token):
            return _checked_elsewhere(token)
        case _:
            assert_never(done)


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
