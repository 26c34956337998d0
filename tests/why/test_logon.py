"""What a change does to a logon is called by its worst, and is seen at whatever time of the day it is looked for."""

from datetime import timedelta

import pytest
from hypothesis import given
from msgspec.structs import replace

from auth.why.logon import Effect, both, effect, logon
from core.logins import NOW, PHONE, ancestor, facts, link, node, person, policy
from core.test_decision_laws import any_facts, instants
from schema.grammar import ReplyRule
from schema.hours import LogonHours, Window
from schema.words import LoginMode, Method

NIGHTS = LogonHours((Window(1, 0, 60),), "UTC")  # one hour, early on Tuesdays; NOW is a Tuesday's noon
WEAK = {"second_method": Method.NONE}


def at(**settings):
    return logon(facts(person(link(policy(**settings)))), NOW)


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, {}, None),
        ({}, {"code_lifetime": 60}, None),
        ({}, {"sms_enabled": False, "email_enabled": False, "vip_enabled": False}, Effect.LOSES),
        ({"malformed": ()}, WEAK, Effect.WEAKER),
        (WEAK, {}, Effect.STRICTER),
        ({}, {"sms_enabled": False}, Effect.TOKEN),
        ({}, {"name": "other"}, Effect.POLICY),
        ({}, {"logon_hours": LogonHours((Window(1, 0, 1440),), "UTC")}, Effect.HOURS),
        ({}, {"reply_attribute": (ReplyRule("Class", "x"),)}, Effect.REPLY),
        ({"sms_enabled": False, "email_enabled": False, "vip_enabled": False}, {}, Effect.GAINS),
    ],
)
def test_the_worst_that_a_change_does_is_what_it_is_called(before, after, what):
    assert effect(at(**before), at(**after)) is what


def test_another_number_is_another_token_even_if_it_looks_the_same_when_it_is_masked():
    other = PHONE[:6] + "9" + PHONE[7:]
    one, two = (logon(facts(person(link(policy()), phone=number)), NOW) for number in (PHONE, other))
    assert str(one) == str(two) == "accepted with password, sms to +43***67"
    assert effect(one, two) is Effect.TOKEN


def test_who_comes_and_who_goes():
    good, bad = at(), at(**dict.fromkeys(("sms_enabled", "email_enabled", "vip_enabled"), False))
    assert [effect(*pair) for pair in ((good, None), (None, good), (bad, None), (None, bad), (None, None))] == [
        Effect.LOSES,
        Effect.GAINS,
        None,
        None,
        None,
    ]


def test_a_change_is_seen_at_an_hour_at_which_nobody_may_log_on():
    before, after = (facts(person(link(policy(logon_hours=NIGHTS, **extra)))) for extra in ({}, WEAK))
    assert effect(*both(before, after, NOW, exactly=True)) is None, "at noon both are refused"
    assert effect(*both(before, after, NOW, exactly=False)) is Effect.WEAKER


def test_hours_that_never_come_lose_the_access():
    before = facts(person(link(policy(logon_hours=NIGHTS))))
    after = facts(person(link(policy(logon_hours=NIGHTS)), logon_grid=bytes(21)))
    assert effect(*both(before, after, NOW, exactly=False)) is Effect.LOSES


def test_data_that_is_old_hides_no_change():
    old = replace(facts().freshness, as_of=NOW - timedelta(days=9))
    before, after = (facts(person(link(policy(**extra))), freshness=old) for extra in ({}, WEAK))
    assert logon(before, NOW).outcome == "refused: replica-stale"
    assert effect(*both(before, after, NOW, exactly=False)) is Effect.WEAKER


def test_a_pin_that_has_expired_hides_no_change():
    append = node(mode=LoginMode.APPEND)
    aging = {"first_method": Method.PIN, "second_method": Method.NONE, "pin_expire_days": 30}
    before, after = (
        facts(person(link(policy(**aging)), pin="a digest", **extra), append) for extra in ({}, {"disabled": True})
    )
    assert logon(before, NOW).outcome == "refused: pin-expired"
    assert effect(*both(before, after, NOW, exactly=False)) is Effect.LOSES


def test_a_pin_in_front_of_the_code_is_asked_for_like_any_other():
    with_pin, bare = (
        logon(facts(person(link(policy(pin_with_token=asks)), pin="a digest")), NOW) for asks in (True, False)
    )
    assert str(with_pin) == "accepted with password, pin, sms to +43***67"
    assert (effect(with_pin, bare), effect(bare, with_pin)) == (Effect.WEAKER, Effect.STRICTER)


@pytest.mark.parametrize("settings", [{"second_method": Method.NONE}, {"second_method": Method.PIN}])
def test_where_no_token_is_asked_for_none_has_a_pin_in_front_of_it(settings):
    one, two = (
        logon(facts(person(link(policy(pin_with_token=asks, **settings)), pin="a digest")), NOW)
        for asks in (True, False)
    )
    assert one.accepted
    assert effect(one, two) is None


@given(any_facts, instants)
def test_what_stays_the_same_has_no_effect(known, now):
    for exactly in (True, False):
        one, two = both(known, known, now, exactly=exactly)
        assert one == two
        assert effect(one, two) is None


@given(any_facts, any_facts, instants)
def test_access_that_is_lost_is_called_so_and_what_is_gained_the_other_way_round(one, two, now):
    before, after = logon(one, now), logon(two, now)
    assert (effect(before, after) is Effect.LOSES) is (before.accepted and not after.accepted)
    assert (effect(before, after) is Effect.LOSES) is (effect(after, before) is Effect.GAINS)
    assert (effect(before, after) is None) is (effect(after, before) is None)


def test_the_policy_of_a_unit_and_of_a_node_count_as_any_other():
    by_unit = facts(person(ancestors=(ancestor("o", link(policy("unit"))),)), node(assigned=link(policy("node"))))
    by_node = facts(person(), node(assigned=link(policy("node"))))
    assert effect(logon(by_unit, NOW), logon(by_node, NOW)) is Effect.POLICY
    assert logon(by_node, NOW).policy == "cn=node,dc=lab,dc=example"
