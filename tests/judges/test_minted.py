"""A code on stock is right once, and what cannot be a code is wrong, however it was typed."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.addresses import PhoneNumber
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict, Question
from auth.judges.base import Asked
from auth.judges.minted import MintedJudge
from auth.state import Challenge
from auth.tokens import Usable
from core.logins import person, policy
from schema.secret import Secret
from schema.words import SendMode, TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CODE = Secret("481516")
PHONE = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000001"))
OTHER_PHONE = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000002"))


@pytest.fixture
def judge(tmp_path):
    """A judge with one code on stock for everybody of these tests."""
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot-1")
    made = MintedJudge(store, b"k" * 32, lambda most: most - 1)
    made.lay_in(person().id, PHONE, [CODE], NOW + timedelta(hours=1))
    yield made
    store.close()


def asked(mode=SendMode.AHEAD, token=PHONE, challenge=None):
    return Asked(person(), policy(sms_mode=mode), token, challenge)


async def test_a_code_on_stock_is_right_once(judge):
    verdicts = [(await judge.check(asked(), Secret("481 516"), NOW)).verdict for _ in range(2)]
    assert verdicts == [CodeVerdict.RIGHT, CodeVerdict.WRONG]


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
