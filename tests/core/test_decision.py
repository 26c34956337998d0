"""Each rule of the decision in examples: who is refused and why, which token is asked for, where a code stands."""

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, Question, Typed, Waiting
from auth.reason import Reason
from auth.steps import Accept, AskCode, AskPassword, CheckCode, Part, Refuse, SendCode
from core.dialogue import HTTP, RADIUS, Answers, login
from core.logins import (
    BASE,
    NOW,
    PHONE,
    ancestor,
    facts,
    governed,
    link,
    membership,
    node,
    person,
    policy,
)
from dirsync.password import PasswordVerdict
from schema.grammar import ReplyRule
from schema.words import LoginMode, Method, TokenKind

SMS, EMAIL, VIP, TOTP, HOTP = TokenKind


def methods(settings, first, second):
    return replace(settings, first_method=first, second_method=second)


def step(known, evidence=RADIUS, now=NOW):
    return decide(known, evidence, now).step


P_T, T_P = (Method.PASSWORD, Method.TOKEN), (Method.TOKEN, Method.PASSWORD)


def answering(question, typed=Typed.GIVEN, methods=P_T, stage=1, **shown):
    """The answer to a challenge, as the service reads it."""
    field = Field.PASSWORD if question == "password" else Field.CODE
    asked = Evidence(methods, stage, answer=field, waiting=Waiting(Question(question), stage), **shown)
    return asked.with_typed(field, typed)


def refusal(known, evidence=RADIUS, now=NOW):
    found = step(known, evidence, now)
    assert isinstance(found, Refuse), found
    return found.reason


def trace(known, evidence=RADIUS):
    return {finding.check: finding.found for finding in decide(known, evidence, NOW).trace}


# the whole way


def test_password_then_text_message():
    course = login(facts())
    assert course.names == ["CheckPassword", "SendCode", "CheckCode", "Accept"]
    assert course.tokens[0].phone == PHONE


def test_password_then_vip_in_one_request_when_the_client_has_a_code_field():
    course = login(governed(policy(token_order=(VIP,))), first=HTTP)
    assert course.names == ["CheckPassword", "CheckCode", "Accept"]


def test_password_then_vip_asked_for_when_the_client_has_one_field():
    course = login(governed(policy(token_order=(VIP,))))
    assert course.names == ["CheckPassword", "AskCode", "CheckCode", "Accept"]


def test_token_then_password_asks_for_the_password_after_the_code():
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    course = login(governed(settings))
    assert course.names == ["CheckCode", "AskPassword", "CheckPassword", "Accept"]
    assert course.steps[0].part == Part(Field.PASSWORD)


def test_a_code_that_stood_in_the_only_field_is_never_tried_as_the_password():
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    evidence = replace(RADIUS, methods=T_P, token=VIP, code=CodeVerdict.RIGHT)
    assert step(governed(settings), evidence) == AskPassword()


def test_with_two_fields_token_then_password_takes_each_from_its_own():
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    course = login(governed(settings), first=HTTP)
    assert course.names == ["CheckCode", "CheckPassword", "Accept"]
    assert course.steps[0].part == Part(Field.CODE)


def test_a_wrong_code_may_be_tried_again_until_the_attempts_are_used_up():
    wrong = CodeVerdict.WRONG
    course = login(facts(), Answers(codes=iter([wrong, wrong, CodeVerdict.RIGHT])))
    assert course.names == ["CheckPassword", "SendCode", *["CheckCode", "AskCode"] * 2, "CheckCode", "Accept"]
    assert course.steps[3].reason is Reason.CODE_WRONG_RETRY
    course = login(facts(), Answers(codes=iter([wrong, wrong, wrong, CodeVerdict.RIGHT])))
    assert course.reason is Reason.ATTEMPTS_EXHAUSTED


def test_password_alone_is_enough_only_for_a_policy_that_says_so():
    course = login(governed(policy(second_method=Method.NONE)))
    assert course.names == ["CheckPassword", "Accept"]


# methods


@pytest.mark.parametrize("mode", [LoginMode.CHALLENGE, LoginMode.CODE_ONLY])
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_policy_that_demands_nothing_is_never_accepted(mode, stage):
    known = governed(policy(first_method=Method.NONE, second_method=Method.NONE), mode)
    assert refusal(known, replace(RADIUS, stage=stage)) is Reason.METHOD_UNSUPPORTED


