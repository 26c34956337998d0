"""Whom a batch may concern: from the entries that it has touched to the users whose second factor may be another."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import msgspec

from dirsync.change import LinkKind
from schema.dn import parent
from schema.entry import AccessNode, Container, Entry, EntryId, Group, Policy, User

_DECODE: Final = msgspec.msgpack.Decoder(Entry).decode
_ABOVE: Final = """
WITH RECURSIVE above (id) AS (
    SELECT ? UNION SELECT source FROM link JOIN above ON target = above.id WHERE kind = 'member')
SELECT 1 FROM above JOIN link ON source = above.id WHERE kind = 'policy' LIMIT 1
"""
_WITHIN: Final = """
WITH RECURSIVE within (id) AS (
    SELECT ? UNION SELECT target FROM link JOIN within ON source = within.id WHERE kind = 'member')
SELECT entry.id, entry.kind, entry.parsed FROM within JOIN entry ON entry.id = within.id
"""
_BELOW: Final = "SELECT id FROM entry WHERE kind = 'user' AND substr(folded, ?) = ?"


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry on one side of a batch."""

    dn: str
    folded: str
    entry: Entry


class Side:
    """The replica on one side of a batch: before it, or after it.

    Args:
        db: shows that side; in a transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def seen(self, entry_id: EntryId) -> Seen | None:
        """The entry, if it is there."""
        row = self._db.execute("SELECT dn, folded, parsed FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return Seen(row[0], row[1], _DECODE(row[2])) if row else None

    def has_others(self, entry_id: EntryId) -> bool:
        """Whether the entry is there, and others may be in it or below it."""
        query = "SELECT 1 FROM entry WHERE id = ? AND kind IN ('group', 'container')"
        return self._db.execute(query, (entry_id,)).fetchone() is not None

    def targets(self, kind: LinkKind, source: EntryId) -> set[EntryId]:
        """Where an entry's links of one kind lead."""
        query = "SELECT target FROM link WHERE kind = ? AND source = ?"
        return {target for (target,) in self._db.execute(query, (kind, source))}

    def subjects(self, policy: EntryId) -> set[EntryId]:
        """Who has a policy assigned."""
        query = "SELECT source FROM link WHERE kind = 'policy' AND target = ?"
        return {source for (source,) in self._db.execute(query, (policy,))}

    def is_governed(self, group: EntryId) -> bool:
        """Whether membership in a group decides about policies: it, or a group that it is in, has one."""
        return self._db.execute(_ABOVE, (group,)).fetchone() is not None

    def users_of(self, subject: EntryId) -> Iterator[EntryId]:
        """The users whom an assignment to a subject reaches; an access node stands for those who come through it."""
        seen = self.seen(subject)
        if seen is not None and isinstance(seen.entry, Container):
            yield from self._below(seen.folded)
            return
        if seen is not None and isinstance(seen.entry, AccessNode):
            yield subject
            return
        sids: set[str] = set()
        for entry_id, kind, parsed in self._db.execute(_WITHIN, (subject,)).fetchall():
            if kind == "user":
                yield entry_id
            elif kind == "group" and isinstance(group := _DECODE(parsed), Group) and group.sid:
                sids.add(group.sid)
        if sids:
            yield from self._with_primary_group(sids)

    def _below(self, folded: str) -> Iterator[EntryId]:
        suffix = f",{folded}"
        return (user for (user,) in self._db.execute(_BELOW, (-len(suffix), suffix)).fetchall())

    def _with_primary_group(self, sids: set[str]) -> Iterator[EntryId]:
        for user, parsed in self._db.execute("SELECT id, parsed FROM entry WHERE kind = 'user'"):
            entry = _DECODE(parsed)
            if isinstance(entry, User) and entry.primary_group_sid in sids:
                yield user


@dataclass(frozen=True, slots=True)
class Cause:
    """What in the directory concerns a user.

    Attributes:
        entry: the entry that was changed.
        dn: its DN before.
        attribute: the attribute that was changed, as the directory calls it.
    """

    entry: EntryId
    dn: str
    attribute: str


