"""The rules of docs/logon.md in examples: what stands in one field, PINs, keywords, codes ahead, second logins."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, Typed, Waiting, typed
from auth.keys.ring import Key, Ring
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.reason import Reason
from auth.steps import (
    AskCode,
    AskNewPin,
    AskPassword,
    AskPin,
    CheckCode,
    CheckKeyword,
    CheckNewPin,
    CheckPassword,
    CheckPin,
    KeepPin,
    Part,
    Refuse,
    SendCode,
)
from core.dialogue import Answers, login
from core.logins import BAD, NOW, entry_id, facts, governed, link, node, person, policy
from dirsync.password import PasswordVerdict
from schema.secret import Secret
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

SMS, EMAIL, VIP = TokenKind.SMS, TokenKind.EMAIL, TokenKind.VIP
P_T = (Method.PASSWORD, Method.TOKEN)
BOTH = typed(Secret("Teapot-41x513270"))
RING = Ring((Key(b"k" * 32, NOW),))


def joined(method=Method.PASSWORD_THEN_TOKEN, **settings):
    return policy(first_method=method, **{"second_method": Method.NONE, "token_order": (VIP,), **settings})


def step(known, evidence):
    return decide(known, evidence, NOW).step


def first(text):
    return Evidence(typed_password=typed(Secret(text)))


def answer(question, text, stage=1, methods=P_T, *, sent=False, last_try=False):
    field = Field.PASSWORD if question is Question.PASSWORD else Field.CODE
    waiting = Waiting(question, stage, sent=sent, last_try=last_try)
    return Evidence(methods, stage, answer=field, waiting=waiting).with_typed(field, typed(Secret(text)))


def second(text, question=Question.SMS, stage=1):
    """A second login at a node that can ask nothing, while the code of the first is open."""
    return Evidence(P_T, typed_password=typed(Secret(text)), waiting=Waiting(question, stage, sent=True))


# what the decision sees of a text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", Typed(0)),
        ("secret", Typed(6)),
        ("123456", Typed(6, 6, 6)),
        ("12ab345", Typed(7, 2, 3)),
        ("\u0661\u0662", Typed(2)),
    ],
)
def test_of_a_text_only_its_length_and_the_digits_at_its_ends_are_seen(text, seen):
    assert typed(Secret(text)) == seen


# one field


def test_the_code_is_cut_off_the_end_and_the_password_is_the_rest():
    course = login(governed(joined()), first=Evidence(typed_password=BOTH))
    assert course.names == ["CheckPassword", "CheckCode", "Accept"]
    assert (course.steps[0].part, course.steps[1].part) == (
        Part(Field.PASSWORD, None, -6),
        Part(Field.PASSWORD, -6, None),
    )


def test_or_off_the_beginning():
    known = governed(joined(Method.TOKEN_THEN_PASSWORD))
    course = login(known, first=first("513270Teapot"))
    assert (course.steps[0].part, course.steps[1].part) == (
        Part(Field.PASSWORD, 6, None),
        Part(Field.PASSWORD, None, 6),
    )


@pytest.mark.parametrize("text", ["Teapot", "Teapot12345", "513270"])
def test_without_enough_digits_or_with_nothing_but_the_code_all_of_the_field_is_the_password(text):
    course = login(governed(joined()), first=first(text))
    assert course.steps[0] == CheckPassword(Part(Field.PASSWORD))
    assert course.names == ["CheckPassword", "AskCode", "CheckCode", "Accept"]


def test_a_code_that_is_sent_first_is_not_looked_for_in_the_first_step():
    course = login(governed(joined(token_order=(SMS,))), first=Evidence(typed_password=BOTH))
    assert course.steps[0] == CheckPassword(Part(Field.PASSWORD))
    assert course.names == ["CheckPassword", "SendCode", "CheckCode", "Accept"]


def test_a_field_of_its_own_for_the_code_is_not_cut():
    both = Evidence(typed_password=BOTH, typed_code=Typed.GIVEN)
    course = login(governed(joined()), first=both)
    assert [each.part for each in course.steps[:2]] == [Part(Field.PASSWORD), Part(Field.CODE)]


@pytest.mark.parametrize("mode", [LoginMode.CHALLENGE, LoginMode.REJECT_THEN_CODE, LoginMode.CODE_ONLY])
@pytest.mark.parametrize("token", [VIP, SMS])
def test_a_password_that_ends_in_digits_is_not_cut_where_nothing_says_that_a_code_stands_behind_it(mode, token):
    methods = P_T if mode is not LoginMode.CODE_ONLY else (Method.PIN, Method.PASSWORD)
    settings = policy(first_method=methods[0], second_method=methods[1], token_order=(token,))
    found = step(governed(settings, mode, pin="set"), Evidence(typed_password=BOTH))
    assert found.part == Part(Field.PASSWORD)


# the access node's login mode


def test_an_append_node_takes_both_in_one_field_in_whichever_order_the_policy_has_them():
    for methods in (P_T, P_T[::-1]):
        settings = policy(first_method=methods[0], second_method=methods[1], token_order=(VIP,))
        course = login(governed(settings, LoginMode.APPEND), first=Evidence(typed_password=BOTH))
        assert course.names == ["CheckPassword", "CheckCode", "Accept"]


def test_an_append_node_cannot_carry_methods_that_need_a_question():
    settings = policy(first_method=Method.PIN, second_method=Method.TOKEN, token_order=(VIP,))
    assert step(governed(settings, LoginMode.APPEND, pin="set"), first("1234")) == Refuse(Reason.METHOD_UNSUPPORTED)


def test_at_an_append_node_nothing_can_stand_behind_password_and_code():
    settings = joined(second_method=Method.PIN)
    assert step(governed(settings, LoginMode.APPEND, pin="set"), first("x513270")) == Refuse(Reason.METHOD_UNSUPPORTED)


def test_at_an_append_node_the_code_alone_is_no_answer():
    known = governed(policy(), LoginMode.APPEND)
    assert step(known, second("513270")) == CheckPassword(Part(Field.PASSWORD))
    assert step(known, second("Teapot513270")) == CheckPassword(Part(Field.PASSWORD, None, -6))


def test_at_a_reject_then_code_node_digits_alone_are_the_code_and_anything_else_is_not():
    known = governed(policy(), LoginMode.REJECT_THEN_CODE)
    assert isinstance(step(known, second("513270")), CheckCode)
    assert step(known, second("Teapot513270")) == CheckPassword(Part(Field.PASSWORD, None, -6))
    assert step(known, second("Teapot")) == CheckPassword(Part(Field.PASSWORD))
    assert step(known, first("513270")) == CheckPassword(Part(Field.PASSWORD)), "no code is open"


def test_a_pin_that_was_typed_with_a_dash_is_not_the_code_as_well_once_it_is_without():
    methods = (Method.PIN, Method.TOKEN)
    settings = policy(first_method=Method.PIN, second_method=Method.TOKEN, token_order=(SMS,))
    typed_again = Evidence(methods, typed_password=typed(Secret("24-68")), waiting=Waiting(Question.SMS, 1, sent=True))
    known = governed(settings, LoginMode.REJECT_THEN_CODE, pin="set")
    assert step(known, typed_again) == CheckPin(Part(Field.PASSWORD))
    right = replace(typed_again, typed_password=typed(Secret("2468")), pin=PinShown.RIGHT, pin_length=4)
    assert isinstance(step(known, right), SendCode)


def test_a_code_that_waits_for_a_second_login_belongs_to_its_own_methods():
    changed = governed(policy(first_method=Method.TOKEN, second_method=Method.NONE), LoginMode.REJECT_THEN_CODE)
    assert step(changed, second("513270")) == Refuse(Reason.CHALLENGE_UNKNOWN)


# the PIN

WITH_PIN = policy(token_order=(VIP,), pin_with_token=True)


def test_a_policy_that_wants_a_pin_refuses_who_has_none_before_anything_is_sent():
    for settings in (policy(pin_with_token=True), policy(first_method=Method.PIN)):
        assert step(governed(settings), first("Teapot")) == Refuse(Reason.PIN_MISSING)


def test_a_pin_is_checked_in_front_of_the_code_and_the_code_behind_it():
    known = governed(WITH_PIN, pin="set")
    given = answer(Question.VIP, "2468513270")
    assert step(known, given) == CheckPin(Part(Field.CODE), (6,))
    right = replace(given, pin=PinShown.RIGHT, pin_length=4, code_length=6)
    assert step(known, right).part == Part(Field.CODE, 4, 10)


def test_an_expired_pin_lets_nobody_in_before_a_new_one_is_kept():
    known = governed(WITH_PIN, pin="set")
    course = login(known, Answers(pin=PinShown.EXPIRED))
    assert course.names[-4:] == ["AskNewPin", "CheckNewPin", "KeepPin", "Accept"]
    unfit = login(known, Answers(pin=PinShown.EXPIRED, new_pin=PinShown.UNFIT))
    assert unfit.reason is Reason.PIN_UNFIT


def test_a_new_pin_behind_the_code_is_kept_only_after_the_code_was_right():
    known = governed(WITH_PIN, pin="set")
    given = answer(Question.VIP, "246851327097539753")
    shown = replace(given, pin=PinShown.CHANGED, pin_length=4, code_length=6)
    assert isinstance(step(known, shown), CheckCode)
    assert step(known, replace(shown, token=VIP, code=CodeVerdict.RIGHT)) == KeepPin(Part(Field.CODE, 10, 14))
    wrong = step(known, replace(shown, token=VIP, code=CodeVerdict.WRONG))
    assert wrong.reason is Reason.CODE_WRONG_RETRY


def test_the_question_for_a_new_pin_ends_with_the_token():
    known = governed(WITH_PIN, pin="set")
    given = answer(Question.NEW_PIN, "97539753")
    assert isinstance(step(known, given), CheckNewPin)
    assert step(governed(WITH_PIN, pin="set", tokens=()), given) == Refuse(Reason.NO_TOKEN)


def test_a_node_that_asks_nothing_does_not_ask_for_a_new_pin_either_for_whoever_came_next_would_choose_it():
    settings = policy(first_method=Method.PIN, second_method=Method.NONE)
    expired = replace(first("2468"), methods=(Method.PIN,), pin=PinShown.EXPIRED)
    for mode in (LoginMode.APPEND, LoginMode.REJECT_THEN_CODE):
        assert step(governed(settings, mode, pin="set"), expired) == Refuse(Reason.PIN_EXPIRED)
    assert step(governed(settings, pin="set"), expired) == AskNewPin(Reason.PIN_EXPIRED)


def test_a_pin_cannot_share_a_field_with_password_and_code():
    assert step(governed(joined(pin_with_token=True), pin="set"), first("x")) == Refuse(Reason.METHOD_UNSUPPORTED)


# the password that is asked for


def test_a_password_that_was_asked_for_may_be_tried_again_while_there_are_tries():
    settings = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    asked = answer(Question.PASSWORD, "wrong", methods=P_T[::-1])
    wrong = replace(asked, password=PasswordVerdict.WRONG)
    assert step(governed(settings), wrong) == AskPassword(Reason.PASSWORD_WRONG_RETRY)
    last = replace(wrong, waiting=replace(wrong.waiting, last_try=True))
    assert step(governed(settings), last) == Refuse(Reason.PASSWORD_WRONG)
    for verdict in set(PasswordVerdict) - {PasswordVerdict.RIGHT, PasswordVerdict.WRONG}:
        assert isinstance(step(governed(settings), replace(asked, password=verdict)), Refuse)


# keyword and codes ahead

BY_WORD = policy(token_order=(SMS, VIP), sms_mode=SendMode.KEYWORD, sms_keyword="text", vip_keyword="vip")


def test_in_mode_keyword_nothing_is_sent_before_the_keyword():
    found = step(governed(BY_WORD), Evidence(P_T, 1))
    assert isinstance(found, AskCode)
    checked = step(governed(BY_WORD), answer(Question.SMS, "text"))
    assert checked.words == (("text", SMS), ("vip", VIP))
    sent = step(governed(BY_WORD), replace(answer(Question.SMS, "text"), keyword=SMS, token=SMS))
    assert (sent.token.kind, sent.stock) == (SMS, 0)


def test_a_node_that_asks_nothing_has_no_place_for_a_keyword_and_sends_at_once():
    assert isinstance(step(governed(BY_WORD, LoginMode.APPEND), Evidence(P_T, 1)), SendCode)


def test_a_word_is_no_factor_and_pin_or_password_as_keyword_are():
    word = policy(first_method=Method.TOKEN, second_method=Method.NONE, sms_mode=SendMode.KEYWORD, sms_keyword="text")
    asked = Evidence((Method.TOKEN,), keyword=SMS, token=SMS, typed_password=Typed.ABSENT)
    assert step(governed(word), asked) == Refuse(Reason.NO_FIRST_FACTOR)
    assert isinstance(step(governed(word), replace(asked, factor=True)), SendCode)
    for kind in (KeywordKind.PIN, KeywordKind.PASSWORD):
        settings = policy(
            first_method=Method.TOKEN, second_method=Method.NONE, sms_mode=SendMode.KEYWORD, sms_keyword_kind=kind
        )
        checked = step(governed(settings, pin="set"), first("Teapot"))
        assert (type(checked), checked.kind) == (CheckKeyword, kind)


def test_a_code_that_was_sent_is_not_taken_for_the_password_that_is_the_keyword():
    settings = policy(sms_mode=SendMode.KEYWORD, sms_keyword_kind=KeywordKind.PASSWORD)
    known = governed(settings)
    assert isinstance(step(known, answer(Question.SMS, "513270", sent=True)), CheckCode)
    assert isinstance(step(known, answer(Question.SMS, "513270")), CheckKeyword)
    stocked = replace(known, stock={SMS: 1})
    assert isinstance(step(stocked, answer(Question.SMS, "513270")), CheckCode)
    assert isinstance(step(stocked, answer(Question.SMS, "Teapot")), CheckKeyword)


def test_nor_is_a_code_on_stock_wherever_it_stands():
    by_password = {"sms_mode": SendMode.KEYWORD, "sms_keyword_kind": KeywordKind.PASSWORD, "token_order": (SMS,)}
    shared = replace(governed(joined(Method.TOKEN_THEN_PASSWORD, **by_password)), stock={SMS: 1})
    evidence = replace(first("513270Teapot-41"), methods=P_T, stage=1)
    assert step(shared, evidence) == CheckCode(step(shared, evidence).token, Part(Field.PASSWORD, None, 6))
    behind_pin = replace(governed(policy(pin_with_token=True, **by_password), pin="set"), stock={SMS: 1})
    assert isinstance(step(behind_pin, answer(Question.SMS, "2468513270")), CheckPin)
    assert isinstance(step(behind_pin, answer(Question.SMS, "Teapot")), CheckKeyword)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"second_method": Method.TOKEN}, Reason.NO_TOKEN),
        ({"second_method": Method.TOKEN, "sms_keyword_kind": KeywordKind.PIN}, Reason.PIN_MISSING),
        ({"first_method": Method.TOKEN, "sms_keyword": "text"}, Reason.NO_FIRST_FACTOR),
    ],
)
def test_where_nobody_can_have_a_code_sent_nobody_is_asked_for_one(settings, reason):
    methods = {"first_method": Method.PASSWORD, "second_method": Method.NONE} | settings
    known = governed(policy(token_order=(SMS,), sms_mode=SendMode.KEYWORD, **methods))
    assert login(known).reason is reason
    stocked = replace(known, stock={SMS: 1})
    assert login(stocked).accepted


def test_a_keyword_whose_message_nobody_took_leaves_the_codes_on_stock():
    known = replace(governed(BY_WORD), stock={SMS: 1})
    lost = replace(answer(Question.SMS, "text"), keyword=SMS, token=SMS, undelivered=frozenset({SMS}))
    assert isinstance(step(known, lost.without(Field.CODE)), AskCode)


@pytest.mark.parametrize(("stock", "sends"), [(0, True), (1, True), (2, False), (9, False)])
def test_codes_ahead_are_sent_when_none_is_left_or_the_last_is_about_to_be_used(stock, sends):
    known = replace(governed(policy(sms_mode=SendMode.AHEAD, sms_codes_per_message=4)), stock={SMS: stock})
    found = step(known, Evidence(P_T, 1))
    assert (found.stock if isinstance(found, SendCode) else 0) == (4 if sends else 0)


def test_the_last_code_ahead_still_counts_when_no_more_can_be_sent():
    known = replace(governed(policy(sms_mode=SendMode.AHEAD)), stock={SMS: 1})
    for evidence in (Evidence(P_T, 1, send_limited=True), Evidence(P_T, 1, undelivered=frozenset({SMS}))):
        found = step(known, evidence)
        assert (type(found), found.token.kind) == (AskCode, SMS)
    assert step(replace(known, stock={}), Evidence(P_T, 1, send_limited=True)) == Refuse(Reason.SEND_LIMIT)


def test_codes_ahead_do_not_count_in_a_policy_that_sends_at_each_logon():
    known = replace(governed(policy()), stock={SMS: 5})
    assert step(known, Evidence(P_T, 1)) == SendCode(step(known, Evidence(P_T, 1)).token, 0)


# the temporary response


def helped(mark=None, minutes=30, settings=None, **values):
    about = TemporaryResponse(NOW - timedelta(minutes=1), NOW + timedelta(minutes=minutes), multiple=False)
    value = response_value(RING, entry_id("alice"), Secret("48151623"), about)
    known = governed(policy(temporary_response_allowed=True, **settings or {}), temporary_response=value, **values)
    return replace(known, response_mark=mark)


def test_while_a_temporary_response_is_good_nothing_is_sent_and_it_is_asked_for():
    found = step(helped(), Evidence(P_T, 1))
    assert (type(found), found.reason) == (AskCode, Reason.TEMPORARY_WANTED)
    for known in (helped(mark=2**62), helped(minutes=-0.5), governed(policy(), temporary_response="df1:nonsense")):
        assert isinstance(step(known, Evidence(P_T, 1)), SendCode)


def test_it_stands_for_a_token_that_cannot_be_reached_and_for_none_that_is_not_assigned():
    unreachable = helped(texts=(), vip_credentials=())
    assert isinstance(step(unreachable, Evidence(P_T, 1)), AskCode)
    assert step(helped(tokens=()), Evidence(P_T, 1)) == Refuse(Reason.NO_TOKEN)


def test_it_is_not_taken_for_the_password_that_is_the_keyword():
    known = helped(settings={"sms_mode": SendMode.KEYWORD, "sms_keyword_kind": KeywordKind.PASSWORD})
    assert isinstance(step(known, answer(Question.SMS, "48151623")), CheckCode)
    assert isinstance(step(known, answer(Question.SMS, "513270")), CheckKeyword)


def test_having_used_it_up_does_not_take_it_back_from_the_login_that_did():
    used = helped(mark=2**62, texts=(), vip_credentials=())
    right = replace(answer(Question.SMS, "48151623"), token=SMS, code=CodeVerdict.RIGHT)
    assert not isinstance(step(used, right), Refuse)
    assert step(used, replace(right, code=None)) == Refuse(Reason.NO_TOKEN)


# reasons that are met nowhere else


def test_a_pin_that_nobody_has_typed_is_asked_for_and_a_wrong_one_again():
    known = governed(policy(first_method=Method.PASSWORD, second_method=Method.PIN), pin="a digest")
    methods = (Method.PASSWORD, Method.PIN)
    assert step(known, Evidence(methods, 1)) == AskPin(Reason.PIN_WANTED)
    wrong = replace(answer(Question.PIN, "1234", methods=methods), code=CodeVerdict.WRONG)
    assert step(known, wrong) == AskPin(Reason.PIN_WRONG_RETRY)


def test_a_value_that_cannot_be_read_refuses_and_blames_nobody():
    known = governed(policy(token_order=(SMS,)))
    broken = replace(answer(Question.SMS, "123456", sent=True), token=SMS, code=CodeVerdict.MISCONFIGURED)
    assert step(known, broken) == Refuse(Reason.TOKEN_UNREADABLE)


# what is left of a request when a method was passed


def test_of_an_answer_nothing_is_left_for_the_next_method():
    code_first = policy(first_method=Method.TOKEN, second_method=Method.PASSWORD, token_order=(VIP,))
    shown = replace(answer(Question.VIP, "513270", 0, P_T[::-1]), token=VIP, code=CodeVerdict.RIGHT)
    decided = decide(governed(code_first), shown, NOW)
    assert decided.step == AskPassword()
    assert decided.evidence == Evidence(P_T[::-1], 1)


def test_a_second_login_keeps_the_code_that_waits_and_what_was_typed_while_the_password_is_passed():
    waits = second("Teapot513270")
    shown = replace(waits, password=PasswordVerdict.RIGHT, undelivered=frozenset({EMAIL}), send_limited=True)
    decided = decide(governed(policy(token_fallback=True), LoginMode.REJECT_THEN_CODE), shown, NOW)
    assert isinstance(decided.step, CheckCode)
    assert decided.evidence == replace(shown, stage=1, password=None)


def test_a_refusal_before_there_is_a_policy_keeps_what_was_shown():
    shown = first("Teapot")
    for known in (replace(governed(policy()), node=None), governed(policy(malformed=(BAD,)))):
        assert decide(known, shown, NOW).evidence is shown


def test_the_node_has_its_policy_and_its_name_in_the_candidates():
    assigned = policy("n", first_method=Method.TOKEN, second_method=Method.NONE)
    decided = decide(facts(person(), node(assigned=link(assigned))), first("513270"), NOW)
    assert decided.policy_name == link(assigned).dn
    assert decided.candidates[0].holder == "vpn"


# where the text for a method stands


def test_without_a_token_the_code_field_is_that_of_the_last_method_where_there_is_another():
    both = Evidence(typed_password=typed(Secret("Teapot")), typed_code=typed(Secret("2468")))
    two = governed(policy(second_method=Method.PIN), pin="set")
    assert step(two, both) == CheckPassword(Part(Field.PASSWORD))
    passed = replace(both, methods=(Method.PASSWORD, Method.PIN), password=PasswordVerdict.RIGHT)
    assert step(two, passed) == CheckPin(Part(Field.CODE))
    alone = governed(policy(first_method=Method.PIN, second_method=Method.NONE), pin="set")
    assert step(alone, both) == CheckPin(Part(Field.PASSWORD))


def test_a_third_method_has_no_field_in_a_first_step():
    known = governed(policy(first_method=Method.PASSWORD_THEN_TOKEN, second_method=Method.PIN), pin="set")
    methods = (*P_T, Method.PIN)
    shown = Evidence(methods, 2, typed_password=typed(Secret("Teapot")), typed_code=typed(Secret("513270")))
    assert step(known, shown) == AskPin()


def test_of_two_lengths_that_a_code_may_have_the_longer_one_that_fits_is_cut_off():
    settings = {"first_method": Method.PASSWORD_THEN_TOKEN, "second_method": Method.NONE, "token_order": (VIP,)}
    known = helped(settings=settings)
    assert step(known, first("Teapot48151623")) == CheckPassword(Part(Field.PASSWORD, None, -8))
    assert step(known, first("Teapot4815162")) == CheckPassword(Part(Field.PASSWORD, None, -6))


def test_a_second_login_has_the_code_where_the_policy_has_it():
    in_front = policy(first_method=Method.TOKEN_THEN_PASSWORD, second_method=Method.NONE)
    known = governed(in_front, LoginMode.REJECT_THEN_CODE)
    assert step(known, second("513270Teapot")) == CheckPassword(Part(Field.PASSWORD, 6, None))
    waits_for_something_else = second("Teapot513270", Question.PASSWORD, 0)
    assert step(governed(policy(), LoginMode.REJECT_THEN_CODE), waits_for_something_else) == CheckPassword(
        Part(Field.PASSWORD)
    )
    assert step(governed(policy()), second("Teapot513270")) == CheckPassword(Part(Field.PASSWORD)), (
        "at a node that asks"
    )
