"""What the replica shows: frozen values, complete for one decision.

Thousands of people are remembered, and nothing leads from them back to them: `gc=False`, as in `schema.entry`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from schema.entry import AccessNode, Container, EntryId, Group, Policy, User
from schema.errors import Malformed


class PolicyLink(msgspec.Struct, frozen=True, gc=False):
    """A policy assignment.

    Attributes:
        id: the policy's entry.
        dn: its DN; None when the replica does not have the entry.
        policy: the policy; None when the entry is missing or is no policy: whoever depends on it is refused.
    """

    id: EntryId
    dn: str | None
    policy: Policy | None


class Membership(msgspec.Struct, frozen=True, gc=False):
    """A group that a user belongs to, directly, through other groups, or as primary group.

    Attributes:
        id: the group's entry.
        dn: its DN.
        group: the group.
        policy: the policy assigned to it.
        path: DNs from the group that has the user as direct member up to this one, this one last.
    """

    id: EntryId
    dn: str
    group: Group
    policy: PolicyLink | None
    path: tuple[str, ...]


class Ancestor(msgspec.Struct, frozen=True, gc=False):
    """An organizational unit, container or domain above a user.

    Attributes:
        id: the container's entry.
        dn: its DN.
        container: the container.
        policy: the policy assigned to it.
    """

    id: EntryId
    dn: str
    container: Container
    policy: PolicyLink | None


class Person(msgspec.Struct, frozen=True, gc=False):
    """A user with everything that decides about them.

    Attributes:
        id: the user's entry.
        dn: its DN.
        user: the user.
        policy: the policy assigned to the user.
        groups: every group of the user, each once, nearest first, then by DN.
        ancestors: the containers above the user, nearest first.
        directory: name of the directory that the user is in; empty for the one without a name.
    """

    id: EntryId
    dn: str
    user: User
    policy: PolicyLink | None
    groups: tuple[Membership, ...]
    ancestors: tuple[Ancestor, ...]
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """An access node of the directory.

    Attributes:
        id: the node's entry.
        dn: its DN.
        node: the access node.
        policy: the policy assigned to it.
        members: users and groups that may use it.
    """

    id: EntryId
    dn: str
    node: AccessNode
    policy: PolicyLink | None
    members: frozenset[EntryId]


class Freshness(msgspec.Struct, frozen=True):
    """Which state of a directory the replica holds.

    Attributes:
        version: grows with every commit that changed something, of any directory; 0 for an empty replica.
        as_of: the instant at which the replica was last known to equal the directory; None before the first sync.
    """

    version: int
    as_of: datetime | None

    def age(self, now: datetime) -> float:
        """Seconds since the replica was known to equal the directory; infinite before the first sync."""
        return float("inf") if self.as_of is None else max(0.0, (now - self.as_of).total_seconds())


class Directory(Protocol):
    """The replica, as those see it who only read."""

    def find(self, names: Sequence[tuple[str, str]], directory: str | None = None) -> tuple[EntryId, ...]:
        """The users that have any of these (kind, folded name) pairs of `schema.parse.names_of`, each once.

        Args:
            names: the pairs.
            directory: the one directory to look in; in all of them when it is None.
        """
        ...

    def person(self, user: EntryId) -> Person | None:
        """The user and everything that decides about them; None when there is no such user."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """Every access node, by name."""
        ...

    def lookup(self, dn: str) -> EntryId | None:
        """The entry with this DN, compared as DNs are; None as well when entries of two directories have it."""
        ...

    def policy(self, policy: EntryId) -> PolicyLink:
        """The policy with this id, as a link that leads to it."""
        ...

    def malformed(self) -> Iterator[tuple[str, Malformed]]:
        """(DN, finding) for every malformed value in the directory, by DN."""
        ...

    def freshness(self, directory: str | None = None) -> Freshness:
        """Which state of a directory is shown; of the one that is oldest when none is named."""
        ...

    def domains(self) -> Mapping[str, str]:
        """Folded short name of each domain that has a known one -> name of its directory."""
        ...
