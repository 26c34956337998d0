"""The judge of PINs reads what was typed by the PIN that counts now, and keeps a new one that keeps the rules."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.embedded_state import EmbeddedStore
from auth.facts import PinShown
from auth.judges.pin import PinJudge
from auth.keys.ring import Key, Ring
from auth.memorised.pin import PinVerdict, kept_key, pin_value
from auth.turn import Turns
from dirsync.view import Person
from plain_store import Plain, PlainStore, settling
from schema.entry import Policy, User
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
PIN, NEW = Secret("2580"), Secret("1397")
POLICY, EXPIRING = Policy(name="staff"), Policy(name="staff", pin_expire_days=30)


@pytest.fixture
def judge(tmp_path):
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot", Turns())
    yield PinJudge(store, lambda: RING)
    store.close()


def person(entry=b"a" * 16, days=1):
    user = User(pin=pin_value(RING, entry, PIN), pin_set_at=NOW - timedelta(days=days))
    return Person(entry, "cn=alice", user, None, (), ())


def read(judge, text, policy=POLICY, code_lengths=(6,), who=None):
    """What it found, PIN, length of the code and new PIN; None when it found no right PIN."""
    somebody = who or person()
    return plainly(judge.read(somebody, policy, Secret(text), code_lengths, kept(judge, somebody), NOW))


def kept(judge, who):
    """What the store keeps of a person."""
    return PlainStore(judge.store).kept(kept_key(who.id))


def plain(judge):
    return Plain(judge, settling(judge.store))


def is_right(judge, who, policy, pin, now=NOW):
    return judge.verdict(who, policy, pin, kept(judge, who), now) is PinVerdict.RIGHT


def plainly(found):
    if found is None:
        return None
    shown, reading = found
    return shown, reading.pin.text, reading.code_length, reading.new.text if reading.new else None


def test_a_right_pin_is_found_in_front_of_a_code_and_by_itself(judge):
    assert read(judge, "2580513270") == (PinShown.RIGHT, "2580", 6, None)
    assert read(judge, "258051327044", code_lengths=(6, 8)) == (PinShown.RIGHT, "2580", 8, None)
    assert read(judge, "2580", code_lengths=()) == (PinShown.RIGHT, "2580", 0, None)


@pytest.mark.parametrize("text", ["", "513270", "2581513270", "1397513270", "25805132701"])
def test_where_no_right_pin_stands_there_is_no_reading_at_all(judge, text):
    assert read(judge, text) is None


def test_a_right_pin_past_its_time_is_told_from_a_right_one(judge):
    assert read(judge, "2580513270", EXPIRING) == (PinShown.RIGHT, "2580", 6, None)
    assert read(judge, "2580513270", EXPIRING, who=person(days=30)) == (PinShown.EXPIRED, "2580", 6, None)
    assert read(judge, "2581513270", EXPIRING, who=person(days=30)) is None


@pytest.mark.parametrize(
    ("new", "shown"), [("1397", PinShown.CHANGED), ("1234", PinShown.UNFIT), ("2580", PinShown.UNFIT)]
)
@pytest.mark.parametrize("days", [1, 40])
def test_a_new_pin_behind_it_is_judged_by_the_rules_whether_the_old_one_has_expired_or_not(judge, new, shown, days):
    expected = (shown, "2580", 6, new)
    assert read(judge, f"2580513270{new}{new}", EXPIRING, who=person(days=days)) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13971397", PinShown.CHANGED),
        ("1397 1397", PinShown.CHANGED),
        ("1397", PinShown.UNFIT),
        ("13971398", PinShown.UNFIT),
        ("", PinShown.UNFIT),
        ("11111111", PinShown.UNFIT),
        ("123123", PinShown.UNFIT),
        ("25802580", PinShown.UNFIT),
    ],
)
def test_a_new_pin_is_typed_twice_keeps_the_rules_and_is_not_the_old_one(judge, text, shown):
    assert judge.new(person(), POLICY, Secret(text), kept(judge, person()), NOW) is shown


def test_the_policy_says_what_a_new_one_must_be_like(judge):
    strict = Policy(name="strict", pin_minimum_length=6)
    assert judge.new(person(), strict, Secret("13971397"), kept(judge, person()), NOW) is PinShown.UNFIT
    assert judge.new(person(), strict, Secret("139725139725"), kept(judge, person()), NOW) is PinShown.CHANGED


def test_a_new_one_that_is_kept_takes_the_place_of_the_old_one_for_its_owner_alone(judge):
    alice, bob = person(), person(b"b" * 16)
    assert is_right(judge, alice, POLICY, PIN)
    plain(judge).keep(alice, NEW, NOW)
    assert is_right(judge, alice, POLICY, NEW)
    assert not is_right(judge, alice, POLICY, PIN)
    assert read(judge, "1397513270") == (PinShown.RIGHT, "1397", 6, None)
    assert read(judge, "2580513270") is None
    assert judge.new(alice, POLICY, Secret("13971397"), kept(judge, alice), NOW) is PinShown.UNFIT
    assert judge.new(alice, POLICY, Secret("25802580"), kept(judge, alice), NOW) is PinShown.CHANGED
    assert is_right(judge, bob, POLICY, PIN)
    assert not is_right(judge, bob, POLICY, NEW)


def test_a_kept_one_expires_by_the_instant_at_which_it_was_kept(judge):
    plain(judge).keep(person(), NEW, NOW)
    for days, right in ((29, True), (30, False)):
        later = NOW + timedelta(days=days)
        assert is_right(judge, person(), EXPIRING, NEW, later) is right
        shown = PinShown.RIGHT if right else PinShown.EXPIRED
        assert plainly(judge.read(person(), EXPIRING, NEW, (), kept(judge, person()), later)) == (
            shown,
            "1397",
            0,
            None,
        )


def test_an_expired_one_is_no_keyword(judge):
    assert is_right(judge, person(), EXPIRING, PIN)
    assert not is_right(judge, person(days=30), EXPIRING, PIN)
    assert judge.verdict(person(days=30), EXPIRING, PIN, None, NOW) is PinVerdict.EXPIRED
    assert judge.verdict(person(days=30), EXPIRING, NEW, None, NOW) is PinVerdict.WRONG
    assert not is_right(judge, person(), EXPIRING, Secret("25805"))


def test_without_a_key_ring_there_is_no_verdict_of_any_kind(judge):
    def no_ring():
        raise Fault("there is no key ring", remedy="copy it")

    blind = PinJudge(judge.store, no_ring)
    for ask in (
        lambda: read(blind, "2580513270"),
        lambda: blind.new(person(), POLICY, Secret("13971397"), kept(blind, person()), NOW),
        lambda: is_right(blind, person(), POLICY, PIN),
        lambda: plain(blind).keep(person(), NEW, NOW),
    ):
        with pytest.raises(Fault, match="no key ring"):
            ask()
