"""What holds for every login whatever: total, deterministic, never an accept without every factor, never easier."""

import dataclasses
from datetime import timedelta
from itertools import permutations, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auth import steps
from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, Typed, Waiting
from auth.guessing import MOST_WRONG
from auth.reason import Reason
from core.dialogue import HTTP, RADIUS, Answers, login
from core.logins import (
    BAD,
    MAIL,
    NOW,
    PHONE,
    ancestor,
    entry_id,
    facts,
    link,
    membership,
    node,
    person,
    policy,
    with_policy,
)
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness
from schema.hours import LogonHours, Window
from schema.words import LoginMode, Method, SendMode, TokenKind

SENT = {TokenKind.SMS, TokenKind.EMAIL}
flags = st.booleans()


def altered(changes, one_in):
    """One of these settings now and then: what is good everywhere else gets a login far."""
    return st.sampled_from([{}] * ((one_in - 1) * len(changes)) + changes)


def at(*seconds):
    return [NOW + timedelta(seconds=second) for second in seconds]


PERFORMED = [
    (Method.PASSWORD, Method.TOKEN),
    (Method.TOKEN, Method.PASSWORD),
    (Method.TOKEN, Method.NONE),
    (Method.NONE, Method.TOKEN),
    (Method.PASSWORD, Method.NONE),
]
WORKING_HOURS = LogonHours((Window(1, 700, 740), Window(1, 0, 60), Window(4, 0, 1440)), "UTC")
POLICY_CHANGES = [
    *({"token_order": order} for order in permutations((TokenKind.SMS, TokenKind.EMAIL, TokenKind.VIP))),
    {"token_order": (TokenKind.VIP,)},
    {"token_order": (TokenKind.EMAIL, TokenKind.VIP)},
    {"token_order": ()},
    {"token_fallback": True},
    {"sms_enabled": False},
    {"sms_mode": SendMode.AHEAD},
    {"email_enabled": False},
    {"email_mode": SendMode.KEYWORD},
    {"vip_enabled": False},
    {"first_method_attempts": 1},
    {"second_method_attempts": 1},
    {"code_attempts": 2},
    {"logon_attempts": 1, "violation_limit": 2, "lock_minutes": 1},
    {"logon_hours": WORKING_HOURS},
    {"logon_hours": LogonHours((Window(2, 0, 1440),), "UTC")},
    {"allow_expired_password": True},
    {"maximum_staleness": 60},
    {"malformed": (BAD,)},
    {"priority": 1},
]
policies = st.builds(
    lambda name, methods, one, two: policy(
        name, **{"first_method": methods[0], "second_method": methods[1], **one, **two}
    ),
    st.sampled_from(["p1", "p2", "p3"]),
    st.sampled_from([*PERFORMED * 30, *product(Method, Method)]),
    altered(POLICY_CHANGES, 2),
    altered(POLICY_CHANGES, 2),
)
assignments = st.integers(0, 12).flatmap(lambda number: policies.map(link) if number else st.just(link(None)))
GROUPS = [
    (),
    (membership("g1"),),
    (membership("g2", path=("g1",)), membership("g1")),
    (membership("g1", link(policy("a"))),),
    (membership("g1", link(policy("a"))), membership("g2", link(policy("b")))),
    (membership("g1", link(None)),),
    (membership("g1", malformed=(BAD,)),),
]
CONTAINERS = [
    (),
    (ancestor("o", link(policy("c", second_method=Method.NONE))),),
    (ancestor("o", lockout_seconds=1800),),
    (ancestor("o", lockout_seconds=10**16), ancestor("p", lockout_seconds=-5)),
    (ancestor("o", malformed=(BAD,)),),
]
PERSON_CHANGES = [
    {"tokens": ()},
    {"tokens": (TokenKind.VIP,)},
    {"tokens": (TokenKind.EMAIL, TokenKind.HOTP)},
    {"vip_credentials": ()},
    {"phone": "none"},
    {"phone": "+447700900123"},
    {"texts": ()},
    {"disabled": True},
    {"starts_at": NOW},
    {"starts_at": NOW + timedelta(days=1)},
    {"expires_at": NOW},
    {"expires_at": NOW + timedelta(days=1)},
    {"locked_at": NOW - timedelta(minutes=20)},
    {"locked_at": NOW + timedelta(minutes=20)},
    {"logon_grid": b"\xff" * 21},
    {"logon_grid": bytes(21)},
    {"logon_grid": b""},
    {"unlocked_at": NOW - timedelta(seconds=30)},
    {"unlocked_at": NOW + timedelta(days=9)},
    {"malformed": (BAD,)},
]
people = st.builds(
    lambda assigned, groups, containers, changes: person(assigned, groups, containers, **changes),
    assignments | assignments | st.none(),
    st.sampled_from([()] * 14 + GROUPS),
    st.sampled_from([()] * 14 + CONTAINERS),
    altered(PERSON_CHANGES, 3),
)
modes = st.sampled_from([LoginMode.CHALLENGE] * 4 + [LoginMode.CODE_ONLY] * 2 + list(LoginMode))
NODE_CHANGES = [
    {"members": frozenset()},
    {"members": frozenset({entry_id("alice")})},
    {"members": frozenset({entry_id("g1")})},
    {"members": frozenset({entry_id("g2"), entry_id("bob")})},
    {"assigned": link(policy("n"))},
    {"assigned": link(None)},
    {"node_enabled": False},
    {"malformed": (BAD,)},
]
nodes = st.builds(lambda mode, changes: node(mode=mode, **changes), modes, altered(NODE_CHANGES, 5))
FACTS_CHANGES = [
    {"freshness": Freshness(0, None)},
    {"freshness": Freshness(7, NOW - timedelta(seconds=90))},
    {"freshness": Freshness(7, NOW + timedelta(seconds=90))},
    {"freshness": Freshness(7, NOW - timedelta(days=9))},
    {"failures": at(-40, -20)},
    {"failures": at(*range(-20, 0))},
    {"failures": at(*range(-90_000, -89_990), -3, 5)},
    {"region": None},
    {"default": policy("default", second_method=Method.NONE)},
    {"default": policy("default", malformed=(BAD,))},
]
known_facts = st.builds(
    lambda somebody, asking, changes: facts(somebody, asking, **changes), people, nodes, altered(FACTS_CHANGES, 4)
)
any_facts = st.builds(
    lambda known, change: replace(known, **change),
    known_facts,
    st.sampled_from(
        [{}] * 15
        + [{"found": ()}, {"found": (person(), person(name="bob"))}, {"node": None}]
        + [{"wrong_today": MOST_WRONG - 1}, {"wrong_today": MOST_WRONG}]
    ),
)
instants = st.sampled_from(at(-90_000, -1, 0, 1, 3600, 90_000))
TYPED = [Typed.ABSENT, Typed.EMPTY, Typed.GIVEN, Typed(6, 6, 6), Typed(8, 8, 8), Typed(14, 0, 6), Typed(14, 8, 0)]
TYPED += [Typed(None, readable=False), Typed(0, readable=False)]
P_T = (Method.PASSWORD, Method.TOKEN)
METHODS = [None, P_T, (Method.TOKEN, Method.PASSWORD), (Method.TOKEN,), (Method.PASSWORD,), (Method.PIN, Method.TOKEN)]
SHOWN = [
    Evidence(P_T, 0, password=PasswordVerdict.RIGHT, typed_password=Typed.GIVEN),
    Evidence(P_T, 0, password=PasswordVerdict.EXPIRED, typed_password=Typed.GIVEN),
    Evidence(P_T, 1, typed_password=Typed.GIVEN),
    *(Evidence(P_T, 1, code=code, token=kind, typed_code=Typed.GIVEN, answer=Field.CODE,
               waiting=Waiting(Question(kind), 1, sent=kind is TokenKind.SMS))
      for code in (None, *CodeVerdict) for kind in (TokenKind.SMS, TokenKind.VIP)),
    *(Evidence((Method.TOKEN,), 0, code=code, token=TokenKind.VIP, typed_password=Typed.GIVEN)
      for code in (None, *CodeVerdict)),
]  # fmt: skip
first_steps = st.builds(
    Evidence, typed_password=st.sampled_from([Typed.GIVEN, *TYPED]), typed_code=st.sampled_from(TYPED)
)
any_evidence = (st.sampled_from(SHOWN) | first_steps) | st.builds(
    Evidence,
    methods=st.sampled_from(METHODS),
    stage=st.sampled_from([0, 0, 0, 1, 1, 1, 2, 3, -1]),
    password=st.sampled_from([None, None, PasswordVerdict.RIGHT, *PasswordVerdict]),
    pin=st.sampled_from([None, None, PinShown.RIGHT, *PinShown]),
    pin_length=st.integers(0, 8),
    code_length=st.sampled_from([0, 6, 8]),
    code=st.sampled_from([None, None, CodeVerdict.RIGHT, CodeVerdict.RIGHT, *CodeVerdict]),
    token=st.sampled_from([None, None, *TokenKind]),
    keyword=st.sampled_from([None, None, *TokenKind]),
    factor=flags,
    undelivered=st.sampled_from(
        [frozenset()] * 4 + [frozenset({TokenKind.SMS}), frozenset(SENT), frozenset(TokenKind)]
    ),
    send_limited=st.sampled_from([False, False, False, True]),
    typed_password=st.sampled_from(TYPED),
    typed_code=st.sampled_from(TYPED),
    answer=st.sampled_from([None, None, Field.CODE, Field.PASSWORD]),
    waiting=st.none() | st.builds(Waiting, st.sampled_from(Question), st.integers(0, 2), flags, flags, flags),
)
wrongs = st.lists(st.sampled_from([CodeVerdict.WRONG, CodeVerdict.RIGHT, *CodeVerdict]), max_size=4)
all_answers = st.builds(
    Answers,
    password=st.sampled_from([PasswordVerdict.RIGHT] * 9 + list(PasswordVerdict)),
    codes=st.none() | wrongs.map(iter),
    lost=st.sampled_from([frozenset()] * 4 + [frozenset({TokenKind.SMS}), frozenset(SENT)]),
    send_limited=st.sampled_from([False, False, False, True]),
)


