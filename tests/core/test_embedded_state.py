"""The embedded store against a plain model, and against threads, processes, kill -9, restarts and a damaged file."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from auth.codes import digest
from auth.embedded_state import EmbeddedStore, StateFile
from auth.facts import Question
from auth.state import Limit, SentMessage, StateUnavailable
from auth.turn import Turns
from core.store_model import ALICE, NOW, USERS, StoreMachine, challenge
from plain_store import PlainStore, in_turn
from schema.secret import Secret

PROCESSES = Path(__file__).with_name("state_process.py")


def memory_folder():
    """A folder that costs no disk: what a machine keeps over its end is none of these tests' matter."""
    return tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(file):
    opened = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    yield opened
    opened.close()


# a plain model


class EmbeddedMachine(StoreMachine):
    """Two connections to one file, which is purged, and whose machine is booted again."""

    def __init__(self):
        super().__init__()
        self.folder = memory_folder()
        self.file = Path(self.folder.name) / "state.sqlite"
        self.boot = "boot-0"

    def opened(self):
        return PlainStore(EmbeddedStore(self.file, self.boot, Turns()))

    def teardown(self):
        super().teardown()
        self.folder.cleanup()

    @rule(which=st.integers(0, 1), later=st.sampled_from([0, 301, 86_401]))
    def purge(self, which, later):
        now = NOW + timedelta(seconds=later)
        removed = self.stores[which].purge(now)
        over = [number for number, item in self.model.open.items() if item.expires_at < now - timedelta(minutes=5)]
        for number in over:
            del self.model.open[number]
        before = len(self.model.events)
        self.model.events = [item for item in self.model.events if item[1] >= now - timedelta(days=1)]
        stock = len(self.model.stock)
        self.model.stock = {item: expires for item, expires in self.model.stock.items() if expires >= now}
        notes = len(self.model.notes)
        self.model.notes = {key: note for key, note in self.model.notes.items() if note[1] >= now}
        removed -= notes - len(self.model.notes)
        assert removed == len(over) + before - len(self.model.events) + stock - len(self.model.stock)

    @rule()
    def reboot(self):
        for store in self.stores:
            store.close()
        self.boot += "+"
        self.stores = [self.opened() for _ in range(2)]
        self.model.open.clear()
        self.model.stock.clear()
        self.model.notes.clear()


TestEmbeddedStore = EmbeddedMachine.TestCase
TestEmbeddedStore.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@pytest.fixture(scope="module")
def one_store():
    with memory_folder() as folder:
        opened = PlainStore(EmbeddedStore(Path(folder) / "state.sqlite", "boot-1", Turns()))
        yield opened
        opened.close()


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC follows
    hours=st.integers(-12, 14),
)
def test_an_instant_comes_back_as_it_went_in_to_the_microsecond_and_can_be_withdrawn_in_any_zone(one_store, at, hours):
    elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
    one_store.strike(ALICE, elsewhere)
    assert one_store.failures(ALICE) == (at,)
    assert one_store.failures(ALICE)[0].utcoffset() == timedelta(0)
    one_store.withdraw(ALICE, at)
    assert one_store.failures(ALICE) == ()


challenges = st.builds(
    challenge,
    st.integers(0, 2**64),
    node=st.text(max_size=20),
    expires_at=st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    digest=st.none() | st.binary(max_size=32),
    stage=st.integers(0, 9),
    question=st.sampled_from(Question),
    attempts_left=st.integers(0, 10),
    correlation=st.text(max_size=40),
)


@given(opened=challenges)
def test_a_challenge_comes_back_as_it_went_in(one_store, opened):
    one_store.begin(Secret("s"), opened)
    assert one_store.attempt(Secret("s"), opened.node) == opened


# once, and once only


def test_a_state_is_handed_out_once(store):
    store.begin(Secret("s"), challenge())
    assert store.attempt(Secret("s"), "vpn") == challenge()
    assert store.attempt(Secret("s"), "vpn") is None


def test_the_wrong_node_gets_nothing_and_takes_nothing_away(store):
    store.begin(Secret("s"), challenge())
    for node in ("wiki", "", "VPN", "vpn ", "%"):
        assert store.attempt(Secret("s"), node) is None
    assert store.attempt(Secret("s"), "vpn") is not None


@pytest.mark.parametrize("made_up", ["", "S", "s ", "s\0", "ss", "%", "\u017f", "' OR 1=1 --"])
def test_a_state_that_was_made_up_opens_nothing(store, made_up):
    store.begin(Secret("s"), challenge())
    assert store.attempt(Secret(made_up), "vpn") is None
    assert store.attempt(Secret("s"), "vpn") is not None


