"""Checkpoints in a thread: the log does not grow for ever, the file is whole, and whoever writes makes none."""

import sqlite3
from contextlib import closing

import pytest

from auth import checkpoints as here
from auth.checkpoints import Checkpoints

ROWS, EACH = 60_000, 50
OCTETS = 200
ENOUGH = 2 * here._ROWS


@pytest.fixture
def said(monkeypatch):
    """The statements of whoever makes checkpoints."""
    statements = []

    def listened(*place, connect=sqlite3.connect, **how):
        own = connect(*place, **how)
        own.set_trace_callback(statements.append)
        return own

    def listen():
        monkeypatch.setattr("auth.checkpoints.sqlite3.connect", listened)
        return statements

    return listen


@pytest.fixture
def file(tmp_path):
    return tmp_path / "some.sqlite"


def opened(file):
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE some (number INTEGER PRIMARY KEY, value BLOB)")
    return writer


def write(writer, checkpoints, rows):
    for first in range(0, rows, EACH):
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany(
            "INSERT INTO some (value) VALUES (?)", [(bytes(OCTETS),) for _ in range(min(EACH, rows - first))]
        )
        writer.execute("COMMIT")
        checkpoints.committed()


def log(file):
    return file.with_name(f"{file.name}-wal")


def test_what_gathers_is_brought_over_and_the_log_begins_anew(file):
    with closing(opened(file)) as writer:
        checkpoints = Checkpoints(writer, file)
        for _ in range(20):
            write(writer, checkpoints, ROWS // 20)
            if checkpoints._under_way:
                checkpoints._under_way.result()  # nobody writes all of the time
        assert log(file).stat().st_size < ROWS * OCTETS / 2
        assert file.stat().st_size > ROWS * OCTETS / 2
        checkpoints.close()


def test_whoever_writes_brings_nothing_over(file):
    with closing(opened(file)) as writer:
        checkpoints = Checkpoints(writer, file)
        before = file.stat().st_size
        for _ in range(ROWS // EACH):
            write(writer, Checkpoints(writer, file), EACH)  # one that never has enough
        assert file.stat().st_size == before
        checkpoints.close()


def made(file, said):
    """What was said, when a checkpoint has been made."""
    with closing(opened(file)) as writer:
        checkpoints = Checkpoints(writer, file)
        statements = said()
        write(writer, checkpoints, ENOUGH)
        checkpoints._thread.shutdown(wait=True)
    return statements


def test_a_checkpoint_waits_for_the_disk(file, said):
    """Else the file would not be whole when the machine goes down (sqlite.org/wal.html, section 2.2)."""
    assert made(file, said)[:2] == ["PRAGMA synchronous = FULL", "PRAGMA wal_checkpoint(PASSIVE)"]


@pytest.mark.parametrize(("most", "ends"), [(0, "FULL"), (1_000_000, "PASSIVE")])
def test_only_a_log_that_has_grown_too_long_has_writers_wait(file, said, monkeypatch, most, ends):
    monkeypatch.setattr("auth.checkpoints._MOST_FRAMES", most)
    monkeypatch.setattr("auth.checkpoints._PAUSES", (0.0,))  # it does not catch up
    assert made(file, said)[-1] == f"PRAGMA wal_checkpoint({ends})"


def test_a_file_that_was_closed_has_all_of_it_and_no_log(file):
    writer = opened(file)
    checkpoints = Checkpoints(writer, file)
    write(writer, checkpoints, 10 * EACH)
    checkpoints.close()
    writer.close()
    assert not log(file).exists()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as reader:
        assert reader.execute("SELECT count(*) FROM some").fetchone() == (10 * EACH,)
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_was_taken_away_is_not_made_anew(file, tmp_path):
    with closing(opened(file)) as writer:
        checkpoints = Checkpoints(writer, file)
        file.rename(tmp_path / "moved.sqlite")
        write(writer, checkpoints, ENOUGH)
        checkpoints._thread.shutdown(wait=True)
        assert not file.exists()
