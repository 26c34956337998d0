"""The embedded store in an event loop: many verbs, one transaction, and nobody is told before it is there."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from auth.embedded.batch import _WRITTEN
from auth.embedded_state import EmbeddedStore, StateFile
from auth.state import Recalled, StateUnavailable, Wanted
from auth.turn import Turns
from plain_store import PlainStore, in_turn

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
USERS = [bytes([number]) * 16 for number in range(3)]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(file):
    with closing(EmbeddedStore(file, "boot", Turns())) as opened:
        yield opened


async def test_what_sixty_four_logins_write_at_once_is_one_transaction(store, file):
    statements = []
    store._connection.set_trace_callback(statements.append)

    async def login(number):
        assert in_turn(store).consume(f"otp {number}", 7)
        await store.settled()
        return StateFile(file).mark(f"otp {number}")

    assert await asyncio.gather(*map(login, range(64))) == [7] * 64
    assert statements.count("COMMIT") == 1


async def test_a_login_is_told_nothing_before_another_process_could_see_what_it_wrote(store, file):
    in_turn(store).strike(USERS[0], NOW)
    assert StateFile(file).failures(USERS[0]) == ()
    await store.settled()
    assert StateFile(file).failures(USERS[0]) == (NOW,)


async def test_of_many_that_race_for_a_mark_in_one_transaction_one_gets_it(store):
    async def login():
        won = in_turn(store).consume("otp", 7)
        await store.settled()
        return won

    assert sum(await asyncio.gather(*(login() for _ in range(100)))) == 1


class Refusing:
    """A connection on which one statement fails."""

    def __init__(self, connection, statement, problem, code):
        self._connection = connection
        self._statement = statement
        self._error = sqlite3.OperationalError(problem)
        self._error.sqlite_errorcode = code

    in_transaction = property(lambda self: self._connection.in_transaction)

    def execute(self, statement, *values):
        if statement == self._statement:
            raise self._error
        return self._connection.execute(statement, *values)


def io_error(store):
    """Its connection, to a file on a disk that is broken."""
    return Refusing(store._connection, "BEGIN IMMEDIATE", "disk I/O error", sqlite3.SQLITE_IOERR)


def full(store):
    """Its connection, to a file on a disk that is full."""
    return Refusing(store._connection, "COMMIT", "database or disk is full", sqlite3.SQLITE_FULL)


async def test_a_transaction_that_fails_fails_all_who_took_part_and_none_after_it(store, file, monkeypatch):
    async def login(number):
        in_turn(store).consume(f"otp {number}", 7)
        with pytest.raises(StateUnavailable, match="disk is full"):
            await store.settled()

    monkeypatch.setattr(store._batch, "_connection", full(store))
    await asyncio.gather(*map(login, range(3)))
    monkeypatch.undo()
    assert in_turn(store).consume("otp 1", 7), "nothing of it has stayed, in memory neither"
    await store.settled()
    assert StateFile(file).mark("otp 1") == 7
    assert StateFile(file).mark("otp 2") is None


async def in_time(store):
    async with asyncio.timeout(5):
        await store.settled()


async def test_whatever_a_transaction_fails_with_it_is_told_and_the_next_one_is_another(store, file, monkeypatch):
    def flush(_run):
        raise OverflowError

    with monkeypatch.context() as broken:
        broken.setattr(store._memory, "flush", flush)
        assert in_turn(store).consume("otp", 7)
        with pytest.raises(StateUnavailable):
            await in_time(store)
    assert in_turn(store).consume("otp", 7)
    await in_time(store)
    assert StateFile(file).mark("otp") == 7


async def test_no_thread_has_to_begin_once_the_file_is_open(store, file, monkeypatch):
    """A process that may have no more of them goes on."""

    def begin(_thread):
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr("threading.Thread.start", begin)
    monkeypatch.setattr("auth.checkpoints._ROWS", 1)
    for number in range(3):
        assert in_turn(store).consume("otp", number)
        await in_time(store)
    assert StateFile(file).mark("otp") == 2


async def test_whoever_waited_for_somebody_else_is_told_of_a_transaction_that_failed_meanwhile(store, monkeypatch):
    here = asyncio.Event()

    async def login():
        assert in_turn(store).consume("otp", 7)
        await here.wait()  # for a directory, say
        assert in_turn(store).consume("another", 1)
        with pytest.raises(StateUnavailable, match="disk is full"):
            await store.settled()
        assert in_turn(store).consume("otp", 7)
        await store.settled()  # it was told

    async def one_that_came_later():
        await here.wait()
        assert in_turn(store).consume("a third", 1)
        await store.settled()

    monkeypatch.setattr(store._batch, "_connection", full(store))
    logins = [asyncio.ensure_future(login()), asyncio.ensure_future(one_that_came_later())]
    await asyncio.sleep(0.01)
    monkeypatch.undo()
    here.set()
    await asyncio.gather(*logins)


async def test_whoever_waited_for_somebody_else_is_told_that_the_disk_refused_meanwhile(store, monkeypatch):
    def refuse(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", refuse)
    assert in_turn(store).consume("otp", 7)
    await asyncio.sleep(0.05)
    monkeypatch.undo()
    with pytest.raises(StateUnavailable, match="Input/output error"):
        await store.settled()


async def test_who_never_asks_is_remembered_no_longer_than_it_takes(store):
    for number in range(50):
        assert in_turn(store).consume("otp", number)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert in_turn(store).consume("otp", 50)
    assert len(_WRITTEN.get()) == 1


async def test_a_disk_that_refuses_is_told_to_all_who_wait_for_it(store, monkeypatch):
    def refuse(_):
        raise OSError(5, "Input/output error")

    in_turn(store).consume("otp", 7)
    monkeypatch.setattr("os.fdatasync", refuse)
    with pytest.raises(StateUnavailable, match="Input/output error"):
        await store.settled()
    monkeypatch.undo()
    in_turn(store).consume("otp", 8)
    await store.settled()


async def test_while_the_disk_is_slow_others_go_on_and_are_told_in_order(store, monkeypatch):
    loop, release, syncs = asyncio.get_running_loop(), asyncio.Event(), []

    def slow(_):
        syncs.append(1)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    monkeypatch.setattr("os.fdatasync", slow)
    in_turn(store).consume("otp 1", 7)
    first = asyncio.ensure_future(store.settled())
    await asyncio.sleep(0.01)
    assert in_turn(store).consume("otp 2", 7), "the loop is not held up"
    second, third = asyncio.ensure_future(store.settled()), asyncio.ensure_future(store.settled())
    await asyncio.sleep(0.01)
    assert not first.done()
    assert not second.done()
    release.set()
    await asyncio.gather(first, second, third)
    assert len(syncs) == 2


async def test_what_another_process_writes_is_seen_in_the_next_turn(store, file):
    assert in_turn(store).failures(USERS[0]) == ()

    def write():
        with closing(EmbeddedStore(file, "boot", Turns())) as other:
            PlainStore(other).strike(USERS[0], NOW)
            PlainStore(other).consume("otp", 9)
            PlainStore(other).keep("pin", b"new")

    another = threading.Thread(target=write)
    another.start()
    another.join()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert in_turn(store).failures(USERS[0]) == (NOW,)
    assert in_turn(store).mark("otp") == 9
    assert in_turn(store).kept("pin") == b"new"
    assert not in_turn(store).consume("otp", 9)


# another process has the file


@contextmanager
def held(file):
    """Somebody else has the file's write lock."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        other.execute("ROLLBACK")


