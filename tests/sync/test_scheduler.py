"""When syncs happen, what they say of themselves, and that nothing stops them but `stop`."""

import contextlib
import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync import scheduler
from dirsync.change import Batch
from dirsync.errors import DirectoryAway, DirectoryRefused, DirectoryUnavailable
from dirsync.replica import Applied, ReplicaWriter
from dirsync.replica.holding import release
from dirsync.replica.tripwire import Tripwire
from dirsync.scheduler import SyncScheduler, SyncStatus, pause_after, pause_at, stop_all
from dirsync.settings import SyncSettings
from schema.errors import Fault
from small_directory import content, directory, entry_id, refresh, thing

ALICE = directory(thing("alice", "user"))
BOB = directory(thing("bob", "user"))
AWAY = DirectoryAway("nobody is there", remedy="start the servers")
UNAVAILABLE = DirectoryUnavailable("no server answers", remedy="look at the servers")


class Scripted:
    """A source whose state the test sets: it tells everything when the cookie is not that of the state."""

    identity = "scripted"
    method = "a script"

    def __init__(self) -> None:
        self.announced = threading.Event()
        self.things = ALICE
        self.fault: Exception | None = None
        self.asked: list[bytes | None] = []
        self.blocked = threading.Event()
        self.blocked.set()

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        self.asked.append(cookie)
        assert self.blocked.wait(10)
        if self.fault:
            raise self.fault
        mark = b"".join(self.things)
        if cookie == mark:
            return Batch(iter(()), mark, refresh=False, as_of=now)
        return Batch(refresh(self.things).changes, mark, refresh=True, as_of=now)

    def wait(self, seconds: float) -> bool:
        announced = self.announced.wait(seconds)
        self.announced.clear()
        return announced

    def changed_when(self, entry, attribute) -> None:
        return None

    def close(self) -> None:
        pass


class Interruptible(Scripted):
    """One that is blocked until somebody closes it."""

    def close(self) -> None:
        self.fault = UNAVAILABLE
        self.blocked.set()


class Endless(Scripted):
    """Once it is told to, it never comes to the end of its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        return Batch(self.people(), b"", refresh=True, as_of=now)

    def people(self):
        while True:
            self.told += 1
            yield from refresh(directory(thing(f"user{self.told}", "user"))).changes


class Clock:
    """Goes on by a quarter of a second each time it is read."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(seconds=0.25)
        return self.time


@pytest.fixture
def source():
    return Scripted()


@pytest.fixture
def writer(tmp_path):
    with contextlib.closing(ReplicaWriter(tmp_path / "replica")) as writer:
        yield writer


@pytest.fixture
def sync(source, writer, caplog):
    caplog.set_level(logging.INFO)
    return SyncScheduler(source, writer, SyncSettings(interval_seconds=2.0), Clock().now)


@pytest.fixture
def running(source, writer):
    """Runs in real time, with a pause that is long for this machine and short for a test."""

    @contextlib.contextmanager
    def start(interval):
        sync = SyncScheduler(source, writer, SyncSettings(interval_seconds=interval), lambda: datetime.now(UTC))
        sync.start()
        try:
            yield sync
        finally:
            source.blocked.set()
            sync.stop()

    return start


