"""The replica's file: its tables, how it is opened for the one writer and for readers, and what its errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dirsync.errors import ReplicaUnavailable

# "dfr1": marks the file as ours, so that no other program's database is ever written to
_APPLICATION_ID: Final = 0x64667231
# Changes with the tables below; a file of another layout is rebuilt from the directory.
_LAYOUT: Final = 3
_BUSY_SECONDS: Final = 5.0
_WAL_LIMIT: Final = 64 * 1024 * 1024
# Of a reader: the system holds the file's pages for all who read it, and more of them here would be a copy for each.
_CACHE_KIBIBYTES: Final = 4 * 1024
_PRIMARY_CODE: Final = 0xFF  # the rest of an error code is detail, sqlite.org/rescode.html

_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: "end the other process that writes this replica",
    sqlite3.SQLITE_FULL: "make room on the disk",
}
_REMEDY: Final = "see that the folder and the file are there, on a sound local disk, and belong to the service's user"

# `raw` stands last: it is large, and only the writer reads it. Links may name entries that are not there (yet).
# Where a directory knows targets by name, `reference` has the names, and `link` what they lead to. `shelf` has the
# entries that are of no use but for what may stand below them.
_TABLES: Final = """
CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL
);
CREATE TABLE directory (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    identity TEXT,
    cookie BLOB,
    as_of TEXT,
    parser TEXT NOT NULL DEFAULT '',
    netbios_name TEXT
);
CREATE TABLE entry (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    directory INTEGER NOT NULL REFERENCES directory (number),
    kind TEXT NOT NULL,
    parent BLOB,
    dn TEXT NOT NULL,
    folded TEXT NOT NULL,
    malformed INTEGER NOT NULL,
    parsed BLOB NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX entry_by_kind ON entry (kind) WHERE kind IN ('node', 'policy');
CREATE INDEX entry_malformed ON entry (folded) WHERE malformed;
CREATE TABLE name (kind TEXT, name TEXT, id BLOB, PRIMARY KEY (kind, name, id)) WITHOUT ROWID;
CREATE TABLE link (kind TEXT, source BLOB, target BLOB, PRIMARY KEY (kind, source, target)) WITHOUT ROWID;
CREATE TABLE reference (source BLOB, kind TEXT, way TEXT, name TEXT, PRIMARY KEY (source, kind, way, name))
WITHOUT ROWID;
CREATE TABLE shelf (
    id BLOB PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directory (number),
    parent BLOB,
    dn TEXT NOT NULL,
    folded TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX shelf_by_dn ON shelf (folded);
CREATE INDEX shelf_by_parent ON shelf (parent);
CREATE TABLE lost (directory INTEGER, id BLOB, at REAL NOT NULL, PRIMARY KEY (directory, id)) WITHOUT ROWID;
CREATE TABLE held (directory INTEGER PRIMARY KEY, since TEXT NOT NULL, released INTEGER NOT NULL);
CREATE TABLE held_user (
    directory INTEGER,
    id BLOB,
    dn TEXT NOT NULL,
    what TEXT NOT NULL,
    cause BLOB NOT NULL,
    cause_dn TEXT NOT NULL,
    attribute TEXT NOT NULL,
    PRIMARY KEY (directory, id)
) WITHOUT ROWID;
"""
# Those that are cheaper to make over many rows at once than row by row: name -> how it is made.
BULK_INDEXES: Final = {
    "entry_by_dn": "CREATE INDEX entry_by_dn ON entry (folded)",
    "entry_by_parent": "CREATE INDEX entry_by_parent ON entry (parent)",
    "name_by_id": "CREATE INDEX name_by_id ON name (id)",
    "link_by_target": "CREATE INDEX link_by_target ON link (target, kind)",
    "reference_by_name": "CREATE INDEX reference_by_name ON reference (name, way)",
}


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The file, made with mode 0600 and for the folder's owner if it is not there, with its tables and in WAL mode.

    Raises:
        ReplicaUnavailable: the folder is missing, or the file cannot be used as a replica.
    """
    if not path.parent.is_dir():
        raise ReplicaUnavailable(f"{path.parent} is not there", remedy=f"create it: mkdir -p -m 700 {path.parent}")
    try:
        _make(path)
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        path.chmod(0o600)
    except OSError as error:
        raise ReplicaUnavailable(
            f"{path} cannot be written: {error.strerror}",
            remedy="give the folder and the file to the user that the service runs as",
        ) from error
    with faults(path):
        db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _make(path: Path) -> None:
    # made here, because SQLite gives the -wal and -shm files the mode and the owner of the main one
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:  # an administrator's first `dirfactor sync` must not take the file from the service
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        os.close(descriptor)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The file, read-only.

    Raises:
        ReplicaUnavailable: there is no replica yet, or the file is none.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise _none_there(path)
    with faults(path):
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _check_made(db, path)
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        except BaseException:
            db.close()
            raise
        return db


@contextmanager
def transaction(db: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Everything written inside becomes visible and durable together, or, on any exception, not at all."""
    with faults(path):
        db.execute("BEGIN IMMEDIATE")
    try:
        with faults(path):
            yield
            db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some errors have SQLite roll back by itself
            db.execute("ROLLBACK")
        raise


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """SQLite's errors as faults. Nothing else may pass for an answer: not to know a group is not to be in none."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault(path, error) from error


def fault(path: Path, error: sqlite3.Error) -> ReplicaUnavailable:
    """What an error of SQLite's means."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return unusable(path, str(error))
    return ReplicaUnavailable(f"{path}: {error}", remedy=_REMEDIES.get(code, _REMEDY))


def unusable(path: Path, problem: str) -> ReplicaUnavailable:
    """The fault of a file whose content cannot be trusted."""
    remedy = f"stop the service, delete {path}*, start it: the replica is rebuilt from the directory"
    return ReplicaUnavailable(f"{path}: {problem}", remedy=remedy)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    empty = _has_no_tables(db)
    if not empty:
        _check(db, path)
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise ReplicaUnavailable(
            f"{path}: no write-ahead log is possible here", remedy="put the replica on a local disk"
        )
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
    if empty:
        with transaction(db, path):
            for statement in (*filter(str.strip, _TABLES.split(";")), *BULK_INDEXES.values()):
                db.execute(statement)
            db.execute("INSERT INTO meta (only, version) VALUES (1, 0)")
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {_LAYOUT}")


def _has_no_tables(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)


def _check_made(db: sqlite3.Connection, path: Path) -> None:
    if _is_unmade(db):
        raise _none_there(path)
    _check(db, path)


def _is_unmade(db: sqlite3.Connection) -> bool:
    """Whether a cut in power, or the end of a process, came while it was made; who opens it for writing makes it."""
    try:
        return _has_no_tables(db)
    except sqlite3.OperationalError as error:
        # before it is in WAL mode there is a rollback journal, and no reader may use it up
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            return True
        raise


def _none_there(path: Path) -> ReplicaUnavailable:
    return ReplicaUnavailable(f"there is no replica at {path}", remedy="run `dirfactor sync`, or start the service")


def _check(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise ReplicaUnavailable(f"{path} is not a replica of dirfactor", remedy="name another file in config.ini")
    if db.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
        raise unusable(path, "it was written by another version of dirfactor")
