"""What the person at the keyboard sees: one short line, and never the whole address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.prompts import Language, code_prompt, destination, first_prompt, preferred, prompt, refusal
from auth.prompts.words import WORDS
from auth.radius.node import NodeDoor
from auth.radius.wording import line
from auth.reason import Reason
from auth.tokens import Usable
from core.logins import MAIL, PHONE, policy
from schema.words import LoginMode, SendMode, TokenKind

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


# languages


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_CH", "de"),  # as locales are written
        ("de-CH-1996", "de"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("den", "en"),  # Slavey is no German
        ("fr, de;q=0.5", "de"),
        ("de;q=0.5, en", "en"),
        ("de-AT, en;q=0.5", "de"),
        ("en;q=0.4 , de;q=0.7", "de"),
        ("en;q=0, de;q=0.1", "de"),
        ("de;q=0", "en"),
        ("de;q=high, en", "en"),
        ("en;q=high, de", "de"),
        ("en;q=1.5, de;q=0.1", "de"),
        ("en;q=0.5=1, de;q=0.1", "de"),
        ("*, de;q=0.5", "en"),
        ("; , de", "de"),
        ("de;level=1", "de"),
        ("x" * 5000, "en"),
    ],
)
def test_a_preferred_language_is_looked_up_among_ours_rfc4647_section_3_4(wanted, language):
    assert preferred(wanted, Language.ENGLISH) == language


@given(st.text(max_size=60), st.sampled_from(Language))
def test_whatever_stands_in_the_entry_there_is_a_language(wanted, otherwise):
    assert preferred(wanted, otherwise) in Language


@pytest.mark.parametrize("wanted", [None, "fr", "*", "zz-ZZ", "de;q=nan"])
def test_who_prefers_none_of_ours_gets_that_of_the_service(wanted):
    assert preferred(wanted, Language.GERMAN) is Language.GERMAN


def everything(language):
    """Every line that can be said in a language, and what it is said of."""
    for token in (SMS, EMAIL, VIP, Usable(TokenKind.TOTP), Usable(TokenKind.HOTP)):
        for mode in SendMode:
            for reason in (Reason.CODE_SENT, Reason.CODE_WANTED, Reason.CODE_WRONG_RETRY, *WORDS[language].instead):
                where = (token.kind, mode, reason)
                yield where, code_prompt(policy(sms_mode=mode, email_mode=mode), token, reason, language)
    for reason in WORDS[language].asked:
        yield reason, prompt(reason, language)
    for mode in LoginMode:
        yield mode, first_prompt(mode, language)
    yield "refusal", refusal(language)


def test_every_language_says_the_same_things():
    said = {language: dict(everything(language)) for language in Language}
    english = said.pop(Language.ENGLISH)
    for others in said.values():
        assert set(others) == set(english)
        for what, words in others.items():
            assert words != english[what], what
            assert ("+43***67" in words) is ("+43***67" in english[what]), what
            assert ("97539753" in words) is ("97539753" in english[what]), what


@pytest.mark.parametrize("language", Language)
def test_whatever_is_said_fits_and_can_be_written_in_ascii(language):
    plain = NodeDoor("vpn1", b"secret", ascii_prompts=True)
    for what, words in everything(language):
        assert len(words.encode()) <= 200, what
        assert words.isprintable(), what
        assert "{" not in words, what
        assert "?" not in line(words, plain).decode("ascii"), what


def test_german_in_ascii_is_spelled_as_germans_do():
    plain = NodeDoor("vpn1", b"secret", ascii_prompts=True)
    shown = code_prompt(policy(sms_mode=SendMode.KEYWORD), SMS, Reason.CODE_WANTED, Language.GERMAN)
    assert line(shown, plain).endswith(b"Das Schluesselwort bringt einen neuen.")


def test_what_is_asked_first_fits_the_nodes_mode():
    asked = {mode: first_prompt(mode) for mode in LoginMode}
    assert asked == {
        LoginMode.CHALLENGE: "Enter your password.",
        LoginMode.APPEND: "Enter your password, and behind it your code if you have one.",
        LoginMode.REJECT_THEN_CODE: "Enter your password.",
        LoginMode.CODE_ONLY: "Enter your code.",
    }


def test_the_policys_own_words_are_the_same_in_every_language():
    settings = policy(prompt="Code?")
    assert {code_prompt(settings, SMS, Reason.CODE_SENT, language) for language in Language} == {"Code?"}