def test_the_same_method_twice_is_refused():
    for method in set(Method) - {Method.NONE}:
        known = governed(policy(first_method=method, second_method=method), pin="set")
        assert refusal(known) is Reason.METHOD_UNSUPPORTED


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (Method.PASSWORD, Method.TOKEN, [Method.TOKEN]),
        (Method.TOKEN, Method.PASSWORD, [Method.TOKEN]),
        (Method.NONE, Method.TOKEN, [Method.TOKEN]),
        (Method.TOKEN, Method.NONE, [Method.TOKEN]),
        (Method.PASSWORD, Method.NONE, []),
        (Method.PASSWORD, Method.PASSWORD, []),
        (Method.PASSWORD, Method.PIN, [Method.PIN]),
    ],
)
def test_a_node_that_checks_the_password_itself_drops_the_password_and_nothing_else(first, second, left):
    settings = policy(first_method=first, second_method=second)
    decided = decide(governed(settings, LoginMode.CODE_ONLY), RADIUS, NOW)
    assert [stage.method for stage in decided.stages] == left
    assert isinstance(decided.step, Accept) is False
    assert [stage.method for stage in decide(governed(settings), RADIUS, NOW).stages] == [
        method for method in (first, second) if method is not Method.NONE
    ]


def test_each_method_has_its_own_number_of_attempts():
    decided = decide(governed(policy(first_method_attempts=2, second_method_attempts=7)), RADIUS, NOW)
    assert [stage.attempts for stage in decided.stages] == [2, 7]


# the password


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (PasswordVerdict.WRONG, Reason.PASSWORD_WRONG),
        (PasswordVerdict.EXPIRED, Reason.PASSWORD_EXPIRED),
        (PasswordVerdict.MUST_CHANGE, Reason.PASSWORD_MUST_CHANGE),
        (PasswordVerdict.HOURS, Reason.PASSWORD_HOURS),
        (PasswordVerdict.WORKSTATION, Reason.PASSWORD_WORKSTATION),
        (PasswordVerdict.DISABLED, Reason.ACCOUNT_DISABLED),
        (PasswordVerdict.ACCOUNT_EXPIRED, Reason.ACCOUNT_EXPIRED),
        (PasswordVerdict.LOCKED, Reason.ACCOUNT_LOCKED),
        (PasswordVerdict.UNAVAILABLE, Reason.DIRECTORY_UNAVAILABLE),
    ],
)
def test_the_directorys_word_on_a_password_has_its_reason(verdict, reason):
    assert refusal(facts(), replace(RADIUS, methods=P_T, password=verdict)) is reason


def test_every_word_of_the_directory_but_right_refuses():
    for verdict in set(PasswordVerdict) - {PasswordVerdict.RIGHT}:
        assert login(facts(), Answers(password=verdict)).names == ["CheckPassword", "Refuse"]


def test_an_expired_password_passes_only_where_the_policy_allows_it_and_only_that():
    lenient = governed(policy(allow_expired_password=True))
    assert login(lenient, Answers(password=PasswordVerdict.EXPIRED)).accepted
    for verdict in set(PasswordVerdict) - {PasswordVerdict.RIGHT, PasswordVerdict.EXPIRED}:
        assert not login(lenient, Answers(password=verdict)).accepted


@pytest.mark.parametrize("typed", [Typed.ABSENT, Typed.EMPTY])
def test_an_empty_password_is_refused_and_never_asked_about(typed):
    assert refusal(facts(), Evidence(typed_password=typed)) is Reason.PASSWORD_EMPTY


def test_an_empty_answer_to_the_question_for_the_password_is_refused():
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    assert refusal(governed(settings), answering("password", Typed.EMPTY, T_P)) is Reason.PASSWORD_EMPTY


# which token

PASSED = Evidence(P_T, 1, typed_password=Typed.GIVEN)


def chosen(settings, evidence=PASSED, **values):
    found = step(governed(settings, **values), evidence)
    assert isinstance(found, SendCode | AskCode), found
    return found.token.kind