SPELLED_OUT = {
    Method.NONE: set(),
    Method.PASSWORD: {Method.PASSWORD},
    Method.TOKEN: {Method.TOKEN},
    Method.PIN: {Method.PIN},
    Method.PASSWORD_THEN_TOKEN: {Method.PASSWORD, Method.TOKEN},
    Method.TOKEN_THEN_PASSWORD: {Method.PASSWORD, Method.TOKEN},
}


def demanded(decided, known):
    """The methods of the effective policy, read without `decide`'s own list of them."""
    until = {Method.PASSWORD, Method.TOKEN} if decided.person.user.tokens else {Method.PASSWORD}
    spelled = SPELLED_OUT | {Method.PASSWORD_UNTIL_TOKEN: until}
    named = spelled[decided.policy.first_method] | spelled[decided.policy.second_method]
    checked_elsewhere = known.node.node.login_mode is LoginMode.CODE_ONLY
    return named - {Method.PASSWORD} if checked_elsewhere else named


# one decision


@given(any_facts, any_evidence, instants)
@settings(max_examples=300)
def test_every_combination_has_exactly_one_step_and_always_the_same(known, evidence, now):
    one, other = decide(known, evidence, now), decide(known, evidence, now)
    assert one == other
    assert isinstance(one.step, steps.Step)
    assert one.trace
    if isinstance(one.step, steps.Refuse):
        assert one.step.reason.remedy, "every refusal says what helps"
        assert one.step.reason is not Reason.INTERNAL_FAULT


