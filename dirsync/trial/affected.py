"""Of whom something may be different after some entries have changed; of nobody else anything is."""

from collections.abc import Iterable, Iterator

from dirsync.replica.concern import Side
from schema.entry import EntryId, Policy, User


def affected(before: Side, after: Side, touched: Iterable[EntryId]) -> set[EntryId]:
    """Every user whose `Person` may be another: those touched, and all within, below or governed by what is touched.

    Args:
        before: the replica without the changes.
        after: the replica with them.
        touched: entries that are new, gone or different, or have other links.
    """
    return {user for entry in touched for side in (before, after) for user in _reached(side, entry)}


def _reached(side: Side, entry: EntryId) -> Iterator[EntryId]:
    seen = side.seen(entry)
    if seen is None:
        return
    if isinstance(seen.entry, User):
        yield entry
    elif isinstance(seen.entry, Policy):
        for subject in side.subjects(entry):
            yield from side.users_of(subject)
    else:
        yield from side.users_of(entry)