def test_one_that_has_expired_is_handed_out_once_and_says_so(store):
    store.begin(Secret("s"), challenge(expires_at=NOW - timedelta(minutes=1)))
    assert store.attempt(Secret("s"), "vpn").expires_at < NOW
    assert store.attempt(Secret("s"), "vpn") is None


def test_a_state_value_cannot_be_begun_twice_and_the_first_challenge_stays(store):
    store.begin(Secret("s"), challenge(1))
    with pytest.raises(StateUnavailable):
        store.begin(Secret("s"), challenge(2))
    assert store.attempt(Secret("s"), "vpn") == challenge(1)


def test_of_200_threads_with_a_store_of_their_own_exactly_one_gets_each_state(file, store):
    wanted = [Secret(f"state-{number}") for number in range(5)]
    for number, state in enumerate(wanted):
        store.begin(state, challenge(number))
    barrier = threading.Barrier(200)
    got, faults = [], []

    def run():
        try:
            mine = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
            barrier.wait()
            got.extend(found.correlation for state in wanted if (found := mine.attempt(state, "vpn")) is not None)
            mine.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of the test
            faults.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(got) == [f"login-{number}" for number in range(5)]


def test_of_200_threads_that_strike_at_once_each_sees_another_number_of_earlier_failures(file, store):
    barrier = threading.Barrier(200)
    seen = []

    def run():
        mine = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
        barrier.wait()
        seen.append(len(mine.strike(ALICE, NOW)))
        mine.close()

    threads = [threading.Thread(target=run) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(200)), "so that no two attempts can both believe to be the last one allowed"