def test_the_policys_order_decides_among_usable_tokens():
    assert chosen(policy()) is SMS
    assert chosen(policy(token_order=(EMAIL, SMS, VIP))) is EMAIL
    assert chosen(policy(token_order=(TOTP, HOTP, VIP, SMS))) is VIP
    assert chosen(policy(sms_enabled=False)) is EMAIL
    assert chosen(policy(), tokens=(VIP, EMAIL)) is EMAIL
    assert chosen(policy(), texts=()) is VIP


def test_every_token_that_was_not_chosen_is_named_with_why():
    known = governed(policy(token_order=(TOTP, SMS, EMAIL, VIP), email_enabled=False), texts=())
    found = trace(known, PASSED)
    assert found["token totp"] == "the user has no seed for it in dirfactorSecret"
    assert found["token sms"] == "the user has no phone number in mobile"
    assert found["token email"] == "the policy does not enable it (dirfactorEmailEnabled)"
    assert found["token vip"] == "usable"
    assert found["token hotp"] == "assigned, but not in the policy's dirfactorTokenOrder"
    assert trace(governed(policy()), PASSED)["token vip"] == "usable, but sms comes first in dirfactorTokenOrder"


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (policy(token_order=(SMS,)), {"texts": ()}),
        (policy(token_order=(SMS,)), {"phone": "none"}),
        (policy(sms_enabled=False, email_enabled=False, vip_enabled=False), {}),
        (policy(), {"tokens": ()}),
        (policy(), {"tokens": (TOTP, HOTP)}),
        (policy(token_order=(EMAIL,)), {"tokens": (SMS,)}),
    ],
)
def test_a_demanded_token_that_nobody_can_ask_for_refuses_and_does_not_evaporate(settings, values):
    assert refusal(governed(settings, **values), PASSED) is Reason.NO_TOKEN


def test_a_token_that_was_asked_for_stays_the_one_when_another_comes_first_meanwhile():
    answer = answering(VIP)
    known = governed(policy(token_order=(SMS, VIP)))
    assert step(known, answer).token.kind is VIP
    assert trace(known, answer)["token sms"] == "usable, but vip was asked for"


@pytest.mark.parametrize("code", [None, CodeVerdict.RIGHT])
def test_a_token_that_was_taken_away_meanwhile_counts_no_more_even_with_the_right_code(code):
    answer = answering(SMS, token=SMS, code=code)
    for known in (governed(policy(sms_enabled=False)), governed(policy(), tokens=(VIP,))):
        assert refusal(known, answer) is Reason.NO_TOKEN


# sending


@pytest.mark.parametrize("order", [(SMS,), (EMAIL,), (SMS, VIP)])
def test_nothing_is_sent_before_a_first_factor(order):
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=order)
    assert refusal(governed(settings)) is Reason.NO_FIRST_FACTOR
    assert refusal(governed(methods(settings, Method.NONE, Method.TOKEN))) is Reason.NO_FIRST_FACTOR


def test_the_built_in_default_demands_a_token_and_sends_none():
    assert login(facts(person())).names == ["CheckCode", "Accept"]
    assert refusal(facts(person(vip_credentials=()))) is Reason.NO_TOKEN
    assert refusal(facts(person(tokens=()))) is Reason.NO_TOKEN


@pytest.mark.parametrize("typed", [Typed.ABSENT, Typed.EMPTY, Typed.GIVEN])
def test_a_node_that_checked_the_password_itself_has_the_code_sent_at_once(typed):
    for kind in (SMS, EMAIL):
        known = governed(policy(token_order=(kind,)), LoginMode.CODE_ONLY)
        found = step(known, Evidence(typed_password=typed))
        assert isinstance(found, SendCode)
        assert found.token.kind is kind


def test_the_send_limit_refuses_and_does_not_try_the_next_token():
    known = governed(policy(token_fallback=True))
    assert refusal(known, replace(PASSED, send_limited=True)) is Reason.SEND_LIMIT
    assert login(known, Answers(send_limited=True)).reason is Reason.SEND_LIMIT


def test_the_send_limit_does_not_concern_a_token_to_which_nothing_is_sent():
    assert login(governed(policy(token_order=(VIP,))), Answers(send_limited=True)).accepted