async def written(store, key, mark):
    """Whether it got the mark; all that others could see of it is there."""
    won = await store.consume(key, mark)
    await store.settled()
    return won


def begun(*coroutines):
    return [asyncio.ensure_future(each) for each in coroutines]


async def test_while_somebody_else_has_the_file_whoever_writes_waits_and_nobody_else(store, file):
    with held(file):
        (waits,) = begun(written(store, "otp", 7))
        assert await asyncio.wait_for(store.recall(Wanted(marks=("otp",)), NOW), 5) == Recalled(marks=(None,))
        await asyncio.sleep(0.05)
        assert not waits.done()
    assert await asyncio.wait_for(waits, 5)
    assert StateFile(file).mark("otp") == 7


async def test_all_who_waited_for_the_file_write_one_transaction_and_those_that_came_later_too(store, file):
    statements = []
    with held(file):
        waiting = begun(*(written(store, f"otp {number}", 7) for number in range(64)))
        await asyncio.sleep(0.05)
        store._connection.set_trace_callback(statements.append)
    waiting += begun(*(written(store, f"otp {number}", 7) for number in range(64, 100)))
    assert all(await asyncio.gather(*waiting))
    assert statements.count("COMMIT") == 1
    assert {StateFile(file).mark(f"otp {number}") for number in range(100)} == {7}


