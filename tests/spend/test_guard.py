"""No text beyond a limit, nothing counted for one that is refused, and an alarm for codes that nobody answers."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth.addresses import PhoneNumber
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.lines import Lines
from auth.spend.answered import AnsweredTexts
from auth.spend.conversion import SETTLING_SECONDS, WINDOW_SECONDS
from auth.spend.guard import SpendGuard, SpendRefused, Text
from auth.spend.limits import Limits
from auth.spend.settings import SpendSettings
from auth.state import Challenge
from auth.tokens import Usable
from auth.turn import Turns
from plain_store import Plain, in_turn, settling
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NUMBER = PhoneNumber("+436640000001")
TEXT = Text(b"a" * 16, NUMBER, ("cheap", "dear"), 1, answered_now=True)
NONE = {"per_user_hour": 0, "per_user_day": 0, "per_number_day": 0, "per_prefix_day": 0, "per_day": 0}


@pytest.fixture
def store(tmp_path):
    opened = EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())
    yield opened
    opened.close()


@pytest.fixture
def guard(store):
    """A guard with these limits and no others, whose verbs are called as functions."""

    def guard_of(**settings):
        return Plain(SpendGuard(Limits(SpendSettings(**(NONE | settings)), b"k" * 32), store), settling(store))

    return guard_of


def sent(guard, *texts, at=NOW):
    """Which of these texts may be sent, one after the other."""
    passed = []
    for text in texts:
        try:
            guard.reserve(text, at)
        except SpendRefused:
            passed.append(False)
        else:
            passed.append(True)
    return passed


OTHER_USER = replace(TEXT, user=b"b" * 16)
OTHER_NUMBER = replace(TEXT, number=PhoneNumber("+436640000002"))
OTHER_PREFIX = replace(TEXT, user=b"c" * 16, number=PhoneNumber("+436761234567"))


@pytest.mark.parametrize(
    ("limit", "same", "other"),
    [
        ("per_user_hour", OTHER_NUMBER, OTHER_USER),
        ("per_user_day", OTHER_NUMBER, OTHER_USER),
        ("per_number_day", OTHER_USER, OTHER_NUMBER),
        ("per_prefix_day", replace(OTHER_NUMBER, user=b"d" * 16), OTHER_PREFIX),
        ("per_day", OTHER_PREFIX, None),
    ],
)
def test_each_limit_counts_what_it_is_named_for(guard, limit, same, other):
    guarded = guard(**{limit: 2})
    assert sent(guarded, TEXT, same, TEXT, same) == [True, True, False, False]
    if other is not None:
        assert sent(guarded, other) == [True]
    with pytest.raises(SpendRefused, match=limit) as caught:
        guarded.reserve(TEXT, NOW)
    assert "0000001" not in str(caught.value)
    assert not caught.value.permanent
    assert guarded.refused == 3


@pytest.mark.parametrize(("limit", "seconds"), [("per_user_hour", 3_600), ("per_number_day", 86_400)])
def test_a_limit_holds_for_its_window(guard, limit, seconds):
    guarded = guard(**{limit: 1})
    assert sent(guarded, TEXT) == [True]
    assert sent(guarded, TEXT, at=NOW + timedelta(seconds=seconds - 1)) == [False]
    assert sent(guarded, TEXT, at=NOW + timedelta(seconds=seconds)) == [True]


def test_money_counts_parts_at_the_price_of_the_dearest_gateway_that_may_carry_the_text(guard):
    prices = Lines(("cheap = 0.01", "dear = 0.10"))
    guarded = guard(prices=prices, money_per_day=0.5)
    two_parts = replace(TEXT, parts=2)
    assert sent(guarded, two_parts, two_parts, two_parts) == [True, True, False]
    assert sent(guarded, TEXT, TEXT) == [True, False], "0.10 was left"
    assert sent(guarded, replace(TEXT, gateways=("free",))) == [True]
    assert sent(guarded, replace(TEXT, gateways=("cheap",))) == [False]


def test_a_text_that_one_limit_refuses_counts_against_none(guard):
    guarded = guard(per_user_hour=1, per_day=3)
    assert sent(guarded, TEXT, TEXT, TEXT, TEXT) == [True, False, False, False]
    assert sent(guarded, OTHER_USER, OTHER_PREFIX) == [True, True]


def test_what_is_given_back_was_never_sent(guard):
    guarded = guard(per_user_hour=1, per_day=1)
    guarded.give_back(guarded.reserve(TEXT, NOW), NOW)
    assert sent(guarded, TEXT, TEXT) == [True, False]


def test_the_store_has_no_number_to_read(guard, tmp_path):
    guarded = guard(per_user_hour=1, per_user_day=1, per_number_day=1, per_prefix_day=1, per_day=1)
    guarded.reserve(TEXT, NOW)
    octets = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"spend prefix 4366400" in octets, "we look at the right files"
    assert NUMBER.removeprefix("+").encode() not in octets


def test_without_limits_nothing_is_refused(guard):
    assert all(sent(guard(), *[TEXT] * 30))


LATER = NOW + timedelta(seconds=SETTLING_SECONDS + 1)


def alarm(guard, number, answered, **settings):
    guarded = guard(alarm_after=10, alarm_below=0.5, **settings)
    assert all(sent(guarded, *[TEXT] * number))
    for _ in range(answered):
        guarded.answered(NUMBER, NOW)
    return guarded


@pytest.mark.parametrize(("number", "answered", "raised"), [(10, 4, True), (10, 5, False), (9, 0, False)])
def test_the_alarm_is_for_too_few_answers_of_enough_codes(guard, number, answered, raised):
    guarded = alarm(guard, number, answered)
    sent(guarded, TEXT, at=LATER)
    assert guarded.alarms == (["4366400"] if raised else [])


def test_codes_that_may_still_be_answered_raise_no_alarm(guard):
    guarded = alarm(guard, 30, 0)
    assert sent(guarded, TEXT, at=NOW + timedelta(seconds=SETTLING_SECONDS - 1)) == [True]
    assert guarded.alarms == []


def test_codes_on_stock_are_expected_to_be_answered_later(guard):
    guarded = guard(alarm_after=1)
    assert all(sent(guarded, *[replace(TEXT, answered_now=False)] * 5))
    sent(guarded, TEXT, at=LATER)
    assert guarded.alarms == []


def test_the_alarm_is_logged_when_it_begins_and_when_it_ends(guard, caplog):
    guarded = alarm(guard, 10, 3)
    assert sent(guarded, TEXT, TEXT, OTHER_PREFIX, at=LATER) == [True, True, True]
    sent(guarded, TEXT, at=NOW + timedelta(seconds=WINDOW_SECONDS + SETTLING_SECONDS + 1))
    said = [(record.levelno, record.message) for record in caplog.records]
    assert said == [
        (
            logging.ERROR,
            "texts to +4366400...: 3 of 10 codes were answered within an hour; somebody may be earning by them",
        ),
        (
            logging.WARNING,
            "texts to +4366400...: 0 of 2 codes were answered within an hour, the alarm is over",
        ),
    ]


def test_where_the_alarm_stops_texts_only_that_prefix_gets_none_until_the_hour_is_over(guard):
    guarded = alarm(guard, 10, 0, alarm_stops=True)
    assert sent(guarded, TEXT, OTHER_NUMBER, OTHER_PREFIX, at=LATER) == [False, False, True]
    with pytest.raises(SpendRefused, match="0 of 10 codes were answered"):
        guarded.reserve(TEXT, LATER)
    assert sent(guarded, TEXT, at=NOW + timedelta(seconds=WINDOW_SECONDS + SETTLING_SECONDS + 1)) == [True]


class Saying:
    """A judge with one opinion."""

    def __init__(self, verdict):
        self.verdict = verdict

    async def check(self, asked, typed, now):
        return Checked(self.verdict)


@pytest.mark.parametrize(
    ("verdict", "digest", "counts"),
    [
        (CodeVerdict.RIGHT, b"d", True),
        (CodeVerdict.WRONG, b"d", False),
        (CodeVerdict.RIGHT, None, False),
    ],
)
async def test_only_a_right_code_that_was_sent_for_this_logon_counts_as_answered(guard, store, verdict, digest, counts):
    judge = AnsweredTexts(Saying(verdict), guard().inner)
    challenge = Challenge(b"i" * 16, TEXT.user, "vpn", 1, "sms", digest, NOW, 3, "login")
    asked = Asked(None, None, Usable(TokenKind.SMS, phone=NUMBER), challenge)
    assert (await judge.check(asked, Secret("481516"), NOW)).verdict is verdict
    assert in_turn(store).tally("spend answered 4366400", NOW, 60) == counts
