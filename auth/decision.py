"""The decision: from facts and evidence to the next step, with the trace of how it came about. Pure and total."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from auth.admission import account, admission
from auth.effective import effective_policy
from auth.facts import CodeVerdict, Evidence, Facts, NodeFacts, Typed
from auth.reason import Reason
from auth.steps import (
    Accept,
    AskCode,
    AskPassword,
    CheckCode,
    CheckPassword,
    Decision,
    Field,
    Refuse,
    SendCode,
    Stage,
    Step,
    Trace,
)
from auth.tokens import Unusable, Usable, usable_tokens
from dirsync.password import PasswordVerdict
from dirsync.view import Person
from schema.entry import Policy
from schema.grammar import ReplyRule
from schema.words import LoginMode, Method, TokenKind


def decide(facts: Facts, evidence: Evidence, now: datetime) -> Decision:
    """The next step of a login.

    Total: every combination of facts and evidence has exactly one step, and only evidence that every method of the
    effective policy was passed leads to `Accept`. The facts may change between two calls of one login: evidence that
    was gathered for one method never counts for another.

    Args:
        facts: everything known.
        evidence: what the login has shown; the caller performs the step and comes back with more. Its stage is that of
            a challenge, or the one of the decision before (`passed`).
        now: the instant (aware).
    """
    trace = Trace()
    early = admission(facts, trace)
    if isinstance(early, Refuse):
        return Decision(early, tuple(trace.findings))
    node, person = early
    effective = effective_policy(person, node.node.name, node.policy, facts.server_default)
    known = Decision(
        Refuse(Reason.INTERNAL_FAULT), person=person, policy_name=effective.name, candidates=effective.candidates
    )
    policy = effective.policy
    if policy is None:
        trace.note("effective policy", f"none: {effective.name}")
        reason = effective.reason or Reason.POLICY_MISSING
        return replace(known, step=Refuse(reason), trace=tuple(trace.findings))
    trace.note("effective policy", effective.name)
    stages = _stages(policy, node)
    login = _Login(facts, node, person, policy, stages)
    refusal = account(facts, person, policy, now, trace) or _unperformed(login, trace)
    step = refusal or _strayed(login, evidence, trace) or _stage_step(login, evidence, trace)
    while step is None:
        evidence = passed(evidence, evidence.stage + 1)
        step = _stage_step(login, evidence, trace)
    return replace(known, step=step, trace=tuple(trace.findings), policy=policy, stage=evidence.stage, stages=stages)


def passed(evidence: Evidence, stage: int) -> Evidence:
    """The evidence when the login has come to `stage`: what the methods before it have shown does not count again."""
    return replace(evidence, stage=stage, password=None, code=None, token=None, answering=False)


@dataclass(frozen=True, slots=True)
class _Login:
    """What stays the same while the methods of one login are gone through."""

    facts: Facts
    node: NodeFacts
    person: Person
    policy: Policy
    stages: tuple[Stage, ...]


def _stages(policy: Policy, node: NodeFacts) -> tuple[Stage, ...]:
    """The methods to pass, in order. A codeOnly node has checked the password itself."""
    checked_elsewhere = {Method.PASSWORD} if node.node.login_mode is LoginMode.CODE_ONLY else set()
    stages = (
        Stage(policy.first_method, policy.first_method_attempts),
        Stage(policy.second_method, policy.second_method_attempts),
    )
    return tuple(stage for stage in stages if stage.method not in checked_elsewhere | {Method.NONE})


_PERFORMED = (Method.PASSWORD, Method.TOKEN)
_PERFORMED_MODES = (LoginMode.CHALLENGE, LoginMode.CODE_ONLY)


def _unperformed(login: _Login, trace: Trace) -> Refuse | None:
    """Whether policy or node ask for what no login can show here; said before anything is checked or sent."""
    methods = [stage.method for stage in login.stages]
    mode = login.node.node.login_mode
    strange = [method for method in methods if method not in _PERFORMED]
    if mode not in _PERFORMED_MODES:
        trace.note("login mode", f"{mode} is not performed by this version")
    elif strange:
        trace.note("methods", f"{strange[0]} is not performed by this version")
    elif not methods:
        trace.note("methods", "the policy demands nothing here, which is not accepted")
    elif len(set(methods)) != len(methods):
        trace.note("methods", f"the policy demands {methods[0]} twice, which one login cannot show")
    else:
        return None
    return Refuse(Reason.METHOD_UNSUPPORTED)


def _strayed(login: _Login, evidence: Evidence, trace: Trace) -> Refuse | None:
    """Whether the evidence belongs to another method than the one that its stage stands for now.

    It does when the effective policy, or the node's login mode, changed while the login was under way. Only two methods
    are performed, each at most once, so that the method which is due also tells which one was passed before it.
    """
    due = login.stages[evidence.stage].method if 0 <= evidence.stage < len(login.stages) else None
    shown = set()
    if evidence.token or evidence.code or evidence.undelivered or evidence.send_limited:
        shown.add(Method.TOKEN)
    if evidence.password or (evidence.answering and evidence.token is None):
        shown.add(Method.PASSWORD)
    if due is not None and shown <= {due}:
        return None
    trace.note("methods", "they have changed since this login began")
    return Refuse(Reason.CHALLENGE_UNKNOWN)


def _stage_step(login: _Login, evidence: Evidence, trace: Trace) -> Step | None:
    """The step of the stage that the login has come to; None when its method has been shown."""
    if evidence.stage >= len(login.stages):
        trace.note("methods", "all passed: " + ", ".join(stage.method for stage in login.stages))
        return Accept(_reply_rules(login))
    match login.stages[evidence.stage].method:
        case Method.PASSWORD:
            return _password_step(login, evidence, trace)
        case Method.TOKEN:
            return _token_step(login, evidence, trace)
        case _:  # `_unperformed` has refused it
            return Refuse(Reason.METHOD_UNSUPPORTED)


_PASSWORD_REFUSALS = {
    PasswordVerdict.WRONG: Reason.PASSWORD_WRONG,
    PasswordVerdict.EXPIRED: Reason.PASSWORD_EXPIRED,
    PasswordVerdict.MUST_CHANGE: Reason.PASSWORD_MUST_CHANGE,
    PasswordVerdict.HOURS: Reason.PASSWORD_HOURS,
    PasswordVerdict.WORKSTATION: Reason.PASSWORD_WORKSTATION,
    PasswordVerdict.DISABLED: Reason.ACCOUNT_DISABLED,
    PasswordVerdict.ACCOUNT_EXPIRED: Reason.ACCOUNT_EXPIRED,
    PasswordVerdict.LOCKED: Reason.ACCOUNT_LOCKED,
    PasswordVerdict.UNAVAILABLE: Reason.DIRECTORY_UNAVAILABLE,
}


def _password_field(login: _Login, evidence: Evidence) -> Typed:
    """What stands in the password field, unless a client with one field has used it for the code."""
    one_field = evidence.typed_code is Typed.ABSENT and not evidence.answering
    return Typed.ABSENT if one_field and login.stages[0].method is Method.TOKEN else evidence.typed_password


def _code_field(login: _Login, evidence: Evidence) -> tuple[Field, Typed]:
    """Where the code stands: in its own field, or in the only one when the token is the first method."""
    if evidence.typed_code is Typed.ABSENT and login.stages[0].method is Method.TOKEN and not evidence.answering:
        return Field.PASSWORD, evidence.typed_password
    return Field.CODE, evidence.typed_code


def _password_step(login: _Login, evidence: Evidence, trace: Trace) -> Step | None:
    verdict = evidence.password
    typed = _password_field(login, evidence)
    if verdict is None:
        if typed is Typed.EMPTY:
            trace.note("password", "empty")
            return Refuse(Reason.PASSWORD_EMPTY)
        if typed is Typed.GIVEN:
            trace.note("password", "to be checked by the directory")
            return CheckPassword()
        trace.note("password", "to be asked for")
        return AskPassword() if evidence.stage else Refuse(Reason.PASSWORD_EMPTY)
    trace.note("password", verdict)
    if verdict is PasswordVerdict.RIGHT:
        return None
    if verdict is PasswordVerdict.EXPIRED and login.policy.allow_expired_password:
        trace.note("password", "expired, which the policy allows")
        return None
    return Refuse(_PASSWORD_REFUSALS[verdict])


def _token_step(login: _Login, evidence: Evidence, trace: Trace) -> Step | None:
    token = _choose_token(login, evidence, trace)
    if token is None:
        return Refuse(Reason.DELIVERY_FAILED if evidence.undelivered else Reason.NO_TOKEN)
    if evidence.code is CodeVerdict.RIGHT:
        trace.note("code", f"of {token.kind}: right")
        return None
    if evidence.code is not None:
        return _after_wrong_code(token, evidence.code, trace)
    field, typed = _code_field(login, evidence)
    if typed is Typed.GIVEN and (evidence.answering or token.kind is TokenKind.VIP):
        trace.note("code", "to be checked")
        return CheckCode(token, field)
    if evidence.answering:
        trace.note("code", "empty")
        return Refuse(Reason.CODE_EMPTY)
    if token.kind is TokenKind.VIP:
        return AskCode(token)
    return _send_step(login, evidence, token, trace)


def _send_step(login: _Login, evidence: Evidence, token: Usable, trace: Trace) -> Step:
    """Send only after a first factor, or for a node that has checked one itself; and only so often."""
    code_only = login.node.node.login_mode is LoginMode.CODE_ONLY
    if evidence.stage == 0 and not code_only:
        trace.note("send", "no factor has been shown yet")
        return Refuse(Reason.NO_FIRST_FACTOR)
    if evidence.send_limited:
        trace.note("send", f"{login.policy.codes_per_window} codes in 15 minutes were sent already")
        return Refuse(Reason.SEND_LIMIT)
    trace.note("send", f"a code by {token.kind}")
    return SendCode(token)


def _after_wrong_code(token: Usable, verdict: CodeVerdict, trace: Trace) -> Step:
    trace.note("code", verdict)
    match verdict:
        case CodeVerdict.WRONG:
            return AskCode(token, Reason.CODE_WRONG_RETRY)
        case CodeVerdict.EXHAUSTED:
            return Refuse(Reason.ATTEMPTS_EXHAUSTED)
        case CodeVerdict.LOCKED:
            return Refuse(Reason.VIOLATIONS_LOCKED)
        case CodeVerdict.UNAVAILABLE:
            return Refuse(Reason.VIP_UNAVAILABLE)
        case _:
            return Refuse(Reason.VIP_MISCONFIGURED)


def _choose_token(login: _Login, evidence: Evidence, trace: Trace) -> Usable | None:
    """The first usable token in the policy's order, or the one that was asked for, as long as it is still usable."""
    chosen: Usable | None = None
    for token in usable_tokens(login.person.user, login.policy, login.facts.region, login.facts.reach):
        if isinstance(token, Unusable):
            trace.note(f"token {token.kind}", token.why)
        elif token.kind in evidence.undelivered:
            trace.note(f"token {token.kind}", "no gateway took the message")
            if not login.policy.token_fallback:
                return None
        elif evidence.token is not None and token.kind is not evidence.token:
            trace.note(f"token {token.kind}", f"usable, but {evidence.token} was asked for")
        elif chosen is not None:
            trace.note(f"token {token.kind}", f"usable, but {chosen.kind} comes first in dirfactorTokenOrder")
        else:
            trace.note(f"token {token.kind}", "usable")
            chosen = token
    return chosen


def _reply_rules(login: _Login) -> tuple[ReplyRule, ...]:
    """Reply attributes of policy, groups, containers, user and node, each once, in that order."""
    rules: Sequence[ReplyRule] = (
        *login.policy.reply_attribute,
        *(rule for group in login.person.groups for rule in group.group.reply_attributes),
        *(rule for ancestor in login.person.ancestors for rule in ancestor.container.reply_attributes),
        *login.person.user.reply_attributes,
        *login.node.node.reply_attribute,
    )
    return tuple(dict.fromkeys(rules))