async def test_of_many_that_waited_for_the_file_and_race_for_a_mark_one_gets_it(store, file):
    with held(file):
        waiting = begun(*(written(store, "otp", 7) for _ in range(100)))
        await asyncio.sleep(0.05)
    assert sum(await asyncio.gather(*waiting)) == 1


async def test_what_somebody_else_wrote_while_one_waited_is_seen(store, file):
    assert in_turn(store).mark("otp") is None, "and that is remembered"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        (waits,) = begun(written(store, "otp", 7))
        await asyncio.sleep(0.05)
        other.execute("INSERT INTO mark VALUES ('otp', 7)")
        other.execute("COMMIT")
    assert not await waits


async def test_whoever_has_waited_for_the_file_too_long_is_refused_and_it_is_used_again_when_it_is_free(
    store, file, monkeypatch
):
    monkeypatch.setattr("auth.embedded.write_lock.PATIENCE_SECONDS", 0.1)
    with held(file):
        waiting = begun(*(written(store, "otp", 7) for _ in range(3)))
        await asyncio.wait(waiting)
        (late,) = begun(written(store, "otp", 8))
        await asyncio.sleep(0.02)
        assert not late.done(), "each has a patience of its own"
    for each in waiting:
        with pytest.raises(StateUnavailable, match="locked"):
            each.result()
    assert await late
    assert StateFile(file).mark("otp") == 8


async def test_whoever_has_gone_while_it_waited_for_the_file_writes_nothing_and_holds_nobody_up(store, file):
    with held(file):
        gone, stays = begun(written(store, "otp", 7), written(store, "another", 7))
        await asyncio.sleep(0.02)
        gone.cancel()
        await asyncio.sleep(0.05)
    assert await stays
    assert StateFile(file).mark("otp") is None


async def test_whoever_waits_for_a_file_that_cannot_be_used_any_more_is_told_so(store, file, monkeypatch):
    with held(file):
        waiting = begun(*(written(store, "otp", 7) for _ in range(3)))
        await asyncio.sleep(0.02)
        with monkeypatch.context() as broken:
            broken.setattr(store._batch, "_connection", io_error(store))
            await asyncio.wait(waiting)
    for each in waiting:
        with pytest.raises(StateUnavailable, match="I/O error"):
            each.result()
    assert await written(store, "otp", 7)


async def test_a_store_that_is_closed_refuses_whoever_waits_for_its_file(file):
    with closing(EmbeddedStore(file, "boot", Turns())) as store, held(file):
        (waits,) = begun(written(store, "otp", 7))
        await asyncio.sleep(0.02)
        store.close()
        with pytest.raises(StateUnavailable):
            await waits


async def test_whoever_is_to_try_for_the_file_in_a_turn_that_has_it_leaves_that_turn_alone(store, file):
    """With uvloop a timer may come between what a turn has written and its end."""
    with held(file):
        (waits,) = begun(written(store, "otp", 7))
        await asyncio.sleep(0.02)
    opened = store._batch._opened()
    store._batch._lock._try(asyncio.get_running_loop(), 0)
    assert store._batch._open is opened
    assert await asyncio.wait_for(waits, 5)
    assert opened.safe


HOLDS = """
import random, sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
print("begun", flush=True)
while True:
    other.execute("BEGIN IMMEDIATE")
    time.sleep(random.uniform(0, 0.004))
    other.execute("COMMIT")
    time.sleep(random.uniform(0, 0.004))
"""


