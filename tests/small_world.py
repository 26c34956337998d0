"""A directory that steps change at random, within what a directory permits: what the laws of the replica start from."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from dirsync.change import LinkKind
from dirsync.replica import ReplicaWriter
from schema.entry import EntryId
from small_directory import HOLDERS, Thing, Things, entry_id, sid, thing

MEMBER, POLICY, NODE_MEMBER = LinkKind.MEMBER, LinkKind.POLICY, LinkKind.NODE_MEMBER
LINK_OF = {
    "user": (POLICY,),
    "group": (MEMBER, MEMBER, POLICY),
    "ou": (POLICY,),
    "node": (NODE_MEMBER, POLICY),
    "policy": (),
    "computer": (POLICY,),
    "shelf": (POLICY,),
}
TARGET_OF = {MEMBER: ("user", "group", "computer"), NODE_MEMBER: ("user", "group"), POLICY: ("policy", "policy", "ou")}
# few names, so that entries take over names that others have had
RDNS = ("a", "b", "c", "d", "e f")
VALUES = (None, b"x", b"Y", b"514", b"1", b"513", b"2", b"sms", b"password")
SETTABLE = (
    "mail",
    "mobile",
    "useraccountcontrol",
    "primarygroupid",
    "dirfactorpriority",
    "dirfactortoken",
    "dirfactorfirstmethod",
    "objectsid",
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "add", "add", "set", "link", "link", "rename", "move", "swap", "delete")),
        *(st.integers(0, 2**16),) * 4,
    ),
    min_size=5,
    max_size=60,
)


@dataclass
class World:
    """A directory that steps change; it permits what a directory permits."""

    things: dict[EntryId, Thing]
    kinds: tuple[str, ...]
    rdns: tuple[str, ...] = RDNS
    count: int = 0

    def step(self, name: str, *numbers: int) -> None:
        getattr(self, name)(*numbers)

    def add(self, kind: int, where: int, rdn: int, value: int) -> None:
        self.count += 1
        kind = self.kinds[kind % len(self.kinds)]
        name = f"{kind}{self.count}"
        item = thing(name, kind, self._holder(where, kind))
        if kind in {"user", "group"}:
            item = replace(item, attributes={**item.attributes, "objectsid": (sid(512 + value % 3),)})
        if kind == "user":
            item = replace(item, attributes={**item.attributes, "primarygroupid": (b"513",)})
        item = self._named(item, rdn)
        if self._free(item):
            self.things[item.id] = item

    def set(self, which: int, attribute: int, value: int, _: int) -> None:
        if self.things:
            item = self._pick(which)
            name = SETTABLE[attribute % len(SETTABLE)]
            octets = VALUES[value % len(VALUES)]
            values = sid(512 + value % 3) if name == "objectsid" else octets
            attributes = {key: held for key, held in item.attributes.items() if key != name}
            self.things[item.id] = replace(item, attributes=attributes | ({name: (values,)} if values else {}))

    def link(self, which: int, kind: int, target: int, ghost: int) -> None:
        """Turns a link on or off; now and then one to an entry that is not there."""
        sources = [item for item in self.things.values() if LINK_OF[item.kind]]
        if sources:
            item = sources[which % len(sources)]
            kinds = LINK_OF[item.kind]
            link = kinds[kind % len(kinds)]
            targets = [other.id for other in self.things.values() if other.kind in TARGET_OF[link]]
            if ghost % 8 == 0 or not targets:
                targets = [entry_id(f"ghost{target % 3}")]
            chosen = frozenset({targets[target % len(targets)]})
            # a policy link has one value, the others many
            held = item.targets(link) & chosen if link is POLICY else item.targets(link)
            self.things[item.id] = item.linked(link, held ^ chosen)

    def rename(self, which: int, rdn: int, *_: int) -> None:
        if self.things:
            item = self._named(self._pick(which), rdn)
            if self._free(item):
                self.things[item.id] = item

    def move(self, which: int, where: int, *_: int) -> None:
        if self.things:
            item = self._pick(which)
            holder = self._holder(where, item.kind)
            moved = replace(item, parent=holder)
            if not self._stands_in(holder, item.id) and self._free(moved):
                self.things[item.id] = moved

    def swap(self, which: int, other: int, *_: int) -> None:
        """Two siblings take each other's names."""
        if self.things:
            one = self._pick(which)
            siblings = [item for item in self.things.values() if item.parent == one.parent and item.kind == one.kind]
            two = siblings[other % len(siblings)]
            self.things[one.id] = replace(one, rdn=two.rdn)
            self.things[two.id] = replace(two, rdn=one.rdn)

    def delete(self, which: int, *_: int) -> None:
        """Deletes an entry that has nothing below it, and the links to it, as AD does."""
        leaves = [
            item for item in self.things.values() if all(other.parent != item.id for other in self.things.values())
        ]
        if leaves:
            gone = self.things.pop(leaves[which % len(leaves)].id)
            for item in self.things.values():
                links = {kind: targets - {gone.id} for kind, targets in item.links.items()}
                self.things[item.id] = replace(item, links=links)

    def _pick(self, which: int) -> Thing:
        return list(self.things.values())[which % len(self.things)]

    def _holder(self, where: int, kind: str) -> EntryId | None:
        # a shelf below a shelf could move without anybody telling where from: what is of no use is not stored
        holders = [item for item in self.things.values() if item.kind in HOLDERS]
        if kind in HOLDERS:
            holders = [item for item in holders if item.kind == "ou"]
        return [None, *(item.id for item in holders)][where % (len(holders) + 1)]

    def _named(self, item: Thing, rdn: int) -> Thing:
        self.count += 1
        name = self.rdns[rdn % len(self.rdns)] if self.rdns else f"new {self.count}"
        return replace(item, rdn=f"{item.rdn.partition('=')[0]}={name}")

    def _free(self, item: Thing) -> bool:
        return all(
            other.id == item.id or (other.parent, other.rdn) != (item.parent, item.rdn)
            for other in self.things.values()
        )

    def _stands_in(self, holder: EntryId | None, item: EntryId) -> bool:
        while holder is not None and holder != item:
            holder = self.things[holder].parent
        return holder == item


KINDS = ("user", "user", "group", "group", "ou", "ou", "policy", "node", "computer")
WITH_SHELVES = (*KINDS, "shelf")


def worlds(first, then=(), kinds=KINDS, rdns=RDNS) -> tuple[Things, Things]:
    """The directory after the first steps and after the others."""
    world = World({}, kinds, rdns)
    for step in first:
        world.step(*step)
    before = dict(world.things)
    for step in then:
        world.step(*step)
    return before, world.things


# in memory where the system has such a folder: these laws are not about the disk
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


@contextlib.contextmanager
def in_memory() -> Iterator[ReplicaWriter]:
    with (
        tempfile.TemporaryDirectory(dir=FOLDER) as folder,
        contextlib.closing(ReplicaWriter(Path(folder) / "r")) as writer,
    ):
        yield writer
