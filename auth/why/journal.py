"""The journal: one SQLite file that keeps events for some days, and what is the same in many of them once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from auth.checkpoints import Checkpoints
from auth.held_file import is_held
from auth.incident import describe
from auth.why.packing import Kept, Packed, Packer, unpacked
from auth.why.record import Event, Journal, JournalUnavailable, NoJournal

_LAYOUT: Final = 1
_TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, correlation TEXT NOT NULL, login TEXT NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_correlation ON event (correlation);
CREATE INDEX IF NOT EXISTS event_by_login ON event (login) WHERE login <> '';
CREATE TABLE IF NOT EXISTS part (digest BLOB PRIMARY KEY, day INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_by_day ON part (day);
PRAGMA user_version = {_LAYOUT};
"""
_PART: Final = (
    "INSERT INTO part VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET day = excluded.day WHERE day < excluded.day"
)
_EVENT: Final = "INSERT INTO event (at, correlation, login, value) VALUES (?, ?, ?, ?)"
_OLD_EVENTS: Final = (
    "DELETE FROM event WHERE number IN (SELECT number FROM event ORDER BY number LIMIT ?) AND (at < ? OR number <= ?)"
)
_OLD_PARTS: Final = "DELETE FROM part WHERE digest IN (SELECT digest FROM part WHERE day < ? LIMIT ?)"
_MOST_EVENTS: Final = 2_000_000
_A_FEW: Final = 2  # go where one comes, so that the file does not grow when there is too much in it
_MANY: Final = 5_000
_BUSY_SECONDS: Final = 0.2
_PATIENT: Final = f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}"


class JournalFile:
    """`auth.why.record.Journal` in a file, used by one thread; other processes may write it too.

    The file is opened when it is needed, and again after an error, so that what was mended is used. What is kept
    survives the end of the process; when the machine goes down, the last events may be lost.

    While another process holds the file, a backup for one, only the first event waits for it, and those that come then
    are not kept: all logons stand still while one event waits.

    Args:
        file: created with mode 0600 when it is not there.
        days: for how many days events are kept.
    """

    def __init__(self, file: Path, days: int) -> None:
        self._file = file
        self._days = days
        self._db: sqlite3.Connection | None = None
        self._checkpoints: Checkpoints | None = None
        self._packer = Packer()
        self._day = 0
        self._held = False  # by another process, when it was asked for last

    def keep(self, event: Event) -> None:
        """Keep it, in one transaction; see `Journal.keep`."""
        (fault,) = self.keep_all((event,))
        if fault is not None:
            raise fault

    def keep_all(self, events: Sequence[Event]) -> Sequence[JournalUnavailable | None]:
        """Keep them, in one transaction; see `Journal.keep_all`."""
        day = events[-1].at.toordinal()
        if day != self._day:  # parts are kept by the last day that they were needed on
            self._packer.forget()
            self._day = day
        faults: list[JournalUnavailable | None] = []
        packed: list[tuple[Event, Packed]] = []
        for event in events:
            try:
                packed.append((event, self._packed(event)))
                faults.append(None)
            except JournalUnavailable as fault:
                faults.append(fault)
        try:
            with self._transaction() as db:
                number = 0
                for event, item in packed:
                    db.executemany(_PART, [(digest, day, value) for digest, value in item.parts.items()])
                    row = (event.at.timestamp(), event.correlation, event.login, item.value)
                    number = db.execute(_EVENT, row).lastrowid or 0
                self._drop(db, events[-1].at, number, _A_FEW * len(events))
        except JournalUnavailable as fault:
            return [fault] * len(events)
        for _, item in packed:
            self._packer.stored(item)
        return faults

    def purge(self, now: datetime) -> None:
        """Remove some of what is too old; see `Journal.purge`."""
        with self._transaction() as db:
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM event").fetchone()
            if not self._drop(db, now, last, _MANY):  # else an old event may still need its parts
                db.execute(_OLD_PARTS, (now.toordinal() - self._days - 1, _MANY))

    def close(self) -> None:
        """Let go of the file."""
        if self._checkpoints is not None:
            self._checkpoints.close()
            self._checkpoints = None
        if self._db is not None:
            self._db.close()
            self._db = None

    def _drop(self, db: sqlite3.Connection, now: datetime, last: int, most: int) -> int:
        before = (now - timedelta(days=self._days)).timestamp()
        return db.execute(_OLD_EVENTS, (most, before, last - _MOST_EVENTS)).rowcount

    def _packed(self, event: Event) -> Packed:
        try:
            return self._packer.pack(event)
        except Exception as error:  # noqa: BLE001 - whatever cannot be written down must not cost a logon
            raise JournalUnavailable(
                f"journal {self._file}: {describe(error)}", remedy="report this with the log"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._db = self._db or _connected(self._file, 0.0 if self._held else _BUSY_SECONDS)
            checkpoints = self._checkpoints = self._checkpoints or Checkpoints(db, self._file)
            db.execute("BEGIN IMMEDIATE")
            if self._held:
                # once for a connection: it is done when the statement is compiled, and a compiled one is kept
                db.execute(_PATIENT)
                self._held = False
            yield db
            db.execute("COMMIT")
            checkpoints.committed()
        except (OSError, sqlite3.Error) as error:
            self.close()  # and with it whatever was begun
            self._packer.forget()
            self._held = is_held(error)
            raise _unavailable(self._file, error) from error


def opened_journal(file: Path, days: int) -> Journal:
    """The journal of a service that keeps events for so many days; for none nothing is kept, and nothing stays.

    Raises:
        Fault: what was kept before cannot be removed.
    """
    if days:
        return JournalFile(file, days)
    try:
        for kept in file.parent.glob(f"{file.name}*"):
            kept.unlink()
    except OSError as error:
        raise _unavailable(file, error) from error
    return NoJournal()


def read_events(file: Path, identity: str) -> tuple[Kept, ...]:
    """The event with this correlation id, and those of the login that it began; in order, none when there is none.

    Raises:
        JournalUnavailable: the journal cannot be read.
    """
    if not file.exists():
        return ()
    query = "SELECT value FROM event WHERE correlation = ? OR (login = ? AND login <> '') ORDER BY number"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute(query, (identity, identity)).fetchall()
            return tuple(unpacked(value, lambda digest: _part(db, digest)) for (value,) in rows)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise _unavailable(file, error) from error


def _part(db: sqlite3.Connection, digest: bytes) -> bytes:
    octets: bytes
    for (octets,) in db.execute("SELECT value FROM part WHERE digest = ?", (digest,)):
        return octets
    msg = "a part of the event is gone"
    raise sqlite3.DataError(msg)


def _connected(file: Path, patience: float) -> sqlite3.Connection:
    file.touch(mode=0o600, exist_ok=True)
    file.chmod(0o600)
    db = sqlite3.connect(file, isolation_level=None, timeout=patience)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        _check(*db.execute("PRAGMA user_version").fetchone())
        db.executescript(_TABLES)
    except BaseException:
        db.close()
        raise
    return db


def _check(layout: int) -> None:
    if layout not in {0, _LAYOUT}:
        msg = "another version of dirfactor has written it"
        raise sqlite3.DataError(msg)


def _unavailable(file: Path, error: Exception) -> JournalUnavailable:
    return JournalUnavailable(
        f"journal {file}: {getattr(error, 'strerror', None) or error}",
        remedy="check the disk, the file's owner and mode; a damaged file may be moved away: past decisions are lost",
    )