@pytest.mark.parametrize("loops", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_whoever_writes_while_another_process_takes_the_file_all_the_time_is_never_refused(file, loops):
    """Marks are won once each, in whichever order a loop has verbs, timers and ends of turns."""
    dice = random.Random(20261128)

    async def login(store, number):
        await asyncio.sleep(dice.uniform(0, 1))
        if dice.random() < 0.05:
            time.sleep(0.004)  # noqa: ASYNC251 - the loop is busy, and timers are late
        await store.recall(Wanted(marks=("otp",)), NOW)
        return await written(store, f"otp {number % 500}", 7)

    async def all_of_them():
        with closing(EmbeddedStore(file, "boot", Turns())) as store:
            return await asyncio.wait_for(asyncio.gather(*(login(store, number) for number in range(2000))), 30)

    EmbeddedStore(file, "boot", Turns()).close()
    another = [sys.executable, "-c", HOLDS, str(file)]
    with subprocess.Popen(another, stdout=subprocess.PIPE) as other, asyncio.Runner(loop_factory=loops) as runner:
        assert other.stdout.readline() == b"begun\n"
        won = runner.run(all_of_them())
        other.kill()
    assert sum(won) == 500


RECOVERS = """
import fcntl, os, struct, sys
index = os.open(sys.argv[1] + "-shm", os.O_RDWR)
for lock in (120, 122):  # write and recover (sqlite.org/walformat.html, section 2.3.1)
    fcntl.lockf(index, fcntl.LOCK_EX, 1, lock)
os.pwrite(index, bytes(8), 0)  # as whoever is killed half way through writing the first header leaves it
print("held", flush=True)
sys.stdin.read()
"""


async def test_while_another_process_recovers_the_log_whoever_reads_waits_and_nobody_else(store, file):
    assert await written(store, "otp", 7)
    another = [sys.executable, "-c", RECOVERS, str(file)]
    with subprocess.Popen(another, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:  # noqa: ASYNC220 - it is brief
        assert other.stdout.readline() == b"held\n"
        (waits,) = begun(store.recall(Wanted(user=USERS[0], marks=("another",)), NOW))
        await asyncio.sleep(0.05)
        assert not waits.done()
        other.stdin.close()
        assert await asyncio.wait_for(waits, 5) == Recalled(marks=(None,))
    assert in_turn(store).mark("otp") == 7


moves = st.lists(
    st.one_of(
        st.tuples(st.just("strike"), st.sampled_from(USERS), st.integers(0, 3)),
        st.tuples(st.just("withdraw"), st.sampled_from(USERS), st.integers(0, 3)),
        st.tuples(st.just("forgive"), st.sampled_from(USERS), st.just(0)),
        st.tuples(st.just("consume"), st.sampled_from(["a", "b"]), st.integers(0, 5)),
        st.tuples(st.just("keep"), st.sampled_from(["a", "b"]), st.integers(0, 5)),
        st.tuples(st.just("settle"), st.none(), st.just(0)),
    ),
    max_size=30,
)


def done(store, verb, subject, number):
    """What a store whose verbs are called as functions says to a move."""
    at = NOW + timedelta(seconds=number)
    match verb:
        case "strike" | "withdraw":
            return getattr(store, verb)(subject, at)
        case "forgive":
            return store.forgive(subject)
        case "consume":
            return store.consume(subject, number)
        case "keep":
            return store.keep(subject, bytes([number]))


def known(store):
    """Of everybody and everything that moves are about."""
    return [store.failures(user) for user in USERS], [(store.mark(key), store.kept(key)) for key in "ab"]


@given(moves=moves)
def test_what_is_remembered_is_what_is_in_the_file_whatever_is_done_in_whichever_transaction(tmp_path_factory, moves):
    file = tmp_path_factory.mktemp("state") / "state.sqlite"
    with closing(EmbeddedStore(file.with_name("other.sqlite"), "boot", Turns())) as store:
        each_in_its_own = PlainStore(store)
        said = [done(each_in_its_own, *move) for move in moves]
        left = known(each_in_its_own)

    async def several_in_one():
        with closing(EmbeddedStore(file, "boot", Turns())) as store:
            for move, expected in zip(moves, said, strict=True):
                if move[0] == "settle":
                    await store.settled()
                else:
                    assert done(in_turn(store), *move) == expected
            await store.settled()
            assert known(in_turn(store)) == known(StateFile(file)) == left

    asyncio.run(several_in_one())
