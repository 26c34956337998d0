"""A day of guessing is bounded, whatever is right in between; a helpdesk's unlocking begins it anew."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.guessing import MOST_WRONG, WIDE_WRONG, guesses, most_likely
from auth.judges.base import Checked
from auth.state import Wanted
from auth.turn import Turns
from core.logins import NOW, person, policy

PATIENT = policy(logon_attempts=10, violation_limit=100)
WRONG, RIGHT = Checked(CodeVerdict.WRONG), Checked(CodeVerdict.RIGHT)


@pytest.fixture
def store(tmp_path):
    with closing(EmbeddedStore(tmp_path / "state.sqlite", "boot", Turns())) as opened:
        yield opened


async def tried(store, checked, at=NOW, **values):
    """What came of it, and whether the windows were narrow; None when nothing was compared."""
    asked = []

    async def judged(narrow):
        asked.append(narrow)
        return checked

    check = CodeCheck(store, {}, None)
    found = await check.counted(person(**values), PATIENT, judged, at)
    return found.verdict, (asked or [None])[0]


async def test_the_windows_are_narrow_after_a_few_wrong_codes_and_after_many_nothing_is_compared(store):
    seen = [await tried(store, WRONG, NOW + timedelta(minutes=number)) for number in range(MOST_WRONG + 5)]
    assert seen[:WIDE_WRONG] == [(CodeVerdict.WRONG, False)] * WIDE_WRONG
    assert seen[WIDE_WRONG:MOST_WRONG] == [(CodeVerdict.WRONG, True)] * (MOST_WRONG - WIDE_WRONG)
    assert seen[MOST_WRONG:] == [(CodeVerdict.LOCKED, None)] * 5


async def test_a_right_code_makes_room_for_no_more_guesses_and_a_day_does(store):
    for number in range(MOST_WRONG):
        await tried(store, WRONG, NOW + timedelta(seconds=number))
        await store.forgive(person().id)
    later = NOW + timedelta(hours=1)
    assert await tried(store, RIGHT, later) == (CodeVerdict.LOCKED, None)
    assert await tried(store, RIGHT, NOW + timedelta(days=1, minutes=3)) == (CodeVerdict.RIGHT, False)


async def test_whoever_is_unlocked_by_the_helpdesk_begins_anew(store):
    for number in range(MOST_WRONG):
        await tried(store, WRONG, NOW + timedelta(seconds=number))
    later = NOW + timedelta(hours=1)
    unlocked = {"unlocked_at": later - timedelta(minutes=5)}
    assert await tried(store, RIGHT, later, **unlocked) == (CodeVerdict.RIGHT, False)


async def test_what_is_known_before_a_login_says_how_many_there_were_within_a_day(store):
    for number in range(WIDE_WRONG + 4):
        await tried(store, WRONG, NOW + timedelta(minutes=number))
    await store.forgive(person().id)
    await tried(store, RIGHT, NOW + timedelta(hours=1))
    for now, known in ((NOW + timedelta(hours=1), WIDE_WRONG + 4), (NOW + timedelta(days=1, minutes=8), 0)):
        recalled = await store.recall(Wanted(counted=guesses(person().id, None)), now)
        assert sum(recalled.counted) == known


async def test_right_codes_and_what_is_nobodys_fault_count_for_nothing(store):
    for _ in range(MOST_WRONG):
        await tried(store, RIGHT)
        await tried(store, Checked(CodeVerdict.WRONG, violation=False))
    assert await tried(store, RIGHT) == (CodeVerdict.RIGHT, False)


@pytest.mark.parametrize("codes_at_once", [1, 3, 11])
def test_a_day_of_guessing_six_digits_comes_to_less_than_one_in_ten_thousand(codes_at_once):
    """A text's code, TOTP and HOTP with their windows as shipped."""
    assert most_likely(codes_at_once, 10**6) < 1e-4


async def test_guesses_that_come_at_once_are_no_more_and_their_windows_no_wider(store):
    """Whoever judges them takes a while, as VIP does, or another node with the same state."""
    narrow = []

    async def judged(narrowed):
        narrow.append(narrowed)
        await asyncio.sleep(0)
        return WRONG

    check = CodeCheck(store, {}, None)
    found = await asyncio.gather(*(check.counted(person(), PATIENT, judged, NOW) for _ in range(2 * MOST_WRONG)))
    assert [each.verdict for each in found].count(CodeVerdict.WRONG) == MOST_WRONG
    assert narrow.count(False) == WIDE_WRONG