def concerned(before: Side, after: Side, touched: Iterable[EntryId]) -> Iterator[tuple[EntryId, Cause]]:
    """The users who were there before and whose tokens or policy a batch may have changed; some more than once.

    An access node among them stands for those who come through it, and a policy for those who come through whatever
    names it outside of the directory. An edit that has nothing to do with any of this concerns nobody, so that a batch
    costs what it changes.

    Args:
        before: the replica without the batch.
        after: the replica with it.
        touched: entries that were added, changed or removed.
    """
    for entry_id in touched:
        was = before.seen(entry_id)
        if was is None and not after.has_others(entry_id):
            continue  # whoever is new was not there before
        for attribute, users in _concerned(before, after, entry_id, was):
            cause = Cause(entry_id, was.dn if was else "", attribute)
            yield from ((user, cause) for user in users)


def _concerned(
    before: Side, after: Side, entry_id: EntryId, was: Seen | None
) -> Iterator[tuple[str, Iterable[EntryId]]]:
    """By which attribute of a touched entry which users are concerned."""
    now = after.seen(entry_id)
    first = was or now  # a group that is new is somebody's new group
    kind = type(first.entry) if first else None
    relinked = before.targets(LinkKind.POLICY, entry_id) != after.targets(LinkKind.POLICY, entry_id)
    if kind is User and was:
        attribute = "dirfactorPolicy" if relinked and now else _other_factor(was, now)
        yield from [(attribute, (entry_id,))] if attribute else []
    if kind is Group:
        # by their SID groups have those whose primary group they are
        attribute = "dirfactorPolicy" if relinked else "objectSid" if _sid(was) != _sid(now) else "member"
        yield attribute, _by_group(before, after, entry_id, everybody=attribute != "member")
    if kind is Container and relinked:  # what is moved with one has been touched itself
        yield "dirfactorPolicy", (before if was else after).users_of(entry_id)
    if kind is AccessNode and was and relinked:
        yield "dirfactorPolicy", (entry_id,)
    if kind is Policy and was and (attribute := _other_demand(was, now)):
        yield attribute, chain((entry_id,), *map(before.users_of, before.subjects(entry_id)))


def _by_group(before: Side, after: Side, group: EntryId, *, everybody: bool) -> Iterator[EntryId]:
    """Everybody in it, or those who came or went, where membership decides anything."""
    if not (before.is_governed(group) or after.is_governed(group)):
        return
    if everybody:
        yield from before.users_of(group)
        yield from after.users_of(group)
        return
    for member in before.targets(LinkKind.MEMBER, group) ^ after.targets(LinkKind.MEMBER, group):
        yield from before.users_of(member)


def _other_factor(was: Seen, now: Seen | None) -> str | None:
    """The attribute by which what decides about a user's factors is another; links are not looked at."""
    if now is None:
        return "isDeleted"
    if not isinstance(was.entry, User) or not isinstance(now.entry, User):
        return "objectClass"
    compared = (
        ("dirfactorToken", was.entry.tokens, now.entry.tokens),
        ("dirfactorSecret", was.entry.secrets, now.entry.secrets),
        ("dirfactorVipCredential", was.entry.vip_credentials, now.entry.vip_credentials),
        ("primaryGroupID", was.entry.primary_group_sid, now.entry.primary_group_sid),
        ("name", parent(was.folded), parent(now.folded)),
    )
    return next((attribute for attribute, one, other in compared if one != other), None)


def _sid(seen: Seen | None) -> str | None:
    return seen.entry.sid if seen and isinstance(seen.entry, Group) else None


def _other_demand(was: Seen, now: Seen | None) -> str | None:
    """The attribute by which a policy may demand something else, or of somebody else."""
    if now is None:
        return "isDeleted"
    if not isinstance(was.entry, Policy) or not isinstance(now.entry, Policy):
        return "objectClass"
    compared = (
        ("dirfactorFirstMethod", was.entry.first_method, now.entry.first_method),
        ("dirfactorSecondMethod", was.entry.second_method, now.entry.second_method),
        ("dirfactorPinWithToken", was.entry.pin_with_token, now.entry.pin_with_token),
        ("dirfactorPriority", was.entry.priority, now.entry.priority),
    )
    findings = set(was.entry.malformed) ^ set(now.entry.malformed)
    other = (attribute for attribute, one, two in compared if one != two)
    return next(chain(other, (finding.attribute for finding in findings)), None)
