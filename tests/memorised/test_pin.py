"""The PIN: the newer of directory and store counts, an old one is expired, and a weak one is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.keys.ring import Key, KeyMissing, Ring
from auth.keys.sealing import digested
from auth.keys.text import NotOurs, Purpose
from auth.memorised.pin import PinVerdict, has_pin, kept_key, make_kept, pin_value, pin_verdict
from auth.memorised.pin_rules import UnfitPin, demand_another, demand_fit
from schema.entry import Policy, User
from schema.secret import Secret

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
ALICE, BOB = b"a" * 16, b"b" * 16
PIN, OTHER = Secret("2580"), Secret("1397")
POLICY = Policy(name="staff")
pins = st.text(alphabet="0123456789", min_size=4, max_size=8).map(Secret)


def user(pin=PIN, set_at=NOW - timedelta(days=1), entry=ALICE):
    return User(pin=pin_value(RING, entry, pin), pin_set_at=set_at)


def judged(who, typed, kept=None, policy=POLICY, now=NOW, entry=ALICE, ring=RING):
    return pin_verdict(who, entry, typed, kept, ring, policy, now)


@given(pins, pins)
def test_only_the_pin_itself_is_right(pin, typed):
    wanted = PinVerdict.RIGHT if typed.text == pin.text else PinVerdict.WRONG
    assert judged(user(pin), typed) is wanted


@pytest.mark.parametrize("typed", ["25 80", "2580 ", "25-80"])
def test_spaces_and_dashes_that_people_type_do_not_count(typed):
    assert judged(user(), Secret(typed)) is PinVerdict.RIGHT


@pytest.mark.parametrize("typed", ["", "258", "25800", "٢٥٨٠", "2580\x00"])
def test_what_is_not_quite_the_pin_is_wrong(typed):
    assert judged(user(), Secret(typed)) is PinVerdict.WRONG


def test_without_a_pin_there_is_none_to_get_right_whatever_was_kept():
    kept = make_kept(RING, ALICE, PIN, NOW)
    assert judged(User(), PIN, kept) is PinVerdict.NOT_SET
    assert not has_pin(User())
    assert has_pin(user())


def test_a_pin_copied_from_another_user_is_nobodys():
    copied = User(pin=user(entry=BOB).pin, pin_set_at=NOW)
    assert judged(copied, PIN, entry=ALICE) is PinVerdict.WRONG
    assert judged(copied, PIN, entry=BOB) is PinVerdict.RIGHT


def test_a_changed_pin_of_another_user_is_nobodys():
    assert judged(user(), OTHER, make_kept(RING, BOB, OTHER, NOW)) is PinVerdict.WRONG


@given(st.integers(-5, 5))
def test_the_newer_of_directory_and_store_counts(days):
    assume(days != 0)
    set_at = NOW - timedelta(days=10)
    kept = make_kept(RING, ALICE, OTHER, set_at + timedelta(days=days))
    in_force, outdated = (OTHER, PIN) if days > 0 else (PIN, OTHER)
    assert judged(user(set_at=set_at), in_force, kept) is PinVerdict.RIGHT
    assert judged(user(set_at=set_at), outdated, kept) is PinVerdict.WRONG


def test_of_two_with_the_same_instant_the_administrators_counts_and_one_set_this_moment_is_not_expired():
    kept = make_kept(RING, ALICE, OTHER, NOW)
    policy = Policy(name="staff", pin_expire_days=30)
    assert judged(user(set_at=NOW), PIN, kept, policy) is PinVerdict.RIGHT
    assert judged(user(set_at=NOW), OTHER, kept, policy) is PinVerdict.WRONG


def test_a_pin_of_the_directory_with_no_instant_or_one_to_come_is_older_than_a_changed_one():
    kept = make_kept(RING, ALICE, OTHER, NOW - timedelta(days=400))
    for set_at in (None, NOW + timedelta(seconds=1)):
        assert judged(user(set_at=set_at), OTHER, kept) is PinVerdict.RIGHT
        assert judged(user(set_at=set_at), PIN, kept) is PinVerdict.WRONG


@pytest.mark.parametrize(
    ("days", "age", "verdict"),
    [
        (0, timedelta(days=9999), PinVerdict.RIGHT),
        (30, timedelta(days=30) - timedelta(seconds=1), PinVerdict.RIGHT),
        (30, timedelta(days=30), PinVerdict.EXPIRED),
        (1, timedelta(days=2), PinVerdict.EXPIRED),
    ],
)
def test_a_pin_expires_after_the_days_of_the_policy(days, age, verdict):
    policy = Policy(name="staff", pin_expire_days=days)
    assert judged(user(set_at=NOW - age), PIN, policy=policy) is verdict
    kept = make_kept(RING, ALICE, OTHER, NOW - age)
    assert judged(user(set_at=None), OTHER, kept, policy) is verdict
    assert judged(user(set_at=NOW - age), OTHER, policy=policy) is PinVerdict.WRONG, "wrong comes before expired"


@pytest.mark.parametrize("set_at", [None, NOW + timedelta(days=365)])
def test_an_instant_that_is_not_credible_does_not_keep_a_pin_from_expiring(set_at):
    policy = Policy(name="staff", pin_expire_days=30)
    assert judged(user(set_at=set_at), PIN, policy=policy) is PinVerdict.EXPIRED


def test_what_cannot_be_compared_is_a_fault_and_no_verdict():
    with pytest.raises(NotOurs):
        judged(User(pin="1234"), Secret("1234"))
    with pytest.raises(KeyMissing):
        judged(user(), PIN, ring=Ring((Key(b"x" * 32, NOW),)))
    for kept in (b"2580", b"\xff\xfe"):
        with pytest.raises(NotOurs):
            judged(user(), PIN, kept=kept)


def test_a_changed_pin_without_an_instant_is_a_fault_that_says_what_to_do():
    kept = digested(RING, Purpose.CHANGED_PIN, ALICE, ("yesterday",), PIN).encode()
    with pytest.raises(NotOurs) as caught:
        judged(user(), PIN, kept=kept)
    assert caught.value.problem == "a changed PIN has no instant"
    assert caught.value.remedy == "have the PIN set anew: dirfactor user pin"


@pytest.mark.usefixtures("far_east")
def test_which_pin_is_the_newer_does_not_depend_on_the_machines_time_zone():
    kept = make_kept(RING, ALICE, OTHER, NOW - timedelta(hours=1))
    assert judged(user(set_at=NOW), PIN, kept) is PinVerdict.RIGHT
    assert kept == make_kept(RING, ALICE, OTHER, (NOW - timedelta(hours=1)).astimezone())


def test_neither_directory_nor_store_gets_the_pin_itself():
    assert "2580" not in (user().pin or "")
    assert b"2580" not in make_kept(RING, ALICE, PIN, NOW)
    assert kept_key(ALICE) != kept_key(BOB)


DIGITS, SHORT, LONG = "a PIN has digits only", "the PIN is too short", "the PIN is too long"
RUN = "the PIN is one digit repeated, or a plain run"


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("", DIGITS),
        ("25a80", DIGITS),
        ("٢٥٨٠", DIGITS),
        ("258", SHORT),
        ("258013971", LONG),
        ("1111", RUN),
        ("1234", RUN),
        ("9876", RUN),
        ("7890", RUN),
        ("3210987", RUN),
    ],
)
def test_a_pin_that_breaks_a_rule_is_refused_with_what_to_choose_instead(pin, problem):
    with pytest.raises(UnfitPin) as caught:
        demand_fit(Secret(pin), POLICY)
    another = " that are not like 1111, 1234 or 9876" if problem is RUN else ""
    assert (caught.value.problem, caught.value.remedy) == (problem, f"choose 4 to 8 digits{another}")


@pytest.mark.parametrize("pin", ["2580", "1122", "1235", "13579", "98765431", "1 3 9 7"])
def test_a_pin_that_keeps_the_rules_is_taken(pin):
    demand_fit(Secret(pin), POLICY)


def test_a_policy_may_want_one_length():
    policy = Policy(name="staff", pin_minimum_length=6, pin_maximum_length=6)
    demand_fit(Secret("258013"), policy)
    with pytest.raises(UnfitPin) as caught:
        demand_fit(Secret("25801"), policy)
    assert caught.value.remedy == "choose 6 digits"


def test_a_policy_that_no_pin_can_satisfy_is_said_so():
    with pytest.raises(UnfitPin, match="no PIN has that") as caught:
        demand_fit(PIN, Policy(name="odd", pin_minimum_length=6, pin_maximum_length=4))
    wanted = "have dirfactorPinMinimumLength and dirfactorPinMaximumLength of the policy set right"
    assert caught.value.remedy == wanted


def test_the_old_pin_is_not_a_new_one_whether_expired_or_changed_before():
    policy = Policy(name="staff", pin_expire_days=1)
    kept = make_kept(RING, ALICE, OTHER, NOW - timedelta(hours=1))
    old = user(set_at=NOW - timedelta(days=9))
    for pin, changed in ((PIN, None), (OTHER, kept)):
        with pytest.raises(UnfitPin) as caught:
            demand_another(old, ALICE, pin, changed, RING, policy, NOW)
        assert (caught.value.problem, caught.value.remedy) == ("the new PIN is the old one", "choose another one")
    demand_another(old, ALICE, OTHER, None, RING, policy, NOW)
    demand_another(User(), ALICE, PIN, None, RING, policy, NOW)
