"""The instant that `--at` names, as people write one: ISO 8601, `Mon 07:30`, `07:30`, `+2h`. Pure."""

import re
from datetime import datetime, timedelta, tzinfo

from schema.errors import Fault

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(?:(?P<day>[a-z]{3,9})\s+)?(?P<hour>\d{1,2}):(?P<minute>\d\d)", re.IGNORECASE)
_SPAN = re.compile(r"(?P<sign>[+-])(?P<number>\d{1,5})\s*(?P<unit>m|min|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_REMEDY = "write 2026-11-24T07:30, 2026-11-24T07:30Z, Mon 07:30, 07:30, +2h, +30m or -1d"


class NotAnInstant(Fault):
    """The text names no instant."""


def read_instant(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The instant meant.

    A time of day means the next one, with a weekday that of the next such day; now itself counts.

    Args:
        text: as typed.
        now: the present (aware).
        zone: of whatever has no zone of its own; None is the machine's.

    Raises:
        NotAnInstant: it cannot be read, or lies outside of the calendar.
    """
    typed = text.strip()
    try:
        if match := _SPAN.fullmatch(typed):
            span = timedelta(**{_UNITS[match["unit"].lower()]: int(match["number"])})
            return now + span if match["sign"] == "+" else now - span
        if match := _CLOCK.fullmatch(typed):
            return _next(match, now, zone)
        found = datetime.fromisoformat(typed)
        return found if found.tzinfo else _instant(found, zone)
    except (OverflowError, ValueError) as error:
        raise NotAnInstant(f"{text!r} names no instant", remedy=_REMEDY) from error


def _next(match: re.Match[str], now: datetime, zone: tzinfo | None) -> datetime:
    wall = now.astimezone(zone).replace(tzinfo=None)
    clock = wall.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    days, step = 0, 1
    if match["day"]:
        days, step = (_weekday(match["day"]) - wall.weekday()) % 7, 7
    found = clock + timedelta(days=days)
    if found < wall.replace(second=0, microsecond=0):
        found += timedelta(days=step)
    return _instant(found, zone)


def _weekday(name: str) -> int:
    """By its name, or the name's first three letters or more. Raises ValueError."""
    return [day.startswith(name.lower()) for day in _DAYS].index(True)


def _instant(wall: datetime, zone: tzinfo | None) -> datetime:
    return wall.astimezone() if zone is None else wall.replace(tzinfo=zone)
