"""Batches that are held: what would be lost by whom, kept in the replica's file until an administrator says yes."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dirsync.replica.concern import Cause
from dirsync.replica.store import faults, open_for_reading, open_for_writing, transaction
from schema.entry import EntryId
from schema.errors import Fault

# For how long those who have lost something count together: a script that goes through all users one by one is as
# much of a mistake as one that does it at once.
WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Loss:
    """What a batch takes from one user, or from all who come through an access node.

    Attributes:
        user: the user, or the access node, or the policy that one of config.ini names.
        dn: its DN before.
        what: what is lost, in a few words.
        cause: what was changed in the directory.
    """

    user: EntryId
    dn: str
    what: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """A batch that waits for an administrator.

    Attributes:
        directory: name of the directory in config.ini.
        since: when it was held first.
        released: an administrator has said yes; it is taken in with the next sync.
        losses: what it would take from whom, by DN.
    """

    directory: str
    since: datetime
    released: bool
    losses: tuple[Loss, ...]


class Holding:
    """One directory's part of these tables, for its writer.

    Args:
        db: the replica; every method is called in a transaction.
        directory: number of the directory.
    """

    def __init__(self, db: sqlite3.Connection, directory: int) -> None:
        self._db = db
        self._directory = directory

    def unapproved(self, losses: Iterable[Loss]) -> Iterator[Loss]:
        """The losses that no administrator has said yes to."""
        query = (
            "SELECT 1 FROM held_user JOIN held USING (directory)"
            " WHERE released AND directory = ? AND id = ? AND what = ?"
        )
        for loss in losses:
            if not self._db.execute(query, (self._directory, loss.user, loss.what)).fetchone():
                yield loss

    def lost_lately(self, now: datetime) -> set[EntryId]:
        """Who has lost something within the window before `now`."""
        self._db.execute("DELETE FROM lost WHERE at < ?", ((now - WINDOW).timestamp(),))
        return {user for (user,) in self._db.execute("SELECT id FROM lost WHERE directory = ?", (self._directory,))}

    def note(self, losses: Iterable[Loss], now: datetime) -> None:
        """Count those as losers of the window."""
        rows = [(self._directory, loss.user, now.timestamp()) for loss in losses]
        self._db.executemany("INSERT OR REPLACE INTO lost VALUES (?, ?, ?)", rows)

    def hold(self, losses: Sequence[Loss], now: datetime) -> None:
        """Keep what a batch would have taken; what an earlier try would have is replaced."""
        row = self._db.execute("SELECT since FROM held WHERE directory = ?", (self._directory,)).fetchone()
        since = row[0] if row else now.isoformat()
        self.forget()
        self._db.execute("INSERT INTO held VALUES (?, ?, 0)", (self._directory, since))
        rows = [
            (self._directory, loss.user, loss.dn, loss.what, loss.cause.entry, loss.cause.dn, loss.cause.attribute)
            for loss in losses
        ]
        self._db.executemany("INSERT OR REPLACE INTO held_user VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def forget(self) -> bool:
        """Nothing is held any more; False when nothing was."""
        self._db.execute("DELETE FROM held_user WHERE directory = ?", (self._directory,))
        return self._db.execute("DELETE FROM held WHERE directory = ?", (self._directory,)).rowcount > 0

    def is_released(self) -> bool:
        """Whether an administrator has said yes to what is held."""
        query = "SELECT 1 FROM held WHERE directory = ? AND released"
        return self._db.execute(query, (self._directory,)).fetchone() is not None


def held_batches(path: Path) -> tuple[HeldBatch, ...]:
    """What is held, by the name of the directory.

    Raises:
        ReplicaUnavailable: the replica cannot be read.
    """
    with closing(open_for_reading(path)) as db, faults(path):
        db.execute("BEGIN")  # both tables as they are at one moment
        return _held(db)


def release(path: Path, directory: str) -> HeldBatch:
    """Say yes to what is held: exactly that is taken in with the next sync, and nothing that came to it since.

    Args:
        path: the replica's file.
        directory: name of the directory.

    Raises:
        Fault: nothing of this directory is held.
        ReplicaUnavailable: the replica cannot be written.
    """
    open_for_reading(path).close()  # a replica that is not there is not made for this
    with closing(open_for_writing(path)) as db, transaction(db, path):
        held = next((batch for batch in _held(db) if batch.directory == directory), None)
        if held is None:
            raise Fault(
                f"nothing of [directory{':' + directory if directory else ''}] is held",
                remedy="see `dirfactor sync held`",
            )
        query = "UPDATE held SET released = 1 WHERE directory = (SELECT number FROM directory WHERE name = ?)"
        db.execute(query, (directory,))
    return held


def _held(db: sqlite3.Connection) -> tuple[HeldBatch, ...]:
    rows = db.execute("SELECT number, name, since, released FROM held JOIN directory ON number = directory.number")
    return tuple(
        HeldBatch(name, datetime.fromisoformat(since), bool(released), tuple(_losses(db, number)))
        for number, name, since, released in rows.fetchall()
    )


def _losses(db: sqlite3.Connection, directory: int) -> Iterator[Loss]:
    query = "SELECT id, dn, what, cause, cause_dn, attribute FROM held_user WHERE directory = ? ORDER BY dn"
    rows = db.execute(query, (directory,))
    return (Loss(user, dn, what, Cause(cause, cause_dn, name)) for user, dn, what, cause, cause_dn, name in rows)
