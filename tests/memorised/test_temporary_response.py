"""A temporary response is right for one person, for a while, as often as both issuer and policy say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.embedded_state import EmbeddedStore
from auth.keys.ring import Key, KeyMissing, Ring
from auth.keys.sealing import digested
from auth.keys.text import NotOurs, Purpose
from auth.memorised.temporary_response import (
    RESPONSE_DIGITS,
    ResponseChecked,
    ResponseVerdict,
    TemporaryResponse,
    check_response,
    consumed_key,
    drawn_response,
    read_response,
    response_value,
    usable_response,
    used_up,
)
from auth.turn import Turns
from plain_store import PlainStore
from schema.entry import Policy, User
from schema.secret import Secret

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
ALICE, BOB = b"a" * 16, b"b" * 16
RESPONSE = Secret("40718223")
ALLOWED = Policy(name="staff", temporary_response_allowed=True, temporary_response_multiple_use=True)


def about(minutes=60, *, multiple=False, issued=NOW):
    return TemporaryResponse(issued, issued + timedelta(minutes=minutes), multiple)


def user(what=None, entry=ALICE):
    return User(temporary_response=response_value(RING, entry, RESPONSE, what or about()))


def checked(who, typed=RESPONSE, policy=ALLOWED, now=NOW, entry=ALICE, ring=RING):
    return check_response(who, entry, typed, ring, policy, now)


@given(st.integers(0, 10**RESPONSE_DIGITS - 1))
def test_only_the_response_itself_is_right(number):
    typed = Secret(f"{number:08d}")
    wanted = ResponseVerdict.RIGHT if typed.text == RESPONSE.text else ResponseVerdict.WRONG
    assert checked(user(), typed).verdict is wanted


def test_a_response_is_drawn_from_all_of_its_length():
    assert drawn_response(lambda limit: limit - 1).text == "9" * RESPONSE_DIGITS
    assert drawn_response(lambda limit: 7).text == "0" * (RESPONSE_DIGITS - 1) + "7"


@given(st.integers(1, 10080), st.integers(1, 10080), st.integers(-10, 12000))
def test_it_is_good_until_the_earlier_of_its_own_end_and_the_policys(own, policys, after):
    policy = Policy(name="staff", temporary_response_allowed=True, temporary_response_minutes=policys)
    verdict = checked(user(about(own)), policy=policy, now=NOW + timedelta(minutes=after)).verdict
    assert verdict is (ResponseVerdict.RIGHT if after < min(own, policys) else ResponseVerdict.NONE)


def test_a_policy_that_forbids_it_now_forbids_one_that_was_issued_before():
    result = checked(user(), policy=Policy(name="strict"))
    why = "the policy allows no temporary response (dirfactorTemporaryResponseAllowed)"
    assert result == ResponseChecked(ResponseVerdict.NONE, why)


def test_without_one_there_is_none():
    assert checked(User()) == ResponseChecked(ResponseVerdict.NONE, "no temporary response is set")


def test_one_that_can_be_used_has_no_reason_why_not():
    assert usable_response(user(), ALLOWED, NOW) == (about(), "")


def test_a_right_one_tells_the_audit_until_when_it_is_good():
    assert checked(user(about(30))).detail == "temporary response, good until 2026-11-26 02:30:00 UTC"


def test_one_that_was_copied_from_another_user_is_wrong():
    copied = user(entry=BOB)
    assert checked(copied).verdict is ResponseVerdict.WRONG
    assert checked(copied, entry=BOB).verdict is ResponseVerdict.RIGHT


@pytest.mark.parametrize(
    ("issued_multiple", "policy_multiple", "once"),
    [(False, False, True), (False, True, True), (True, False, True), (True, True, False)],
)
def test_it_may_be_used_repeatedly_only_where_issuer_and_policy_say_so(issued_multiple, policy_multiple, once):
    policy = Policy(name="staff", temporary_response_allowed=True, temporary_response_multiple_use=policy_multiple)
    result = checked(user(about(multiple=issued_multiple)), policy=policy)
    assert (result.mark is not None) == once


def test_the_mark_makes_a_response_good_once_and_an_older_one_never_again(tmp_path):
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot", Turns())
    key = consumed_key(ALICE)
    older, newer = (user(about(issued=NOW + timedelta(seconds=second))) for second in (0, 1))
    assert PlainStore(store).consume(key, checked(newer).mark)
    assert not PlainStore(store).consume(key, checked(newer).mark)
    assert not PlainStore(store).consume(key, checked(older).mark)
    later = user(about(issued=NOW + timedelta(seconds=1, microseconds=1)))
    assert PlainStore(store).consume(key, checked(later).mark)
    store.close()


def test_the_mark_is_the_instant_of_issue_in_microseconds_since_1970_for_the_store_keeps_it_across_versions():
    mark = checked(user()).mark
    assert (mark, type(mark)) == (1_795_658_400_000_000, int)


@given(st.integers(-2, 2), st.booleans())
def test_one_that_is_good_once_is_used_up_by_itself_and_by_any_that_was_issued_later(after, multiple):
    later = checked(user(about(issued=NOW + timedelta(microseconds=after)))).mark
    assert used_up(about(multiple=multiple), later) is (after >= 0 and not multiple)
    assert used_up(about(multiple=multiple), None) is False


@given(st.sampled_from([("single", "multiple"), ("T03", "T09"), ("20261126", "20271126")]))
def test_its_times_and_uses_cannot_be_edited_in_the_directory(change):
    value = user(about(60)).temporary_response
    edited = User(temporary_response=value.replace(*change))
    assert edited.temporary_response != value
    policy = Policy(
        name="staff",
        temporary_response_allowed=True,
        temporary_response_multiple_use=True,
        temporary_response_minutes=10080,
    )
    assert checked(edited, policy=policy).verdict is not ResponseVerdict.RIGHT


def test_what_is_clear_of_it_can_be_read_by_who_shows_it():
    what = about(90, multiple=True)
    assert read_response(user(what).temporary_response) == what


@pytest.mark.usefixtures("far_east")
def test_its_times_do_not_depend_on_the_machines_time_zone():
    local = TemporaryResponse(NOW.astimezone(), (NOW + timedelta(minutes=60)).astimezone(), multiple=False)
    assert read_response(user(local).temporary_response) == about(60)


@pytest.mark.parametrize("header", [("now", "20271126T020000.0Z", "single"), ("20261126T020000.0Z", "x", "single")])
def test_one_without_times_is_a_fault_that_says_what_to_do(header):
    with pytest.raises(NotOurs) as caught:
        read_response(digested(RING, Purpose.TEMPORARY_RESPONSE, ALICE, header, RESPONSE))
    assert caught.value.problem == "a temporary response has no times"
    assert caught.value.remedy == "set it anew: dirfactor user temporary-response"


def test_what_cannot_be_compared_is_a_fault_and_no_verdict():
    with pytest.raises(NotOurs):
        checked(User(temporary_response="40718223"))
    with pytest.raises(KeyMissing):
        checked(user(), ring=Ring((Key(b"x" * 32, NOW),)))


def test_the_directory_never_gets_the_response_itself():
    assert RESPONSE.text not in user().temporary_response
    assert len(user().temporary_response) < 200
