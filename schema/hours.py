"""When logon is permitted: the line an administrator types, and AD's own 21 octets."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_NUMBER = {name.lower(): number for number, name in enumerate(_DAYS)}
_MINUTES_OF_DAY = 24 * 60
_RULE = re.compile(
    r"(?P<first>[A-Za-z]{3})(?:\s*-\s*(?P<last>[A-Za-z]{3}))?\s+"
    r"(?P<from_hour>\d{1,2}):(?P<from_minute>\d\d)\s*-\s*(?P<to_hour>\d{1,2}):(?P<to_minute>\d\d)"
)


class Window(msgspec.Struct, frozen=True):
    """A span of one weekday in which logon is permitted.

    Attributes:
        day: 0 is Monday.
        start: first permitted minute of the day, 0..1439.
        end: first minute that is no longer permitted, 1..1440.
    """

    day: int
    start: int
    end: int


class LogonHours(msgspec.Struct, frozen=True):
    """When logon is permitted, in the local time of one zone.

    Attributes:
        windows: at least one; logon is permitted in any of them.
        zone: IANA name, e.g. `Europe/Vienna`.
    """

    windows: tuple[Window, ...]
    zone: str

    def permits(self, now: datetime) -> bool:
        """Whether logon is permitted at the instant `now` (aware)."""
        local = now.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return any(w.day == local.weekday() and w.start <= minute < w.end for w in self.windows)


def read_logon_hours(text: str) -> LogonHours:
    """Read a line such as `Mon-Fri 07:00-19:00; Sat 09:00-12:00; Europe/Vienna`.

    Parts are separated by semicolons; the last may name the time zone (UTC when it does not). `24:00` is the end
    of a day, a span may wrap over the weekend (`Sat-Mon`), and may not run over midnight: write two spans.

    Raises:
        ValueError: the line does not follow the grammar.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    zone = "UTC"
    if parts and not _RULE.fullmatch(parts[-1]):
        zone = _zone(parts.pop())
    windows = tuple(window for part in parts for window in _windows(part))
    if not windows:
        msg = "no hours"
        raise ValueError(msg)
    return LogonHours(windows, zone)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = "unknown time zone"
        raise ValueError(msg) from error
    return name


def _windows(part: str) -> list[Window]:
    match = _RULE.fullmatch(part)
    if match is None:
        msg = "not a span"
        raise ValueError(msg)
    first = _day(match["first"])
    last = _day(match["last"]) if match["last"] else first
    start = _minute(match["from_hour"], match["from_minute"])
    end = _minute(match["to_hour"], match["to_minute"])
    if start >= end:
        msg = "a span ends after it begins, on the same day"
        raise ValueError(msg)
    days = [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    return [Window(day, start, end) for day in days]


def _day(name: str) -> int:
    try:
        return _DAY_NUMBER[name.lower()]
    except KeyError as error:
        msg = "not a weekday"
        raise ValueError(msg) from error


def _minute(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _MINUTES_OF_DAY:  # noqa: PLR2004 - minutes of an hour
        msg = "not a time of day"
        raise ValueError(msg)
    return total


def grid_permits(grid: bytes, now: datetime) -> bool:
    """Whether AD's `logonHours` permits logon at `now` (aware).

    The grid has one bit for each hour of the week, least significant bit first, beginning Sunday 00:00 UTC
    (MS-ADA1 2.376). A grid of another length than 21 octets permits nothing.
    """
    if len(grid) != 21:  # noqa: PLR2004 - 7 * 24 / 8
        return False
    utc = now - (now.utcoffset() or timedelta())
    hour = ((utc.weekday() + 1) % 7) * 24 + utc.hour
    return bool(grid[hour // 8] >> (hour % 8) & 1)