def test_without_fallback_an_undelivered_message_refuses():
    course = login(facts(), Answers(lost=frozenset({SMS})))
    assert course.names == ["CheckPassword", "SendCode", "Refuse"]
    assert course.reason is Reason.DELIVERY_FAILED


def test_with_fallback_the_next_token_is_asked_for_until_there_is_none():
    known = governed(policy(token_fallback=True))
    course = login(known, Answers(lost=frozenset({SMS})))
    assert [item.token.kind for item in course.steps if isinstance(item, SendCode)] == [SMS, EMAIL]
    assert course.accepted
    course = login(known, Answers(lost=frozenset({SMS, EMAIL})))
    assert course.names == ["CheckPassword", "SendCode", "SendCode", "AskCode", "CheckCode", "Accept"]
    course = login(governed(policy(token_fallback=True), vip_credentials=()), Answers(lost=frozenset({SMS, EMAIL})))
    assert course.reason is Reason.DELIVERY_FAILED


def test_a_code_that_is_sent_goes_to_the_usable_tokens_own_address():
    found = step(facts(), PASSED)
    assert (found.token.phone, found.token.mail, found.token.credentials) == (PHONE, None, ())


# where the code stands


def test_a_code_typed_before_one_was_sent_is_not_checked_but_sent():
    assert isinstance(step(facts(), replace(PASSED, typed_code=Typed.GIVEN)), SendCode)


@pytest.mark.parametrize("typed", [Typed.EMPTY])
def test_an_empty_answer_to_a_challenge_is_refused_without_a_check(typed):
    for kind in (SMS, VIP):
        assert refusal(facts(), answering(kind, typed)) is Reason.CODE_EMPTY


@pytest.mark.parametrize("typed", [Typed.EMPTY, Typed.ABSENT])
def test_vip_is_asked_for_when_the_only_field_was_left_empty(typed):
    settings = policy(token_order=(VIP,))
    assert step(governed(settings, LoginMode.CODE_ONLY), Evidence(typed_password=typed)) == AskCode(
        step(governed(settings), PASSED).token
    )


@pytest.mark.parametrize(
    ("evidence", "field"),
    [
        (Evidence(typed_password=Typed.GIVEN), Field.PASSWORD),
        (Evidence(typed_password=Typed.GIVEN, typed_code=Typed.GIVEN), Field.CODE),
        (Evidence(typed_code=Typed.GIVEN), Field.CODE),
        (answering(VIP, methods=(Method.TOKEN,), stage=0), Field.CODE),
    ],
)
def test_the_code_is_read_from_its_own_field_and_from_the_password_field_only_when_there_is_no_other(evidence, field):
    for mode in (LoginMode.CODE_ONLY, LoginMode.CHALLENGE):
        settings = policy(first_method=Method.TOKEN, second_method=Method.NONE, token_order=(VIP,))
        found = step(governed(settings, mode), evidence)
        assert isinstance(found, CheckCode)
        assert found.part == Part(field)


def test_the_password_field_is_never_the_code_when_the_password_comes_first():
    found = step(governed(policy(token_order=(VIP,))), replace(RADIUS, methods=P_T, password=PasswordVerdict.RIGHT))
    assert isinstance(found, AskCode)


# what came of the code


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (CodeVerdict.EXHAUSTED, Reason.ATTEMPTS_EXHAUSTED),
        (CodeVerdict.LOCKED, Reason.VIOLATIONS_LOCKED),
        (CodeVerdict.UNAVAILABLE, Reason.VIP_UNAVAILABLE),
        (CodeVerdict.MISCONFIGURED, Reason.VIP_MISCONFIGURED),
    ],
)
def test_a_code_that_was_not_right_has_its_reason(verdict, reason):
    assert refusal(facts(), answering(VIP, token=VIP, code=verdict)) is reason


# a directory that changes while somebody logs on

PASSWORD_TOKEN = policy(token_order=(VIP,))
ONLY_TOKEN = methods(PASSWORD_TOKEN, Method.TOKEN, Method.NONE)
ONLY_PASSWORD = methods(PASSWORD_TOKEN, Method.PASSWORD, Method.NONE)
TOKEN_PASSWORD = methods(PASSWORD_TOKEN, Method.TOKEN, Method.PASSWORD)
PIN_TOKEN = methods(PASSWORD_TOKEN, Method.PIN, Method.TOKEN)
ANSWERS_TOKEN = answering(VIP)
ANSWERS_PASSWORD = answering("password", methods=T_P)


