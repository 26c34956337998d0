"""The decision: from facts and evidence to the next step, with the trace of how it came about. Pure and total."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from auth.admission import account, admission
from auth.effective import effective_policy
from auth.facts import Evidence, Facts, Field
from auth.methods.by_response import by_response
from auth.methods.forwarded import forwarded_step
from auth.methods.login import Login, login_of, strayed, unperformed
from auth.methods.password import password_step
from auth.methods.pin import pin_step
from auth.methods.token import token_step
from auth.reason import Reason
from auth.steps import Accept, Decision, Refuse, Step, Trace
from schema.grammar import ReplyRule
from schema.words import LoginMode, Method


class Weighed(msgspec.Struct, frozen=True):
    """What facts mean for a login at one instant, whatever it has shown; `proceed` goes on from there.

    Attributes:
        facts: everything known.
        known: what all decisions have in common; its step, where `refused`, is that of all of them.
        login: the login; None where there is not even a policy for it.
        refused: whether nothing that can be shown makes a difference.
    """

    facts: Facts
    known: Decision
    login: Login | None
    refused: bool


def decide(facts: Facts, evidence: Evidence, now: datetime) -> Decision:
    """The next step of a login.

    Total: every combination of facts and evidence has exactly one step, and only evidence that every method of the
    effective policy was passed leads to `Accept`. The facts may change between two calls of one login: evidence that
    was gathered for other methods refuses it.

    Args:
        facts: everything known.
        evidence: what the login has shown; the caller performs the step and comes back with the decision's own
            evidence and what the step has shown.
        now: the instant (aware).
    """
    return proceed(weigh(facts, now), evidence)


def weigh(facts: Facts, now: datetime) -> Weighed:
    """Who may log on at all, under which policy and by which methods: all that does not depend on what is shown.

    Args:
        facts: everything known.
        now: the instant (aware).
    """
    trace = Trace()
    early = admission(facts, trace)
    if isinstance(early, Refuse):
        return Weighed(facts, Decision(early, tuple(trace.findings)), None, refused=True)
    node, person = early
    effective = effective_policy(person, node.node.name, node.policy, facts.server_default)
    policy = effective.policy
    if policy is None:
        trace.note("effective policy", f"none: {effective.name}")
        refusal = Refuse(effective.reason or Reason.POLICY_MISSING)
        known = Decision(refusal, tuple(trace.findings), person, None, effective.name, effective.candidates)
        return Weighed(facts, known, None, refused=True)
    trace.note("effective policy", effective.name)
    login = login_of(facts, node, person, policy, now, trace)
    step = account(facts, person, policy, now, trace)
    if step is None and not login.forwards:
        step = unperformed(login, trace)
    known = Decision(
        step=step or Refuse(Reason.INTERNAL_FAULT),
        trace=tuple(trace.findings),
        person=person,
        policy=policy,
        policy_name=effective.name,
        candidates=effective.candidates,
        stages=login.stages,
    )
    return Weighed(facts, known, login, refused=step is not None)


def proceed(weighed: Weighed, evidence: Evidence) -> Decision:
    """The next step of a login that has shown this; see `decide`."""
    login, known = weighed.login, weighed.known
    if login is None:
        return replace(known, evidence=evidence)
    trace = Trace(list(known.trace))
    step: Step | None = known.step if weighed.refused else _elsewhere(login, evidence, trace)
    evidence = _second_login(login, replace(evidence, methods=login.methods))
    step = step or by_response(login, evidence, _stage_step(login, evidence, trace), trace)
    while step is None:
        evidence = _passed(evidence)
        step = by_response(login, evidence, _stage_step(login, evidence, trace), trace)
    return replace(known, step=step, trace=tuple(trace.findings), evidence=evidence)


def _elsewhere(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """What there is to do for a login that is not ours, or no longer the one that began."""
    return forwarded_step(login, evidence, trace) or strayed(login, evidence, trace)


def _passed(evidence: Evidence) -> Evidence:
    """The evidence when a method was passed: what it was shown by does not count again."""
    used = evidence.without(evidence.answer) if evidence.answer else evidence
    waiting = evidence.waiting if evidence.waiting and evidence.waiting.stage > evidence.stage else None
    return Evidence(
        methods=evidence.methods,
        stage=evidence.stage + 1,
        undelivered=evidence.undelivered,
        send_limited=evidence.send_limited,
        typed_password=used.typed_password,
        typed_code=used.typed_code,
        waiting=waiting,
    )


def _second_login(login: Login, evidence: Evidence) -> Evidence:
    """The second login at a rejectThenCode node: an answer, when what was typed can be nothing but one.

    Where a code is open, digits alone are the code; where something else was asked for, all of the field is the answer.
    """
    waiting = evidence.waiting
    begun = evidence.password or evidence.pin or evidence.code
    first = evidence.answer is None and evidence.stage == 0 and not begun
    second = login.mode is LoginMode.REJECT_THEN_CODE and first
    if waiting is None or not second or evidence.typed_code.given or not 0 <= waiting.stage < len(login.stages):
        return evidence
    if waiting.question.token is None or evidence.typed_password.only_digits:
        return replace(evidence, stage=waiting.stage, answer=Field.PASSWORD)
    return evidence


def _stage_step(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """The step of the method that the login has come to; None when that method was passed."""
    match login.due(evidence):
        case None:
            trace.note("methods", "all passed: " + ", ".join(login.methods))
            return Accept(_reply_rules(login))
        case Method.PASSWORD:
            return password_step(login, evidence, trace)
        case Method.PIN:
            return pin_step(login, evidence, trace)
        case Method.TOKEN:
            return token_step(login, evidence, trace)
        case _:  # `login_of` has spelled the others out
            return Refuse(Reason.METHOD_UNSUPPORTED)


def _reply_rules(login: Login) -> tuple[ReplyRule, ...]:
    """Reply attributes of policy, groups, containers, user and node, each once, in that order."""
    rules: Sequence[ReplyRule] = (
        *login.policy.reply_attribute,
        *(rule for group in login.person.groups for rule in group.group.reply_attributes),
        *(rule for ancestor in login.person.ancestors for rule in ancestor.container.reply_attributes),
        *login.person.user.reply_attributes,
        *login.node.node.reply_attribute,
    )
    return tuple(dict.fromkeys(rules))
