"""What stays the same while the methods of one login are gone through, and which methods these are."""

from datetime import datetime
from functools import cached_property

import msgspec

from auth.facts import Evidence, Facts, NodeFacts
from auth.keys.text import NotOurs
from auth.memorised.temporary_response import usable_response, used_up
from auth.reason import Reason
from auth.steps import Refuse, Stage, Trace
from auth.tokens import Unusable, Usable, usable_tokens
from dirsync.view import Person
from schema.entry import Policy
from schema.words import LoginMode, Method, NodeType

_JOINED = (Method.PASSWORD_THEN_TOKEN, Method.TOKEN_THEN_PASSWORD)
_SHARED = (Method.PASSWORD, Method.TOKEN)
_UNASKED = (LoginMode.APPEND, LoginMode.REJECT_THEN_CODE)


class Login(msgspec.Struct, frozen=True, dict=True):  # a dict for what is found out when it is first needed
    """One login at one instant.

    Attributes:
        facts: everything known.
        node: the access node that asks.
        person: the user.
        policy: the effective policy.
        stages: the methods to pass, in order.
        code_first: whether the code stands in front of the password where both share a field; None where they do not.
        temporary: whether the user has a temporary response that may be used now.
    """

    facts: Facts
    node: NodeFacts
    person: Person
    policy: Policy
    stages: tuple[Stage, ...]
    code_first: bool | None
    temporary: bool

    @property
    def mode(self) -> LoginMode:
        """How the node carries the dialogue."""
        return self.node.node.login_mode

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """The methods to pass, in order."""
        return tuple([stage.method for stage in self.stages])

    @cached_property
    def tokens(self) -> tuple[Usable | Unusable, ...]:
        """Every kind of token in the policy's order, usable or with the reason why not."""
        return tuple(usable_tokens(self.person.user, self.policy, self.facts.region, self.facts.reach))

    @property
    def may_share(self) -> bool:
        """Whether password and code may ever share a field here."""
        return self.code_first is not None or self.mode is LoginMode.REJECT_THEN_CODE

    @property
    def forwards(self) -> bool:
        """Whether another server decides: the node is a proxy, and the user has no token here yet."""
        return self.node.node.node_type is NodeType.PROXY and not self.person.user.tokens

    @property
    def asks(self) -> bool:
        """Whether the node can ask the person something."""
        return self.mode not in _UNASKED

    def due(self, evidence: Evidence) -> Method | None:
        """The method that the login has come to; None when all were passed."""
        return self.stages[evidence.stage].method if 0 <= evidence.stage < len(self.stages) else None


def login_of(facts: Facts, node: NodeFacts, person: Person, policy: Policy, now: datetime, trace: Trace) -> Login:
    """The login of this person under this policy: a codeOnly node has checked the password itself."""
    mode = node.node.login_mode
    dropped = {Method.NONE, Method.PASSWORD} if mode is LoginMode.CODE_ONLY else {Method.NONE}
    settings = (
        (policy.first_method, policy.first_method_attempts),
        (policy.second_method, policy.second_method_attempts),
    )
    stages = tuple(
        Stage(method, attempts)
        for setting, attempts in settings
        for method in _spelled_out(setting, person)
        if method not in dropped
    )
    methods = tuple(stage.method for stage in stages)
    appended = mode is LoginMode.APPEND and set(methods) == {Method.PASSWORD, Method.TOKEN}
    if appended and methods[0] is Method.TOKEN:
        stages = stages[::-1]
    one_field = any(setting in _JOINED for setting, _ in settings) and methods[:2] == (Method.PASSWORD, Method.TOKEN)
    code_first = Method.TOKEN_THEN_PASSWORD in (policy.first_method, policy.second_method) and not appended
    return Login(
        facts=facts,
        node=node,
        person=person,
        policy=policy,
        stages=stages,
        code_first=code_first if one_field or appended else None,
        temporary=_temporary(facts, person, policy, now, trace),
    )


def unperformed(login: Login, trace: Trace) -> Refuse | None:
    """Whether policy or node ask for what no login can show here; said before anything is checked or sent."""
    methods = login.methods
    reason = Reason.METHOD_UNSUPPORTED
    shares = login.code_first is not None
    if not methods:
        trace.note("methods", "the policy demands nothing here, which is not accepted")
    elif len(set(methods)) != len(methods):
        twice = next(method for method in methods if methods.count(method) > 1)
        trace.note("methods", f"the policy demands {twice} twice, which one login cannot show")
    elif login.mode is LoginMode.APPEND and len(methods) > (1 if login.code_first is None else len(_SHARED)):
        trace.note("methods", f"{' and '.join(methods)} cannot stand in the one field of this node (append)")
    elif login.policy.pin_with_token and shares:
        trace.note("methods", "a PIN cannot stand in one field with password and code (dirfactorPinWithToken)")
    elif wants_pin(login) and login.person.user.pin is None:
        trace.note("PIN", "the policy wants one, and the user has none")
        reason = Reason.PIN_MISSING
    else:
        return None
    return Refuse(reason)


def wants_pin(login: Login) -> bool:
    """Whether the login needs a PIN."""
    return Method.PIN in login.methods or (login.policy.pin_with_token and Method.TOKEN in login.methods)


def strayed(login: Login, evidence: Evidence, trace: Trace) -> Refuse | None:
    """Whether evidence was gathered for other methods than those that are due now, or for none that are known.

    An accept follows from methods that were passed, never from a stage that is said to be reached: it must be one of
    theirs. The effective policy, the node's mode or the user's tokens may change while a login is under way.
    """
    shown = (
        evidence.password,
        evidence.pin,
        evidence.code,
        evidence.token,
        evidence.keyword,
        evidence.waiting,
        evidence.forwarded,
    )
    fresh = evidence.stage == 0 and evidence.answer is None and not any(shown)
    known = (
        evidence.forwarded is None and evidence.methods == login.methods and 0 <= evidence.stage < len(login.methods)
    )
    if known or (evidence.methods is None and fresh):
        return None
    trace.note("methods", "they have changed since this login began")
    return Refuse(Reason.CHALLENGE_UNKNOWN)


def _temporary(facts: Facts, person: Person, policy: Policy, now: datetime, trace: Trace) -> bool:
    if person.user.temporary_response is None:
        return False
    try:
        response, why_not = usable_response(person.user, policy, now)
    except NotOurs as fault:
        response, why_not = None, fault.problem
    if response is not None and used_up(response, facts.response_mark):
        response, why_not = None, "it was used already"
    trace.note("temporary response", f"good until {response.expires_at:%Y-%m-%d %H:%M} UTC" if response else why_not)
    return response is not None


def _spelled_out(method: Method, person: Person) -> tuple[Method, ...]:
    if method in _JOINED or (method is Method.PASSWORD_UNTIL_TOKEN and person.user.tokens):
        return (Method.PASSWORD, Method.TOKEN)
    return (Method.PASSWORD,) if method is Method.PASSWORD_UNTIL_TOKEN else (method,)
