"""What a source tells the replica: changes keyed by objectGUID or entryUUID, never by DN."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dirsync.authorship import Chronicle
from schema.entry import EntryId
from schema.parse import Attributes


class LinkKind(StrEnum):
    """The DN-valued attributes that the replica follows, by what the link says."""

    MEMBER = "member"  # group -> member: member, uniqueMember, memberUid
    POLICY = "policy"  # subject -> policy: dirfactorPolicy
    NODE_MEMBER = "nodeMember"  # access node -> user or group: dirfactorMember


@dataclass(frozen=True, slots=True)
class LinkChange:
    """How an entry's links of one kind change.

    Attributes:
        added: targets that are linked now.
        removed: targets that are no longer linked.
        whole: `added` is the complete list; links that it does not name are gone.
        dns: targets that are linked now, by their DNs: whoever has such a DN is the target, and nobody when none has
            (only in a batch that is placed by DN, and only whole).
        logins: likewise by their login names, as memberUid does.
    """

    added: tuple[EntryId, ...] = ()
    removed: tuple[EntryId, ...] = ()
    whole: bool = True
    dns: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """An entry is new or has changed.

    Attributes:
        id: the entry.
        dn: its DN as the directory wrote it.
        parent: the id of the entry above it, when the source knows it.
        attributes: names in lower case -> all values they have now; no values: the attribute is gone.
        links: how its links change; a kind that is not named is as it was (all gone when `whole`).
        whole: `attributes` and `links` are complete: what they do not name is gone.
    """

    id: EntryId
    dn: str
    parent: EntryId | None
    attributes: Attributes = field(repr=False)
    links: Mapping[LinkKind, LinkChange] = field(default_factory=dict)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """An entry is gone, and with it all links from it and to it."""

    id: EntryId


Change = Put | Delete


class Placing(StrEnum):
    """How a source says what an entry stands below, and in which order it tells."""

    BY_PARENT = "by parent"  # by `Put.parent`; in any order
    BY_DN = "by DN"  # by DNs as they are when all has been told; in any order
    BY_DN_IN_TURN = "by DN, in turn"  # by DNs as they are when each change is told; in the order of what happened


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that become visible together, with the cookie that stands for having seen them.

    Attributes:
        changes: in the order of the source; may be consumed once.
        cookie: opaque; stored in the same transaction as the changes.
        refresh: the changes are all entries there are: what they do not name is deleted.
        as_of: the instant from which on the source has not been asked for later changes.
        netbios_name: the domain's short name; None when the source does not tell, which changes nothing.
        placing: where entries stand, and the order of the changes.
        present: with the entries that the changes put, all there are, and others are deleted; None: only a `Delete`
            deletes. Consumed once, after the changes (only in a batch that is placed by DN).
        size: how many changes there are, for who watches; None when the source does not know.
    """

    changes: Iterator[Change]
    cookie: bytes
    refresh: bool
    as_of: datetime
    netbios_name: str | None = None
    placing: Placing = Placing.BY_PARENT
    present: Iterator[EntryId] | None = None
    size: int | None = None


class Source(Chronicle, Protocol):
    """Where changes come from."""

    @property
    def identity(self) -> str:
        """What the cookie is valid for: server kind, base, filter and attribute list. Another one means a refresh."""
        ...

    @property
    def method(self) -> str:
        """How changes come, for people: `DirSync, woken by change notification`."""
        ...

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """What has changed since `cookie`; everything when it is None or the server no longer knows it.

        Raises:
            DirectoryUnavailable: the directory could not be read; the replica stays as it is.
        """
        ...

    def wait(self, seconds: float) -> bool:
        """Block until the directory says that something has changed, for `seconds` at most.

        It never raises: with a broken connection the time runs out, and the next `changes` says what is wrong.

        Returns:
            Whether `changes` would find something now; False as well where the directory can only be asked.
        """
        ...

    def close(self) -> None:
        """Let go of the directory; the next question opens it again."""
        ...
