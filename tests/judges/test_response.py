"""A temporary response lets its owner in once, or as often as it may, and one that cannot be judged lets nobody in."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.judges.response import ResponseJudge
from auth.keys.ring import Key, Ring
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.tokens import Usable
from auth.turn import Turns
from dirsync.view import Person
from schema.entry import Policy, User
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
RESPONSE = Secret("40718223")
GOOD_UNTIL = "temporary response, good until 2026-11-26 02:30:00 UTC"
POLICY = Policy(name="staff", temporary_response_allowed=True, temporary_response_multiple_use=True)


@pytest.fixture
def store(tmp_path):
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot", Turns())
    yield store
    store.close()


def person(*, multiple=False, text=None):
    what = TemporaryResponse(NOW, NOW + timedelta(minutes=30), multiple)
    user = User(temporary_response=text or response_value(RING, b"a" * 16, RESPONSE, what))
    return Person(b"a" * 16, "cn=alice", user, None, (), ())


def asked(who):
    return Asked(who, POLICY, Usable(TokenKind.SMS), None)


async def test_one_for_a_single_use_is_right_once_however_many_ask_at_once(store):
    judge, question = ResponseJudge(store, lambda: RING), asked(person())
    results = await asyncio.gather(*(judge.check(question, RESPONSE, NOW) for _ in range(5)))
    assert [result.verdict for result in results].count(CodeVerdict.RIGHT) == 1
    assert [result.detail for result in results if result.verdict is CodeVerdict.RIGHT] == [GOOD_UNTIL]
    used = Checked(CodeVerdict.WRONG, "the temporary response was used already, and is good for one use")
    assert results.count(used) == 4


async def test_a_wrong_one_uses_nothing_up(store):
    judge, question = ResponseJudge(store, lambda: RING), asked(person())
    assert (await judge.check(question, Secret("11111111"), NOW)).verdict is CodeVerdict.WRONG
    assert (await judge.check(question, RESPONSE, NOW)).verdict is CodeVerdict.RIGHT


async def test_one_for_repeated_use_is_right_until_it_expires(store):
    judge, question = ResponseJudge(store, lambda: RING), asked(person(multiple=True))
    for minutes in (0, 10, 29):
        assert (await judge.check(question, RESPONSE, NOW + timedelta(minutes=minutes))).verdict is CodeVerdict.RIGHT
    late = await judge.check(question, RESPONSE, NOW + timedelta(minutes=30))
    assert late.verdict is CodeVerdict.WRONG
    assert "expired" in late.detail


def no_ring():
    raise Fault("there is no key ring", remedy="copy it")


NOT_OURS = "the value for purpose response is not one that dirfactor wrote"


@pytest.mark.parametrize(
    ("text", "ring", "problem"), [("40718223", lambda: RING, NOT_OURS), (None, no_ring, "there is no key ring")]
)
async def test_what_cannot_be_judged_is_the_configurations_fault_and_nobody_gets_in(store, text, ring, problem, caplog):
    checked = await ResponseJudge(store, ring).check(asked(person(text=text)), RESPONSE, NOW)
    assert checked == Checked(CodeVerdict.MISCONFIGURED, problem)
    assert RESPONSE.text not in checked.detail
    (told,) = caplog.messages
    assert told.startswith(f"the temporary response of cn=alice cannot be judged: {problem}")
