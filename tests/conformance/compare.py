"""What a replica must hold: the same as one that was read from nothing just now, and what the world says."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from auth.effective import effective_policy
from conformance.dialects import MEMBER_LINK, NODE_MEMBER_LINK, POLICY_LINK, Kind
from conformance.sites import Site
from conformance.world import World, folded
from dirsync.change import LinkKind
from dirsync.directory import source
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectorySettings
from schema.entry import EntryId
from small_openldap import whole_content
from surroundings import SURROUNDINGS

LINKS = {MEMBER_LINK: LinkKind.MEMBER, POLICY_LINK: LinkKind.POLICY, NODE_MEMBER_LINK: LinkKind.NODE_MEMBER}
ID_OCTETS = 16
SHOWN = 5  # of the differences in one comparison


def differences(site: Site, world: World, file: Path) -> list[str]:
    """In what the replica in the file is not what it must be; nothing when it is."""
    with contextlib.closing(Replica(file)) as replica:
        found = chain(unlike_a_full_read(site.settings, replica), _world(replica, world))
        return [text for text, _ in zip(found, range(SHOWN), strict=False)]


def unlike_a_full_read(settings: DirectorySettings, replica: Replica) -> Iterator[str]:
    """In what a replica is not what somebody has who reads the directory now, policy and membership included."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(_read_from_nothing(settings, Path(folder))) as fresh,
    ):
        yield from _tables(replica, fresh)
        yield from _answers(replica, fresh)


def _read_from_nothing(settings: DirectorySettings, folder: Path) -> Replica:
    """What somebody has who begins now."""
    reading = source(settings, SURROUNDINGS)
    file = folder / "replica.sqlite"
    with contextlib.closing(reading), contextlib.closing(ReplicaWriter(file)) as writer:
        writer.apply(reading.changes(None, datetime.now(UTC)), reading.identity)
    return Replica(file)


def _tables(replica: Replica, fresh: Replica) -> Iterator[str]:
    ours, others = whole_content(replica), whole_content(fresh)
    for table, rows in ours.items():
        held, right = set(rows), set(others[table])
        if held == right and len(rows) != len(others[table]):
            yield f"{table}: {len(rows)} rows instead of {len(others[table])}"
        yield from (f"{table}: too much: {_shown(row)}" for row in sorted(held - right, key=repr))
        yield from (f"{table}: missing:  {_shown(row)}" for row in sorted(right - held, key=repr))


def _shown(row: tuple) -> str:
    """A row of a table, with ids as people know them."""
    return " | ".join(
        value.hex() if isinstance(value, bytes) and len(value) == ID_OCTETS else str(value) for value in row
    )


def _answers(replica: Replica, fresh: Replica) -> Iterator[str]:
    """What the service would know when somebody logs on: policy and membership included."""
    for user in _ids(fresh, "user"):
        ours, right = (_everything_about(user, each) for each in (replica, fresh))
        if ours != right:
            yield f"person: {ours}\n  instead of {right}"
    if replica.nodes() != fresh.nodes():
        yield f"nodes: {replica.nodes()}\n  instead of {fresh.nodes()}"
    if list(replica.malformed()) != list(fresh.malformed()):
        yield f"malformed: {list(replica.malformed())}\n  instead of {list(fresh.malformed())}"


def _everything_about(user: EntryId, replica: Replica):
    person = replica.person(user)
    return person and (person, effective_policy(person, "node", None, None))


def _ids(replica: Replica, kind: str) -> list[EntryId]:
    return [user for (user,) in replica._db.execute("SELECT id FROM entry WHERE kind = ? ORDER BY id", (kind,))]


def _world(replica: Replica, world: World) -> Iterator[str]:
    """Entries, links and values that the world knows of."""
    root = folded(world.root)
    rows = replica._db.execute("SELECT id, kind, folded FROM entry").fetchall()
    names = {entry: dn for entry, _, dn in rows}
    inside = {(kind, dn) for _, kind, dn in rows if dn.endswith(f",{root}")}
    useful = [item for item in world.items if item.kind is not Kind.SHELF]
    yield from _unlike("entry", inside, {(str(item.kind), folded(world.dn(item))) for item in useful})
    links = replica._db.execute("SELECT kind, source, target FROM link").fetchall()
    held = {(kind, names[source], names.get(target)) for kind, source, target in links if source in names}
    yield from _unlike("link", {row for row in held if row[1].endswith(f",{root}")}, _links(world, set(names.values())))
    people = [replica.person(entry) for entry, kind, dn in rows if kind == "user" and dn.endswith(f",{root}")]
    told = {
        (person.dn.casefold(), person.user.sam, person.user.mail, person.user.tokens) for person in people if person
    }
    yield from _unlike("values", {row[1:] for row in told}, set(map(_values, world.of(Kind.PERSON))))


def _links(world: World, there: set[str]) -> Iterator[tuple]:
    for item in world.items:
        dn = folded(world.dn(item))
        for attribute, targets in item.links.items():
            yield from ((LINKS[attribute], dn, target if target in there else None) for target in targets)
        if item.kind is Kind.GROUP and world.dialect.kept_member:
            yield LinkKind.MEMBER, dn, None


def _values(person) -> tuple:
    mail, tokens = person.values.get("mail") or (None,), person.values.get("dirfactorToken", ())
    return person.login, mail[0], tuple(token for token in tokens if token != "teapot")


def _unlike(what: str, held: Iterable, right: Iterable) -> Iterator[str]:
    held, right = set(held), set(right)
    yield from (f"{what}: the directory does not have {row}" for row in sorted(held - right, key=repr))
    yield from (f"{what}: the directory has also {row}" for row in sorted(right - held, key=repr))
