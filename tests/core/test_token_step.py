"""Each step of the method token that the examples of docs/logon.md leave open, with what the decision tells of it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, Typed, Waiting, typed
from auth.keys.ring import Key, Ring
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.reason import Reason
from auth.steps import AskCode, CheckCode, CheckKeyword, CheckPassword, CheckPin, Part, Refuse, SendCode
from auth.tokens import Usable
from core.logins import MAIL, NOW, PHONE, entry_id, governed, policy
from schema.secret import Secret
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

SMS, EMAIL, VIP, TOTP = TokenKind.SMS, TokenKind.EMAIL, TokenKind.VIP, TokenKind.TOTP
P_T, TOKEN = (Method.PASSWORD, Method.TOKEN), (Method.TOKEN,)
PASSED = Evidence(P_T, 1)
BY_PHONE, BY_MAIL = Usable(SMS, phone=PHONE), Usable(EMAIL, mail=MAIL)
BY_VIP = Usable(VIP, credentials=("VSST12345678",))
RING = Ring((Key(b"k" * 32, NOW),))


def answer(kind, text, stage=1, methods=P_T, **shown):
    waiting = Waiting(Question(kind), stage, sent=shown.pop("sent", False))
    return Evidence(methods, stage, typed_code=typed(Secret(text)), answer=Field.CODE, waiting=waiting, **shown)


def helped(settings=None, **values):
    """Somebody with a good temporary response."""
    about = TemporaryResponse(NOW, NOW + timedelta(minutes=30), multiple=True)
    value = response_value(RING, entry_id("alice"), Secret("48151623"), about)
    return governed(policy(temporary_response_allowed=True, **settings or {}), temporary_response=value, **values)


def step(known, evidence):
    return decide(known, evidence, NOW).step


def told(known, evidence):
    return [(finding.check, finding.found) for finding in decide(known, evidence, NOW).trace]


# which token


def test_the_token_of_a_keyword_goes_before_the_one_that_was_asked_for():
    found = answer(SMS, "mail", keyword=EMAIL)
    assert step(governed(policy()), found) == SendCode(BY_MAIL)
    assert ("keyword", "that of email") in told(governed(policy()), found)


def test_a_message_that_nobody_took_is_told_and_ends_the_login():
    lost = replace(PASSED, undelivered=frozenset({SMS}))
    assert step(governed(policy()), lost) == Refuse(Reason.DELIVERY_FAILED)
    assert told(governed(policy()), lost)[-1] == ("token sms", "no gateway took the message")


@pytest.mark.parametrize(
    ("evidence", "kind"), [(PASSED, SMS), (answer(EMAIL, "48151623"), EMAIL), (answer(TOTP, "48151623"), SMS)]
)
def test_a_temporary_response_stands_for_the_token_that_was_asked_for_or_else_the_first_assigned(evidence, kind):
    known = helped(texts=(), tokens=(SMS, EMAIL))
    assert step(known, evidence).token == Usable(kind, code_length=8)
    assert ("temporary response", "stands for the assigned token") in told(known, evidence)


def test_a_temporary_response_is_asked_for_in_the_name_of_the_token():
    assert step(helped(), PASSED) == AskCode(BY_PHONE, Reason.TEMPORARY_WANTED)


# where the code stands


def test_of_one_field_as_much_is_cut_off_as_a_code_has_that_can_be_typed_here():
    settings = {"first_method": Method.PASSWORD_THEN_TOKEN, "second_method": Method.NONE, "token_order": (VIP,)}
    both = Evidence(typed_password=typed(Secret("Teapot48151623")))
    for known, digits in ((governed(policy(**settings)), 6), (helped(settings), 8)):
        assert step(known, both) == CheckPassword(Part(Field.PASSWORD, None, -digits))


def test_a_code_on_stock_behind_the_password_is_not_taken_for_the_password_that_is_the_keyword():
    settings = policy(
        first_method=Method.PASSWORD_THEN_TOKEN,
        second_method=Method.NONE,
        token_order=(SMS,),
        sms_mode=SendMode.KEYWORD,
        sms_keyword_kind=KeywordKind.PASSWORD,
    )
    shown = replace(PASSED, typed_password=typed(Secret("Teapot-41x513270")))
    assert step(replace(governed(settings), stock={SMS: 1}), shown) == CheckCode(
        BY_PHONE, Part(Field.PASSWORD, -6, None)
    )


def test_an_answer_to_the_question_of_another_method_is_no_code():
    astray = replace(answer(VIP, "513270"), waiting=Waiting(Question.VIP, 0))
    assert step(governed(policy(token_order=(VIP,))), astray) == AskCode(BY_VIP)


def test_behind_a_pin_may_stand_the_tokens_code_or_a_temporary_response_or_a_word_by_itself():
    words = {"pin_with_token": True, "token_order": (VIP,), "vip_keyword": "vip"}
    known, with_response = governed(policy(**words), pin="set"), helped(words, pin="set")
    assert step(known, answer(VIP, "2468513270")) == CheckPin(Part(Field.CODE), (6,), (("vip", VIP),))
    assert step(with_response, answer(VIP, "2468513270")) == CheckPin(Part(Field.CODE), (6, 8), (("vip", VIP),))


# keywords

BY_KEYWORD = {"sms_mode": SendMode.KEYWORD, "email_mode": SendMode.KEYWORD}


@pytest.mark.parametrize(("kind", "token", "other"), [(SMS, BY_PHONE, "email"), (EMAIL, BY_MAIL, "sms")])
def test_each_token_has_a_keyword_of_its_own_kind(kind, token, other):
    own = {**BY_KEYWORD, "token_order": (kind,), f"{kind}_keyword": "please"}
    for keyword_kind in (KeywordKind.PIN, KeywordKind.PASSWORD):
        secret = governed(policy(**own, **{f"{kind}_keyword_kind": keyword_kind}), pin="set")
        assert step(secret, answer(kind, "please")) == CheckKeyword(token, keyword_kind, Part(Field.CODE))
        word = governed(policy(**own, **{f"{other}_keyword_kind": keyword_kind}), pin="set")
        assert step(word, answer(kind, "please")) == CheckCode(token, Part(Field.CODE), (("please", kind),))


@pytest.mark.parametrize("keyword_kind", [KeywordKind.PIN, KeywordKind.PASSWORD])
def test_a_word_is_none_where_the_keyword_is_a_secret(keyword_kind):
    words = {"sms_keyword": "text", "email_keyword": "mail", "vip_keyword": "vip", "token_order": (VIP, SMS, EMAIL)}
    known = answer(VIP, "text")
    assert step(governed(policy(**words)), known).words == (("vip", VIP), ("text", SMS), ("mail", EMAIL))
    secret = policy(**words, sms_keyword_kind=keyword_kind)
    assert step(governed(secret, pin="set"), known).words == (("vip", VIP), ("mail", EMAIL))
    secret = policy(**words, email_keyword_kind=keyword_kind)
    assert step(governed(secret, pin="set"), known).words == (("vip", VIP), ("text", SMS))


def test_a_node_that_asks_nothing_takes_no_word_for_a_code():
    known = governed(policy(token_order=(VIP,), vip_keyword="vip"), LoginMode.APPEND)
    shown = replace(PASSED, typed_password=typed(Secret("Teapot-41x513270")))
    assert step(known, shown) == CheckCode(BY_VIP, Part(Field.PASSWORD, -6, None))


def test_the_code_of_a_token_without_a_keyword_is_never_taken_for_one():
    settings = policy(**BY_KEYWORD, token_order=(VIP,), email_keyword_kind=KeywordKind.PASSWORD)
    assert step(governed(settings), answer(VIP, "abc")) == CheckCode(BY_VIP, Part(Field.CODE))


@pytest.mark.parametrize(
    ("text", "pin_with_token", "expected"),
    [
        ("513270", False, CheckCode),
        ("5132701", False, CheckKeyword),
        ("51327", False, CheckKeyword),
        ("2468513270", True, CheckPin),
        ("24685", True, CheckKeyword),
        ("246851327x", True, CheckKeyword),
    ],
)
def test_digits_are_a_code_on_stock_when_they_have_its_length_and_a_pin_and_code_when_they_have_more(
    text, pin_with_token, expected
):
    settings = policy(
        **BY_KEYWORD, token_order=(SMS,), sms_keyword_kind=KeywordKind.PASSWORD, pin_with_token=pin_with_token
    )
    known = replace(governed(settings, pin="set"), stock={SMS: 1})
    assert isinstance(step(known, answer(SMS, text)), expected)


@pytest.mark.parametrize(
    ("settings", "methods", "evidence", "why"),
    [
        (
            {"sms_keyword_kind": KeywordKind.PIN},
            P_T,
            PASSED,
            "it is the PIN, and the user has none",
        ),
        ({}, P_T, PASSED, "none is set, so no code of sms is ever sent"),
        (
            {"sms_keyword": "text"},
            (Method.TOKEN, Method.NONE),
            Evidence(TOKEN),
            "it is no factor, and no factor has been shown yet",
        ),
    ],
)
def test_why_nobody_can_come_by_a_code_is_told(settings, methods, evidence, why):
    first, second = methods
    known = governed(policy(**BY_KEYWORD, first_method=first, second_method=second, token_order=(SMS,), **settings))
    assert isinstance(step(known, evidence), Refuse)
    assert told(known, evidence)[-1] == ("keyword", why)


# sending

ONLY_TOKEN = {"first_method": Method.TOKEN, "second_method": Method.NONE, "token_order": (SMS,)}


def test_that_nothing_is_sent_before_a_factor_is_told():
    known = governed(policy(**ONLY_TOKEN))
    assert step(known, Evidence(TOKEN)) == Refuse(Reason.NO_FIRST_FACTOR)
    assert told(known, Evidence(TOKEN))[-1] == ("send", "no factor has been shown yet")


def test_the_last_code_on_stock_is_asked_for_where_no_factor_lets_another_be_sent():
    known = replace(governed(policy(**ONLY_TOKEN, sms_mode=SendMode.AHEAD)), stock={SMS: 1})
    assert step(known, Evidence(TOKEN)) == AskCode(BY_PHONE)


# what came of the code


def test_a_token_that_has_drifted_is_asked_for_its_next_code():
    drifted = answer(VIP, "513270", token=VIP, code=CodeVerdict.RESYNCHRONISE)
    assert step(governed(policy(token_order=(VIP,))), drifted) == AskCode(BY_VIP, Reason.CODE_RESYNCHRONISE)


@pytest.mark.parametrize(
    ("verdict", "of_vip", "of_others"),
    [
        (CodeVerdict.UNAVAILABLE, Reason.VIP_UNAVAILABLE, Reason.DIRECTORY_UNAVAILABLE),
        (CodeVerdict.MISCONFIGURED, Reason.VIP_MISCONFIGURED, Reason.TOKEN_UNREADABLE),
    ],
)
def test_only_for_a_code_of_vip_is_vip_to_blame(verdict, of_vip, of_others):
    seed = sealed_token(RING, entry_id("alice"), SoftwareToken(TOTP, "T", b"s" * 20), b"n" * 12)
    for kind, reason in ((VIP, of_vip), (SMS, of_others), (EMAIL, of_others), (TOTP, of_others)):
        shown = answer(kind, "513270", token=kind, code=verdict)
        assert step(governed(policy(token_order=(kind,)), secrets=(seed,)), shown) == Refuse(reason)


def test_of_a_pin_something_is_told_only_where_one_was_shown():
    right = answer(VIP, "513270", token=VIP, code=CodeVerdict.RIGHT)
    known = governed(policy(token_order=(VIP,)), pin="set")
    assert "PIN" not in dict(told(known, right))
    assert ("PIN", "right") in told(known, replace(right, pin=PinShown.RIGHT))


def test_an_empty_field_of_its_own_is_no_code_at_first_and_an_empty_answer_refuses():
    known = governed(policy(token_order=(VIP,)))
    assert step(known, replace(PASSED, typed_code=Typed.EMPTY)) == AskCode(BY_VIP)
    assert step(known, answer(VIP, "")) == Refuse(Reason.CODE_EMPTY)
