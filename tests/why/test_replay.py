"""A past outcome is decided again from what was kept, and what has changed since is told without what is nobody's."""

import dataclasses
from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import Evidence, Field, PinShown, Question, Reach, Typed, Waiting
from auth.reason import Reason
from auth.spend.numbers import NumberRules, NumberType
from auth.why.described import described
from auth.why.packing import Packer, unpacked
from auth.why.past import as_data, as_text
from auth.why.record import Event, Moment
from auth.why.replay import replayed
from auth.why.since import differences
from core.logins import MAIL, NOW, PHONE, facts, link, membership, node, person, policy
from core.test_decision_laws import any_evidence, any_facts, instants
from schema.words import Method, TokenKind

GIVEN = Evidence(typed_password=Typed.GIVEN)
LATER = NOW + timedelta(days=1)


def kept(*moments, reason=Reason.CODE_SENT):
    packed = Packer().pack(Event(NOW, "0123456789abcdef", "", "vpn", "challenged", reason, moments))
    return unpacked(packed.value, packed.parts.__getitem__)


def moment(known, evidence=GIVEN, now=NOW):
    return Moment(known, evidence, now, decide(known, evidence, now).step)


@given(any_facts, any_evidence, instants)
@settings(max_examples=200)
def test_the_same_version_decides_as_it_did_then(known, evidence, now):
    replay = replayed(kept(moment(known, evidence, now)), known, LATER)
    assert replay.same
    assert replay.since == ()
    assert replay.today == described(decide(known, evidence, LATER).step)
    assert "the same" in as_text([replay]).plain
    for shown in (as_text([replay]).plain, msgspec.json.encode(as_data(replay)).decode()):
        assert PHONE[1:] not in shown
        assert MAIL not in shown


def test_a_step_that_would_be_another_today_is_shown_beside_it():
    recorded = dataclasses.replace(kept(moment(facts())).moments[0], step="accept: Filter-Id=everybody")
    event = dataclasses.replace(kept(moment(facts())), moments=(recorded,))
    replay = replayed(event, None, LATER)
    assert not replay.same
    assert "1. accept: Filter-Id=everybody" in as_text([replay]).plain
    assert "now: check password" in as_text([replay]).plain


def test_what_has_changed_since_is_told_attribute_by_attribute():
    before = facts(person(link(policy("staff")), groups=(membership("a"), membership("b"))))
    somebody = person(
        link(policy("staff", sms_enabled=False)), groups=(membership("b"), membership("c")), tokens=(TokenKind.VIP,)
    )
    after = facts(somebody, node(asks := frozenset()), region="DE")
    assert asks == frozenset()
    told = differences(before, after)
    assert set(told) == {
        "config.ini region: AT -> DE",
        "access node members: everybody -> 0 users and groups",
        "user tokens: sms, email, vip, totp, hotp -> vip",
        "policy cn=staff,dc=lab,dc=example sms_enabled: True -> False",
        "group cn=a,dc=lab,dc=example: member through cn=a,dc=lab,dc=example -> nothing",
        "group cn=a,dc=lab,dc=example name: a -> nothing",
        "group cn=c,dc=lab,dc=example: nothing -> member through cn=c,dc=lab,dc=example",
        "group cn=c,dc=lab,dc=example name: nothing -> c",
    }


def test_a_user_who_is_gone_is_told_as_such():
    told = differences(facts(), replace(facts(), found=()))
    assert any(line.startswith("user DN: cn=alice,") and line.endswith(" -> nothing") for line in told)


def test_an_outcome_without_a_decision_says_so():
    replay = replayed(kept(reason=Reason.CHALLENGE_UNKNOWN), None, LATER)
    assert replay.same
    assert "nothing was decided" in as_text([replay]).plain
    assert as_data(replay)["meaning"] == Reason.CHALLENGE_UNKNOWN.meaning


def test_a_reason_of_another_version_is_shown_as_it_was_kept():
    replay = replayed(dataclasses.replace(kept(moment(facts())), reason="no-longer-a-reason"), None, LATER)
    assert "challenged: no-longer-a-reason" in as_text([replay]).plain
    assert as_data(replay)["meaning"] is None


def test_a_login_with_a_pin_in_front_of_its_code_is_decided_again_without_the_length_of_the_pin():
    chosen = policy(first_method=Method.PASSWORD, second_method=Method.TOKEN, pin_with_token=True)
    known = facts(person(link(chosen), pin="a digest"))
    waiting = Waiting(Question.SMS, 1, sent=True)
    shown = Evidence(
        (Method.PASSWORD, Method.TOKEN), 1, pin=PinShown.RIGHT, pin_length=4, code_length=6, answer=Field.CODE,
        waiting=waiting, token=TokenKind.SMS,
    ).with_typed(Field.CODE, Typed(10, 10, 10))  # fmt: skip
    replay = replayed(kept(moment(known, shown)), known, LATER)
    assert replay.same
    assert replay.again[0].recorded == "check code: sms to +43***67, a part of the code field"


def test_when_a_pin_was_chosen_is_kept_of_the_one_who_chose_it():
    usual, packer = facts(), Packer()
    stored: dict[bytes, bytes] = {}
    for known in (usual, replace(usual, pin_chosen_at=NOW), usual):
        packed = packer.pack(
            Event(NOW, "0123456789abcdef", "", "vpn", "challenged", Reason.PIN_WANTED, (moment(known),))
        )
        stored |= packed.parts
        packer.stored(packed)
        found = unpacked(packed.value, stored.__getitem__).moments[0]
        assert found.facts.pin_chosen_at == known.pin_chosen_at


@given(order=st.permutations(list(NumberType)))
def test_sets_that_are_equal_differ_in_nothing_in_whichever_order_they_came_about(order):
    """A frozenset shows its members in the order in which it was made, where their hashes collide."""

    def known(types):
        return facts(reach=Reach(numbers=NumberRules(("AT",), frozenset(types))))

    assert differences(known(NumberType), known(order)) == ()
    assert differences(known(order), known(order[1:])) != ()
