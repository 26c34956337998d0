"""Violations and the lock: Defender's counting, whatever the order in which failures are read."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.guessing import MOST_WRONG
from auth.standing import Standing, standing, unlocked_at
from schema.entry import Policy, User

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DEFAULT = Policy(name="default")


def at(*seconds):
    return [NOON + timedelta(seconds=second) for second in seconds]


def lock_end(last, minutes=15):
    return NOON + timedelta(seconds=last, minutes=minutes)


@pytest.mark.parametrize(
    ("failures", "violations", "locked_until"),
    [
        (0, 0, None),
        (1, 0, None),
        (2, 0, None),
        (3, 1, None),
        (5, 1, None),
        (6, 2, None),
        (8, 2, None),
        (9, 3, lock_end(8)),
        (10, 3, lock_end(8)),
        (17, 5, lock_end(8)),
    ],
)
def test_defenders_default_three_wrong_codes_are_a_violation_and_three_violations_lock(
    failures, violations, locked_until
):
    found = standing(at(*range(failures)), DEFAULT, None)
    assert found == Standing(failures, violations, locked_until)


def test_the_lock_holds_from_the_last_failure_for_its_minutes_and_not_an_instant_longer():
    found = standing(at(*range(9)), DEFAULT, None)
    assert found.locked(NOON + timedelta(seconds=8))
    assert found.locked(NOON + timedelta(seconds=8, minutes=15, microseconds=-1))
    assert not found.locked(NOON + timedelta(seconds=8, minutes=15))


def test_who_was_never_locked_is_not_locked_at_any_time():
    assert not standing(at(*range(8)), DEFAULT, None).locked(NOON)


@pytest.mark.parametrize(("today", "too_many"), [(0, False), (MOST_WRONG - 1, False), (MOST_WRONG, True)])
def test_after_so_many_within_a_day_nothing_is_compared_whatever_has_been_forgiven_since(today, too_many):
    found = standing((), DEFAULT, None, today)
    assert (found.failures, found.too_many, found.locked(NOON)) == (0, too_many, False)


def test_wrong_codes_during_the_lock_do_not_prolong_it():
    found = standing(at(*range(9), 100, 200, 300), DEFAULT, None)
    assert found.locked_until == lock_end(8)


@pytest.mark.parametrize(
    ("later", "count", "locked_until"),
    [
        ((), 9, lock_end(8)),
        ((8 + 900,), 1, None),
        ((8 + 899,), 10, lock_end(8)),
        (tuple(range(1000, 1008)), 8, None),
        (tuple(range(1000, 1009)), 9, lock_end(1008)),
    ],
)
def test_counting_begins_anew_after_the_lock(later, count, locked_until):
    found = standing(at(*range(9), *later), DEFAULT, None)
    assert (found.failures, found.locked_until) == (count, locked_until)


@pytest.mark.parametrize(
    ("unlocked_after", "count", "locked"), [(-1, 9, True), (0, 8, False), (3, 5, False), (8, 0, False), (60, 0, False)]
)
def test_what_happened_up_to_the_unlocking_does_not_count(unlocked_after, count, locked):
    found = standing(at(*range(9)), DEFAULT, NOON + timedelta(seconds=unlocked_after))
    assert (found.failures, found.locked_until is not None) == (count, locked)


def test_what_happens_after_the_unlocking_counts_from_one():
    found = standing(at(*range(9), *range(20, 29)), DEFAULT, NOON + timedelta(seconds=10))
    assert (found.failures, found.locked_until) == (9, lock_end(28))


@pytest.mark.parametrize(("seconds", "counts"), [(-1, True), (0, True), (1, False), (10**9, False)])
def test_an_unlocking_in_a_time_to_come_unlocks_nothing(seconds, counts):
    instant = NOON + timedelta(seconds=seconds)
    assert unlocked_at(User(unlocked_at=instant), NOON) == (instant if counts else None)
    assert unlocked_at(User(), NOON) is None


@pytest.mark.parametrize(("attempts", "violations", "minutes"), [(1, 1, 1), (5, 2, 60), (10, 100, 100_000)])
def test_the_policys_own_numbers_count(attempts, violations, minutes):
    policy = Policy(name="p", logon_attempts=attempts, violation_limit=violations, lock_minutes=minutes)
    limit = attempts * violations
    assert standing(at(*range(limit - 1)), policy, None).locked_until is None
    found = standing(at(*range(limit)), policy, None)
    assert (found.violations, found.locked_until) == (violations, lock_end(limit - 1, minutes))


def test_of_a_lock_that_has_run_out_nothing_counts_any_more_but_what_counts_for_the_day():
    found = standing(at(*range(9)), DEFAULT, None, today=9)
    assert found.at(lock_end(8) - timedelta(microseconds=1)) == found
    assert found.at(lock_end(8)) == Standing(0, 0, None, 9)
    few = standing(at(0, 1), DEFAULT, None)
    assert few.at(NOON + timedelta(days=1)) == few, "who was not locked is not forgiven by time"


instants = st.integers(0, 200_000).map(lambda second: NOON + timedelta(seconds=second))
policies = st.builds(
    lambda attempts, violations, minutes: Policy(
        name="p", logon_attempts=attempts, violation_limit=violations, lock_minutes=minutes
    ),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 500),
)
unlockings = st.none() | instants


@given(st.lists(instants, max_size=40), st.randoms(), policies, unlockings)
def test_the_order_in_which_failures_are_read_does_not_matter(failures, random, policy, unlocked_at):
    shuffled = failures[:]
    random.shuffle(shuffled)
    assert standing(shuffled, policy, unlocked_at) == standing(failures, policy, unlocked_at)


@given(st.lists(instants, max_size=40), policies, unlockings, instants)
def test_nobody_is_locked_without_enough_failures_since_the_unlocking(failures, policy, unlocked_at, now):
    limit = policy.logon_attempts * policy.violation_limit
    counted = [failure for failure in failures if unlocked_at is None or failure > unlocked_at]
    found = standing(failures, policy, unlocked_at)
    if len(counted) < limit:
        assert found.locked_until is None
    if found.locked(now):
        started = found.locked_until - timedelta(minutes=policy.lock_minutes)
        assert sum(failure <= started for failure in counted) >= limit
    assert found.failures <= len(counted)
    assert found.violations == math.floor(found.failures / policy.logon_attempts)


@given(st.lists(instants, max_size=40), policies)
def test_enough_failures_at_once_always_lock(failures, policy):
    limit = policy.logon_attempts * policy.violation_limit
    last = max(failures, default=NOON) + timedelta(days=400)
    found = standing([*failures, *[last] * limit], policy, None)
    assert found.locked_until == last + timedelta(minutes=policy.lock_minutes)


@given(st.lists(instants, max_size=60), policies)
def test_between_two_locks_nobody_has_more_tries_than_the_limit(failures, policy):
    """Walks through time: with each attempt refused while locked, no lock's span sees more than `limit` tries."""
    limit = policy.logon_attempts * policy.violation_limit
    counted, since_lock = [], 0
    for failure in sorted(failures):
        before = standing(counted, policy, None)
        if before.locked(failure):
            continue
        since_lock = 0 if before.locked_until is not None else since_lock
        counted.append(failure)
        since_lock += 1
        assert since_lock <= limit
        assert (standing(counted, policy, None).locked_until is not None) == (since_lock == limit)


@given(st.lists(instants, max_size=60), policies, unlockings, st.integers(1, 10**6))
def test_as_many_wrong_codes_as_are_left_at_an_instant_lock_and_one_fewer_does_not(failures, policy, unlocked, later):
    limit = policy.logon_attempts * policy.violation_limit
    now = max([*failures, *([unlocked] if unlocked else [])], default=NOON) + timedelta(seconds=later)
    here = standing(failures, policy, unlocked).at(now)
    if here.locked(now):
        return
    left = limit - here.failures
    assert left > 0
    assert standing([*failures, *[now] * left], policy, unlocked).locked(now)
    assert not standing([*failures, *[now] * (left - 1)], policy, unlocked).locked(now)
