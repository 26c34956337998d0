"""A state file of another release: a later one is left alone, an earlier one is copied and then taken over."""

import os
import random
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auth.embedded import version
from auth.embedded_state import EmbeddedStore, StateFile
from auth.state import StateUnavailable, Wanted
from auth.turn import Turns
from plain_store import PlainStore

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ALICE = b"a" * 16
MARKS = 2_000


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "state.sqlite"
    store = PlainStore(EmbeddedStore(file, "boot", Turns()))
    store.consume("otp", 7)
    store.strike(ALICE, NOW)
    store.close()
    return file


def mark(file, number):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {number}")


def marked(file):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def said(file):
    """The version of a file that is whole, and how much of what was written into it is there."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (marks,) = connection.execute("SELECT count(*) FROM mark").fetchone()
    return marked(file), marks


def copies(file):
    """All that is there but what SQLite puts beside a file that it reads."""
    names = (each.name for each in file.parent.iterdir() if ".version-" in each.name)
    return sorted(name for name in names if not name.endswith(("-wal", "-shm")))


def killed(work, seconds=None):
    """Have a process of its own do it, and kill it then; whether it came to that before the work was done."""
    child = os.fork()
    if not child:
        with suppress(BaseException):
            work()
            os._exit(0)
        os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in {0, -signal.SIGKILL}
    return ended != 0


def test_a_new_file_is_of_this_release_and_nothing_is_copied(file, tmp_path):
    assert marked(file) == version.VERSION
    assert not list(tmp_path.glob("*.version-*"))


def test_a_file_of_a_later_release_is_left_as_it_is_and_the_remedy_names_the_copy(file, tmp_path):
    mark(file, version.VERSION + 1)
    before = file.read_bytes()
    with pytest.raises(StateUnavailable, match="of a later release") as caught:
        EmbeddedStore(file, "boot", Turns())
    assert f"state.sqlite.version-{version.VERSION}" in caught.value.remedy
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.version-*"))


def test_a_file_of_an_earlier_release_is_copied_for_its_owner_alone_and_says_the_same_afterwards(file, tmp_path):
    mark(file, 0)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE note")  # which that release did not have
    umask = os.umask(0)
    try:
        store = PlainStore(EmbeddedStore(file, "boot", Turns()))
    finally:
        os.umask(umask)
    copy = tmp_path / "state.sqlite.version-0"
    assert list(tmp_path.glob("*.version-0*")) == [copy], "and nothing half-made is left"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert StateFile(copy).mark("otp") == 7
    assert (store.mark("otp"), store.failures(ALICE)) == (7, (NOW,))
    assert store.first("key", b"1", NOW, NOW) is None
    store.close()
    assert marked(file) == version.VERSION


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("sqlite3.connect", ["state.sqlite.version-0.unfinished"]),
        ("pathlib.Path.rename", ["state.sqlite.version-0.unfinished"]),
        ("auth.embedded.version.STEPS", ["state.sqlite.version-0"]),
    ],
    ids=["before it is copied", "before the copy has its name", "while it is taken over"],
)
def test_kill_9_on_the_way_leaves_a_file_that_the_next_start_takes_over_and_nothing_half_made(
    file, monkeypatch, moment, left
):
    mark(file, 0)

    def run():
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            monkeypatch.setattr(moment, (die,) if moment.endswith("STEPS") else die)
            version.bring_up_to_date(connection, file, "")

    assert killed(run)
    assert (copies(file), marked(file)) == (left, 0)
    store = PlainStore(EmbeddedStore(file, "boot", Turns()))
    assert (store.mark("otp"), store.failures(ALICE)) == (7, (NOW,))
    store.close()
    assert copies(file) == ["state.sqlite.version-0"]
    assert StateFile(file.with_name("state.sqlite.version-0")).mark("otp") == 7


def test_kill_9_at_any_moment_loses_no_change_and_every_copy_is_whole_and_of_the_old_release(
    file, tmp_path, monkeypatch
):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany("INSERT INTO mark VALUES (?, ?)", [(f"otp{n:0500}", n) for n in range(MARKS - 1)])
    mark(file, 0)
    monkeypatch.setattr(version, "STEPS", (lambda run: run("UPDATE mark SET value = value + 1"),))
    before = file.read_bytes()
    trial = tmp_path / "trial" / "state.sqlite"
    trial.parent.mkdir()
    trial.write_bytes(before)
    begun = time.monotonic()
    EmbeddedStore(trial, "boot", Turns()).close()
    longest = time.monotonic() - begun
    moments, kills = random.Random(26), 0
    while kills < 15:
        died = killed(lambda: EmbeddedStore(file, "boot", Turns()), moments.uniform(0, longest))
        kills += died
        longest *= 1.1 if died else 0.9  # so that the end is reached as well, on a busy machine too
        found, marks = said(file)
        assert marks == MARKS
        assert StateFile(file).mark("otp") == 7 + found, "all of the step, or nothing"
        for copy in file.parent.glob("state.sqlite.version-0"):
            assert said(copy) == (0, MARKS)
            assert StateFile(copy).mark("otp") == 7
        if found == version.VERSION:
            assert copies(file) == ["state.sqlite.version-0"]
            for each in file.parent.glob("state.sqlite*"):
                each.unlink()
            file.write_bytes(before)


def test_of_two_processes_that_open_it_at_once_none_keeps_what_the_other_has_made_of_it_as_the_copy(
    file, tmp_path, monkeypatch
):
    mark(file, 0)
    monkeypatch.setattr(version, "STEPS", (lambda run: run("UPDATE mark SET value = value + 1"),))
    other = threading.Thread(target=lambda: EmbeddedStore(file, "boot", Turns()).close())

    class Slow(sqlite3.Connection):
        """Somebody else opens the file when this one has seen which version it is."""

        def execute(self, question, *values):
            found = super().execute(question, *values)
            if question == "PRAGMA user_version" and not other.ident:
                row = found.fetchone()
                other.start()
                other.join(0.3)
                return super().execute("SELECT ?", row)
            return found

    with closing(sqlite3.connect(file, isolation_level=None, factory=Slow)) as connection:
        version.bring_up_to_date(connection, file, "")
    other.join()
    assert marked(file) == version.VERSION
    assert StateFile(file).mark("otp") == 8, "taken over once"
    assert copies(file) == ["state.sqlite.version-0"]
    assert said(tmp_path / "state.sqlite.version-0")[0] == 0
    assert StateFile(tmp_path / "state.sqlite.version-0").mark("otp") == 7


def test_whoever_finds_another_process_copying_waits_for_it_however_impatient_it_is_otherwise(file):
    mark(file, 0)
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, lambda: (holder.execute("ROLLBACK"), holder.close()))
    release.start()
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0.03)) as connection:
        version.bring_up_to_date(connection, file, "")
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (30,)
    release.join()
    assert marked(file) == version.VERSION


def test_a_copy_that_is_there_is_never_touched_and_what_says_something_else_stands_beside_it(file, tmp_path):
    mark(file, 0)
    EmbeddedStore(file, "boot", Turns()).close()
    first = tmp_path / "state.sqlite.version-0"
    before = (first.stat().st_ino, first.read_bytes())
    mark(file, 0)
    store = PlainStore(EmbeddedStore(file, "boot", Turns()))
    store.consume("otp", 9)
    store.close()
    assert len(copies(file)) == 1, "one that says the same is enough"
    mark(file, 0)  # the earlier release ran again meanwhile
    EmbeddedStore(file, "boot", Turns()).close()
    assert (first.stat().st_ino, first.read_bytes()) == before
    assert copies(file) == ["state.sqlite.version-0", "state.sqlite.version-0-2"]
    assert StateFile(tmp_path / "state.sqlite.version-0-2").mark("otp") == 9


def test_the_remedy_of_a_later_release_names_the_last_copy(file):
    for number in ("", "-2", "-10"):
        file.with_name(f"state.sqlite.version-{version.VERSION}{number}").touch()
    mark(file, version.VERSION + 1)
    with pytest.raises(StateUnavailable) as caught:
        EmbeddedStore(file, "boot", Turns())
    assert f"put state.sqlite.version-{version.VERSION}-10, which" in caught.value.remedy


def test_what_a_killed_process_left_half_made_goes_and_what_is_not_ours_stays(file, tmp_path):
    mark(file, 0)
    left = [
        "state.sqlite.version-0.unfinished",
        "state.sqlite.version-0.unfinished-journal",
        "state.sqlite.version-0.71",
    ]
    others = ["state.sqlite.version-7", "state.sqlite.mine", "shared.sqlite.version-0.unfinished"]
    for name in (*left, *others):
        (tmp_path / name).write_bytes(b"of somebody")
    EmbeddedStore(file, "boot", Turns()).close()
    assert not [name for name in left if (tmp_path / name).exists()]
    assert [name for name in others if (tmp_path / name).exists()] == others
    assert said(tmp_path / "state.sqlite.version-0") == (0, 1)


def test_a_copy_of_another_version_than_was_found_gets_no_name_and_nothing_is_changed(file, tmp_path):
    """Somebody puts another file in its place just then."""
    mark(file, 0)
    other = tmp_path / "other"
    PlainStore(EmbeddedStore(other, "boot", Turns())).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("SELECT 1 FROM mark").fetchone()
        moved = file.rename(tmp_path / "moved")
        file.write_bytes(other.read_bytes())
        with pytest.raises(sqlite3.DatabaseError, match=f"no file of version 0: version {version.VERSION}"):
            version.bring_up_to_date(connection, file, "")
    assert copies(file) == []
    assert marked(moved) == 0


def test_the_copy_is_on_the_disk_under_its_name_before_the_file_is_taken_over(file, tmp_path, monkeypatch):
    mark(file, 0)
    synced, fsync = [], os.fsync

    def seen(descriptor):
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), (tmp_path / "state.sqlite.version-0").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    monkeypatch.setattr(version, "STEPS", (lambda _: synced.append(("step", True)),))
    EmbeddedStore(file, "boot", Turns()).close()
    assert synced == [
        (tmp_path / "state.sqlite.version-0.unfinished", False),
        (tmp_path, True),
        ("step", True),
    ]


def test_where_it_cannot_be_copied_it_is_not_touched(file, monkeypatch):
    mark(file, 0)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(StateUnavailable, match="No space left"):
        EmbeddedStore(file, "boot", Turns())
    monkeypatch.undo()
    assert marked(file) == 0


def test_whoever_only_reads_refuses_a_file_of_a_later_release_as_the_service_does(file):
    mark(file, version.VERSION + 1)
    with pytest.raises(StateUnavailable) as opened:
        EmbeddedStore(file, "boot", Turns())
    reader = StateFile(file)
    for ask in (
        reader.examine,
        reader.marks,
        reader.values,
        lambda: reader.failures(ALICE),
        lambda: reader.recall(Wanted(user=ALICE), NOW),
        lambda: reader.mark("otp"),
        lambda: reader.kept("otp"),
        lambda: reader.kept_under("otp"),
        lambda: reader.left("otp", NOW),
        lambda: reader.open_challenges(NOW),
    ):
        with pytest.raises(StateUnavailable, match="of a later release") as caught:
            ask()
        assert (caught.value.problem, caught.value.remedy) == (opened.value.problem, opened.value.remedy)


def test_whoever_only_reads_a_file_of_an_earlier_release_is_told_to_start_the_service(file):
    mark(file, 0)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE kept")  # which that release did not have
    assert StateFile(file).mark("otp") == 7
    with pytest.raises(StateUnavailable, match="no such table") as caught:
        StateFile(file).kept("otp")
    assert "start the service" in caught.value.remedy
    assert marked(file) == 0, "and nothing is changed"
