"""A code on stock is right once, and what cannot be a code is wrong, however it was typed."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from auth.addresses import EmailAddress, PhoneNumber
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict, Question
from auth.judges.base import Asked, Checked
from auth.judges.minted import MintedJudge
from auth.state import Challenge
from auth.tokens import Usable
from auth.turn import Turns
from core.logins import person, policy
from plain_store import Plain, settling
from schema.secret import Secret
from schema.words import SendMode, TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CODE = Secret("481516")
PHONE = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000001"))
MAIL = Usable(TokenKind.EMAIL, mail=EmailAddress("alice@example.org"))
OTHER_PHONE = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000002"))


@pytest.fixture
def judge(tmp_path):
    """A judge with one code on stock for everybody of these tests."""
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())
    made = MintedJudge(store, b"k" * 32, lambda most: most - 1)
    Plain(made, settling(store)).lay_in(person().id, PHONE, [CODE], NOW + timedelta(hours=1))
    yield made
    store.close()


def asked(mode=SendMode.AHEAD, token=PHONE, challenge=None):
    return Asked(person(), policy(sms_mode=mode), token, challenge)


async def test_a_code_on_stock_is_right_once(judge):
    verdicts = [(await judge.check(asked(), Secret("481 516"), NOW)).verdict for _ in range(2)]
    assert verdicts == [CodeVerdict.RIGHT, CodeVerdict.WRONG]


async def test_the_audit_is_told_how_many_codes_are_left(judge):
    await judge.lay_in(person().id, PHONE, [Secret("111111"), Secret("222222")], NOW + timedelta(hours=1))
    found = [await judge.check(asked(), code, NOW) for code in (Secret("222222"), Secret("111111"))]
    assert found == [Checked(CodeVerdict.RIGHT, f"a code sent ahead, {left} left") for left in (2, 1)]


@pytest.mark.parametrize(("sms", "email"), [(SendMode.AHEAD, SendMode.ON_LOGON), (SendMode.ON_LOGON, SendMode.AHEAD)])
async def test_whether_stock_counts_is_a_matter_of_its_own_for_each_kind_of_token(judge, sms, email):
    await judge.lay_in(person().id, MAIL, [CODE], NOW + timedelta(hours=1))
    settings = policy(sms_mode=sms, email_mode=email)
    for token, mode in ((PHONE, sms), (MAIL, email)):
        found = await judge.check(Asked(person(), settings, token, None), CODE, NOW)
        assert (found.verdict is CodeVerdict.RIGHT) is (mode is SendMode.AHEAD)


@pytest.mark.parametrize(("length", "number"), [(6, 1), (8, 10)])
def test_codes_for_stock_are_as_many_as_wanted_and_all_different_even_when_the_same_is_drawn_again(
    judge, length, number
):
    drawn = itertools.chain([0] * 3 * length, itertools.cycle(range(10)))
    codes = dataclasses.replace(judge, below=lambda _: next(drawn)).mint_stock(length, number)
    texts = [code.text for code in codes]
    assert len(texts) == len(set(texts)) == number
    assert {len(text) for text in texts} == {length}


async def test_stock_counts_only_where_the_policy_has_codes_sent_for_later(judge):
    assert (await judge.check(asked(SendMode.ON_LOGON), CODE, NOW)).verdict is CodeVerdict.WRONG


async def test_a_code_on_stock_counts_only_while_the_phone_that_has_it_is_the_users(judge):
    assert (await judge.check(asked(token=OTHER_PHONE), CODE, NOW)).verdict is CodeVerdict.WRONG
    assert (await judge.check(asked(), CODE, NOW)).verdict is CodeVerdict.RIGHT, "and is not used up by being wrong"


async def test_neither_does_a_code_for_this_login_count_when_the_number_was_changed_meanwhile(judge):
    code, digest = judge.mint(b"i" * 16, PHONE, 6)
    challenge = Challenge(b"i" * 16, person().id, "vpn", 1, Question.SMS, digest, NOW + timedelta(minutes=5), 3, "c")
    verdicts = [
        (await judge.check(asked(SendMode.ON_LOGON, token, challenge), code, NOW)).verdict
        for token in (OTHER_PHONE, PHONE)
    ]
    assert verdicts == [CodeVerdict.WRONG, CodeVerdict.RIGHT]


@pytest.mark.parametrize("typed", ["\ud800", "\uff14\uff18\uff11\uff15\uff11\uff16", "481516\ud800", "", "é"])
async def test_what_cannot_be_a_code_is_wrong_and_no_fault(judge, typed):
    assert (await judge.check(asked(), Secret(typed), NOW)).verdict is CodeVerdict.WRONG