@given(any_facts, any_evidence)
@settings(max_examples=300)
def test_what_a_step_needs_is_there(known, evidence):
    """Nothing is checked that was not typed, nothing sent to nowhere, no text before a first factor."""
    decided = decide(known, evidence, NOW)
    match decided.step:
        case steps.CheckPassword(part=part):
            assert octets_of(evidence, part) > 0, "an empty password never reaches the directory"
        case steps.CheckCode(part=part) | steps.CheckPin(part=part) | steps.CheckKeyword(part=part):
            assert evidence.typed(part.field).given
        case steps.SendCode(token=token):
            assert token.kind in SENT or evidence.keyword is token.kind
            assert token.phone or token.mail or token.credentials
            assert not evidence.send_limited
            checked_elsewhere = known.node.node.login_mode is LoginMode.CODE_ONLY
            assert decided.evidence.stage > 0 or checked_elsewhere or evidence.factor
        case steps.AskPassword(reason=reason):
            assert decided.evidence.stage > 0 or reason is Reason.PASSWORD_WRONG_RETRY


def octets_of(evidence, part):
    """How many characters a part has."""
    return len(range(evidence.typed(part.field).length)[part.start : part.end])


@given(any_facts, any_evidence)
@settings(max_examples=300)
def test_one_decision_accepts_only_on_a_right_verdict_for_the_last_of_the_methods(known, evidence):
    decided = decide(known, evidence, NOW)
    if isinstance(decided.step, steps.Accept):
        last = decided.stages[-1].method
        assert evidence.stage == len(decided.stages) - 1 or evidence.waiting
        assert decided.evidence.stage == len(decided.stages)
        assert last in demanded(decided, known)
        new_pin = evidence.waiting is not None and evidence.waiting.question is Question.NEW_PIN
        if last is Method.TOKEN:
            assert evidence.code is CodeVerdict.RIGHT or (new_pin and evidence.pin is PinShown.RIGHT)
        elif last is Method.PIN:
            assert evidence.pin is PinShown.RIGHT
        else:
            expired = decided.policy.allow_expired_password and evidence.password is PasswordVerdict.EXPIRED
            assert evidence.password is PasswordVerdict.RIGHT or expired


