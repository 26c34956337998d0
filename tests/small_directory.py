"""A directory small enough to reason about: its entries, what a source tells of them, and what must follow."""

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dirsync.change import Batch, Change, Delete, LinkChange, LinkKind, Put
from dirsync.replica import Replica, ReplicaWriter
from schema.entry import EntryId

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOURCE = "a small directory"
BASE = "dc=lab,dc=example"
CLASSES = {
    "user": (b"top", b"user"),
    "group": (b"top", b"group"),
    "ou": (b"top", b"organizationalUnit"),
    "policy": (b"top", b"dirfactorSecurityPolicy"),
    "node": (b"top", b"dirfactorAccessNode"),
    "computer": (b"top", b"user", b"computer"),  # of no use to us
    "shelf": (b"top", b"locality"),  # holds entries, and is of no use to us
}
HOLDERS = ("ou", "shelf")


def entry_id(name: str) -> EntryId:
    """An id that follows from a name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).digest()


def sid(rid: int) -> bytes:
    """The octets of S-1-5-21-1-2-3-`rid`."""
    parts = b"".join(part.to_bytes(4, "little") for part in (21, 1, 2, 3, rid))
    return bytes((1, 5)) + (5).to_bytes(6, "big") + parts


@dataclass(frozen=True)
class Thing:
    """One entry of the model."""

    id: EntryId
    kind: str
    rdn: str
    parent: EntryId | None
    attributes: Mapping[str, tuple[bytes, ...]]
    links: Mapping[LinkKind, frozenset[EntryId]] = field(default_factory=dict)

    def targets(self, kind: LinkKind) -> frozenset[EntryId]:
        return self.links.get(kind, frozenset())

    def linked(self, kind: LinkKind, targets: Iterable[EntryId]) -> "Thing":
        return replace(self, links={**self.links, kind: frozenset(targets)})


def thing(
    name: str,
    kind: str,
    parent: EntryId | None = None,
    links: Mapping[LinkKind, Iterable[str]] | None = None,
    **attributes: str | bytes,
) -> Thing:
    """An entry named `name`, under `parent` or directly under the base; links by the names of their targets."""
    values = {
        key.lower(): (value if isinstance(value, bytes) else value.encode(),) for key, value in attributes.items()
    }
    if kind in {"user", "group"}:
        values.setdefault("samaccountname", (name.encode(),))
    return Thing(
        entry_id(name),
        kind,
        f"ou={name}" if kind in HOLDERS else f"cn={name}",
        parent,
        {"objectclass": CLASSES[kind], "cn": (name.encode(),), **values},
        {kind: frozenset(map(entry_id, targets)) for kind, targets in (links or {}).items()},
    )


Things = Mapping[EntryId, Thing]


def directory(*things: Thing) -> dict[EntryId, Thing]:
    return {item.id: item for item in things}


def dn_of(things: Things, item: Thing) -> str:
    return f"{item.rdn},{BASE if item.parent is None else dn_of(things, things[item.parent])}"


def parent_of(item: Thing) -> EntryId:
    """The entry above; the base is one too, of which the replica is told nothing."""
    return entry_id("base") if item.parent is None else item.parent


def whole_put(things: Things, item: Thing) -> Put:
    """The entry with all it has."""
    links = {kind: LinkChange(added=tuple(sorted(targets))) for kind, targets in item.links.items() if targets}
    return Put(item.id, dn_of(things, item), parent_of(item), dict(item.attributes), links)


def difference(before: Things, after: Things) -> list[Change]:
    """What AD's DirSync says of the way from one state to another: of each entry only what differs of its own."""
    changes: list[Change] = [Delete(gone) for gone in before.keys() - after.keys()]
    for key, item in after.items():
        was = before.get(key)
        if was is None:
            changes.append(whole_put(after, item))
        elif was != item:
            changes.append(partial_put(after, was, item, gone=before.keys() - after.keys()))
    return changes


def partial_put(things: Things, was: Thing, item: Thing, gone: Container[EntryId] = ()) -> Put:
    """Only what differs: attributes that are gone without values, links as additions and removals.

    AD does not say which links fell with their targets, the entries that are `gone`.
    """
    names = was.attributes.keys() | item.attributes.keys()
    attributes = {
        name: item.attributes.get(name, ())
        for name in names
        if was.attributes.get(name, ()) != item.attributes.get(name, ())
    }
    links = {
        kind: LinkChange(
            added=tuple(item.targets(kind) - was.targets(kind)),
            removed=tuple(target for target in was.targets(kind) - item.targets(kind) if target not in gone),
            whole=False,
        )
        for kind in LinkKind
        if item.targets(kind) != was.targets(kind)
    }
    parent = parent_of(item) if item.parent != was.parent else None
    return Put(item.id, dn_of(things, item), parent, attributes, links, whole=False)


def increment(changes: Iterable[Change], cookie: bytes = b"cookie") -> Batch:
    return Batch(iter(changes), cookie, refresh=False, as_of=NOW)


def refresh(things: Things, cookie: bytes = b"cookie") -> Batch:
    return Batch((whole_put(things, item) for item in things.values()), cookie, refresh=True, as_of=NOW)


def content(writer: ReplicaWriter) -> dict[str, list[tuple]]:
    """All that the replica holds about the directory, table by table."""
    return {
        "entry": writer._db.execute(
            "SELECT id, kind, parent, dn, folded, malformed, parsed, raw FROM entry ORDER BY id"
        ).fetchall(),
        "name": writer._db.execute("SELECT * FROM name ORDER BY kind, name, id").fetchall(),
        "link": writer._db.execute("SELECT * FROM link ORDER BY kind, source, target").fetchall(),
    }


def groups_of(replica: Replica, name: str) -> list[tuple[str, ...]]:
    """The paths of a user's memberships, without the base."""
    person = replica.person(entry_id(name))
    assert person is not None
    return [tuple(dn.split(",")[0] for dn in membership.path) for membership in person.groups]