def processes(scene, file):
    command = [sys.executable, str(PROCESSES), scene, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_of_8_processes_that_open_a_new_file_together_exactly_one_gets_each_state(file):
    found = processes("race", file)
    assert found["opened"] == ["opened"] * 8
    assert len(found["outcomes"]) == 60
    for number, outcomes in enumerate(found["outcomes"]):
        assert sorted(outcomes) == [f"login-{number}"] + ["nothing"] * 7


def test_kill_9_between_and_during_verbs_hands_nothing_out_twice_and_loses_nothing_that_was_done(file):
    found = processes("kill", file)
    rounds = found["rounds"]
    assert len(rounds) >= 30
    assert sum(item["events"] for item in rounds) > 500, "they did work"
    assert all(item["errors"] == [] and item["missed"] == [] for item in rounds)
    handed = [*found["handed"], *found["left"]]
    assert len(handed) == len(set(handed)), "nothing was handed out twice"
    assert set(found["waiting"]) <= set(found["left"]), "every challenge that was begun and not wanted is still there"
    for number, item in enumerate(rounds, 1):
        # what was said to be done is there; one more in each round may have been done and not said
        assert item["struck"] <= item["failures"] <= item["struck"] + number
        assert item["strange"] <= number
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_8_processes_together_send_no_more_than_each_limit_and_no_less(file):
    said = processes("spend", file)
    sent = [tuple(map(int, line.split()[1:])) for line in said if line.startswith("sent")]
    money = sum(amount for _, amount in sent)
    assert len(said) > len(sent) >= 50
    assert max([user for user, _ in sent].count(number) for number in range(2)) <= 60
    assert len(sent) <= 100
    assert money <= 1_000
    assert len(sent) == 100 or money > 1_000 - 14, "they end when there is no room for one more"


# what was sent


limits = st.lists(
    st.builds(
        Limit,
        st.just("limit"),
        st.sampled_from(["user", "number", "all"]),
        st.sampled_from([60, 3_600, 86_400]),
        st.none() | st.integers(0, 12),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda limit: limit.key,
)
schedules = st.lists(st.tuples(limits, st.integers(0, 200_000), st.booleans()), max_size=30)


@given(schedules)
@settings(max_examples=60)
def test_whatever_the_schedule_no_window_has_more_in_it_than_the_limit_of_whoever_was_let_through(schedule):
    """Also when the clock jumps. What is given back leaves room, what is refused takes none."""
    sent: list[tuple[float, Limit]] = []
    with memory_folder() as folder:
        store = PlainStore(EmbeddedStore(Path(folder) / "state.sqlite", "boot-1", Turns()))
        for wanted, seconds, kept in schedule:
            at = NOW + timedelta(seconds=seconds)
            before = [store.tally(limit.key, NOW, 86_400) for limit in wanted]
            reached = store.reserve(wanted, at)
            if reached is None:
                for limit in wanted:
                    began = seconds - limit.window_seconds
                    amounts = [each.amount for when, each in sent if each.key == limit.key and when > began]
                    assert limit.most is None or sum(amounts) + limit.amount <= limit.most
                sent += [(seconds, limit) for limit in wanted]
                if not kept:
                    store.give_back(wanted, at)
                    sent = sent[: -len(wanted)]
            else:
                began = seconds - reached.window_seconds - 60
                amounts = [each.amount for when, each in sent if each.key == reached.key and when > began]
                assert sum(amounts) + reached.amount > reached.most, "nobody is refused without reason, to the minute"
            if reached is not None or not kept:
                assert [store.tally(limit.key, NOW, 86_400) for limit in wanted] == before
        store.close()


def test_two_limits_of_one_key_count_a_text_once(store):
    both = (Limit("hour", "user", 3_600, 2), Limit("day", "user", 86_400, 3))
    assert [store.reserve(both, NOW + timedelta(hours=hours)) for hours in (0, 0, 0, 1, 2)] == [
        None,
        None,
        both[0],
        None,
        both[1],
    ]


def test_what_another_process_has_sent_is_added_up_also_under_a_key_under_which_nothing_was_known(file, store):
    other = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    assert store.tally("all", NOW, 86_400) == 0
    assert other.reserve((Limit("all", "all", 86_400, 9),), NOW) is None
    assert store.tally("all", NOW, 86_400) == 1
    other.close()


def test_what_was_sent_survives_a_restart_of_the_machine(file):
    most = (Limit("all", "all", 86_400, 1),)
    first = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    assert first.reserve(most, NOW) is None
    first.close()
    second = PlainStore(EmbeddedStore(file, "boot-2", Turns()))
    assert second.reserve(most, NOW) == most[0]
    second.purge(NOW + timedelta(days=1))
    assert second.tally("all", NOW, 86_400) == 1
    second.purge(NOW + timedelta(days=3))
    assert second.tally("all", NOW, 86_400) == 0
    second.close()


def test_a_message_is_remembered_for_a_week_by_gateway_and_id_and_its_fate_replaces_what_was_known(store):
    message = SentMessage("kannel", "id-1", ALICE, "login-1", NOW)
    store.remember(message)
    store.remember(SentMessage("other", "id-1", USERS[1], "login-2", NOW))
    assert store.remembered("kannel", "id-1") == message
    assert store.remembered("kannel", "id-2") is None
    store.remember(msgspec.structs.replace(message, fates=("delivered",)))
    store.purge(NOW + timedelta(days=6))
    assert store.remembered("kannel", "id-1").fates == ("delivered",)
    store.purge(NOW + timedelta(days=8))
    assert store.remembered("kannel", "id-1") is None


# restarts


def test_challenges_and_failures_survive_a_restart_of_the_service(file):
    first = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    first.begin(Secret("s"), challenge())
    first.strike(ALICE, NOW)
    first.close()
    second = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    assert second.failures(ALICE) == (NOW,)
    assert second.attempt(Secret("s"), "vpn") == challenge()
    second.close()


def test_after_a_restart_of_the_machine_every_open_challenge_is_void_and_failures_and_rates_stay(file):
    first = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    first.begin(Secret("s"), challenge())
    first.strike(ALICE, NOW)
    assert first.count("send", NOW, 900, 1)
    first.close()
    second = PlainStore(EmbeddedStore(file, "boot-2", Turns()))
    assert second.attempt(Secret("s"), "vpn") is None
    assert second.failures(ALICE) == (NOW,)
    assert not second.count("send", NOW, 900, 1)
    second.close()
    third = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    assert third.attempt(Secret("s"), "vpn") is None, "not even when the old boot id came back"
    third.close()


# failures and rates


@pytest.mark.parametrize(
    ("verb", "lasting"),
    [
        (lambda store: store.consume("otp of alice", 7), True),
        (lambda store: store.keep("pin of alice", b"digest"), True),
        (lambda store: store.begin(Secret("s"), challenge()), False),
        (lambda store: store.strike(ALICE, NOW), False),
    ],
)
async def test_what_was_used_up_or_chosen_is_on_the_disk_when_it_is_settled_and_what_a_start_makes_void_is_not(
    tmp_path, monkeypatch, verb, lasting
):
    """A commit is in the hands of the kernel; only the log that is synced is on the disk (sqlite.org/wal.html)."""
    store = in_turn(EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns()))
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(str(Path(f"/proc/self/fd/{file}").readlink())))
    verb(store)
    await store.inner.settled()
    assert not store._connection.in_transaction
    assert synced == ([str(tmp_path / "state.sqlite-wal")] if lasting else [])
    store.close()


