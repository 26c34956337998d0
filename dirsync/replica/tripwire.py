"""The tripwire: a batch that would take the second factor from too many users at once is not taken in."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from dirsync.replica.concern import Side, concerned
from dirsync.replica.directories import names_of
from dirsync.replica.entrance import comers
from dirsync.replica.holding import Holding, Loss
from dirsync.replica.snapshot import Snapshot
from dirsync.replica.store import open_for_reading
from dirsync.view import Person, PolicyLink
from schema.entry import EntryId
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
# What a user loses from before to after, in a few words; None for nothing. After is None when the user is gone.
Judge = Callable[[Person, Person | None], str | None]

# Whoever has few users still wants to be told when many of them lose something.
_SHARE: Final = 5
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Tripwire:
    """What is too much.

    Attributes:
        judge: says what a user loses.
        users: how many may lose something within an hour; never more than a fifth of all, but five always may. What
            is lost at an access node is lost by everybody there, which is too much in any case.
        named: policies that no entry is, by the ids under which links lead to them.
        entrances: DNs of the policies that access nodes of config.ini name.
    """

    judge: Judge
    users: int
    named: Mapping[EntryId, PolicyLink] = field(default_factory=dict)
    entrances: frozenset[str] = frozenset()

    def limit(self, everybody: int) -> int:
        """How many of so many users may lose something."""
        return min(self.users, max(_FEW, everybody // _SHARE))


class Held(Fault):
    """A batch takes too much from too many; the replica is as it was.

    Its words name nobody: they are told to whoever asks whether the service is ready.

    Args:
        losses: what it takes, and from whom.
        everybody: how many users the directory has.
    """

    def __init__(self, losses: tuple[Loss, ...], everybody: int) -> None:
        self.losses = losses
        super().__init__(
            f"held: the directory's changes would take something from {len(losses)} of {everybody} users; "
            "what was in force stays so, and no other change is taken in",
            remedy="see `dirfactor sync held`, then undo it in the directory, or `dirfactor sync release` it",
        )


def pull(
    tripwire: Tripwire, db: sqlite3.Connection, path: Path, directory: int, touched: Iterable[EntryId], now: datetime
) -> None:
    """Look at what a batch has done, in the transaction that it has done it in.

    Args:
        tripwire: what is too much.
        db: the replica with the batch, not yet committed.
        path: the replica's file, which still shows everybody else what was there before.
        directory: number of the directory.
        touched: entries that were added, changed or removed.
        now: the instant of the batch.

    Raises:
        Held: it is too much, and nobody has said yes to it.
    """
    with closing(open_for_reading(path)) as old:
        old.execute("BEGIN")
        losses, entrances = _losses(tripwire, old, db, touched)
        holding = Holding(db, directory)
        fresh = tuple(holding.unapproved(losses))
        together = len({loss.user for loss in fresh} | holding.lost_lately(now)) if fresh else 0
        is_open_to_all = any(loss.user in entrances for loss in fresh)
        if together > _FEW or is_open_to_all:  # else nobody need be counted
            query = "SELECT count(*) FROM entry WHERE kind = 'user' AND directory = ?"
            (everybody,) = old.execute(query, (directory,)).fetchone()
            if is_open_to_all or together > tripwire.limit(everybody):
                raise Held(losses, everybody)
    if holding.forget():
        _log.warning("what was held is held no longer: %d users lose something", len(losses))
    holding.note(fresh, now)


def _losses(
    tripwire: Tripwire, old: sqlite3.Connection, new: sqlite3.Connection, touched: Iterable[EntryId]
) -> tuple[tuple[Loss, ...], set[EntryId]]:
    """What is lost, and those of the losers through whom anybody may come."""
    losses: dict[EntryId, Loss | None] = {}
    entrances: set[EntryId] = set()
    before, after = (Snapshot(db, names_of(db), 1, tripwire.named) for db in (old, new))
    for entry, cause in concerned(Side(old), Side(new), touched):
        if entry in losses:
            continue
        losses[entry] = None
        if was := before.person(entry):
            if what := tripwire.judge(was, after.person(entry)):
                losses[entry] = Loss(entry, was.dn, what, cause)
            continue
        for was, now in comers(before, after, entry, tripwire.entrances):
            if what := tripwire.judge(was, now):
                entrances.add(entry)
                losses[entry] = Loss(entry, was.dn, f"whoever comes through it {what}", cause)
    return tuple(filter(None, losses.values())), entrances
