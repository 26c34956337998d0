"""When logon is permitted: examples that people type, and both forms against a second, slower reading."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.hours import LogonHours, Window, grid_permits, read_logon_hours

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
VIENNA = ZoneInfo("Europe/Vienna")
INSTANTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


# 2026-11-23 is a Monday
@pytest.mark.parametrize(
    ("line", "permitted", "refused"),
    [
        (
            "Mon-Fri 07:00-19:00; Sat 09:00-12:00",
            ["2026-11-23T07:00", "2026-11-27T18:59:59", "2026-11-28T09:00"],
            ["2026-11-23T06:59:59", "2026-11-27T19:00", "2026-11-28T12:00", "2026-11-29T10:00"],
        ),
        (
            "Sat-Mon 10:00-11:00",
            ["2026-11-28T10:30", "2026-11-29T10:30", "2026-11-30T10:30"],
            ["2026-11-24T10:30", "2026-11-27T10:30"],
        ),
        (
            "Fri 20:00-24:00; Sat 00:00-06:00",
            ["2026-11-27T23:59:59", "2026-11-28T00:00", "2026-11-28T05:59:59"],
            ["2026-11-27T19:59:59", "2026-11-28T06:00", "2026-11-29T00:00"],
        ),
        ("Mon-Sun 00:00-24:00", ["2026-11-23T00:00", "2026-11-29T23:59:59"], []),
        ("sun 8:00 - 9:30", ["2026-11-29T09:29"], ["2026-11-29T09:30"]),
        ("Mon 07:00-08:00; Mon 07:30-09:00;", ["2026-11-23T08:30", "2026-11-23T07:45"], ["2026-11-23T09:00"]),
    ],
)
def test_hours_permit_from_the_first_minute_until_before_the_last(line, permitted, refused):
    hours = read_logon_hours(line)
    assert [text for text in permitted if not hours.permits(at(text))] == []
    assert [text for text in refused if hours.permits(at(text))] == []


def test_a_week_from_a_day_to_itself_is_that_day():
    assert read_logon_hours("Mon-Mon 07:00-08:00").windows == (Window(0, 420, 480),)


def test_hours_are_those_of_the_wall_clock_in_summer_and_in_winter():
    hours = read_logon_hours("Mon-Fri 07:00-19:00; Europe/Vienna")
    assert hours.permits(at("2026-06-15T05:00"))
    assert not hours.permits(at("2026-06-15T17:00"))
    assert not hours.permits(at("2026-11-23T05:00"))
    assert hours.permits(at("2026-11-23T06:00"))


def test_an_hour_that_the_clock_skips_is_never_permitted_and_one_that_it_repeats_is_so_twice():
    """Europe/Vienna, 2026-03-29 01:00 UTC and 2026-10-25 01:00 UTC."""
    hours = read_logon_hours("Sun 02:00-03:00; Europe/Vienna")
    spring = [at("2026-03-29T00:00") + timedelta(minutes=minute) for minute in range(180)]
    assert not any(hours.permits(instant) for instant in spring)
    autumn = [at("2026-10-24T22:00") + timedelta(minutes=minute) for minute in range(300)]
    assert sum(hours.permits(instant) for instant in autumn) == 120


def test_another_zone_may_be_another_day():
    hours = read_logon_hours("Mon 00:00-24:00; Pacific/Auckland")
    assert hours.permits(at("2026-11-22T12:00"))
    assert not hours.permits(at("2026-11-23T12:00"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        ";",
        "Europe/Vienna",
        "Mon-Fri",
        "07:00-19:00",
        "Mon-Fri 19:00-07:00",
        "Mon 07:00-07:00",
        "Mon 07:00-24:01",
        "Mon 07:60-09:00",
        "Mon 25:00-26:00",
        "Mo 07:00-19:00",
        "Mon,Tue 07:00-19:00",
        "Mon 7-19",
        "Mon 07:00-19:00; Mars/Olympus",
        "Mon 07:00-19:00; ../../etc/passwd",
        "Mon 07:00-19:00; Europe",
        "Europe/Vienna; Mon 07:00-19:00",
        "Mon 07:00-19:00; UTC; UTC",
    ],
)
def test_a_line_that_is_not_understood_is_refused_whole(line):
    with pytest.raises(ValueError):  # noqa: PT011 - which text it has is nobody's business
        read_logon_hours(line)


SPANS = st.tuples(
    st.integers(0, 6),
    st.integers(0, 6),
    st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True).map(sorted),
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Africa/Monrovia"]
)


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


@given(st.lists(SPANS, min_size=1, max_size=5), ZONES, INSTANTS)
def test_a_line_permits_what_a_table_of_all_minutes_permits(spans, zone, instant):
    parts = [f"{DAYS[first]}-{DAYS[last]} {clock(start)}-{clock(end)}" for first, last, (start, end) in spans]
    hours = read_logon_hours("; ".join([*parts, zone]))
    minutes = set()
    for first, last, (start, end) in spans:
        day = first
        while True:
            minutes |= {(DAYS[day], minute) for minute in range(start, end)}
            if day == last:
                break
            day = (day + 1) % 7
    local = instant.astimezone(ZoneInfo(zone))
    assert hours.permits(instant) == ((f"{local:%a}", local.hour * 60 + local.minute) in minutes)


@given(st.lists(SPANS, min_size=1, max_size=5), INSTANTS, st.sampled_from([VIENNA, ZoneInfo("Asia/Tokyo")]))
def test_the_zone_of_the_callers_clock_does_not_matter(spans, instant, zone):
    windows = tuple(Window(first, start, end) for first, _, (start, end) in spans)
    hours = LogonHours(windows, "Europe/Vienna")
    assert hours.permits(instant) == hours.permits(instant.astimezone(zone))


# MS-ADA1 2.376, read a second way: all bits in a row, each octet's from the least significant, from a known Sunday on.
A_SUNDAY = datetime(1970, 1, 4, tzinfo=UTC)


@given(st.binary(min_size=21, max_size=21), INSTANTS, st.sampled_from([UTC, VIENNA, ZoneInfo("Asia/Kolkata")]))
def test_the_grid_is_read_bit_by_bit(grid, instant, zone):
    row = "".join(f"{octet:08b}"[::-1] for octet in grid)
    hours = int((instant - A_SUNDAY).total_seconds() // 3600)
    assert grid_permits(grid, instant.astimezone(zone)) == (row[hours % 168] == "1")


def test_a_grid_as_a_domain_controller_writes_it():
    """`net user alice /times:M-F,08:00-17:00` on a controller in UTC."""
    grid = bytes.fromhex("000000" + "00ff01" * 5 + "000000")
    assert grid_permits(grid, at("2026-11-23T08:00"))
    assert grid_permits(grid, at("2026-11-27T16:59:59"))
    assert not grid_permits(grid, at("2026-11-23T07:59:59"))
    assert not grid_permits(grid, at("2026-11-27T17:00"))
    assert not grid_permits(grid, at("2026-11-29T12:00"))
    assert not grid_permits(grid, at("2026-11-28T12:00"))


@given(st.binary(max_size=64).filter(lambda grid: len(grid) != 21), INSTANTS)
def test_a_grid_of_another_length_permits_nothing(grid, instant):
    assert not grid_permits(grid, instant)
