"""Changes that are only tried end as the same changes do that a sync brings, and nobody whom they reach is left out."""

import contextlib
import tempfile
import uuid
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from auth.facts import Reach
from auth.facts_reader import FactsReader, Rules
from auth.keys.ring import Ring
from auth.nodes import Nodes
from auth.why.impact import World, impacts, node_names, nodes_differ
from dirsync.change import LinkKind
from dirsync.ldif.changes import Add, Delete, Modification, Modify, Operation, Record, Rename, read_changes
from dirsync.replica import Replica, ReplicaWriter
from dirsync.replica.concern import Side
from dirsync.replica.store import open_for_reading
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.trial.affected import affected
from dirsync.trial.attempt import attempt
from dirsync.trial.copy import copied
from dirsync.trial.refusal import ChangesRefused
from schema.errors import Fault
from small_directory import BASE, NOW, SOURCE, Thing, Things, directory, dn_of, refresh, thing
from small_world import FOLDER, KINDS, STEPS
from small_world import World as Model

EXAMPLES = settings(
    max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
ANCHOR = thing("anchor", "ou")  # so that the base is a place that is known, whatever becomes of the rest
AD = {"": DirectorySettings(kind=DirectoryKind.AD)}
NAMES = {LinkKind.MEMBER: "member", LinkKind.POLICY: "dirfactorpolicy", LinkKind.NODE_MEMBER: "dirfactormember"}


def records(before: Things, after: Things) -> list[Record]:
    """What an administrator would write to come from one state to the other, when one step lies between them."""
    found: list[Record] = [Delete(1, dn_of(before, before[gone]), tree=False) for gone in before.keys() - after.keys()]
    for key, item in after.items():
        was = before.get(key)
        if was is None:
            found.append(Add(1, dn_of(after, item), new_attributes(after, item)))
        elif was != item and before.keys() <= after.keys():
            found += changed(before, after, was, item)
    return found


def new_attributes(after: Things, item: Thing) -> dict[str, tuple[bytes, ...]]:
    links = {NAMES[kind]: tuple(named(after, target) for target in targets) for kind, targets in item.links.items()}
    # no value, so that no account is made that is disabled until it is finished
    return {"useraccountcontrol": (), "ou": (), **item.attributes, **links}


def named(things: Things, target: bytes) -> bytes:
    return (dn_of(things, things[target]) if target in things else f"<GUID={uuid.UUID(bytes=target)}>").encode()


def changed(before: Things, after: Things, was: Thing, item: Thing) -> list[Record]:
    found: list[Record] = []
    if (was.rdn, was.parent) != (item.rdn, item.parent):
        above = BASE if item.parent is None else dn_of(after, after[item.parent])
        found.append(Rename(1, dn_of(before, was), item.rdn, keep_old=False, superior=above))
    # the model's RDN is no attribute of its entry
    names = {"cn", "ou"} if found else set()
    names |= {
        name
        for name in was.attributes.keys() | item.attributes.keys()
        if was.attributes.get(name) != item.attributes.get(name)
    }
    edits = [Modification(1, Operation.REPLACE, name, item.attributes.get(name, ())) for name in sorted(names)]
    for kind in LinkKind:
        for operation, targets in (
            (Operation.DELETE, was.targets(kind) - item.targets(kind)),
            (Operation.ADD, item.targets(kind) - was.targets(kind)),
        ):
            if targets:
                values = tuple(named(after, target) for target in targets)
                edits.append(Modification(1, operation, NAMES[kind], values))
    return [*found, Modify(1, dn_of(after, item), tuple(edits))] if edits else found


@contextlib.contextmanager
def replica_of(things: Things, name: str = "r"):
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / name
        with contextlib.closing(ReplicaWriter(path)) as writer:
            writer.apply(refresh(things), SOURCE)
        yield path


def people(path: Path) -> dict[str, tuple]:
    """Everybody by DN, without ids, for those of new entries are of the trial's own making."""
    with contextlib.closing(Replica(path)) as replica:
        found = [replica.person(user) for user in replica.users()]
        nodes = replica.nodes()
    known = {person.dn: shown(person) for person in found}
    return known | {node.dn: (node.node, linked(node.policy), len(node.members)) for node in nodes}


def shown(person) -> tuple:
    groups = sorted((item.dn, item.group, linked(item.policy), len(item.path)) for item in person.groups)
    above = [(item.dn, item.container, linked(item.policy)) for item in person.ancestors]
    return person.dn, person.user, linked(person.policy), groups, above


def linked(policy):
    return policy and (policy.dn, policy.policy)


def steps_of(first, then):
    """The directory before, and each state after it; no names are swapped, for which a directory needs a third one."""
    model = Model({}, tuple(kind for kind in KINDS if kind != "computer"))
    for step in first:
        model.step(*step)
    states = [dict(model.things)]
    for step in then:
        if step[0] != "swap":
            model.step(*step)
            states.append(dict(model.things))
    return [directory(ANCHOR) | state for state in states]


@EXAMPLES
@given(STEPS, STEPS)
def test_what_is_tried_is_what_a_sync_would_bring(first, then):
    states = steps_of(first, then)
    told = [record for one, two in pairwise(states) for record in records(one, two)]
    with replica_of(states[0]) as before, replica_of(states[-1]) as after:
        attempt(before, told, AD)
        assert people(before) == people(after)


def world(replica: Replica) -> World:
    nodes = Nodes({}, {}, {}, replica, lambda: Ring(()))
    return World(FactsReader(replica, nodes, Rules(None, 86_400, "AT", Reach(vip=True))))


@EXAMPLES
@given(STEPS, STEPS)
def test_who_is_not_looked_at_is_the_same_as_before(first, then):
    """Looking at those whom the changes reach finds what looking at everybody finds."""
    states = steps_of(first, then)
    told = [record for one, two in pairwise(states) for record in records(one, two)]
    with replica_of(states[0]) as path:
        trial = path.with_name("trial")
        copied(path, trial)
        touched = attempt(trial, told, AD).touched
        with contextlib.ExitStack() as stack:
            sides = [stack.enter_context(contextlib.closing(open_for_reading(each))) for each in (path, trial)]
            found = affected(Side(sides[0]), Side(sides[1]), touched)
            replicas = [stack.enter_context(contextlib.closing(Replica(each))) for each in (path, trial)]
            everybody = {user for replica in replicas for user in replica.users()}
            differing = {user for user in everybody if replicas[0].person(user) != replicas[1].person(user)}
            assert differing <= found
            before, after = map(world, replicas)
            nodes = node_names(before, after)
            if not nodes_differ(before, after, nodes):
                ends = [
                    {(item.user, item) for item in impacts(before, after, users, nodes, NOW, exactly=True)}
                    for users in (everybody, found & everybody)
                ]
                assert ends[0] == ends[1]


SMALL = directory(
    thing("staff", "policy", dirfactorFirstMethod="password"),
    thing("people", "ou", links={LinkKind.POLICY: ["staff"]}),
    replace(thing("alice", "user", mobile="+43 664 0000001", dirfactorToken="sms"), parent=thing("people", "ou").id),
    thing("guests", "group", links={LinkKind.MEMBER: ["alice"]}),
)
ALICE = f"cn=alice,ou=people,{BASE}"
GUESTS = f"cn=guests,{BASE}"


def tried(text: str, kind: DirectoryKind = DirectoryKind.AD):
    """What comes of a file of changes to the small directory: its people, and the notes."""
    with replica_of(SMALL) as path:
        attempted = attempt(path, read_changes(text.encode()), {"": DirectorySettings(kind=kind)})
        return people(path), attempted.notes


REFUSED = {
    "a DN that nobody has": (
        "dn: cn=bob,dc=lab\nchangetype: delete\n",
        1,
        "no entry that dirfactor knows has the DN cn=bob",
    ),
    "an entry that is there": (f"dn: {ALICE}\nobjectClass: user\n", 1, "there is an entry"),
    "a value that is there": (
        f"dn: {ALICE}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: SMS\n-\n",
        3,
        "dirfactorToken has that value already",
    ),
    "a value that is not there": (
        f"dn: {ALICE}\nchangetype: modify\nreplace: mail\n-\ndelete: dirfactorToken\ndirfactorToken: vip\n",
        5,
        "dirfactorToken has no such value",
    ),
    "an attribute that is not there": (
        f"dn: {ALICE}\nchangetype: modify\ndelete: dirfactorPhone\n-\n",
        3,
        "dirfactorPhone has no such value",
    ),
    "two values where one is allowed": (
        f"dn: {ALICE}\nchangetype: modify\nreplace: dirfactorPhone\ndirfactorPhone: +431\ndirfactorPhone: +432\n",
        3,
        "dirfactorPhone holds one value, and would have 2",
    ),
    "a second policy": (
        f"dn: ou=people,{BASE}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: {GUESTS}\n",
        3,
        "has a policy already",
    ),
    "a unit that is not empty": (f"dn: ou=people,{BASE}\nchangetype: delete\n", 1, "has 1 entries below it"),
    "a name that is taken": (
        f"dn: {ALICE}\nchangetype: modrdn\nnewrdn: cn=guests\ndeleteoldrdn: 1\nnewsuperior: {BASE}\n",
        1,
        "there is an entry cn=guests",
    ),
    "a DN that is none": ("dn: alice\nobjectClass: user\n", 1, "'alice' is no DN"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_directory_would_refuse_is_refused_with_its_line_and_nothing_is_tried(what):
    text, line, problem = REFUSED[what]
    good = f"dn: {GUESTS}\nchangetype: modify\nreplace: dirfactorPriority\ndirfactorPriority: 7\n-\n\n"
    with replica_of(SMALL) as path:
        was = people(path)
        with pytest.raises(ChangesRefused) as raised:
            attempt(path, read_changes((good + text).encode()), AD)
        [refusal] = raised.value.refusals
        assert refusal.line == line + good.count("\n")
        assert problem in refusal.problem
        assert refusal.remedy
        assert people(path) == was


def test_all_that_is_wrong_is_said_at_once():
    with replica_of(SMALL) as path, pytest.raises(ChangesRefused) as raised:
        attempt(path, read_changes(b"dn: cn=a,dc=b\nchangetype: delete\n\ndn: cn=c,dc=d\nchangetype: delete\n"), AD)
    assert [refusal.line for refusal in raised.value.refusals] == [1, 4]


def test_a_tree_is_deleted_with_the_control_for_it():
    known, _ = tried(f"dn: ou=people,{BASE}\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n")
    assert known == {}


def test_what_is_made_below_what_is_made_first_has_its_policy():
    text = f"""
dn: ou=new,{BASE}
objectClass: organizationalUnit
dirfactorPolicy: cn=staff,{BASE}

dn: cn=bob,ou=new,{BASE}
changetype: add
objectClass: user
sAMAccountName: bob
"""
    known, notes = tried(text)
    _, user, _, _, above = known[f"cn=bob,ou=new,{BASE}"]
    assert user.disabled, "as AD makes an account that says nothing else"
    assert (above[0][0], above[0][2][0]) == (f"ou=new,{BASE}", f"cn=staff,{BASE}")
    assert notes == ()


def test_an_entry_is_named_by_its_guid_as_well():
    identity = uuid.UUID(bytes=thing("alice", "user").id)
    for written in (str(identity), identity.bytes_le.hex()):
        known, _ = tried(f"dn: <GUID={written}>\nchangetype: modify\ndelete: mobile\n-\n")
        assert known[ALICE][1].texts == ()


def test_in_active_directory_a_link_follows_who_is_renamed_and_goes_with_who_is_deleted():
    known, notes = tried(f"dn: {ALICE}\nchangetype: modrdn\nnewrdn: cn=alicia\ndeleteoldrdn: 1\n")
    assert [dn for dn, *_ in known[f"cn=alicia,ou=people,{BASE}"][3]] == [GUESTS]
    assert notes == ()
    known, _ = tried(f"dn: cn=staff,{BASE}\nchangetype: delete\n")
    assert known[ALICE][4][0][2] is None


@pytest.mark.parametrize("kind", [DirectoryKind.LDIF, DirectoryKind.OPENLDAP, DirectoryKind.DS389])
def test_where_links_are_names_they_lead_nowhere_afterwards(kind):
    known, notes = tried(f"dn: {ALICE}\nchangetype: modrdn\nnewrdn: cn=alicia\ndeleteoldrdn: 1\n", kind)
    assert known[f"cn=alicia,ou=people,{BASE}"][3] == []
    assert "1 links lead to what is renamed" in notes[0]
    known, _ = tried(f"dn: cn=staff,{BASE}\nchangetype: delete\n", kind)
    assert known[ALICE][4][0][2] == (None, None), "refused, not passed over"


@pytest.mark.parametrize("kind", [DirectoryKind.LDIF, DirectoryKind.OPENLDAP])
def test_where_links_are_names_whoever_gets_the_name_is_meant(kind):
    text = f"""
dn: {GUESTS}
changetype: modify
add: member
member: cn=bob,{BASE}
-

dn: cn=bob,{BASE}
objectClass: inetOrgPerson
uid: bob
"""
    known, notes = tried(text, kind)
    assert [dn for dn, *_ in known[f"cn=bob,{BASE}"][3]] == [GUESTS]
    assert "names cn=bob" in notes[0]


def test_a_copy_is_for_its_owner_only_and_the_replica_stays_as_it_is():
    with replica_of(SMALL) as path:
        octets, copy = path.read_bytes(), path.with_name("copy")
        copied(path, copy)
        attempt(copy, read_changes(f"dn: {ALICE}\nchangetype: delete\n".encode()), AD)
        assert copy.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes() == octets
        assert ALICE in people(path)


def test_without_a_replica_there_is_nothing_to_try_on(tmp_path):
    with pytest.raises(Fault, match="no replica"):
        copied(tmp_path / "none", tmp_path / "copy")