def eventually(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def lines(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "dirfactor.sync"]


def test_a_sync_says_what_it_changed_and_one_that_changes_nothing_is_silent(sync, source, caplog):
    assert sync.run_once() == Applied(1, 0, 0, 1)
    assert sync.run_once() == Applied(0, 0, 0, 1)
    source.things = BOB
    assert sync.run_once() == Applied(1, 0, 1, 2)
    assert lines(caplog) == [
        ("INFO", "directory: changes come by a script"),
        ("INFO", "directory: added 1, changed 0, removed 0 entries, version 1 in 250 ms"),
        ("INFO", "directory: added 1, changed 0, removed 1 entries, version 2 in 250 ms"),
    ]
    assert source.asked == [None, entry_id("alice"), entry_id("alice")]


def test_the_status_counts_successes_and_keeps_the_last_fault_until_the_next_success(sync, source):
    assert sync.status == SyncStatus()
    sync.run_once()
    first = sync.status
    assert (first.runs, first.added, first.seconds, first.version, first.last_error) == (1, 1, 0.25, 1, None)
    source.fault = UNAVAILABLE
    for failures in (1, 2):
        with pytest.raises(DirectoryUnavailable):
            sync.run_once()
        assert sync.status.failures == failures
    assert sync.status.last_error == "no server answers (look at the servers)"
    assert sync.status.last_success == first.last_success
    assert sync.status.last_attempt > first.last_attempt
    source.fault = None
    sync.run_once()
    assert (sync.status.last_error, sync.status.failures, sync.status.runs) == (None, 0, 2)
    assert sync.status.last_success > first.last_success


def test_a_replica_that_cannot_be_written_is_in_the_status_too(sync, writer):
    writer.close()
    with pytest.raises(Fault):
        sync.run_once()
    assert sync.status.failures == 1


def test_a_reconcile_repairs_what_no_sync_would_see_and_says_so(sync, source, writer, caplog):
    """A domain controller put back from a copy: the cookie is right and the content is not."""
    sync.run_once()
    assert not sync.reconcile()
    writer.apply(Batch(iter(()), entry_id("alice"), refresh=True, as_of=Clock().now()), source.identity)
    assert not sync.run_once()
    caplog.clear()
    assert sync.reconcile().added == 1
    ((level, text),) = lines(caplog)
    assert level == "WARNING"
    assert "repaired: added 1, changed 0, removed 0 entries, version 3" in text


def test_a_reconcile_takes_changes_that_a_sync_would_see_for_no_difference(sync, source, caplog):
    sync.run_once()
    source.things = BOB
    assert not sync.reconcile()
    assert "WARNING" not in dict(lines(caplog))


@given(st.integers(0, 10_000), st.floats(0.01, 3600))
def test_the_pause_doubles_with_each_failure_up_to_a_minute(failures, interval):
    pause = pause_after(failures, interval)
    assert interval <= pause <= max(interval, 60.0)
    assert pause_after(failures + 1, interval) in {min(2 * pause, 60.0), pause}
    assert pause_after(0, interval) == interval


def test_the_pauses_of_the_default_interval():
    assert [pause_after(failures, 2.0) for failures in range(7)] == [2, 4, 8, 16, 32, 60, 60]


def test_a_directory_that_is_back_is_noticed_within_two_seconds_however_long_it_was_away(running, source):
    """With the interval as it is shipped, after the outage of an hour."""
    source.fault = AWAY
    with running(SyncSettings().interval_seconds) as sync:
        eventually(lambda: sync.status.failures == 1)
        sync._status = replace(sync.status, failures=1000)
        eventually(lambda: sync.status.failures == 1001)
        source.fault, back = None, time.monotonic()
        eventually(lambda: sync.status.runs)
    assert time.monotonic() - back < 2.0


def test_an_announcement_that_finds_the_directory_away_has_it_looked_for(running, source):
    """A connection that ends is such an announcement; the regular look may be an hour off."""
    with running(3600) as sync:
        eventually(lambda: sync.status.runs == 1)
        source.fault = AWAY
        source.announced.set()
        eventually(lambda: sync.status.failures >= 2)
        source.fault, back = None, time.monotonic()
        eventually(lambda: sync.status.runs == 2)
    assert time.monotonic() - back < 2.0


def test_a_directory_that_is_away_is_looked_for_no_more_than_twice_a_second(running, source):
    source.fault = AWAY
    with running(SyncSettings().interval_seconds) as sync:
        eventually(lambda: sync.status.failures == 1)
        begun = time.monotonic()
        eventually(lambda: sync.status.failures == 3)
        assert time.monotonic() - begun > 0.9
    assert [pause_at(SyncStatus(is_away=True), interval) for interval in (0.1, 2.0, 3600.0)] == [0.1, 0.5, 0.5]


def test_an_account_that_is_refused_is_tried_no_sooner_for_a_directory_that_comes_and_goes(sync, source):
    """Each try is a bind: after a refusal the next one waits twice as long, whatever was between."""
    pauses = []
    for _ in range(8):
        for source.fault in (AWAY, AWAY, DirectoryRefused("the password is wrong", remedy="set the right one")):
            with pytest.raises(Fault):
                sync.run_once()
        pauses.append(pause_at(sync.status, 2.0))
    assert pauses == [4, 8, 16, 32, 60, 60, 60, 60]
    source.fault = None
    sync.run_once()
    assert pause_at(sync.status, 2.0) == 2.0


def test_of_a_directory_that_is_away_the_log_tells_the_same_once_a_minute(sync, source, caplog):
    """Two readings of the clock are half a second here."""
    for source.fault in [AWAY] * 150 + [DirectoryAway("nor is another", remedy="start it")] * 3 + [UNAVAILABLE] * 2:
        sync._quietly(sync._sync)
    assert [text.partition(":")[2] for _, text in lines(caplog)] == [
        *[" nobody is there; remedy: start the servers"] * 2,
        " nor is another; remedy: start it",
        *[" no server answers; remedy: look at the servers"] * 2,
    ]


def test_it_syncs_at_once_and_again_after_the_interval(running, source):
    with running(0.05) as sync:
        eventually(lambda: sync.status.runs >= 3)
    assert source.asked[0] is None


def test_the_pause_begins_when_a_sync_ends_and_no_two_run_at_once(running, source, caplog):
    source.blocked.clear()
    with running(0.02) as sync:
        eventually(lambda: source.asked)
        time.sleep(0.2)
        assert len(source.asked) == 1
        source.blocked.set()
        eventually(lambda: sync.status.runs >= 2)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_goes_on_after_faults_and_bugs_and_tells_each_with_its_remedy(running, source, caplog):
    caplog.set_level(logging.INFO)
    source.fault = UNAVAILABLE
    with running(0.02) as sync:
        eventually(lambda: sync.status.failures >= 1)
        source.fault = KeyError("a bug")
        eventually(lambda: sync.status.last_error == "unexpected KeyError")
        source.fault = None
        eventually(lambda: sync.status.runs)
    said = lines(caplog)
    assert said[0] == ("ERROR", "directory: no server answers; remedy: look at the servers")
    assert ("ERROR", "directory: the sync failed unexpectedly") in said
    assert any("can be read again" in text for _, text in said)


def test_waking_syncs_without_waiting_for_the_interval(running, source):
    with running(3600) as sync:
        eventually(lambda: sync.status.runs == 1)
        sync.wake()
        eventually(lambda: sync.status.runs == 2)


def test_waking_during_a_sync_makes_one_more_after_it_however_often(running, source):
    """What changed after the sync had asked must not wait; a hundred notices are one reason to look."""
    with running(3600) as sync:
        eventually(lambda: sync.status.runs == 1)
        source.blocked.clear()
        sync.wake()
        eventually(lambda: len(source.asked) == 2)
        for _ in range(100):
            sync.wake()
        source.blocked.set()
        eventually(lambda: sync.status.runs == 3)
        time.sleep(0.1)
        assert len(source.asked) == 3


def test_what_the_directory_announces_is_fetched_at_once(running, source):
    with running(3600) as sync:
        eventually(lambda: sync.status.runs == 1)
        source.things = BOB
        source.announced.set()
        eventually(lambda: sync.status.runs == 2)
        assert (sync.status.added, sync.status.removed) == (2, 1)


def test_announcements_of_a_directory_that_cannot_be_read_leave_its_pauses_as_they_are(running, source):
    source.fault = UNAVAILABLE
    with running(3600) as sync:
        eventually(lambda: sync.status.failures == 1)
        source.announced.set()
        eventually(lambda: sync.status.failures == 2)
        source.announced.set()
        time.sleep(0.1)
        assert sync.status.failures == 2, "the watch pauses as well"


def test_a_release_is_heeded_at_once_and_a_directory_that_is_away_then_is_left_its_pauses(
    source, tmp_path, monkeypatch
):
    """Each try is a bind: with a wrong password they would lock the account."""
    monkeypatch.setattr(scheduler, "_WATCH_SECONDS", 0.02)
    people = directory(*(thing(f"user{number}", "user") for number in range(20)))
    tripwire = Tripwire(lambda _, after: None if after else "is gone", 5)
    with contextlib.closing(ReplicaWriter(tmp_path / "replica", tripwire=tripwire)) as writer:
        sync = SyncScheduler(source, writer, SyncSettings(interval_seconds=3600), lambda: datetime.now(UTC))
        source.things = people
        sync.run_once()
        source.things = ALICE
        sync.start()
        try:
            eventually(lambda: sync.status.failures == 1)
            source.fault = UNAVAILABLE
            release(tmp_path / "replica", "")
            eventually(lambda: sync.status.failures == 2)
            time.sleep(0.3)
            assert sync.status.failures == 2
            source.fault = None
            assert sync.run_once().removed == 20
        finally:
            sync.stop()


def test_how_changes_come_is_said_once(sync, source, caplog):
    sync.run_once()
    source.things = BOB
    sync.run_once()
    assert [text for _, text in lines(caplog) if "changes come by" in text] == ["directory: changes come by a script"]
    assert sync.status.method == "a script"


def test_a_reconcile_that_is_due_runs(running, source, monkeypatch):
    with running(3600) as sync:
        eventually(lambda: sync.status.runs == 1)
        assert str(sync._scheduler.get_job("reconcile").trigger) == "cron[hour='3']"
        sync._scheduler.modify_job("reconcile", next_run_time=datetime.now(UTC))
        eventually(lambda: sync.status.runs == 3)
    assert source.asked[1:] == [entry_id("alice"), None]


def test_stopping_returns_when_the_sync_that_runs_has_ended_and_begins_no_other(running, source):
    source.blocked.clear()
    with running(0.01) as sync:
        eventually(lambda: source.asked)
        sync.wake()
        stopping = threading.Thread(target=sync.stop)
        stopping.start()
        time.sleep(0.1)
        assert stopping.is_alive()
        source.blocked.set()
        stopping.join(10)
        assert not stopping.is_alive()
        assert (sync.status.runs, sync.status.failures) == (0, 1)
        sync.wake()
        time.sleep(0.1)
        assert len(source.asked) == 1


def test_stopping_ends_the_sync_that_an_announcement_has_begun(writer):
    source = Interruptible()
    sync = SyncScheduler(source, writer, SyncSettings(interval_seconds=3600), lambda: datetime.now(UTC))
    sync.start()
    eventually(lambda: sync.status.runs == 1)
    source.blocked.clear()
    source.announced.set()
    eventually(lambda: len(source.asked) == 2)
    stopping = threading.Thread(target=sync.stop)
    stopping.start()
    stopping.join(8)  # less than the source stays blocked
    assert not stopping.is_alive()
    assert sync.status.failures == 1


def test_stopping_ends_the_sync_that_takes_changes_in_and_the_replica_stays_as_it_was(writer):
    source = Endless()
    before = content(writer)
    sync = SyncScheduler(source, writer, SyncSettings(interval_seconds=3600), lambda: datetime.now(UTC))
    sync.start()
    eventually(lambda: source.told > 10)
    stop_all([sync])
    assert content(writer) == before


def test_of_several_that_write_one_file_none_waits_to_be_stopped_for_another_that_writes(tmp_path):
    turn, now = threading.Lock(), lambda: datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        one, two = (
            stack.enter_context(contextlib.closing(ReplicaWriter(tmp_path / "replica", (), name, turn)))
            for name in ("one", "two")
        )
        source = Endless()
        writes = SyncScheduler(source, one, SyncSettings(interval_seconds=3600), now)
        waits = SyncScheduler(Scripted(), two, SyncSettings(interval_seconds=3600), now)
        writes.start()
        eventually(lambda: source.told > 10)
        waits.start()
        eventually(waits._syncing.locked)
        stopping = threading.Thread(target=stop_all, args=([waits, writes],), daemon=True)
        stopping.start()
        stopping.join(8)
        is_stuck = stopping.is_alive()
        writes.stop()  # or nothing would ever end
        assert not is_stuck


def test_stopping_what_never_started_or_twice_is_nothing(sync):
    sync.stop()
    sync.stop()
    sync.wake()
