"""The audit as its writers see it: a line for each outcome, and what keeps the chain in order meanwhile."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth.audit.chain import Chain
from auth.audit.files import AuditFiles, day_of
from auth.audit.keys import AuditKey
from auth.audit.line import AuditLine, AuditUnavailable
from auth.audit.retention import TooOld, delete, record, too_old
from auth.audit.rows import Dropped, Kind

_log = logging.getLogger("dirfactor.audit")
CHECKPOINT_LINES = 1000
"""No more lines than this stand between two checkpoints."""
_CHECKPOINT_AFTER = timedelta(seconds=60)


def _nobody(_line: bytes) -> None:
    """Who exports nothing."""


def _none() -> int:
    return 0


def _nothing() -> None:
    """Whoever exports nothing has nothing to end."""


@dataclass(frozen=True, slots=True)
class Export:
    """Who hears of every line outside; only `close` may take its time.

    Attributes:
        offer: takes a line as it was written.
        dropped: how many lines were not taken, or were given up, since it was asked last.
        close: sends what waits, for some seconds at most.
    """

    offer: Callable[[bytes], None] = _nobody
    dropped: Callable[[], int] = _none
    close: Callable[[], None] = _nothing


class AuditTrail:
    """Appends outcomes to the chain; what was written before an answer is on its way to the disk before it.

    Args:
        files: where the audit lies.
        key: signs checkpoints and seals lines.
        now: the clock.
        days: how many days are kept; 0 keeps all.
        sync_each: whether a line is on the disk itself before its outcome is told.
        export: who hears of the lines outside.

    Raises:
        AuditUnavailable: the files cannot be opened, or not written.
    """

    def __init__(
        self,
        files: AuditFiles,
        key: AuditKey,
        now: Callable[[], datetime],
        *,
        days: int = 0,
        sync_each: bool = False,
        export: Export | None = None,
    ) -> None:
        self._files, self._now, self._days, self._sync_each = files, now, days, sync_each
        self._export = export or Export()
        self._chain = Chain(files, key)
        self._checked_at = now()
        self._begun_on = ""
        self._retired_on = ""
        self._unsynced = False
        self._dropped = 0

    def write(self, line: AuditLine) -> None:
        """Append one outcome.

        Raises:
            AuditUnavailable: it was not written, or not whole.
        """
        self.write_all((line,))

    def write_all(self, lines: Sequence[AuditLine]) -> None:
        """Append at least one outcome, all of them or none.

        Raises:
            AuditUnavailable: they were not written, or not whole.
        """
        chain, at = self._chain, lines[-1].at
        with chain.turn(at):
            signed = self._checkpoint(at) if self._is_due(at) else None
            written = chain.append_all(Kind.OUTCOME, lines)
            if self._sync_each:
                chain.sync()
        self._unsynced = True
        if signed:
            self._export.offer(signed)
        for octets in written:
            self._export.offer(octets)

    @property
    def lines(self) -> int:
        """Number of the last line."""
        return self._chain.head.seq

    def tick(self) -> None:
        """Once a second: sign what waits for it, record what was not exported, begin the day's segment."""
        now = self._now()
        today = day_of(now)
        self._dropped += self._export.dropped()
        if not (self._dropped or self._is_due(now) or self._begun_on != today):
            return
        signed = None
        with self._chain.turn(now):
            self._record_dropped(now)
            self._begun_on = today
            if self._is_due(now):
                signed = self._checkpoint(now)
        self._unsynced = True
        if signed:
            self._export.offer(signed)

    async def retire(self) -> None:
        """Once a day, when its segment was begun: let go what is too old. Threads wait for the disk, as in `aclose`.

        Raises:
            AuditUnavailable: it could not be done, or not to its end; the next time goes on from there.
        """
        today = self._begun_on
        if not self._days or self._retired_on == today:
            return
        found = await asyncio.to_thread(too_old, self._files, self._chain.head.day, self._now(), self._days)
        if found is not None:
            now = self._now()
            with self._chain.turn(now):
                record(self._chain, found, now)
            self._unsynced = True
            await asyncio.to_thread(self._delete, found)
        self._retired_on = today

    def _delete(self, found: TooOld) -> None:
        """When it is on the disk that they are gone, for after a power failure they could be missed otherwise."""
        self.sync()
        delete(found)

    def sync(self) -> None:
        """Have what was written brought to the disk; may be called by another thread, for it takes its time.

        Raises:
            AuditUnavailable: the disk refuses.
        """
        if self._unsynced:
            self._unsynced = False  # before, for another thread may write meanwhile
            try:
                self._chain.sync()
            except AuditUnavailable:
                self._unsynced = True
                raise

    async def aclose(self) -> None:
        """Sign what is there, have it exported, record what was not, and close the files.

        Threads wait for the receiver and for the disk, for others may serve in this loop meanwhile.
        """
        try:
            self._sign_last()
            await asyncio.to_thread(self._export.close)
            self._record_last()
            with suppress(AuditUnavailable):
                await asyncio.to_thread(self._chain.sync)
        finally:
            self._chain.close()

    def _sign_last(self) -> None:
        signed = None
        with suppress(AuditUnavailable), self._chain.turn(self._now()):
            signed = self._checkpoint(self._now())
        if signed:
            self._export.offer(signed)

    def _record_last(self) -> None:
        self._dropped += self._export.dropped()
        if self._dropped:
            with suppress(AuditUnavailable), self._chain.turn(self._now()):
                self._record_dropped(self._now())
                self._checkpoint(self._now())

    def _record_dropped(self, now: datetime) -> None:
        """In our turn; what cannot be recorded now is recorded the next time. Raises OSError."""
        if self._dropped:
            self._chain.append(Kind.DROPPED, Dropped(now, self._dropped))
            self._dropped = 0

    def _is_due(self, now: datetime) -> bool:
        waiting = self._chain.head.seq - self._chain.head.checkpoint
        # a clock that was set back says nothing of how long it waits
        lately = timedelta(0) <= now - self._checked_at < _CHECKPOINT_AFTER
        return waiting >= CHECKPOINT_LINES or (waiting > 0 and not lately)

    def _checkpoint(self, now: datetime) -> bytes | None:
        self._checked_at = now
        return self._chain.checkpoint(now)
