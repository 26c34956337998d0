"""What the person at the keyboard sees: one short line, and never the whole address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.prompts import code_prompt, destination, prompt
from auth.reason import Reason
from auth.tokens import Usable
from core.logins import MAIL, PHONE, policy
from schema.words import SendMode, TokenKind

SMS = Usable(TokenKind.SMS, phone=PHONE)
EMAIL = Usable(TokenKind.EMAIL, mail=MAIL)
VIP = Usable(TokenKind.VIP, credentials=("VSST12345678",))


@pytest.mark.parametrize(
    ("token", "reason", "words"),
    [
        (SMS, Reason.CODE_SENT, "Enter the code sent to +43***67."),
        (EMAIL, Reason.CODE_SENT, "Enter the code mailed to a***@example.org."),
        (VIP, Reason.CODE_WANTED, "Enter the security code of your VIP credential."),
        (SMS, Reason.CODE_WRONG_RETRY, "That code was not right. Enter the code sent to +43***67."),
    ],
)
def test_each_token_asks_in_its_own_words(token, reason, words):
    assert code_prompt(policy(), token, reason) == words


@pytest.mark.parametrize("kind", list(TokenKind))
def test_every_kind_of_token_has_words(kind):
    assert code_prompt(policy(), Usable(kind), Reason.CODE_WANTED)


def test_the_policys_own_words_come_first():
    settings = policy(prompt="Code an {destination}, bitte:")
    assert code_prompt(settings, SMS, Reason.CODE_SENT) == "Code an +43***67, bitte:"
    assert code_prompt(settings, VIP, Reason.CODE_SENT) == "Code an , bitte:"


def test_braces_that_are_no_placeholder_stay_as_they_are():
    assert code_prompt(policy(prompt="{code} {0} {destination.x} %s"), SMS, Reason.CODE_SENT) == (
        "{code} {0} {destination.x} %s"
    )


@given(st.text(min_size=1, max_size=200) | st.text(alphabet="\u20ac\n\t\u2028\u0085 x", min_size=1, max_size=200))
def test_whatever_an_administrator_writes_the_prompt_is_one_line_of_at_most_200_octets(words):
    for token in (SMS, EMAIL, VIP):
        for reason in (Reason.CODE_SENT, Reason.CODE_WRONG_RETRY):
            shown = code_prompt(policy(prompt=words + "{destination}"), token, reason)
            assert len(shown.encode()) <= 200
            assert len(shown.splitlines()) <= 1
            assert PHONE not in shown
            assert MAIL not in shown


@given(st.text(min_size=1, max_size=200))
def test_a_long_prompt_is_cut_between_characters(words):
    shown = code_prompt(policy(prompt=words), VIP, Reason.CODE_WANTED)
    assert " ".join(words.split()).startswith(shown)


def test_what_does_not_fit_is_left_out_and_no_half_character_stays():
    assert code_prompt(policy(prompt="\u20ac" * 200), VIP, Reason.CODE_WANTED) == "\u20ac" * 66
    assert code_prompt(policy(prompt="x" * 200), VIP, Reason.CODE_WANTED) == "x" * 200


def test_where_a_code_goes_is_masked_and_a_credential_goes_nowhere():
    assert [destination(token) for token in (SMS, EMAIL, VIP)] == ["+43***67", "a***@example.org", ""]


@pytest.mark.parametrize(
    "reason", ["PASSWORD_WANTED", "PASSWORD_WRONG_RETRY", "PIN_WANTED", "PIN_WRONG_RETRY", "PIN_EXPIRED", "PIN_UNFIT"]
)
def test_every_question_for_something_else_than_a_code_is_one_line(reason):
    words = prompt(Reason[reason])
    assert words.splitlines() == [words]
    assert len(words) <= 200


def test_only_where_a_keyword_brings_a_code_the_prompt_speaks_of_it():
    assert "keyword" in code_prompt(policy(sms_mode=SendMode.KEYWORD), SMS, Reason.CODE_WANTED)
    assert "keyword" not in code_prompt(policy(sms_mode=SendMode.AHEAD), SMS, Reason.CODE_WANTED)
