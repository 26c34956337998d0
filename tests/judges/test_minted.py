"""A code on stock is right once, and what cannot be a code is wrong, however it was typed."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.judges.base import Asked
from auth.judges.minted import MintedJudge
from auth.tokens import Usable
from core.logins import person, policy
from schema.secret import Secret
from schema.words import SendMode, TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CODE = Secret("481516")


@pytest.fixture
def judge(tmp_path):
    """A judge with one code on stock for everybody of these tests."""
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot-1")
    made = MintedJudge(store, b"k" * 32, lambda most: most - 1)
    made.lay_in(person().id, TokenKind.SMS, [CODE], NOW + timedelta(hours=1))
    yield made
    store.close()


def asked(mode=SendMode.AHEAD):
    return Asked(person(), policy(sms_mode=mode), Usable(TokenKind.SMS), None)


async def test_a_code_on_stock_is_right_once(judge):
    verdicts = [(await judge.check(asked(), Secret("481 516"), NOW)).verdict for _ in range(2)]
    assert verdicts == [CodeVerdict.RIGHT, CodeVerdict.WRONG]


async def test_stock_counts_only_where_the_policy_has_codes_sent_for_later(judge):
    assert (await judge.check(asked(SendMode.ON_LOGON), CODE, NOW)).verdict is CodeVerdict.WRONG


@pytest.mark.parametrize("typed", ["\ud800", "\uff14\uff18\uff11\uff15\uff11\uff16", "481516\ud800", "", "é"])
async def test_what_cannot_be_a_code_is_wrong_and_no_fault(judge, typed):
    assert (await judge.check(asked(), Secret(typed), NOW)).verdict is CodeVerdict.WRONG