@pytest.mark.parametrize(
    ("later", "mode", "evidence"),
    [
        (ONLY_TOKEN, LoginMode.CHALLENGE, ANSWERS_TOKEN),
        (PASSWORD_TOKEN, LoginMode.CODE_ONLY, ANSWERS_TOKEN),
        (ONLY_PASSWORD, LoginMode.CHALLENGE, ANSWERS_TOKEN),
        (TOKEN_PASSWORD, LoginMode.CHALLENGE, ANSWERS_TOKEN),
        (TOKEN_PASSWORD, LoginMode.CHALLENGE, replace(PASSED, undelivered=frozenset({SMS}))),
        (TOKEN_PASSWORD, LoginMode.CHALLENGE, replace(PASSED, send_limited=True)),
        (ONLY_TOKEN, LoginMode.CHALLENGE, replace(PASSED, undelivered=frozenset({SMS}))),
        (TOKEN_PASSWORD, LoginMode.CHALLENGE, replace(RADIUS, methods=P_T, password=PasswordVerdict.RIGHT)),
        (PASSWORD_TOKEN, LoginMode.CHALLENGE, ANSWERS_PASSWORD),
        (PASSWORD_TOKEN, LoginMode.CHALLENGE, replace(ANSWERS_TOKEN, methods=T_P, stage=0, code=CodeVerdict.RIGHT)),
        (ONLY_PASSWORD, LoginMode.CHALLENGE, replace(ANSWERS_TOKEN, stage=0, code=CodeVerdict.RIGHT)),
        (PASSWORD_TOKEN, LoginMode.CHALLENGE, replace(PASSED, stage=2)),
        (PASSWORD_TOKEN, LoginMode.CHALLENGE, replace(PASSED, stage=-1)),
    ],
)
def test_what_was_shown_for_one_method_never_counts_for_another_when_the_policy_changes(later, mode, evidence):
    assert refusal(governed(later, mode), evidence) is Reason.CHALLENGE_UNKNOWN


def test_a_method_that_took_the_place_of_one_that_was_passed_is_not_passed():
    assert refusal(governed(PIN_TOKEN, pin="set"), ANSWERS_TOKEN) is Reason.CHALLENGE_UNKNOWN


def test_a_change_that_leaves_the_methods_alone_disturbs_nobody():
    other = policy("other", token_order=(VIP, SMS), code_attempts=1)
    assert isinstance(step(governed(other), ANSWERS_TOKEN), CheckCode)


# what an accept carries, and what the decision tells


def test_reply_attributes_of_policy_groups_containers_user_and_node_each_once_in_that_order():
    def rule(value):
        return ReplyRule("Filter-Id", value)

    somebody = person(
        link(policy(second_method=Method.NONE, reply_attribute=(rule("policy"), rule("twice")))),
        [membership("g", reply_attributes=(rule("group"), rule("twice")))],
        [ancestor("o", reply_attributes=(rule("container"), rule("policy")))],
        reply_attributes=(rule("user"),),
    )
    course = login(facts(somebody, node(reply_attribute=(rule("node"), rule("user")))))
    values = [item.value for item in course.steps[-1].reply_rules]
    assert values == ["policy", "twice", "group", "container", "user", "node"]


def test_the_decision_names_the_person_the_policy_and_every_candidate():
    somebody = person(link(policy()), [membership("g", link(policy("other")))])
    decided = decide(facts(somebody, default=policy("default")), RADIUS, NOW)
    assert decided.person is somebody
    assert decided.policy_name == f"cn=staff,{BASE}"
    assert decided.policy is somebody.policy.policy
    assert [item.policy_name for item in decided.candidates] == [
        f"cn=staff,{BASE}",
        f"cn=other,{BASE}",
        "[policy:default]",
        "built-in",
    ]


def test_the_trace_tells_how_old_the_data_is():
    assert trace(facts())["account"] == "usable; directory data is 5 s old"
