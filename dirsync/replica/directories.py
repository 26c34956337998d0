"""Which directories the replica holds: one row for each, and what becomes of those that are no longer configured."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from dirsync.replica.store import open_for_writing, transaction

_OF_IT: Final = "IN (SELECT id FROM entry WHERE directory = ?)"


def number_of(db: sqlite3.Connection, name: str) -> int:
    """The number by which entries name their directory; a directory that is new gets one.

    Args:
        db: the replica, in a transaction.
        name: the directory's name in config.ini.
    """
    db.execute("INSERT OR IGNORE INTO directory (name) VALUES (?)", (name,))
    number: int = db.execute("SELECT number FROM directory WHERE name = ?", (name,)).fetchone()[0]
    return number


def names_of(db: sqlite3.Connection) -> dict[int, str]:
    """The name of each directory by its number."""
    return dict(db.execute("SELECT number, name FROM directory").fetchall())


def keep_configured(path: Path, identities: Mapping[str, str]) -> None:
    """Drop the directories that config.ini no longer has, with their people, before anybody is let in.

    One that has only got another name there keeps everything: nobody is missing until it has been read again. Links
    that lead from other directories into a dropped one lead nowhere: whoever depends on them is refused.

    Args:
        path: the replica's file; made when it is not there.
        identities: name in config.ini -> `Source.identity`.

    Raises:
        ReplicaUnavailable: the file cannot be used.
    """
    with closing(open_for_writing(path)) as db, transaction(db, path):
        rows = db.execute("SELECT number, name, identity FROM directory").fetchall()
        gone = [row for row in rows if row[1] not in identities]
        new = {identity: name for name, identity in identities.items() if name not in {row[1] for row in rows}}
        for number, _, identity in gone:
            if name := new.pop(identity, None):
                db.execute("UPDATE directory SET name = ? WHERE number = ?", (name, number))
            else:
                _drop(db, number)
        if gone:
            db.execute("UPDATE meta SET version = version + 1")


def _drop(db: sqlite3.Connection, number: Any) -> None:
    db.execute(f"DELETE FROM name WHERE id {_OF_IT}", (number,))  # noqa: S608 - a constant
    db.execute(f"DELETE FROM link WHERE source {_OF_IT}", (number,))  # noqa: S608 - a constant
    db.execute(f"DELETE FROM reference WHERE source {_OF_IT}", (number,))  # noqa: S608 - a constant
    for table in ("entry", "shelf", "lost", "held", "held_user"):
        db.execute(f"DELETE FROM {table} WHERE directory = ?", (number,))  # noqa: S608 - constants
    db.execute("DELETE FROM directory WHERE number = ?", (number,))
