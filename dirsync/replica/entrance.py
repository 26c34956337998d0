"""Those who come through an access node, as two people who have nothing but its policy: one has a token, one has none.

A node's policy governs whoever has none that is nearer. Who that is nobody need find out to know what it takes away.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from dirsync.replica.snapshot import Snapshot
from dirsync.view import Person, PolicyLink
from schema.entry import EntryId, User
from schema.words import TokenKind

_TOKENS: Final = ((TokenKind.SMS,), ())
# its DN, and its policy before and after
_Way = tuple[str, PolicyLink | None, PolicyLink | None]


def comers(before: Snapshot, after: Snapshot, entry: EntryId, named: Iterable[str]) -> Iterator[tuple[Person, Person]]:
    """Who comes through an access node, or through what names a policy outside of the directory, before and after.

    Args:
        before: the replica without the batch.
        after: the replica with it.
        entry: the access node, or the policy; of anything else nothing comes.
        named: DNs of policies that are named outside of the directory.
    """
    way = _node(before, after, entry) or _named(before, after, entry, named)
    if way is not None:
        dn, was, now = way
        for tokens in _TOKENS:
            person = User(tokens=tokens)
            yield Person(entry, dn, person, was, (), ()), Person(entry, dn, person, now, (), ())


def _node(before: Snapshot, after: Snapshot, entry: EntryId) -> _Way | None:
    """Through an access node that lets people in before and after."""
    was, now = before.node(entry), after.node(entry)
    if was is None or now is None or not (was.node.node_enabled and now.node.node_enabled):
        return None
    return was.dn, was.policy, now.policy


def _named(before: Snapshot, after: Snapshot, entry: EntryId, named: Iterable[str]) -> _Way | None:
    """Through what names the policy."""
    dn = next((dn for dn in named if before.lookup(dn) == entry), None)
    holder = after.lookup(dn) if dn else None
    return (dn, before.policy(entry), after.policy(holder)) if dn and holder else None
