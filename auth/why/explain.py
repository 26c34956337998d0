"""Explain is decide: the same function, walked to its end under the assumption that every factor is shown. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from auth import steps as step
from auth.decision import Weighed, proceed, weigh
from auth.facts import CodeVerdict, Evidence, Facts, Field, PinShown, Question, Typed, Waiting
from auth.memorised.pin import is_expired
from auth.methods.token import sent_by_pin_alone
from auth.prompts import destination
from auth.steps import Decision, Finding
from auth.tokens import Usable
from auth.vip.credential import shown
from dirsync.password import PasswordVerdict
from schema.words import KeywordKind

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
    """Walk a login through what decides, assuming that password, PIN and codes are right and messages arrive.

    A PIN that has expired is right and has expired: a new one that the policy allows is typed where it is asked for.

    Args:
        facts: as for a real login.
        now: the instant of the login (aware).
    """
    weighed = weigh(facts, now)
    evidence, pin = Evidence(typed_password=_ALL_THAT_IS_WANTED), _pin(weighed, now)
    steps: list[str] = []
    trace: dict[Finding, None] = {}
    while True:
        decided = proceed(weighed, evidence)
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
                walked = _Walked(weighed, decided, pin)
                said = _told(done, walked)
                steps += [said] if said else []
                evidence = _went_well(done, walked)
                pin = PinShown.RIGHT if isinstance(done, step.AskNewPin) else pin


@dataclass(frozen=True, slots=True)
class _Walked:
    """How far the walk has come.

    Attributes:
        weighed: the login.
        decided: the last decision.
        pin: what a check of the PIN shows now.
    """

    weighed: Weighed
    decided: Decision
    pin: PinShown

    @property
    def brings_none(self) -> bool:
        """Whether only the PIN would have a code sent, and does so no more."""
        done, login = self.decided.step, self.weighed.login
        if login is None or self.pin is not PinShown.EXPIRED or not isinstance(done, step.CheckKeyword | step.AskCode):
            return False
        return sent_by_pin_alone(login, self.decided.evidence, done.token)

    @property
    def by_keyword(self) -> bool:
        """Whether it is by the keyword that is checked that a code comes; else the person has one already."""
        done = self.decided.step
        expired = self.pin is PinShown.EXPIRED
        return isinstance(done, step.CheckKeyword) and not (expired and done.kind is KeywordKind.PIN)

    @property
    def pin_in_front(self) -> bool:
        """Whether the PIN stands in front of the code that is asked for."""
        policy = self.decided.policy
        return policy is not None and policy.pin_with_token and self.decided.evidence.pin is None


def _pin(weighed: Weighed, now: datetime) -> PinShown:
    """What a check of the right PIN shows."""
    login = weighed.login
    if login is not None and is_expired(login.person.user, weighed.facts.pin_chosen_at, login.policy, now):
        return PinShown.EXPIRED
    return PinShown.RIGHT


def _went_well(done: step.Performed, walked: _Walked) -> Evidence:
    """The evidence when a step has gone well: everything that was checked is right, every message has arrived."""
    evidence, pin = walked.decided.evidence, walked.pin
    match done:
        case step.CheckPassword() | step.AskPassword():
            return replace(evidence, password=PasswordVerdict.RIGHT)
        case step.CheckPin() | step.AskPin():
            return replace(evidence, pin=pin)
        case step.CheckNewPin() | step.KeepPin() | step.AskNewPin():
            return _with_new_pin(walked)
        case step.CheckKeyword(token=token) | step.AskCode(token=token) if walked.brings_none:
            return replace(evidence, token=token.kind, code=CodeVerdict.EXHAUSTED)
        case step.CheckKeyword(token=token) if walked.by_keyword:
            return replace(evidence, keyword=token.kind, factor=True)
        case (
            step.SendCode(token=token)
            | step.AskCode(token=token)
            | step.CheckCode(token=token)
            | step.CheckKeyword(token=token)
        ):
            shown_pin = pin if walked.pin_in_front else evidence.pin
            return replace(evidence, token=token.kind, code=CodeVerdict.RIGHT, pin=shown_pin)
        case _:
            assert_never(done)


def _with_new_pin(walked: _Walked) -> Evidence:
    """The evidence when a new PIN was typed; where no PIN is what the policy allows, until no try is left."""
    evidence, policy = walked.decided.evidence, walked.decided.policy
    if policy is None or policy.pin_minimum_length <= policy.pin_maximum_length:
        return replace(evidence, pin=PinShown.RIGHT)
    waiting = Waiting(Question.NEW_PIN, evidence.stage, last_try=True)
    return replace(evidence, pin=PinShown.UNFIT, answer=Field.CODE, waiting=waiting)


def _told(done: step.Performed, walked: _Walked) -> str:
    """What happens, in a line; empty for what is part of another line."""
    expired = ", and has expired" if walked.pin is PinShown.EXPIRED else ""
    behind = f"; the PIN stands in front of it{expired}" if walked.pin_in_front else ""
    match done:
        case step.CheckPassword() | step.AskPassword():
            return "the directory checks the password"
        case step.CheckPin() | step.AskPin():
            return f"the PIN is asked for and checked{expired}"
        case step.CheckNewPin() | step.KeepPin() | step.AskNewPin():
            return "a new PIN, typed twice, is asked for and kept"
        case step.CheckKeyword(token=token) | step.AskCode(token=token) if walked.brings_none:
            return f"the PIN is the keyword that would have a code sent by {token.kind}, and has expired: none is sent"
        case step.CheckKeyword(token=token, kind=kind) if walked.by_keyword:
            return f"the {kind} is the keyword that has a code sent by {token.kind}"
        case step.SendCode(token=token, stock=stock):
            what = f"a message with {stock} codes" if stock else "a code"
            return f"{what} is sent by {token.kind} to {destination(token)} and asked for{behind}"
        case step.AskCode(token=token) | step.CheckCode(token=token) | step.CheckKeyword(token=token):
            return _checked_elsewhere(token) + behind
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
