"""Texts that gateways took, in a table of the embedded store, for as long as a receipt may come."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec

from auth.state import SentMessage

TABLE: Final = """
CREATE TABLE IF NOT EXISTS sent (
    gateway TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, value BLOB NOT NULL, PRIMARY KEY (gateway, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_at ON sent (at);
"""
KEPT: Final = timedelta(days=7)
_Run = Callable[..., sqlite3.Cursor]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(SentMessage).decode


def put(run: _Run, message: SentMessage) -> None:
    """Remember a message, in place of what was known of it."""
    row = (message.gateway, message.id, message.at.timestamp(), _encode(message))
    run("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?)", row)


def get(run: _Run, gateway: str, identity: str) -> SentMessage | None:
    """The message; None when it is unknown. Raises msgspec.DecodeError for a row of another version."""
    row = run("SELECT value FROM sent WHERE gateway = ? AND id = ?", (gateway, identity)).fetchone()
    return None if row is None else _decode(row[0])
