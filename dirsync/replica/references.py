"""Links of directories that know their targets by name: the names are kept, and lead to whoever bears them.

A DN in `member` of an OpenLDAP group is a text: when its bearer is renamed it leads nowhere, and when another entry
gets that DN it leads there. So `link` follows from `reference` and the entries, and is derived again for every holder
of a name whose bearer has changed.
"""

import sqlite3
import uuid
from typing import Final

from dirsync.change import LinkKind, Put
from dirsync.replica.tally import Tally
from schema.dn import fold
from schema.entry import EntryId
from schema.parse import fold as fold_name

# Names that nobody bears hash into ids under this namespace, so that a link leads nowhere and is still a link.
_NAMESPACE: Final = uuid.UUID("4f0d7a3c-2c0e-4d52-9d0e-0f8f6d1b6a55")
_STIRRED: Final = """
CREATE TEMP TABLE IF NOT EXISTS stirred (source BLOB, kind TEXT, PRIMARY KEY (source, kind)) WITHOUT ROWID
"""
_RESOLVED: Final = """
CREATE TEMP TABLE IF NOT EXISTS resolved (kind TEXT, source BLOB, target BLOB, PRIMARY KEY (kind, source, target))
WITHOUT ROWID
"""
_STIR: Final = "INSERT OR IGNORE INTO stirred SELECT source, kind FROM main.reference WHERE"
# Whatever changes who bears a name, for whatever reason, stirs up the links of those who hold it.
_WATCH: Final = {
    "watch_new": f"INSERT ON main.entry BEGIN {_STIR} way = 'dn' AND name = NEW.folded; END",
    "watch_gone": f"DELETE ON main.entry BEGIN {_STIR} way = 'dn' AND name = OLD.folded; END",
    "watch_renamed": "UPDATE OF folded ON main.entry WHEN NEW.folded <> OLD.folded"
    f" BEGIN {_STIR} way = 'dn' AND name IN (NEW.folded, OLD.folded); END",
    "watch_login": "INSERT ON main.name WHEN NEW.kind IN ('sam', 'uid')"
    f" BEGIN {_STIR} way = 'login' AND name = NEW.name; END",
    "watch_no_login": "DELETE ON main.name WHEN OLD.kind IN ('sam', 'uid')"
    f" BEGIN {_STIR} way = 'login' AND name = OLD.name; END",
}
_STIR_ALL: Final = """
INSERT OR IGNORE INTO stirred
SELECT held.source, held.kind
FROM (SELECT source, kind FROM main.reference UNION SELECT source, kind FROM main.link) AS held
JOIN main.entry ON entry.id = held.source WHERE entry.directory = :directory
"""
# what the references in {held} lead to; CROSS JOIN keeps SQLite from going through all of them where few are stirred up
_LED_TO: Final = """
SELECT reference.kind AS kind, source, coalesce(
    (SELECT id FROM main.entry WHERE folded = name AND directory = :directory ORDER BY id LIMIT 1), nobody(name)
) AS target
FROM {held} WHERE way = 'dn'
UNION
SELECT reference.kind, source, entry.id
FROM {held}
CROSS JOIN main.name ON name.kind IN ('sam', 'uid') AND name.name = reference.name
CROSS JOIN main.entry ON entry.id = name.id AND entry.directory = :directory AND entry.kind = 'user'
WHERE way = 'login'
"""
_STIRRED_UP: Final = "stirred CROSS JOIN main.reference USING (source, kind)"
_RESOLVE: Final = f"INSERT OR IGNORE INTO resolved {_LED_TO.format(held=_STIRRED_UP)}"
_RESOLVE_ALL: Final = f"INSERT OR IGNORE INTO main.link {_LED_TO.format(held='main.reference')} ORDER BY 1, 2, 3"
INSERT: Final = "INSERT INTO reference VALUES (?, ?, ?, ?)"
_DROP: Final = """
DELETE FROM main.link WHERE (source, kind) IN (SELECT source, kind FROM stirred)
AND (kind, source, target) NOT IN (SELECT kind, source, target FROM resolved)
RETURNING source
"""
_HELD_FROM_BEFORE: Final = """
SELECT EXISTS (SELECT 1 FROM main.reference WHERE name = ? AND way = 'dn'
    AND NOT EXISTS (SELECT 1 FROM temp.told WHERE id = source AND under IS NOT NULL))
"""
_ADD: Final = "INSERT OR IGNORE INTO main.link SELECT kind, source, target FROM resolved RETURNING source"


