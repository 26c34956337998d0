"""Rings when a certificate of ours has few days left, and leaves off until there is news: pure but for the log."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from schema.errors import Fault

_EVERY_DAY_BELOW = 7


class CertificateBell:
    """Says how long certificates last. Each limit rings when it is passed; below seven days it rings every day.

    Args:
        log: where to.
        what: what the certificates are, such as `VIP certificate`.
        remedy: how to get another one.
        limits: whole days below which it rings, smallest first; the first one is an error, the others are warnings.
    """

    def __init__(self, log: logging.Logger, what: str, remedy: str, limits: Sequence[int]) -> None:
        self._log = log
        self._what = what
        self._remedy = remedy
        self._limits = limits
        self._rung: dict[str, tuple[int, datetime]] = {}

    def listen(self, name: str, ends: datetime, now: datetime) -> None:
        """Ring if it is time.

        Args:
            name: which one, such as its file.
            ends: when it ends (aware).
            now: the instant (aware).
        """
        left = days(ends, now)
        limit = next((limit for limit in self._limits if left < limit), None)
        if limit is None:
            self._rung.pop(name, None)
            return
        before = self._rung.get(name)
        if before is not None and before[0] == limit:
            daily = limit <= _EVERY_DAY_BELOW
            if not daily or now - before[1] < timedelta(days=1):
                return
        self._rung[name] = (limit, now)
        level = logging.ERROR if limit == self._limits[0] else logging.WARNING
        rest = f"is good for {left} more days" if left >= 0 else f"ended on {ends:%Y-%m-%d}"
        self._log.log(level, "%s %s %s (%s)", self._what, name, rest, self._remedy)


def days(ends: datetime, now: datetime) -> int:
    """How many whole days are left; negative after the end."""
    return (ends - now) // timedelta(days=1)


def valid(begins: datetime, ends: datetime, now: datetime, what: str) -> None:
    """Raise a Fault when a certificate is not good at this instant."""
    if ends <= now:
        raise Fault(f"{what} ended on {ends:%Y-%m-%d}", remedy="give one that is good now")
    if begins > now:
        raise Fault(f"{what} is good from {begins:%Y-%m-%d} on only", remedy="give one that is good now")