def test_a_strike_tells_the_failures_before_it_and_counts_before_anything_is_compared(store):
    later = NOW + timedelta(seconds=1)
    assert store.strike(ALICE, later) == ()
    assert store.strike(ALICE, NOW) == (later,)
    assert store.strike(USERS[1], NOW) == ()
    assert store.failures(ALICE) == (NOW, later), "oldest first"


def test_a_withdrawal_takes_back_one_strike_of_that_user_at_that_instant(store):
    for user, at in ((ALICE, NOW), (ALICE, NOW), (ALICE, NOW + timedelta(microseconds=1)), (USERS[1], NOW)):
        store.strike(user, at)
    store.withdraw(ALICE, NOW)
    assert store.failures(ALICE) == (NOW, NOW + timedelta(microseconds=1))
    assert store.failures(USERS[1]) == (NOW,)
    store.withdraw(ALICE, NOW + timedelta(days=1))
    assert len(store.failures(ALICE)) == 2


@pytest.mark.parametrize(
    ("seconds", "permitted"), [(-900, True), (-899, False), (-1, False), (0, False), (1, False), (3600, False)]
)
def test_an_event_counts_for_its_window_and_also_when_the_clock_was_set_back_since(store, seconds, permitted):
    assert store.count("send", NOW + timedelta(seconds=seconds), 900, 1)
    assert store.count("send", NOW, 900, 1) is permitted


def test_what_is_not_counted_takes_up_no_room(store):
    assert [store.count("send", NOW, 900, 2) for _ in range(5)] == [True, True, False, False, False]
    assert store.count("send", NOW, 900, 3), "only two are there"
    assert store.count("other", NOW, 900, 1), "another key is another count"
    assert not store.count("third", NOW, 900, 0)


def test_a_purge_removes_only_what_is_long_over(store):
    for number, minutes in enumerate((-6, -4, 5)):
        store.begin(Secret(f"s{number}"), challenge(number, expires_at=NOW + timedelta(minutes=minutes)))
    for days in (101, 99):
        store.strike(ALICE, NOW - timedelta(days=days))
    for hours in (25, 23):
        store.count("send", NOW - timedelta(hours=hours), 900, 9)
    assert store.purge(NOW) == 3
    assert store.failures(ALICE) == (NOW - timedelta(days=99),)
    assert [store.attempt(Secret(f"s{number}"), "vpn") is None for number in range(3)] == [True, False, False]
    assert store.purge(NOW) == 0


def test_failures_are_kept_longer_than_the_longest_lock_that_a_policy_can_set(store):
    struck = NOW - timedelta(minutes=100_000)
    store.strike(ALICE, struck)
    store.purge(NOW)
    assert store.failures(ALICE) == (struck,)


# read by somebody else


def test_failures_are_read_from_the_file_of_a_running_service_and_of_one_that_has_stopped(file):
    store = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    for seconds in (1, 0):
        store.strike(ALICE, NOW + timedelta(seconds=seconds))
    store.strike(USERS[1], NOW)
    reader = StateFile(file)
    assert reader.failures(ALICE) == (NOW, NOW + timedelta(seconds=1))
    store.close()
    assert reader.failures(ALICE) == (NOW, NOW + timedelta(seconds=1))
    assert reader.failures(b"nobody else was.") == ()


def test_reading_failures_makes_no_file_and_changes_none(file, tmp_path):
    assert StateFile(file).failures(ALICE) == ()
    assert list(tmp_path.iterdir()) == []
    PlainStore(EmbeddedStore(file, "boot-1", Turns())).close()
    before = (file.read_bytes(), file.stat().st_mode)
    StateFile(file).failures(ALICE)
    assert (file.read_bytes(), file.stat().st_mode) == before


def test_a_file_that_cannot_be_read_for_failures_is_said_so_and_is_not_taken_for_no_failures(file):
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StateUnavailable, match="not a database"):
        StateFile(file).failures(ALICE)


# the file


def test_the_file_and_its_log_are_for_their_owner_alone_whatever_the_umask_and_whatever_was_there(tmp_path):
    umask = os.umask(0)
    try:
        for was_there in (False, True):
            file = tmp_path / f"{was_there}.sqlite"
            if was_there:
                file.touch(0o666)
            store = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
            store.strike(ALICE, NOW)
            modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in tmp_path.glob(f"{was_there}*")}
            assert len(modes) == 3
            assert set(modes.values()) == {0o600}
            store.close()
    finally:
        os.umask(umask)


