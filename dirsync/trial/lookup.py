"""Who has which DN or login name in the copy, at the point to which the changes have come."""

import re
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Final

from dirsync.ldif.source import derived_id
from dirsync.replica.references import nobody
from schema.dn import fold, parent
from schema.entry import EntryId
from schema.parse import fold as fold_name

_GUID: Final = re.compile(r"<GUID=([0-9a-fA-F-]{32,36})>")  # MS-ADTS section 3.1.1.3.1.2.4
_BIT_STRING: Final = re.compile(r"#'[01]*'B\Z")  # may follow the DN of a uniqueMember, RFC 4517 section 3.3.21


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of the copy."""

    id: EntryId
    dn: str
    kind: str
    directory: int


class Lookup:
    """Looks entries up.

    Args:
        db: the copy.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def entry(self, dn: str) -> Found | None:
        """The entry with this DN or `<GUID=...>`; None when there is none, or entries of two directories have it."""
        if match := _GUID.fullmatch(dn.strip()):
            rows = self._rows("id = ?", _guid(match[1]))
        else:
            rows = self._rows("folded = ?", _folded(dn))
        return rows[0] if len(rows) == 1 else None

    def above(self, dn: str) -> Found | None:
        """The nearest entry above by DN."""
        while dn := _parent(dn):
            if found := self.entry(dn):
                return found
        return None

    def below(self, entry: EntryId) -> list[Found]:
        """The entries right below one."""
        return self._rows("parent = ?", entry)

    def has_below(self, dn: str) -> bool:
        """Whether anything is known below a DN, which itself may be above all that is read."""
        suffix = f",{_folded(dn)}"
        query = "SELECT 1 FROM entry WHERE substr(folded, ?) = ? LIMIT 1"
        return self._db.execute(query, (-len(suffix), suffix)).fetchone() is not None

    def target(self, text: str) -> tuple[EntryId, bool]:
        """Whom a link leads to, and whether it is there; where it is not, an id that no entry has."""
        dn = _BIT_STRING.sub("", text.strip())
        if found := self.entry(dn):
            return found.id, True
        match = _GUID.fullmatch(dn)
        return _guid(match[1]) if match else nobody(_folded(dn)), False

    def logins(self, name: str) -> list[EntryId]:
        """The users of this login name, as memberUid means it."""
        query = "SELECT DISTINCT id FROM name WHERE kind IN ('sam', 'uid') AND name = ?"
        return [entry for (entry,) in self._db.execute(query, (fold_name(name),))]

    def _rows(self, condition: str, value: object) -> list[Found]:
        query = f"SELECT id, dn, kind, directory FROM entry WHERE {condition} ORDER BY id"  # noqa: S608 - constants
        return [Found(*row) for row in self._db.execute(query, (value,))]


def ids_of_a_missing(dn: str) -> tuple[EntryId, ...]:
    """The ids by which links lead to a DN that nobody has, whoever has written them."""
    folded = _folded(dn)
    return nobody(folded), derived_id(folded)


def _guid(text: str) -> bytes:
    """As octets in hexadecimal in AD's order, or as text."""
    return uuid.UUID(text).bytes if "-" in text else uuid.UUID(bytes_le=bytes.fromhex(text)).bytes


def _folded(dn: str) -> str:
    """The form in which DNs are compared; a text that is no DN is nobody's."""
    try:
        return fold(dn)
    except ValueError:
        return dn


def _parent(dn: str) -> str:
    try:
        return parent(dn)
    except ValueError:
        return ""