def nobody(name: str) -> EntryId:
    """An id that no entry has, for a name that none bears."""
    return uuid.uuid5(_NAMESPACE, name).bytes


class References:
    """Keeps the names to which entries hold links, and derives the links.

    Args:
        db: the replica, in a transaction that ends after `finish`.
        directory: number of the directory that is written.
        tally: keeps what becomes of each entry.
        whole: derive all links in the end, not only those that may have changed.
    """

    def __init__(self, db: sqlite3.Connection, directory: int, tally: Tally, *, whole: bool) -> None:
        self._db = db
        self._directory = {"directory": directory}
        self._tally = tally
        self._whole = whole
        db.create_function("nobody", 1, nobody, deterministic=True)
        for statement in (_STIRRED, _RESOLVED, "DELETE FROM stirred", "DELETE FROM resolved"):
            db.execute(statement)
        if not whole:
            for trigger, watched in _WATCH.items():
                db.execute(f"CREATE TEMP TRIGGER {trigger} AFTER {watched}")

    def put(self, put: Put) -> None:
        """Note to which names an entry holds links now; a kind that is not named has none."""
        wanted = names_held(put)
        query = "SELECT source, kind, way, name FROM reference WHERE source = ?"
        known = set(self._db.execute(query, (put.id,)))
        if wanted != known:
            self._forget(known - wanted)
            self._db.executemany(INSERT, wanted - known)
            self._stir(known ^ wanted)

    def drop(self, source: EntryId) -> None:
        """Forget all links from an entry."""
        query = "SELECT source, kind, way, name FROM reference WHERE source = ?"
        self._forget(set(self._db.execute(query, (source,))))
        self._db.executemany("INSERT OR IGNORE INTO temp.stirred VALUES (?, ?)", [(source, kind) for kind in LinkKind])

    def holders(self, folded: str, kind: LinkKind) -> int:
        """How many entries hold a link of this kind to the DN."""
        query = "SELECT count(*) FROM reference WHERE name = ? AND way = 'dn' AND kind = ?"
        count: int = self._db.execute(query, (folded, kind)).fetchone()[0]
        return count

    def is_held_from_before(self, folded: str) -> bool:
        """Whether an entry that `Places` was not told of since it last settled holds a link of any kind to the DN."""
        found: int = self._db.execute(_HELD_FROM_BEFORE, (folded,)).fetchone()[0]
        return bool(found)

    def finish(self) -> None:
        """Derive the links."""
        if self._whole:
            self._db.execute(_STIR_ALL, self._directory)
        else:
            for trigger in _WATCH:
                self._db.execute(f"DROP TRIGGER temp.{trigger}")
        self._db.execute(_RESOLVE, self._directory)
        for statement in (_DROP, _ADD):
            for (source,) in self._db.execute(statement):
                self._tally.changed(source)

    def _forget(self, rows: set[tuple[EntryId, str, str, str]]) -> None:
        self._db.executemany(
            "DELETE FROM reference WHERE source = ? AND kind = ? AND way = ? AND name = ?",
            rows,
        )

    def _stir(self, rows: set[tuple[EntryId, str, str, str]]) -> None:
        pairs = {(source, kind) for source, kind, _, _ in rows}
        self._db.executemany("INSERT OR IGNORE INTO temp.stirred VALUES (?, ?)", pairs)


def resolve_all(db: sqlite3.Connection, directory: int) -> None:
    """Derive the links where none is yet."""
    db.create_function("nobody", 1, nobody, deterministic=True)
    db.execute(_RESOLVE_ALL, {"directory": directory})


def names_held(put: Put) -> set[tuple[EntryId, str, str, str]]:
    """The rows of `reference` for the links of an entry."""
    return {row for kind, change in put.links.items() for row in _rows(put.id, kind, change.dns, change.logins)}


def _rows(
    source: EntryId, kind: LinkKind, dns: tuple[str, ...], logins: tuple[str, ...]
) -> set[tuple[EntryId, str, str, str]]:
    named = {(source, str(kind), "dn", _folded(dn)) for dn in dns}
    return named | {(source, str(kind), "login", fold_name(login)) for login in logins}


def _folded(dn: str) -> str:
    """The form in which DNs are compared; a text that is no DN is borne by nobody."""
    try:
        return fold(dn)
    except ValueError:
        return dn
