"""The one writer of the replica: takes batches of changes in, each with its cookie in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from dirsync.change import Batch, Placing, Put
from dirsync.replica.directories import number_of
from dirsync.replica.entries import Entries, Parser
from dirsync.replica.first_load import FirstLoad, Merge, is_empty
from dirsync.replica.first_load_by_name import FirstLoadByName
from dirsync.replica.holding import Holding
from dirsync.replica.merge import Increment, Refresh
from dirsync.replica.named import Named
from dirsync.replica.store import faults, open_for_writing, transaction
from dirsync.replica.tally import Tally
from dirsync.replica.tripwire import Held, Tripwire, pull
from schema.parse import parse_entry

# Raised by whoever changes what `schema.parse` makes of an entry: the replica is then parsed again.
_PARSER_VERSION: Final = 5


class _DoubtedError(Exception):
    """A batch alone does not tell what is there now: half the truth could ask for less than either state does."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did to the replica.

    Attributes:
        added: entries that were not there before.
        changed: entries that were there and are different now, each counted once.
        removed: entries that are gone.
        version: the replica's version now.
    """

    added: int
    changed: int
    removed: int
    version: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class ReplicaWriter:
    """Opens the replica for writing one directory, and parses its entries again if a newer parser reads them.

    One for each directory; they may be used from any thread. What it holds in memory does not grow with a batch.

    Args:
        path: the replica's file, made when it is not there; its folder must be.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
        directory: the directory's name in config.ini, empty for the one without a name.
        turn: held while the file is written; the writers of one file share it, so that none waits in vain.
        tripwire: what is too much for one batch; without it nothing is.

    Raises:
        ReplicaUnavailable: the file cannot be used; the remedy says what to do.
    """

    def __init__(
        self,
        path: Path,
        extra_attributes: Iterable[str] = (),
        directory: str = "",
        turn: "Lock | None" = None,
        tripwire: Tripwire | None = None,
    ) -> None:
        self._path = path
        self._tripwire = tripwire
        self._lock = turn or Lock()
        extra = tuple(sorted({name.lower() for name in extra_attributes}))
        self._parse: Parser = lambda attributes: parse_entry(attributes, extra)
        self._db = open_for_writing(path)
        try:
            with self._lock, transaction(self._db, self._path):
                self._number = number_of(self._db, directory)
                self._parse_again(" ".join((str(_PARSER_VERSION), *extra)))
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file. What was applied stays."""
        with self._lock:
            self._db.close()

    def cookie(self, identity: str) -> bytes | None:
        """The cookie of the last batch; None when there is none or it came from another source.

        Args:
            identity: the `Source.identity` that the cookie shall be used with.
        """
        with self._lock, transaction(self._db, self._path):
            stored, cookie = self._row("identity, cookie")
        return cookie if stored == identity else None

    def apply(self, batch: Batch, identity: str) -> Applied:
        """Take a batch in, whole, together with its cookie; readers see all of it or nothing.

        The version grows only when something is different afterwards. Whatever goes wrong, an error of the source
        in the middle of its changes included, leaves the replica as it was. So does a batch that contradicts what is
        there, or after which more may have happened than it tells: only the cookie is dropped then, and the source
        will send everything.

        Args:
            batch: the changes; their iterator is consumed.
            identity: the `Source.identity` that the batch came from.

        Raises:
            ReplicaUnavailable: the replica cannot be written.
            Held: the tripwire's answer; what the batch takes is kept for `held_batches`.
            Fault: whatever the source raises, or an entry's DN is none.
            ValueError: the batch continues a cookie of another source.
        """
        with self._lock:
            try:
                with transaction(self._db, self._path):
                    return self._take_in(batch, identity)
            except Held as held:
                with transaction(self._db, self._path):
                    Holding(self._db, self._number).hold(held.losses, batch.as_of)
                raise
            except _DoubtedError:
                with transaction(self._db, self._path):
                    self._db.execute("UPDATE directory SET cookie = NULL WHERE number = ?", (self._number,))
                    return self._count(Tally(self._db))

    def is_released(self) -> bool:
        """Whether an administrator has said yes to the batch that is held."""
        with self._lock, faults(self._path):
            return Holding(self._db, self._number).is_released()

    def _take_in(self, batch: Batch, identity: str) -> Applied:
        (known,) = self._row("identity")
        if not batch.refresh and known not in {None, identity}:
            msg = f"changes of {identity!r} cannot continue those of {known!r}"
            raise ValueError(msg)
        merge = self._merge(batch)
        for change in batch.changes:
            if isinstance(change, Put):
                merge.put(change)
            else:
                merge.delete(change.id)
        tally = merge.finish()
        if tally.doubted:
            raise _DoubtedError
        applied = self._count(tally)
        if self._tripwire and applied:  # a first read, too: it may take entries over from another directory
            pull(self._tripwire, self._db, self._path, self._number, tally.touched(), batch.as_of)
        self._db.execute(
            "UPDATE directory SET identity = ?, cookie = ?, as_of = ?, netbios_name = coalesce(?, netbios_name)"
            " WHERE number = ?",
            (identity, batch.cookie, batch.as_of.isoformat(), batch.netbios_name, self._number),
        )
        return applied

    def _merge(self, batch: Batch) -> Merge:
        """How the batch is taken in."""
        if batch.placing is not Placing.BY_PARENT:
            by_name = FirstLoadByName if batch.refresh and is_empty(self._db) else Named
            return by_name(self._db, self._number, self._parse, batch)
        if not batch.refresh:
            return Increment(self._db, self._number, self._parse)
        return (FirstLoad if is_empty(self._db) else Refresh)(self._db, self._number, self._parse)

    def _row(self, columns: str) -> tuple[Any, ...]:
        """Some columns of the directory's row."""
        query = f"SELECT {columns} FROM directory WHERE number = ?"  # noqa: S608 - names of ours
        row: tuple[Any, ...] = self._db.execute(query, (self._number,)).fetchone()
        return row

    def _count(self, tally: Tally) -> Applied:
        counts = tally.counts()
        if any(counts):
            self._db.execute("UPDATE meta SET version = version + 1")
        (version,) = self._db.execute("SELECT version FROM meta").fetchone()
        return Applied(*counts, version)

    def _parse_again(self, parser: str) -> None:
        (known,) = self._row("parser")
        if known == parser:
            return
        tally = Tally(self._db)
        Entries(self._db, self._number, self._parse, tally).parse_again()
        self._count(tally)
        # without a cookie the source sends everything: entries, too, that the old parser had no use for
        self._db.execute("UPDATE directory SET parser = ?, cookie = NULL WHERE number = ?", (parser, self._number))