@given(any_facts, any_evidence)
@settings(max_examples=500)
def test_a_response_is_compared_with_codes_that_we_know_and_nothing_else_is_done_with_it(known, evidence):
    """CHAP and MS-CHAP: no password, PIN or keyword of theirs is checked, and nothing that only somebody else knows."""
    decided = decide(known, evidence, NOW)
    shown, step = decided.evidence, decided.step
    if shown.typed_password.readable and shown.typed_code.readable:
        return
    assert isinstance(step, steps.Accept | steps.Refuse | steps.CheckCode | steps.AskCode | steps.SendCode)
    if isinstance(step, steps.Accept | steps.Refuse):
        return
    kind, policy = step.token.kind, decided.policy
    assert kind is not TokenKind.VIP
    assert not policy.pin_with_token
    if kind in SENT:
        mode, number = {
            TokenKind.SMS: (policy.sms_mode, policy.sms_codes_per_message),
            TokenKind.EMAIL: (policy.email_mode, policy.email_codes_per_message),
        }[kind]
        assert mode is SendMode.ON_LOGON or (mode is SendMode.KEYWORD and number == 1)
        waiting = evidence.waiting
        if isinstance(step, steps.CheckCode) and waiting and waiting.sent and waiting.question.token is kind:
            assert waiting.comparable


@given(any_facts, any_evidence)
def test_the_trace_names_no_address_that_a_code_goes_to(known, evidence):
    told = repr(decide(known, evidence, NOW).trace)
    for secret in (PHONE, MAIL, "+447700900123", "447700900123"):
        assert secret not in told


# a whole login


@given(known_facts, first_steps, all_answers)
@settings(max_examples=300)
def test_nobody_is_accepted_without_a_right_verdict_for_every_method_of_the_policy(known, first, answers):
    course = login(known, answers, first)
    if course.accepted:
        wanted = demanded(course.decided, known)
        assert wanted
        assert wanted == set(course.verified)


@given(people, nodes, st.lists(st.tuples(policies, modes), min_size=1, max_size=3), st.data())
@settings(max_examples=300)
def test_not_even_when_the_policy_changes_before_every_decision(somebody, at, worlds, data):
    """The directory is edited while somebody logs on; what counts is the policy at the moment of the accept."""
    latest = []

    def changing():
        chosen, mode = data.draw(st.sampled_from(worlds))
        edited = replace(at, node=replace(at.node, login_mode=mode))
        latest[:] = [with_policy(facts(somebody, edited), chosen)]
        return latest[0]

    course = login(changing, data.draw(all_answers), data.draw(first_steps))
    if course.accepted:
        assert demanded(course.decided, latest[0]) <= set(course.verified)
        assert demanded(course.decided, latest[0])


@given(known_facts, st.sampled_from([RADIUS, HTTP]), st.sampled_from(sorted(set(PasswordVerdict) - {"right"})))
def test_any_wrong_word_on_the_password_alone_keeps_the_door_shut(known, first, verdict):
    course = login(known, Answers(password=verdict), first)
    if course.accepted:
        assert "CheckPassword" not in course.names or (
            verdict is PasswordVerdict.EXPIRED and course.decided.policy.allow_expired_password
        )


@given(known_facts, st.sampled_from([RADIUS, HTTP]), st.sampled_from(sorted(set(CodeVerdict) - {"right"})))
def test_any_wrong_word_on_the_code_alone_keeps_the_door_shut(known, first, verdict):
    class Always:
        def __next__(self):
            return verdict

    course = login(known, Answers(codes=Always()), first)
    if course.accepted:
        assert "CheckCode" not in course.names
        assert Method.TOKEN not in demanded(course.decided, known)


@given(known_facts, st.sampled_from([RADIUS, HTTP]))
def test_when_everything_is_right_only_a_reason_that_an_administrator_can_mend_refuses(known, first):
    """The other direction: a decision that refused everybody would satisfy all other laws."""
    reason = login(known, first=first).reason
    person_at_fault = {Reason.PASSWORD_WRONG, Reason.ATTEMPTS_EXHAUSTED, Reason.CHALLENGE_UNKNOWN}
    assert reason not in {*person_at_fault, Reason.SEND_LIMIT, Reason.DELIVERY_FAILED, Reason.CODE_EMPTY}


