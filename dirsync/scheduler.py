"""When the replica is brought up to date: when the directory says so, every few seconds, and wholly every night."""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from dirsync.change import Change, Source
from dirsync.errors import DirectoryAway
from dirsync.replica.tripwire import Held
from dirsync.replica.writer import Applied, ReplicaWriter
from dirsync.settings import SyncSettings
from dirsync.wire.complaints import Interrupted
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
_LONGEST_PAUSE: Final = 60.0
_AWAY_PAUSE: Final = 0.5
# run however late it is: a sync that was missed is wanted all the more
_JOB: Final = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
_WATCH_SECONDS: Final = 0.5  # for which one look-out lasts, and a stop may have to wait
_PATIENCE_SECONDS: Final = 0.2  # for which a stop waits for the running sync before it ends it
_CLOCK_TOLERANCE: Final = timedelta(seconds=1.0)
_THREADS: Final = 4  # the sync, the reconcile, a wake-up, and one more that came meanwhile


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How the sync is doing.

    Attributes:
        last_attempt: when the directory was last asked.
        last_success: when the replica was last brought up to date.
        last_error: what went wrong the last time, with its remedy; None when nothing did.
        failures: failures in a row.
        answered: those of them at which the directory was there: what it was shown it may count against the account.
        failed: syncs that failed since the start.
        is_held: whether the last one was held by the tripwire.
        is_away: whether the directory was not there the last time.
        runs: syncs that succeeded since the start.
        added: entries added since the start.
        changed: entries changed since the start.
        removed: entries removed since the start.
        seconds: how long the last successful sync took.
        version: the replica's version after it.
        method: how changes come; empty before the first success.
    """

    last_attempt: datetime | None = None
    last_success: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    answered: int = 0
    failed: int = 0
    is_held: bool = False
    is_away: bool = False
    runs: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    seconds: float = 0.0
    version: int = 0
    method: str = ""


def pause_after(failures: int, interval: float) -> float:
    """Seconds until the directory is asked again: doubled with each failure in a row, up to a minute."""
    return max(interval, min(_LONGEST_PAUSE, interval * 2.0 ** min(failures, 32)))


def pause_at(status: SyncStatus, interval: float) -> float:
    """Seconds until the directory is asked again.

    One that is not there is looked for twice a second: that takes nothing of it, and edits arrive once it is back. One
    that was there and could not be read is left alone for longer and longer: with a wrong password each try is a bind
    that may lock the account, and a server with too much to do has a full read more. How often that was in a row is not
    forgotten while it is not there.
    """
    return min(interval, _AWAY_PAUSE) if status.is_away else pause_after(status.answered, interval)


# Shows somebody how far the changes are, of which there are so many.
Watched = Callable[[Iterator[Change], int | None], Iterator[Change]]


def unwatched(changes: Iterator[Change], _: int | None) -> Iterator[Change]:
    """The changes, which nobody watches."""
    return changes


class SyncScheduler:
    """Carries changes from the source into the replica, in threads of its own; never two syncs at a time.

    Args:
        source: where changes come from.
        writer: the replica; nobody else may write it meanwhile.
        settings: how often.
        now: the instant; once `start` is called it must be the real one.
        name: the directory's, for the log.
        watched: what the changes of a batch are led through on their way, given their number if it is known.
    """

    def __init__(
        self,
        source: Source,
        writer: ReplicaWriter,
        settings: SyncSettings,
        now: Callable[[], datetime],
        name: str = "directory",
        watched: Watched = unwatched,
    ) -> None:
        self._source = source
        self._writer = writer
        self._settings = settings
        self._now = now
        self._name = name
        self._watched = watched
        self._status = SyncStatus()
        self._syncing = Lock()
        self._planning = Lock()
        self._woken = False
        self._stopped = False
        self._said, self._said_at = "", datetime.min.replace(tzinfo=UTC)
        self._scheduler = BackgroundScheduler(
            executors={"default": {"type": "threadpool", "max_workers": _THREADS}}, job_defaults=_JOB
        )
        self._watch = Thread(target=self._look_out, name=f"watch {name}", daemon=True)

    @property
    def status(self) -> SyncStatus:
        """How the sync is doing; from any thread."""
        return self._status

    def start(self) -> None:
        """Sync now, then whenever the directory says so and every `interval_seconds`, and reconcile once a day.

        Returns at once.
        """
        self._scheduler.start()
        self._scheduler.add_job(
            self._run, "interval", seconds=self._settings.interval_seconds, next_run_time=self._now(), id="sync"
        )
        self._scheduler.add_job(self._run_reconcile, "cron", hour=self._settings.reconcile_at, id="reconcile")
        self._watch.start()

    def stop(self) -> None:
        """Ends the sync that is running, if any, and returns when it has ended; no other begins.

        The replica stays as it was before that sync.
        """
        self._stopped = True
        while not self._syncing.acquire(timeout=_PATIENCE_SECONDS):
            self._source.close()  # again and again: what is running may only just begin to read
        try:
            with self._planning:
                # without its own wait: it would hold locks that a job needs in order to end
                if self._scheduler.running:
                    self._scheduler.shutdown(wait=False)
        finally:
            self._syncing.release()
        while self._watch.is_alive():
            self._watch.join(_WATCH_SECONDS)
            self._source.close()

    def hold(self, seconds: float) -> bool:
        """Let no sync begin until `go_on`; waits so long at most for one that is running. Whether it has ended."""
        return self._syncing.acquire(timeout=seconds)

    def go_on(self) -> None:
        """Let syncs begin again after `hold`."""
        self._syncing.release()

    def wake(self) -> None:
        """Sync at once, or once more after the sync that is running; from any thread, as often as one likes."""
        with self._planning:
            if not self._woken and not self._stopped and self._scheduler.running:
                self._woken = True
                self._scheduler.add_job(self._run_woken)

    def run_once(self) -> Applied:
        """Bring the replica up to date now, in this thread.

        Raises:
            Fault: it was not possible; the replica is as it was, and the status has the fault.
        """
        with self._syncing:
            return self._sync()

    def reconcile(self) -> Applied:
        """Compare the replica with a full read and repair what differs; what was repaired is logged as a warning.

        Raises:
            Fault: as `run_once`.
        """
        with self._syncing:
            return self._compare()

    def _compare(self) -> Applied:
        self._sync()  # what has changed in the meantime is no difference
        applied = self._attempt(lambda: None)
        if applied:
            _log.warning("%s: the replica differed and was repaired: %s", self._name, _figures(applied))
        return applied

    def _sync(self) -> Applied:
        applied = self._attempt(lambda: self._writer.cookie(self._source.identity))
        if applied:
            _log.info("%s: %s in %.0f ms", self._name, _figures(applied), self._status.seconds * 1000)
        return applied

    def _attempt(self, cookie: Callable[[], bytes | None]) -> Applied:
        began = self._now()
        try:
            batch = self._source.changes(cookie(), began)
            batch = replace(batch, changes=self._watched(self._until_stopped(batch.changes), batch.size))
            applied = self._writer.apply(batch, self._source.identity)
        except Exception as error:
            is_away = isinstance(error, DirectoryAway)
            self._status = replace(
                self._status,
                last_attempt=began,
                last_error=str(error) if isinstance(error, Fault) else f"unexpected {type(error).__name__}",
                failures=self._status.failures + 1,
                answered=self._status.answered + (not is_away),
                failed=self._status.failed + 1,
                is_held=isinstance(error, Held),
                is_away=is_away,
            )
            raise
        ended = self._now()
        was = self._status
        self._status = SyncStatus(
            last_attempt=began,
            last_success=ended,
            failed=was.failed,
            runs=was.runs + 1,
            added=was.added + applied.added,
            changed=was.changed + applied.changed,
            removed=was.removed + applied.removed,
            seconds=max(0.0, (ended - began).total_seconds()),
            version=applied.version,
            method=self._source.method,
        )
        if was.failures:
            _log.info("%s: it can be read again, after %d failures", self._name, was.failures)
        if was.method != self._status.method:
            _log.info("%s: changes come by %s", self._name, self._status.method)
        return applied

    def _until_stopped(self, changes: Iterator[Change]) -> Iterator[Change]:
        """The changes. Raises Interrupted: a million of them take longer than a stop may."""
        for change in changes:
            if self._stopped:
                raise Interrupted
            yield change

    def _run(self) -> None:
        """The regular job. The pause begins when it has ended."""
        with self._planning:
            if self._stopped:
                return
            self._scheduler.pause_job("sync")
        self._quietly(self._sync)
        with self._planning:
            if not self._stopped:
                pause = pause_at(self._status, self._settings.interval_seconds)
                self._scheduler.modify_job("sync", next_run_time=self._now() + timedelta(seconds=pause))

    def _look_out(self) -> None:
        """The watch: what the directory announces is fetched at once, unless it cannot be read anyway."""
        while not self._stopped:
            announced = self._source.wait(_WATCH_SECONDS) or self._is_released()
            self._follow_the_clock()
            if announced and not self._stopped:
                self._quietly(self._sync)
                if self._status.failures:  # the regular job's pauses are for that
                    time.sleep(_WATCH_SECONDS)

    def _follow_the_clock(self) -> None:
        """Plan the regular job anew when it is due later than its pause lasts.

        The system's clock was set back; or an announcement has found that the directory is away. If that has refused
        us before, the pause is for as long as then.
        """
        with self._planning:
            job = None if self._stopped else self._scheduler.get_job("sync")
            due = job and job.next_run_time  # none while it runs
            status, interval = self._status, self._settings.interval_seconds
            is_gone = status.is_away and not status.answered
            pause = timedelta(seconds=pause_at(status, interval) if is_gone else pause_after(status.answered, interval))
            if due and due > self._now() + pause + (timedelta() if is_gone else _CLOCK_TOLERANCE):
                self._scheduler.modify_job("sync", next_run_time=self._now())

    def _is_released(self) -> bool:
        """Whether an administrator has said yes to what the last sync was held for."""
        if not self._status.is_held:
            return False
        try:
            return self._writer.is_released()
        except Fault:  # the regular job says so
            return False

    def _run_woken(self) -> None:
        self._quietly(self._sync)

    def _run_reconcile(self) -> None:
        self._quietly(self._compare)

    def _quietly(self, sync: Callable[[], Applied]) -> None:
        """Nobody waits for a job: what goes wrong is logged, and the next one tries again."""
        with self._syncing:
            self._woken = False  # who wakes us from here on wants another sync than this
            if self._stopped:
                return
            try:
                sync()
            except Fault as fault:
                self._complain(f"{self._name}: {fault.problem}; remedy: {fault.remedy}")
            except Exception:  # noqa: BLE001 - the thread must live on, whatever it was
                _log.exception("%s: the sync failed unexpectedly", self._name)

    def _complain(self, text: str) -> None:
        """Log what went wrong, but the same once a minute only while the directory is looked for."""
        now = self._now()
        if self._status.is_away and self._said == text and abs(now - self._said_at) < timedelta(seconds=_LONGEST_PAUSE):
            return
        self._said, self._said_at = text, now
        _log.error("%s", text)


def stop_all(syncs: Collection[SyncScheduler]) -> None:
    """Stop several at once: those whose writers share a turn may wait for one another."""
    with ThreadPoolExecutor(max(1, len(syncs))) as pool:
        for _ in pool.map(SyncScheduler.stop, syncs):
            pass


def _figures(applied: Applied) -> str:
    counts = f"added {applied.added}, changed {applied.changed}, removed {applied.removed} entries"
    return f"{counts}, version {applied.version}"
