"""An instant is written as people write one, and means what they mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.why.instant import NotAnInstant, read_instant

VIENNA = ZoneInfo("Europe/Vienna")
TUESDAY = datetime(2026, 11, 24, 12, 0, 30, tzinfo=VIENNA)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-01T07:30", "2026-12-01 07:30:00+01:00"),
        ("2026-07-01T07:30", "2026-07-01 07:30:00+02:00"),
        ("2026-12-01 07:30:15", "2026-12-01 07:30:15+01:00"),
        ("2026-12-01T07:30Z", "2026-12-01 07:30:00+00:00"),
        ("2026-12-01T07:30-05:00", "2026-12-01 07:30:00-05:00"),
        ("Mon 07:30", "2026-11-30 07:30:00+01:00"),
        ("tuesday 07:30", "2026-12-01 07:30:00+01:00"),
        ("TUE 13:00", "2026-11-24 13:00:00+01:00"),
        ("Tue 12:00", "2026-11-24 12:00:00+01:00"),
        ("thurs 9:05", "2026-11-26 09:05:00+01:00"),
        ("11:00", "2026-11-25 11:00:00+01:00"),
        (" 12:01 ", "2026-11-24 12:01:00+01:00"),
        ("+2h", "2026-11-24 14:00:30+01:00"),
        ("+90 min", "2026-11-24 13:30:30+01:00"),
        ("-1d", "2026-11-23 12:00:30+01:00"),
        ("+1w", "2026-12-01 12:00:30+01:00"),
    ],
)
def test_an_instant_as_people_write_it(text, meant):
    assert str(read_instant(text, TUESDAY, VIENNA)) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "25:00", "12:60", "Mo 07:30", "Mon", "Mon 24:00", "+2", "+2y", "2026-02-30"),
        *("9999-12-31T99:00", "+99999w", "monx 07:30", "07:30 Mon", "+2h+1m"),
    ],
)
def test_what_names_no_instant_is_refused_with_what_would(text):
    with pytest.raises(NotAnInstant, match="names no instant") as raised:
        read_instant(text, datetime(9990, 1, 1, tzinfo=UTC), UTC)
    assert "Mon 07:30" in raised.value.remedy


def test_after_the_clocks_have_changed_a_wall_clock_shows_the_time_that_was_typed():
    before = datetime(2026, 10, 24, 12, 0, tzinfo=VIENNA)  # a Saturday in summer time; the night after, it ends
    found = read_instant("Mon 07:30", before, VIENNA)
    assert found.astimezone(UTC).hour == 6
    assert read_instant("+24h", before, VIENNA) - before == timedelta(hours=24)


@given(st.integers(0, 366 * 24 * 60), st.integers(0, 6))
def test_a_weekday_is_within_the_next_seven_days(minutes, day):
    now = TUESDAY.astimezone(UTC) + timedelta(minutes=minutes)
    name = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day]
    found = read_instant(f"{name} 08:15", now, UTC)
    assert (found.weekday(), found.hour, found.minute) == (day, 8, 15)
    assert timedelta(minutes=-1) < found - now < timedelta(days=7)


def test_without_a_zone_the_machine_s_is_meant():
    at = datetime(2026, 12, 1, 7, 30, tzinfo=UTC)
    typed = at.astimezone().replace(tzinfo=None).isoformat()
    assert read_instant(typed, TUESDAY) == at
