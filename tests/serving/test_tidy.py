"""Memory that a long sync has freed goes back to the system."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from auth.meanwhile import meanwhile
from auth.serving.upkeep import tidy
from dirsync.scheduler import SyncStatus

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass(eq=False)
class Syncing:
    status: SyncStatus

    def succeeded(self, *, seconds):
        last = self.status.last_success or NOON
        self.status = replace(self.status, last_success=last + timedelta(seconds=1), seconds=seconds)

    def wake(self):
        raise AssertionError


async def test_after_each_long_sync_once_and_after_no_short_one(monkeypatch):
    given_back = []
    monkeypatch.setattr("auth.serving.upkeep.give_back_what_is_free", lambda: given_back.append(1))
    monkeypatch.setattr("auth.serving.upkeep._TIDY_SECONDS", 0.001)
    one, other = Syncing(SyncStatus()), Syncing(SyncStatus())
    async with meanwhile(tidy([one, other])):

        async def times_after(sync, seconds):
            sync.succeeded(seconds=seconds)
            await asyncio.sleep(0.1)
            return len(given_back)

        assert await times_after(one, 0.02) == 0
        assert await times_after(one, 3.0) == 1
        assert await times_after(other, 3.0) == 2
        assert await times_after(other, 0.02) == 2
