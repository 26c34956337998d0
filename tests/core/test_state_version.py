"""A state file of another release: a later one is left alone, an earlier one is copied and then taken over."""

import os
import signal
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from auth.embedded import version
from auth.embedded_state import EmbeddedStore, StateFile
from auth.state import StateUnavailable
from plain_store import PlainStore

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ALICE = b"a" * 16


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "state.sqlite"
    store = PlainStore(EmbeddedStore(file, "boot"))
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


def test_a_new_file_is_of_this_release_and_nothing_is_copied(file, tmp_path):
    assert marked(file) == version.VERSION
    assert not list(tmp_path.glob("*.version-*"))


def test_a_file_of_a_later_release_is_left_as_it_is_and_the_remedy_names_the_copy(file, tmp_path):
    mark(file, version.VERSION + 1)
    before = file.read_bytes()
    with pytest.raises(StateUnavailable, match="of a later release") as caught:
        EmbeddedStore(file, "boot")
    assert f"state.sqlite.version-{version.VERSION}" in caught.value.remedy
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.version-*"))


def test_a_file_of_an_earlier_release_is_copied_for_its_owner_alone_and_says_the_same_afterwards(file, tmp_path):
    mark(file, 0)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE note")  # which that release did not have
    umask = os.umask(0)
    try:
        store = PlainStore(EmbeddedStore(file, "boot"))
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


@pytest.mark.parametrize("moment", ["while it is copied", "while it is taken over"])
def test_kill_9_on_the_way_leaves_a_file_that_the_next_start_takes_over(file, tmp_path, monkeypatch, moment):
    mark(file, 0)

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "while it is copied":
        monkeypatch.setattr("pathlib.Path.replace", die)
    else:
        monkeypatch.setattr(version, "STEPS", (die,))
    child = os.fork()
    if not child:
        EmbeddedStore(file, "boot")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    monkeypatch.undo()
    assert marked(file) == 0
    store = PlainStore(EmbeddedStore(file, "boot"))
    assert (store.mark("otp"), store.failures(ALICE)) == (7, (NOW,))
    store.close()
    assert StateFile(tmp_path / "state.sqlite.version-0").mark("otp") == 7


def test_where_it_cannot_be_copied_it_is_not_touched(file, monkeypatch):
    mark(file, 0)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(StateUnavailable, match="No space left"):
        EmbeddedStore(file, "boot")
    monkeypatch.undo()
    assert marked(file) == 0
