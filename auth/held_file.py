"""Whether it is another process that keeps us from a SQLite file: then it is worth asking again."""

import sqlite3
from typing import Final

_PRIMARY: Final = 0xFF


def is_held(error: Exception) -> bool:
    """Whether this says that somebody else has the file: SQLITE_BUSY, or one of its kinds (sqlite.org/rescode.html)."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & _PRIMARY == sqlite3.SQLITE_BUSY
