"""The directory at one version: puts people, groups and access nodes together from the replica's tables."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from dirsync.change import LinkKind
from dirsync.replica.recent import Recent
from dirsync.view import Ancestor, Membership, Node, Person, PolicyLink
from schema.dn import fold, parent
from schema.entry import AccessNode, Container, Entry, EntryId, Group, Policy, User
from schema.errors import Malformed
from schema.parse import fold as fold_name

_DECODE: Final = msgspec.msgpack.Decoder(Entry).decode
_LINKS: Final = """
SELECT target, NULL FROM link WHERE kind = 'policy' AND source = :subject
UNION ALL SELECT NULL, source FROM link WHERE target = :subject AND kind = 'member'
"""
# Groups, containers and policies in the memory of one version: there are few of those that matter.
_SHARED: Final = 4096
# Combinations of direct groups: there are more of them, and each is worth less.
_COMBINATIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class _Row:
    id: EntryId
    directory: int
    kind: str
    parent: EntryId | None
    dn: str
    parsed: bytes


class _Group(msgspec.Struct, frozen=True, gc=False):
    dn: str
    group: Group
    policy: PolicyLink | None
    holders: tuple[EntryId, ...]  # the groups that it is a member of


class Snapshot:
    """One version of the replica. It remembers what it has read, and is thrown away with the version.

    Every method raises sqlite3.Error or msgspec.MsgspecError when the file cannot be read.

    Args:
        db: the replica, inside a read transaction of that version whenever a method is called.
        directories: number of each directory -> its name.
        remembered: how many people to keep decoded.
        named: policies that no entry is, by the ids under which links lead to them.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        directories: Mapping[int, str],
        remembered: int,
        named: Mapping[EntryId, PolicyLink],
    ) -> None:
        self._db = db
        self._named = named
        self._directories = directories
        self._people: Recent[EntryId, Person] = Recent(remembered)
        self._found: Recent[tuple[str | None, tuple[tuple[str, str], ...]], tuple[EntryId, ...]] = Recent(remembered)
        self._groups: Recent[EntryId, _Group] = Recent(_SHARED)
        self._chains: Recent[EntryId, tuple[Ancestor, ...]] = Recent(_SHARED)
        self._policies: Recent[EntryId, PolicyLink] = Recent(_SHARED)
        self._sids: Recent[str, tuple[EntryId, ...]] = Recent(_SHARED)
        self._memberships_of: Recent[frozenset[EntryId], tuple[Membership, ...]] = Recent(_COMBINATIONS)
        self._nodes: tuple[Node, ...] | None = None

    def found(self, names: Sequence[tuple[str, str]], directory: str | None) -> tuple[EntryId, ...] | None:
        """As `find`, of what is remembered; no file is read."""
        return self._found.get((directory, tuple(names)))

    def known(self, user: EntryId) -> Person | None:
        """As `person`, of what is remembered; no file is read."""
        return self._people.get(user)

    def find(self, names: Sequence[tuple[str, str]], directory: str | None) -> tuple[EntryId, ...]:
        """As `Directory.find`."""
        known = self.found(names, directory)
        if known is not None:
            return known
        query = (
            "SELECT name.id, entry.directory FROM name JOIN entry ON entry.id = name.id"
            " WHERE name.kind = ? AND name.name = ? AND entry.kind = 'user'"
        )
        rows = {row for name in names for row in self._db.execute(query, name)}
        found = {user for user, number in rows if directory in {None, self._directories[number]}}
        # names that nobody has are not remembered: there is no end of them
        return self._found.keep((directory, tuple(names)), tuple(sorted(found))) if found else ()

    def users(self) -> list[EntryId]:
        """As `Replica.users`."""
        return [user for (user,) in self._db.execute("SELECT id FROM entry WHERE kind = 'user' ORDER BY folded")]

    def person(self, user: EntryId) -> Person | None:
        """As `Directory.person`."""
        known = self.known(user)
        if known is not None:
            return known
        row = self._row(user)
        if row is None or row.kind != "user":
            return None
        entry = _DECODE(row.parsed)
        if not isinstance(entry, User):
            return None
        policies, holders = self._links(user)
        person = Person(
            id=user,
            dn=row.dn,
            user=entry,
            policy=self._only(policies),
            groups=self._memberships(frozenset((*holders, *self._primary(entry)))),
            ancestors=self._ancestors(row),
            directory=self._directories[row.directory],
        )
        return self._people.keep(user, person)

    def nodes(self) -> tuple[Node, ...]:
        """As `Directory.nodes`."""
        if self._nodes is None:
            rows = self._db.execute("SELECT id, dn, parsed FROM entry WHERE kind = 'node'").fetchall()
            nodes = [self._node(node, dn, _DECODE(parsed)) for node, dn, parsed in rows]
            self._nodes = tuple(sorted(nodes, key=lambda item: (item.node.name.casefold(), item.dn)))
        return self._nodes

    def node(self, node: EntryId) -> Node | None:
        """The access node with this id."""
        row = self._row(node)
        return self._node(row.id, row.dn, _DECODE(row.parsed)) if row and row.kind == "node" else None

    def lookup(self, dn: str) -> EntryId | None:
        """As `Directory.lookup`."""
        bearers = self._bearers(dn)
        return bearers[0][0] if len({directory for _, directory in bearers}) == 1 else None

    def policy(self, policy: EntryId) -> PolicyLink:
        """As `Directory.policy`."""
        known = self._policies.get(policy) or self._named.get(policy)
        if known is not None:
            return known
        row = self._row(policy)
        entry = _DECODE(row.parsed) if row else None
        link = PolicyLink(policy, row.dn if row else None, entry if isinstance(entry, Policy) else None)
        return self._policies.keep(policy, link)

    def policies(self) -> list[tuple[str, Policy]]:
        """As `Replica.policies`."""
        rows = self._db.execute("SELECT dn, parsed FROM entry WHERE kind = 'policy' ORDER BY folded").fetchall()
        return [(dn, entry) for dn, parsed in rows if isinstance(entry := _DECODE(parsed), Policy)]

    def malformed(self) -> list[tuple[str, bytes]]:
        """DN and parsed form of every entry with a malformed value, by DN; see `findings`."""
        return self._db.execute("SELECT dn, parsed FROM entry WHERE malformed ORDER BY folded").fetchall()

    def _row(self, entry_id: EntryId) -> _Row | None:
        query = "SELECT id, directory, kind, parent, dn, parsed FROM entry WHERE id = ?"
        row = self._db.execute(query, (entry_id,)).fetchone()
        return _Row(*row) if row else None

    def _policy_of(self, subject: EntryId) -> PolicyLink | None:
        return self._only(list(self._targets(LinkKind.POLICY, subject)))

    def _only(self, policies: Sequence[EntryId]) -> PolicyLink | None:
        """The policy that is meant by the links of one entry to policies."""
        if not policies:
            return None
        link = self.policy(min(policies))
        # two policies where one is allowed: nobody can say which is meant, so there is none that may be used
        return link if len(policies) == 1 else PolicyLink(link.id, link.dn, None)

    def _links(self, subject: EntryId) -> tuple[list[EntryId], list[EntryId]]:
        """To which policies an entry links, and which groups it is a member of: one question, for all are asked it."""
        rows = self._db.execute(_LINKS, {"subject": subject}).fetchall()
        policies = [policy for policy, _ in rows if policy is not None]
        return policies, [holder for _, holder in rows if holder is not None]

    def _targets(self, kind: LinkKind, source: EntryId) -> Iterator[EntryId]:
        query = "SELECT target FROM link WHERE kind = ? AND source = ?"
        return (target for (target,) in self._db.execute(query, (kind, source)))

    def _node(self, node: EntryId, dn: str, entry: Entry) -> Node:
        if not isinstance(entry, AccessNode):
            msg = f"{dn}: kind and content differ"
            raise msgspec.ValidationError(msg)
        members = frozenset(self._targets(LinkKind.NODE_MEMBER, node))
        return Node(node, dn, entry, self._policy_of(node), members)

    def _memberships(self, direct: frozenset[EntryId]) -> tuple[Membership, ...]:
        """Of a user who is a direct member of these groups; many are of the same ones."""
        known = self._memberships_of.get(direct)
        return self._memberships_of.keep(direct, tuple(self._upward(direct))) if known is None else known

    def _upward(self, direct: frozenset[EntryId]) -> Iterator[Membership]:
        """From direct groups upward, one level of nesting after the other, each group when it is first met."""
        level: dict[EntryId, tuple[str, ...]] = dict.fromkeys(direct, ())
        met = set(direct)
        while level:
            groups = [(path, holder, group) for holder, path in level.items() if (group := self._group(holder))]
            groups.sort(key=lambda item: (item[2].dn, item[1]))
            level = {}
            for path, group_id, group in groups:
                here = (*path, group.dn)
                yield Membership(group_id, group.dn, group.group, group.policy, here)
                level |= {holder: here for holder in group.holders if holder not in met}
                met.update(group.holders)

    def _primary(self, user: User) -> tuple[EntryId, ...]:
        """AD does not list a user among the members of their primary group (MS-ADTS 3.1.1.4.5.2)."""
        sid = user.primary_group_sid
        if sid is None:
            return ()
        known = self._sids.get(sid)
        if known is not None:
            return known
        rows = self._db.execute("SELECT id FROM name WHERE kind = 'sid' AND name = ?", (fold_name(sid),))
        return self._sids.keep(sid, tuple(group for (group,) in rows))

    def _group(self, group: EntryId) -> _Group | None:
        known = self._groups.get(group)
        if known is not None:
            return known
        row = self._row(group)
        entry = _DECODE(row.parsed) if row else None
        if row is None or not isinstance(entry, Group):
            return None
        policies, holders = self._links(group)
        return self._groups.keep(group, _Group(row.dn, entry, self._only(policies), tuple(holders)))

    def _ancestors(self, entry: _Row) -> tuple[Ancestor, ...]:
        known = self._chains.get(entry.parent) if entry.parent else None
        if known is not None:
            return known
        chain: list[Ancestor] = []
        met: set[EntryId] = set()
        key = entry.parent
        while (above := self._entry_above(entry)) and above.id not in met:
            met.add(above.id)
            container = _DECODE(above.parsed)
            if isinstance(container, Container):
                chain.append(Ancestor(above.id, above.dn, container, self._policy_of(above.id)))
            entry = above
        return self._chains.keep(key, tuple(chain)) if key else tuple(chain)

    def _entry_above(self, entry: _Row) -> _Row | None:
        """The parent; where the replica does not have it, the nearest entry above by DN.

        Another directory may have units of the same names: it counts where nothing more of the entry's own is above,
        as it is with a domain below another one.
        """
        above = self._row(entry.parent) if entry.parent else None
        return above or self._nearest(entry.dn, entry.directory) or self._nearest(entry.dn, None)

    def _nearest(self, dn: str, directory: int | None) -> _Row | None:
        """The nearest entry above by DN, of one directory or of any."""
        while dn := parent(dn):
            for entry, number in self._bearers(dn):
                if directory in {number, None}:
                    return self._row(entry)
        return None

    def _bearers(self, dn: str) -> list[tuple[EntryId, int]]:
        """The entries with a DN, and the numbers of their directories."""
        try:
            folded = fold(dn)
        except ValueError:
            return []
        return self._db.execute("SELECT id, directory FROM entry WHERE folded = ? ORDER BY id", (folded,)).fetchall()


def findings(dn: str, parsed: bytes) -> Iterator[tuple[str, Malformed]]:
    """(DN, finding) for every malformed value of an entry in the form that `Snapshot.malformed` gives."""
    return ((dn, finding) for finding in _DECODE(parsed).malformed)