def test_neither_a_state_nor_a_code_stands_in_the_files_nor_in_a_repr(file, store):
    states = [Secret(f"state-value-{number:04d}") for number in range(50)]
    codes = [Secret(f"{number * 7919 % 10**8:08d}") for number in range(50)]
    for number, (state, code) in enumerate(zip(states, codes, strict=True)):
        opened = challenge(number, digest=digest(b"k" * 32, number.to_bytes(16, "big"), code))
        store.begin(state, opened)
        assert code.text not in repr(opened)
        assert state.text not in repr(opened)
        if number % 2:
            store.attempt(state, "vpn")
    octets = b"".join(item.read_bytes() for item in file.parent.iterdir())
    assert b"login-49" in octets, "we look at the right files"
    for secret in [*states, *codes]:
        assert secret.octets not in octets
        assert secret.octets.hex().encode() not in octets


def test_a_file_that_is_no_database_is_said_so_and_left_alone(file):
    file.write_bytes(b"this is no database, but it is somebody's file" * 100)
    with pytest.raises(StateUnavailable, match="file is not a database") as caught:
        PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    assert str(file) in caught.value.problem
    assert "moved away" in caught.value.remedy
    assert file.read_bytes().startswith(b"this is no database")


def test_a_folder_that_is_not_there_and_a_folder_in_place_of_the_file_are_said_so(tmp_path):
    for file in (tmp_path / "missing" / "state.sqlite", tmp_path):
        with pytest.raises(StateUnavailable, match=str(file)):
            PlainStore(EmbeddedStore(file, "boot-1", Turns()))


VERBS = {
    "begin": lambda store: store.begin(Secret("secret-state"), challenge()),
    "attempt": lambda store: store.attempt(Secret("secret-state"), "vpn"),
    "waiting": lambda store: store.waiting(Secret("secret-state"), "vpn"),
    "strike": lambda store: store.strike(ALICE, NOW),
    "withdraw": lambda store: store.withdraw(ALICE, NOW),
    "forgive": lambda store: store.forgive(ALICE),
    "failures": lambda store: store.failures(ALICE),
    "count": lambda store: store.count("send", NOW, 900, 5),
    "reserve": lambda store: store.reserve([Limit("all", "all", 60, 1)], NOW),
    "give_back": lambda store: store.give_back([Limit("all", "all", 60, 1)], NOW),
    "tally": lambda store: store.tally("all", NOW, 60),
    "remember": lambda store: store.remember(SentMessage("kannel", "id-1", ALICE, "login-1", NOW)),
    "remembered": lambda store: store.remembered("kannel", "id-1"),
    "purge": lambda store: store.purge(NOW),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_store_that_cannot_be_used_is_a_fault_from_every_verb_and_tells_no_secret(file, verb):
    store = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    store.close()
    with pytest.raises(StateUnavailable) as caught:
        VERBS[verb](store)
    assert "secret-state" not in str(caught.value)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"waiting", "failures", "remembered", "tally"}))
def test_a_store_that_another_process_keeps_busy_is_a_fault_that_changes_nothing_and_it_works_again_after(
    file, store, verb, monkeypatch
):
    monkeypatch.setattr("auth.embedded.write_lock.PATIENCE_SECONDS", 0.02)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateUnavailable, match="locked"):
        VERBS[verb](store)
    other.execute("ROLLBACK")
    other.close()
    VERBS[verb](store)
    assert len(store.failures(ALICE)) == (verb == "strike")
    assert (store.attempt(Secret("secret-state"), "vpn") is not None) == (verb == "begin")


def test_a_verb_that_fails_half_way_leaves_nothing_behind(file, store):
    store.strike(ALICE, NOW)
    store._connection.execute("CREATE TRIGGER full BEFORE INSERT ON failure BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StateUnavailable, match="full"):
        store.strike(ALICE, NOW)
    store._connection.execute("DROP TRIGGER full")
    assert store.strike(ALICE, NOW) == (NOW,)


def test_a_challenge_of_a_shape_that_this_version_does_not_know_is_a_fault_and_used_up(file, store):
    store.begin(Secret("s"), challenge())
    store._connection.execute("UPDATE challenge SET value = ?", (msgspec.msgpack.encode({"shape": 2}),))
    with pytest.raises(StateUnavailable):
        store.attempt(Secret("s"), "vpn")
    assert store.attempt(Secret("s"), "vpn") is None


def test_what_is_remembered_is_read_by_the_beginning_of_its_key(file):
    assert StateFile(file).kept_under("pin ") == ()
    store = PlainStore(EmbeddedStore(file, "boot-1", Turns()))
    for key in ("pin a", "pin b", "pinned", "drift a"):
        store.keep(key, key.encode())
    store.close()
    assert set(StateFile(file).kept_under("pin ")) == {b"pin a", b"pin b"}
    assert StateFile(file).kept_under("%") == ()
