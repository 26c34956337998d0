"""The replica for those who read: always one whole version of the directory, never a part of one."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Final, TypeVar

import msgspec

from dirsync.replica.snapshot import Snapshot, findings
from dirsync.replica.store import fault, open_for_reading, unusable
from dirsync.replica.writer import Applied, ReplicaWriter
from dirsync.view import Freshness, Node, Person, PolicyLink
from schema.entry import EntryId, Policy
from schema.errors import Fault, Malformed
from schema.parse import fold

__all__ = ["Applied", "Replica", "ReplicaWriter"]

Answer = TypeVar("Answer")


_NONE: Final[Mapping[EntryId, PolicyLink]] = {}


class Replica:
    """Reads the replica that a `ReplicaWriter` writes, in this process or another; a `dirsync.view.Directory`.

    It may be used from any thread. Every answer comes from one version; the one after a commit comes from the next.
    Every method raises ReplicaUnavailable when the file cannot be read: "not known" is never answered with "none".

    Args:
        path: the replica's file.
        remembered: how many people to keep decoded, until a commit changes anything.
        named: policies that no entry is, by the ids under which links lead to them.
        moment: within what is the same moment to the caller, what is remembered is not held against the file again;
            without it, it is for every answer.

    Raises:
        ReplicaUnavailable: there is no replica, or the file is none.
    """

    def __init__(
        self,
        path: Path,
        remembered: int = 2048,
        named: Mapping[EntryId, PolicyLink] = _NONE,
        moment: Callable[[], int] | None = None,
    ) -> None:
        self._path = path
        self._moment = moment
        self._looked: int | None = None
        self._named = named
        self._remembered = remembered
        self._lock = RLock()
        self._db = open_for_reading(path)
        self._commit: int | None = None
        self._freshness: Mapping[str | None, Freshness] = {None: Freshness(0, None)}
        self._domains: Mapping[str, str] = {}
        self._snapshot = Snapshot(self._db, {}, remembered, named)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def find(self, names: Sequence[tuple[str, str]], directory: str | None = None) -> tuple[EntryId, ...]:
        """The users that have any of these (kind, folded name) pairs of `schema.parse.names_of`, each once, by id."""
        known = self._recall(lambda snapshot: snapshot.found(names, directory))
        return self._read(lambda snapshot: snapshot.find(names, directory)) if known is None else known

    def users(self) -> Sequence[EntryId]:
        """Every user, by DN; for who looks at all of them, and is content with 50 octets in memory for each."""
        return self._read(lambda snapshot: snapshot.users())

    def person(self, user: EntryId) -> Person | None:
        """The user and everything that decides about them; None when there is no such user."""
        return self._recall(lambda snapshot: snapshot.known(user)) or self._read(lambda snapshot: snapshot.person(user))

    def nodes(self) -> tuple[Node, ...]:
        """Every access node, by name."""
        return self._read(lambda snapshot: snapshot.nodes())

    def lookup(self, dn: str) -> EntryId | None:
        """As `Directory.lookup`."""
        return self._read(lambda snapshot: snapshot.lookup(dn))

    def policy(self, policy: EntryId) -> PolicyLink:
        """The policy with this id, as a link that leads to it."""
        return self._read(lambda snapshot: snapshot.policy(policy))

    def policies(self) -> Sequence[tuple[str, Policy]]:
        """Every security policy with its DN, by DN; not those that have no entry, but stand in config.ini."""
        return self._read(lambda snapshot: snapshot.policies())

    def malformed(self) -> Iterator[tuple[str, Malformed]]:
        """(DN, finding) for every malformed value in the directory, by DN."""
        entries = self._read(lambda snapshot: snapshot.malformed())
        return (finding for dn, parsed in entries for finding in findings(dn, parsed))

    def freshness(self, directory: str | None = None) -> Freshness:
        """Which state of a directory is shown; of the one that is oldest when none is named."""
        return self._glance(lambda _: self._freshness.get(directory) or Freshness(self._freshness[None].version, None))

    def domains(self) -> Mapping[str, str]:
        """Folded short name of each domain that has a known one -> name of its directory."""
        return self._glance(lambda _: self._domains)

    def _read(self, of: Callable[[Snapshot], Answer]) -> Answer:
        """What the newest version says, held fast until it has been read."""
        with self._lock:
            try:
                self._db.execute("BEGIN")
                try:
                    self._look()
                    return of(self._snapshot)
                finally:
                    self._db.execute("ROLLBACK")  # nothing was written; it ends the reading
            except (sqlite3.Error, msgspec.MsgspecError) as error:
                raise self._fault(error) from error

    def _glance(self, of: Callable[[Snapshot], Answer]) -> Answer:
        """What is in memory of the newest version; nothing else may be read."""
        with self._lock:
            self._look_once()
            return of(self._snapshot)

    def _recall(self, of: Callable[[Snapshot], Answer | None]) -> Answer | None:
        """What is remembered of the newest version: without a transaction, which would cost more than all else."""
        with self._lock:
            snapshot = self._snapshot
            known = of(snapshot)
            if known is None:
                return None
            self._look_once()
            return known if self._snapshot is snapshot else None

    def _look_once(self) -> None:
        """Turn to the newest version, unless that was done at this moment."""
        moment = self._moment() if self._moment is not None else None
        if moment is not None and moment == self._looked:
            return
        try:
            self._look()
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise self._fault(error) from error
        self._looked = moment

    def _fault(self, error: sqlite3.Error | msgspec.MsgspecError) -> Fault:
        return fault(self._path, error) if isinstance(error, sqlite3.Error) else unusable(self._path, str(error))

    def _look(self) -> None:
        """Turn to the newest version; what was remembered of an older one is dropped."""
        (commit,) = self._db.execute("PRAGMA data_version").fetchone()
        if commit == self._commit:
            return
        # in one statement, for not every caller has begun a transaction
        query = "SELECT version, number, name, as_of, netbios_name FROM meta LEFT JOIN directory ORDER BY number"
        rows = self._db.execute(query).fetchall()
        version = rows[0][0]
        known = [row for row in rows if row[1] is not None]
        if version != self._freshness[None].version:
            self._snapshot = Snapshot(
                self._db, {number: name for _, number, name, *_ in known}, self._remembered, named=self._named
            )
        ages = {name: as_of and datetime.fromisoformat(as_of) for _, _, name, as_of, _ in known}
        oldest = min(filter(None, ages.values()), default=None) if all(ages.values()) else None
        self._freshness = {name: Freshness(version, as_of) for name, as_of in {**ages, None: oldest}.items()}
        short_names = [(fold(short), name) for _, _, name, _, short in known if short]
        taken = Counter(short for short, _ in short_names)
        # where two have the same, nobody can say which is meant
        self._domains = {short: name for short, name in short_names if taken[short] == 1}
        self._commit = commit
