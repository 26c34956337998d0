"""The decision: from facts and evidence to the next step, with the trace of how it came about. Pure and total."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from auth.effective import Candidate, effective_policy
from auth.facts import CodeVerdict, Evidence, Facts, NodeFacts, Typed
from auth.reason import Reason
from auth.standing import standing, unlocked_at
from auth.tokens import Unusable, Usable, usable_tokens
from dirsync.password import PasswordVerdict
from dirsync.view import Person
from schema.entry import Policy
from schema.grammar import ReplyRule
from schema.hours import grid_permits
from schema.words import LoginMode, Method, TokenKind


class Field(StrEnum):
    """Which field of the request is meant."""

    PASSWORD = "password"  # noqa: S105 - the name of a field
    CODE = "code"


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Ask the directory whether the password is right."""


@dataclass(frozen=True, slots=True)
class SendCode:
    """Mint a code, send it to the token's address, and ask for it."""

    token: Usable


@dataclass(frozen=True, slots=True)
class AskCode:
    """Ask for a code that the person's own token shows."""

    token: Usable
    reason: Reason = Reason.CODE_WANTED


@dataclass(frozen=True, slots=True)
class CheckCode:
    """Check the code that was typed, which stands in `field`."""

    token: Usable
    field: Field


@dataclass(frozen=True, slots=True)
class AskPassword:
    """Ask for the password."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Let the person in."""

    reply_rules: tuple[ReplyRule, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not."""

    reason: Reason


Step = CheckPassword | SendCode | AskCode | CheckCode | AskPassword | Accept | Refuse


@dataclass(frozen=True, slots=True)
class Stage:
    """A method that a login has to pass, and how many tries it has for it."""

    method: Method
    attempts: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the trace: what was looked at, and what was found."""

    check: str
    found: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step of a login, and why.

    Attributes:
        step: what is to be done now.
        trace: what was looked at, in order.
        person: the user, once found.
        policy: the effective policy, once known.
        policy_name: its DN or name.
        candidates: every policy that could have governed, with why it lost.
        stage: how many methods have been passed.
        stages: the methods that this login has to pass.
    """

    step: Step
    trace: tuple[Finding, ...] = ()
    person: Person | None = None
    policy: Policy | None = None
    policy_name: str = ""
    candidates: tuple[Candidate, ...] = ()
    stage: int = 0
    stages: tuple[Stage, ...] = ()


@dataclass(slots=True)
class _Trace:
    """The trace while it grows; never leaves `decide`."""

    findings: list[Finding] = field(default_factory=list)

    def note(self, check: str, found: str) -> None:
        self.findings.append(Finding(check, found))


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
    trace = _Trace()
    early = _admission(facts, trace)
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
    refusal = _account(facts, person, policy, now, trace) or _unperformed(login, trace)
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


def _admission(facts: Facts, trace: _Trace) -> Refuse | tuple[NodeFacts, Person]:
    """Node known, user found, member of the node: what can be said before there is a policy."""
    if facts.node is None:
        trace.note("access node", "unknown")
        return Refuse(Reason.NODE_UNKNOWN)
    asking = facts.node.node
    if not asking.node_enabled or asking.malformed:
        findings = "; ".join(map(str, asking.malformed)) or "disabled (dirfactorNodeEnabled)"
        trace.note("access node", f"{asking.name} cannot be used: {findings}")
        return Refuse(Reason.NODE_UNKNOWN)
    trace.note("access node", asking.name)
    if len(facts.found) != 1:
        names = ", ".join(person.dn for person in facts.found)
        trace.note("user", f"{len(facts.found)} found: {names}" if names else "not found")
        return Refuse(Reason.USER_AMBIGUOUS if facts.found else Reason.USER_UNKNOWN)
    person = facts.found[0]
    trace.note("user", person.dn)
    members = facts.node.members
    via = next((group for group in person.groups if members is None or group.id in members), None)
    if members is not None and person.id not in members and via is None:
        trace.note("member of the node", "no")
        return Refuse(Reason.NOT_MEMBER)
    direct = members is None or person.id in members
    trace.note("member of the node", "yes" if direct or via is None else "yes, through " + " -> ".join(via.path))
    return facts.node, person


def _stages(policy: Policy, node: NodeFacts) -> tuple[Stage, ...]:
    """The methods to pass, in order. A codeOnly node has checked the password itself."""
    checked_elsewhere = {Method.PASSWORD} if node.node.login_mode is LoginMode.CODE_ONLY else set()
    stages = (
        Stage(policy.first_method, policy.first_method_attempts),
        Stage(policy.second_method, policy.second_method_attempts),
    )
    return tuple(stage for stage in stages if stage.method not in checked_elsewhere | {Method.NONE})


def _account(facts: Facts, person: Person, policy: Policy, now: datetime, trace: _Trace) -> Refuse | None:
    """Whether the account may log on at all."""
    user = person.user
    limit = policy.maximum_staleness or facts.expired_after
    checks = (
        (facts.freshness.age(now) > limit, Reason.REPLICA_STALE),
        (bool(_malformed_values(person)), Reason.ENTRY_MALFORMED),
        (user.disabled, Reason.ACCOUNT_DISABLED),
        (user.expires_at is not None and user.expires_at <= now, Reason.ACCOUNT_EXPIRED),
        (_locked_by_directory(person, now), Reason.ACCOUNT_LOCKED),
        (user.logon_grid is not None and not grid_permits(user.logon_grid, now), Reason.LOGON_HOURS),
        (policy.logon_hours is not None and not policy.logon_hours.permits(now), Reason.LOGON_HOURS),
        (standing(facts.failures, policy, unlocked_at(user, now)).locked(now), Reason.VIOLATIONS_LOCKED),
    )
    for holds, reason in checks:
        if holds:
            trace.note("account", reason.meaning)
            for value in _malformed_values(person) if reason is Reason.ENTRY_MALFORMED else ():
                trace.note("malformed value", value)
            return Refuse(reason)
    trace.note("account", f"usable; directory data is {facts.freshness.age(now):.0f} s old")
    return None


def _malformed_values(person: Person) -> tuple[str, ...]:
    """What cannot be read of the user, and of the groups and containers that give them reply attributes."""
    entries = (
        (person.dn, person.user.malformed),
        *((item.dn, item.group.malformed) for item in person.groups),
        *((item.dn, item.container.malformed) for item in person.ancestors),
    )
    return tuple(f"{dn}: {finding}" for dn, findings in entries for finding in findings)


def _locked_by_directory(person: Person, now: datetime) -> bool:
    """AD's lock: from lockoutTime for the domain's lockoutDuration, or until it is undone (MS-ADTS 3.1.1.4.5)."""
    locked_at = person.user.locked_at
    if locked_at is None:
        return False
    durations = (item.container.lockout_seconds for item in person.ancestors)
    duration = next((seconds for seconds in durations if seconds is not None), 0)
    return duration <= 0 or (now - locked_at).total_seconds() < duration


_PERFORMED = (Method.PASSWORD, Method.TOKEN)
_PERFORMED_MODES = (LoginMode.CHALLENGE, LoginMode.CODE_ONLY)


def _unperformed(login: _Login, trace: _Trace) -> Refuse | None:
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


def _strayed(login: _Login, evidence: Evidence, trace: _Trace) -> Refuse | None:
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


def _stage_step(login: _Login, evidence: Evidence, trace: _Trace) -> Step | None:
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


def _password_step(login: _Login, evidence: Evidence, trace: _Trace) -> Step | None:
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


def _token_step(login: _Login, evidence: Evidence, trace: _Trace) -> Step | None:
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


def _send_step(login: _Login, evidence: Evidence, token: Usable, trace: _Trace) -> Step:
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


def _after_wrong_code(token: Usable, verdict: CodeVerdict, trace: _Trace) -> Step:
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


def _choose_token(login: _Login, evidence: Evidence, trace: _Trace) -> Usable | None:
    """The first usable token in the policy's order, or the one that was asked for, as long as it is still usable."""
    chosen: Usable | None = None
    for token in usable_tokens(login.person.user, login.policy, login.facts.region):
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
