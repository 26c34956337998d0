"""An audit in a folder of a test's own, with a clock that the test sets."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from auth.audit import AuditFiles, AuditKey, AuditLine, AuditTrail
from auth.audit.reader import outcomes
from auth.audit.rows import Kind, row_of

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SEED = bytes(range(32))


class Ledger:
    """The audit, its clock, and how its lines are made."""

    def __init__(self, folder):
        self.files = AuditFiles(folder / "audit.jsonl", folder / "audit.key")
        self.key = AuditKey(SEED)
        self.now = NOON
        self.written = 0

    @contextmanager
    def open(self, **settings):
        trail = AuditTrail(self.files, self.key, lambda: self.now, **settings)
        try:
            yield trail
        finally:
            asyncio.run(trail.aclose())

    def line(self, **values):
        self.written += 1
        known = {"correlation": f"{self.written:016x}", "outcome": "accepted", "reason": "accepted", "door": "radius"}
        return AuditLine(at=self.now, address="192.0.2.7", **({"node": "vpn"} | known | values))

    def write(self, number=1, **settings):
        """A service that writes so many lines and ends."""
        with self.open(**settings) as trail:
            for _ in range(number):
                trail.write(self.line())

    def write_days(self, days):
        """A service on each of so many days, up to now."""
        for day in range(days):
            self.later(days=1 if day else 0)
            self.write()

    def later(self, **time):
        self.now += timedelta(**time)

    def lines(self, day=None):
        """The lines of a day as they stand in the file; of all days when none is named."""
        days = [day] if day else self.files.days()
        return [line for each in days for line in self.files.segment(each).read_bytes().splitlines(keepends=True)]

    def kinds(self, day=None):
        rows = map(row_of, self.lines(day))
        return [row.kind if row else None for row in rows]

    def bodies(self, kind):
        return [msgspec.json.decode(line) for line in self.lines() if (row := row_of(line)) and row.kind == Kind(kind)]

    def recorded(self):
        """The correlation ids of all outcomes."""
        return [int(outcome.correlation, 16) for outcome in outcomes(self.files)]