@given(st.sampled_from([RADIUS, HTTP]), st.permutations([TokenKind.SMS, TokenKind.EMAIL, TokenKind.VIP]), flags)
def test_a_good_person_with_a_good_policy_is_accepted(first, order, code_first):
    chosen = policy(token_order=tuple(order))
    if code_first:
        chosen = replace(chosen, first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(TokenKind.VIP,))
    assert login(facts(person(link(chosen))), first=first).accepted


# stricter is never easier


def changed(chosen, **fields):
    return replace(chosen, **fields)


def not_easier(known, weak, strict, answers, first):
    """A login that was refused under the weaker policy is not accepted under the stricter one."""
    under_weak = login(with_policy(known, weak), answers(), first)
    under_strict = login(with_policy(known, strict), answers(), first)
    assert under_weak.accepted or not under_strict.accepted


@st.composite
def same_answers(draw):
    """Makes the same world for each login: the iterator of codes would be used up by the one before."""
    verdicts = draw(st.none() | wrongs)
    base = draw(all_answers)
    return lambda: dataclasses.replace(base, codes=None if verdicts is None else iter(verdicts))


@given(known_facts, policies, st.sampled_from(Method), same_answers(), first_steps)
def test_a_second_method_never_makes_it_easier(known, chosen, second, answers, first):
    """Of a policy that lets people in without it: not one that demands nothing, or a code that cannot be sent yet."""
    weak = changed(chosen, second_method=Method.NONE)
    shut = {Reason.METHOD_UNSUPPORTED, Reason.NO_FIRST_FACTOR}
    assume(login(with_policy(known, weak), first=first).reason not in shut)
    not_easier(known, weak, changed(chosen, second_method=second), answers, first)


@given(known_facts, policies, st.data(), same_answers(), first_steps)
def test_narrower_logon_hours_never_make_it_easier(known, chosen, data, answers, first):
    kept = data.draw(st.lists(st.sampled_from(WORKING_HOURS.windows), min_size=1).map(tuple))
    for weak, strict in ((None, WORKING_HOURS), (WORKING_HOURS, LogonHours(kept, "UTC"))):
        not_easier(known, changed(chosen, logon_hours=weak), changed(chosen, logon_hours=strict), answers, first)


@given(known_facts, policies, st.integers(1, 4), same_answers(), first_steps)
def test_fewer_attempts_never_make_it_easier(known, chosen, attempts, answers, first):
    """Of failures within one lock's time: a lock that has run out lets counting begin anew, as it should."""
    begin = NOW - timedelta(minutes=chosen.lock_minutes)
    known = replace(known, failures=[instant for instant in known.failures if begin < instant <= NOW])
    for name in (
        "code_attempts",
        "first_method_attempts",
        "second_method_attempts",
        "logon_attempts",
        "violation_limit",
    ):
        strict = changed(chosen, **{name: min(attempts, getattr(chosen, name))})
        not_easier(known, chosen, strict, answers, first)


@given(known_facts, policies, same_answers(), first_steps, st.integers(60, 1000))
def test_a_smaller_age_of_the_data_never_makes_it_easier(known, chosen, answers, first, seconds):
    weak = changed(chosen, maximum_staleness=1000)
    not_easier(known, weak, changed(chosen, maximum_staleness=seconds), answers, first)


@given(known_facts, policies, any_evidence, st.sampled_from(["sms_enabled", "email_enabled", "vip_enabled"]))
def test_disabling_a_token_never_makes_the_same_evidence_do(known, chosen, evidence, name):
    """Of one decision: a person who is asked for another token instead may of course have that one."""
    assume(evidence.token is not None)
    evidence = replace(evidence, undelivered=frozenset())
    weak = decide(with_policy(known, changed(chosen, **{name: True})), evidence, NOW).step
    strict = decide(with_policy(known, changed(chosen, **{name: False})), evidence, NOW).step
    assert isinstance(weak, steps.Accept) or not isinstance(strict, steps.Accept)


@given(known_facts, policies, same_answers(), first_steps)
def test_with_every_token_disabled_nobody_is_accepted_where_a_token_is_demanded(known, chosen, answers, first):
    known = with_policy(known, changed(chosen, sms_enabled=False, email_enabled=False, vip_enabled=False))
    course = login(known, answers(), first)
    if course.accepted:
        assert Method.TOKEN not in demanded(course.decided, known)


@given(known_facts, same_answers(), first_steps)
def test_a_person_who_is_no_member_of_the_node_is_not_let_in(known, answers, first):
    outside = replace(known, node=replace(known.node, members=frozenset({entry_id("somebody else")})))
    assert not login(outside, answers(), first).accepted
