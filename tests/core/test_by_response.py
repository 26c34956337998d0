"""Which codes a client may show as responses, in examples: those that we know in clear, and no others."""

from datetime import timedelta

import pytest

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, Question, Typed, Waiting
from auth.keys.ring import Key, Ring
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.reason import Reason
from auth.steps import Accept, AskCode, CheckCode, Refuse, SendCode
from core.logins import NOW, entry_id, facts, governed, link, node, person, policy
from schema.secret import Secret
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

SMS, EMAIL, VIP, TOTP, HOTP = TokenKind
SHOWN, EMPTY = Typed(None, readable=False), Typed(0, readable=False)
PAP_REQUIRED = Refuse(Reason.PASSWORD_PROTOCOL)
TOKEN = (Method.TOKEN,)
RING = Ring((Key(b"k" * 32, NOW),))


def first(typed=SHOWN):
    return Evidence(typed_password=typed)


def answer(kind, *, sent=False, comparable=False, stage=0, methods=TOKEN, **shown):
    waiting = Waiting(Question(kind), stage, sent=sent, comparable=comparable)
    return Evidence(methods, stage, typed_code=SHOWN, answer=Field.CODE, waiting=waiting, **shown)


def seed(kind):
    token = SoftwareToken(kind, f"{kind}-1", b"12345678901234567890")
    return sealed_token(RING, entry_id("alice"), token, b"n" * 12)


def step(settings, evidence, mode=LoginMode.CODE_ONLY, **values):
    known = governed(settings, mode, secrets=(seed(TOTP), seed(HOTP)), **values)
    return decide(known, evidence, NOW).step


def only(kind, **settings):
    return policy(token_order=(kind,), **settings)


@pytest.mark.parametrize("kind", [TOTP, HOTP])
def test_an_authenticators_code_is_checked_or_asked_for(kind):
    assert isinstance(step(only(kind), first()), CheckCode)
    assert isinstance(step(only(kind), first(EMPTY)), AskCode)
    assert isinstance(step(only(kind), answer(kind)), CheckCode)


@pytest.mark.parametrize("kind", [SMS, EMAIL])
def test_a_code_is_sent_and_checked_where_it_was_kept_for_responses(kind):
    assert isinstance(step(only(kind), first()), SendCode)
    assert isinstance(step(only(kind), first(EMPTY)), SendCode)
    assert isinstance(step(only(kind), answer(kind, sent=True, comparable=True)), CheckCode)
    assert step(only(kind), answer(kind, sent=True)) == PAP_REQUIRED


@pytest.mark.parametrize(("kind", "mode_of"), [(SMS, "sms_mode"), (EMAIL, "email_mode")])
def test_codes_on_stock_are_not(kind, mode_of):
    for typed in (SHOWN, EMPTY):
        assert step(only(kind, **{mode_of: SendMode.AHEAD}), first(typed)) == PAP_REQUIRED
    keyword = mode_of.replace("mode", "keyword")
    several = {mode_of: SendMode.KEYWORD, mode_of.replace("mode", "codes_per_message"): 2, keyword: "please"}
    assert step(only(kind, **several), first()) == PAP_REQUIRED


def test_what_is_left_on_stock_of_an_earlier_policy_counts_as_well():
    settings = only(SMS, sms_mode=SendMode.KEYWORD, sms_codes_per_message=1, sms_keyword="sms")
    for left, wanted in ((0, CheckCode), (1, Refuse)):
        known = facts(person(link(settings)), node(mode=LoginMode.CODE_ONLY), stock={SMS: left})
        assert isinstance(decide(known, first(), NOW).step, wanted)


def test_a_keyword_that_is_a_word_can_be_shown_and_one_that_is_a_secret_cannot():
    word = {"sms_mode": SendMode.KEYWORD, "sms_codes_per_message": 1}
    assert isinstance(step(only(SMS, sms_keyword="sms", **word), first()), CheckCode)
    assert isinstance(step(only(SMS, sms_keyword="sms", **word), answer(SMS, keyword=SMS)), SendCode)
    secret = only(SMS, sms_keyword_kind=KeywordKind.PASSWORD, **word)
    assert step(secret, first()) == PAP_REQUIRED


def test_vip_and_a_pin_in_front_of_the_code_must_be_read():
    assert step(only(VIP), first()) == PAP_REQUIRED
    assert step(only(VIP), first(EMPTY)) == PAP_REQUIRED
    assert step(only(TOTP, pin_with_token=True), first(), pin="digest") == PAP_REQUIRED
    assert step(only(TOTP, pin_with_token=True), first(EMPTY), pin="digest") == PAP_REQUIRED


def test_so_must_password_and_pin_as_methods():
    pin = policy(first_method=Method.PIN, second_method=Method.NONE)
    assert step(pin, first(), pin="digest") == PAP_REQUIRED
    assert step(pin, first(EMPTY), pin="digest") == PAP_REQUIRED
    assert step(policy(), first(), LoginMode.CHALLENGE) == PAP_REQUIRED
    assert step(policy(), first(EMPTY), LoginMode.CHALLENGE) == Refuse(Reason.PASSWORD_EMPTY)


def test_so_must_a_temporary_response_while_there_is_a_good_one():
    about = TemporaryResponse(NOW, NOW + timedelta(hours=1), multiple=True)
    value = response_value(RING, entry_id("alice"), Secret("48151623"), about)
    allowed = only(TOTP, temporary_response_allowed=True)
    assert step(allowed, first(), temporary_response=value) == PAP_REQUIRED
    assert isinstance(step(only(TOTP), first(), temporary_response=value), CheckCode)


def test_after_a_first_method_by_pap_a_response_may_be_the_answer():
    methods = (Method.PASSWORD, Method.TOKEN)
    asked = answer(SMS, sent=True, comparable=True, stage=1, methods=methods)
    assert isinstance(step(only(SMS), asked, LoginMode.CHALLENGE), CheckCode)


def test_what_came_of_a_response_is_what_comes_of_a_code():
    right = answer(TOTP, code=CodeVerdict.RIGHT, token=TOTP)
    assert isinstance(step(only(TOTP), right), Accept)
    wrong = answer(TOTP, code=CodeVerdict.WRONG, token=TOTP)
    assert step(only(TOTP), wrong).reason is Reason.CODE_WRONG_RETRY


def test_the_trace_says_why():
    decided = decide(governed(only(VIP), LoginMode.CODE_ONLY), first(), NOW)
    told = {finding.check: finding.found for finding in decided.trace}
    assert told["response"] == "the client shows no text, and what it should be is not known in clear"
