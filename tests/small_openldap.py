"""A small model of an OpenLDAP directory: entries known by entryUUID, links that are texts, told as by syncrepl."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dirsync.change import Batch, Change, Delete, LinkChange, LinkKind, Placing, Put
from dirsync.replica import ReplicaWriter
from schema.dn import fold
from schema.entry import EntryId
from small_directory import BASE, NOW, entry_id

CLASSES = {
    "user": (b"inetOrgPerson",),
    "group": (b"groupOfNames",),
    "ou": (b"organizationalUnit",),
    "policy": (b"dirfactorSecurityPolicy",),
    "node": (b"dirfactorAccessNode",),
    "shelf": (b"locality",),  # of no use to us, and holds entries all the same
}
KINDS = tuple(CLASSES)
LINKS = {"group": LinkKind.MEMBER, "node": LinkKind.NODE_MEMBER, "user": LinkKind.POLICY, "ou": LinkKind.POLICY}


@dataclass(frozen=True)
class Item:
    """One entry."""

    id: EntryId
    kind: str
    rdn: str
    parent: EntryId | None
    uid: str = ""
    mail: str = ""
    dns: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()


@dataclass
class Directory:
    """The entries by id."""

    items: dict[EntryId, Item] = field(default_factory=dict)
    count: int = 0

    def dn(self, item: Item) -> str:
        return f"{item.rdn},{BASE if item.parent is None else self.dn(self.items[item.parent])}"

    def dns(self) -> list[str]:
        return [self.dn(item) for item in self.items.values()]

    def copy(self) -> "Directory":
        return Directory(dict(self.items), self.count)

    def step(self, name: str, *numbers: int) -> None:
        """What an administrator does; nothing where it makes no sense."""
        before = dict(self.items)
        getattr(self, name)(*numbers)
        dns = [fold(dn) for dn in self.dns()]
        if len(dns) != len(set(dns)):  # the name is taken: a server refuses
            self.items = before

    def add(self, kind: int, where: int, name: int) -> None:
        self.count += 1
        item = Item(entry_id(f"item {self.count}"), KINDS[kind % len(KINDS)], f"cn={name % 4}", self.holder(where))
        self.items[item.id] = replace(item, uid=f"u{name % 3}" if item.kind == "user" else "")

    def change(self, which: int, value: int, _: int) -> None:
        if item := self.pick(which):
            self.items[item.id] = replace(item, mail=f"{value % 3}@example.test", uid=item.uid and f"u{value % 4}")

    def link(self, which: int, target: int, form: int) -> None:
        """Turns a link on or off: to an entry by the DN that it has just now, to nobody, or to a login name."""
        item = self.pick(which)
        if item and item.kind in LINKS:
            if item.kind == "group" and form % 3 == 0:
                self.items[item.id] = replace(item, logins=item.logins ^ {f"u{target % 4}"})
            else:
                names = [*self.dns(), f"cn={target % 4},{BASE}"]
                self.items[item.id] = replace(item, dns=item.dns ^ {names[target % len(names)]})

    def rename(self, which: int, name: int, _: int) -> None:
        if item := self.pick(which):
            self.items[item.id] = replace(item, rdn=f"cn={name % 4}")

    def move(self, which: int, where: int, _: int) -> None:
        item = self.pick(which)
        holder = self.holder(where)
        if item and not self.stands_in(holder, item.id):
            self.items[item.id] = replace(item, parent=holder)

    def delete(self, which: int, *_: int) -> None:
        leaves = [item for item in self.items.values() if all(other.parent != item.id for other in self.items.values())]
        if leaves:
            del self.items[leaves[which % len(leaves)].id]

    def convert(self, which: int, kind: int, _: int) -> None:
        """Another object class: what was of no use is now, and the other way round."""
        if item := self.pick(which):
            self.items[item.id] = replace(item, kind=KINDS[kind % len(KINDS)], dns=frozenset(), logins=frozenset())

    def pick(self, which: int) -> Item | None:
        return list(self.items.values())[which % len(self.items)] if self.items else None

    def holder(self, where: int) -> EntryId | None:
        """Any entry may have entries below it."""
        return [None, *self.items][where % (len(self.items) + 1)]

    def stands_in(self, holder: EntryId | None, item: EntryId) -> bool:
        while holder is not None and holder != item:
            holder = self.items[holder].parent
        return holder == item

    def mend_links_since(self, before: "Directory") -> None:
        """What the overlay refint does: links follow who was renamed, and let go of who was deleted."""
        now = {key: self.dn(item) for key, item in self.items.items()}
        follow = {before.dn(item): now.get(key) for key, item in before.items.items()}
        for key, item in self.items.items():
            dns = frozenset(dn for was in item.dns if (dn := follow.get(was, was)) is not None)
            self.items[key] = replace(item, dns=dns)

    def put(self, item: Item) -> Put:
        """The whole entry, as the server sends it."""
        values = {"objectclass": CLASSES[item.kind], "cn": (item.rdn[3:].encode(),)}
        if item.uid:
            values["uid"] = (b"first", item.uid.encode())
        if item.mail:
            values["mail"] = (item.mail.encode(),)
        links: Mapping[LinkKind, LinkChange] = {}
        if item.dns or item.logins:
            links = {LINKS[item.kind]: LinkChange(dns=tuple(sorted(item.dns)), logins=tuple(sorted(item.logins)))}
        return Put(item.id, self.dn(item), None, values, links)

    def told_since(self, before: "Directory") -> list[Change]:
        """What has changed itself; not what has moved along with something above it."""
        gone: list[Change] = [Delete(key) for key in before.items.keys() - self.items.keys()]
        return gone + [self.put(item) for key, item in self.items.items() if before.items.get(key) != item]

    def unchanged_since(self, before: "Directory") -> Iterator[EntryId]:
        return (key for key, item in self.items.items() if before.items.get(key) == item)

    def refresh(self, order: Iterable[EntryId] | None = None) -> Batch:
        puts = (self.put(self.items[key]) for key in (self.items if order is None else order))
        return Batch(puts, b"cookie", refresh=True, as_of=NOW, placing=Placing.BY_DN)


def expected(directory: Directory) -> dict[str, set]:
    """What the replica must hold, found by trying everything."""
    useful = {key: item for key, item in directory.items.items() if item.kind != "shelf"}
    bearers = {fold(directory.dn(item)): key for key, item in useful.items()}
    links = set()
    for item in useful.values():
        links |= {(LINKS[item.kind], item.id, bearers.get(fold(dn))) for dn in item.dns}
        links |= {
            (LINKS[item.kind], item.id, key)
            for key, other in useful.items()
            if other.kind == "user" and other.uid in item.logins
        }
    places = {(key, directory.dn(item), item.parent) for key, item in useful.items()}
    return {"links": links, "places": places}


def held(writer: ReplicaWriter) -> dict[str, set]:
    """The same of the replica; what leads nowhere, and what stands directly below the base, without an id."""
    places = set(writer._db.execute("SELECT id, dn, parent FROM entry"))
    known = {key for (key,) in writer._db.execute("SELECT id FROM entry UNION SELECT id FROM shelf")}
    links = writer._db.execute("SELECT kind, source, target FROM link").fetchall()
    return {
        "links": {(kind, source, target if target in known else None) for kind, source, target in links},
        "places": {(key, dn, parent if parent in known else None) for key, dn, parent in places},
    }


def whole_content(writer: ReplicaWriter) -> dict[str, list]:
    """Every table that says something about the directory."""
    tables = {
        "entry": "SELECT id, kind, parent, dn, folded, malformed, parsed, raw FROM entry ORDER BY id",
        "name": "SELECT * FROM name ORDER BY kind, name, id",
        "link": "SELECT * FROM link ORDER BY kind, source, target",
        "reference": "SELECT * FROM reference ORDER BY source, kind, way, name",
        "shelf": "SELECT id, parent, dn, folded FROM shelf ORDER BY id",
    }
    return {table: writer._db.execute(query).fetchall() for table, query in tables.items()}
