"""The replica by example: what is found, who is in which group, what stands above whom, and what goes wrong."""

import gc
import os
import sqlite3
import stat
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from dirsync.change import Batch, Delete, LinkChange, LinkKind, Put
from dirsync.errors import DirectoryUnavailable, ReplicaUnavailable
from dirsync.replica import Applied, Replica, ReplicaWriter
from dirsync.view import Directory
from schema.entry import Policy
from schema.errors import Fault
from small_directory import (
    BASE,
    NOW,
    SOURCE,
    content,
    directory,
    dn_of,
    entry_id,
    groups_of,
    increment,
    partial_put,
    refresh,
    sid,
    thing,
    whole_put,
)

MEMBER, POLICY, NODE_MEMBER = LinkKind.MEMBER, LinkKind.POLICY, LinkKind.NODE_MEMBER
STAFF = thing("staff", "ou", links={POLICY: ["strict"]})
VIENNA = thing("vienna", "ou", STAFF.id)
ALICE = thing(
    "alice",
    "user",
    VIENNA.id,
    mail="Alice@lab.example",
    objectSid=sid(1001),
    primaryGroupID="513",
    userAccountControl="512",
)
STRICT = thing("strict", "policy", dirfactorPriority="5")
EVERYBODY = thing("everybody", "group", objectSid=sid(513), links={POLICY: ["strict"]})
VPN = thing("vpn", "group", links={MEMBER: ["alice"]})
GATE = thing("gate", "node", links={NODE_MEMBER: ["vpn", "nobody"], POLICY: ["strict"]})
LAB = directory(STAFF, VIENNA, ALICE, STRICT, EVERYBODY, VPN, GATE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.sqlite"


@pytest.fixture
def writer(path):
    writer = ReplicaWriter(path)
    yield writer
    writer.close()


@pytest.fixture
def replica(writer, path):
    replica = Replica(path)
    yield replica
    replica.close()


@pytest.fixture
def lab(writer, replica):
    writer.apply(refresh(LAB), SOURCE)
    return replica


def test_it_is_a_directory(lab):
    directory: Directory = lab
    assert directory.freshness().version == 1
    assert directory.freshness().age(NOW + timedelta(seconds=3)) == 3.0


def test_an_empty_replica_knows_nobody_and_when_it_was_asked(replica):
    assert replica.freshness().version == 0
    assert replica.freshness().as_of is None
    assert replica.find([("sam", "alice")]) == ()
    assert replica.person(entry_id("alice")) is None
    assert replica.nodes() == ()


def test_a_person_is_found_by_any_name_and_once(lab):
    names = [("sam", "alice"), ("mail", "alice@lab.example")]
    assert lab.find(names) == (ALICE.id,)
    assert lab.find(names[1:]) == (ALICE.id,)
    assert lab.find([("upn", "alice")]) == ()
    assert lab.find([]) == ()


def test_two_users_with_one_mail_are_both_found(writer, lab):
    bob = thing("bob", "user", mail="alice@LAB.example")
    writer.apply(increment([whole_put(LAB, bob)]), SOURCE)
    assert set(lab.find([("mail", "alice@lab.example")])) == {ALICE.id, bob.id}


def test_a_group_is_not_found_as_a_user(lab):
    assert lab.find([("sid", "s-1-5-21-1-2-3-513"), ("sam", "vpn")]) == ()
    assert lab.person(VPN.id) is None


def test_a_person_has_groups_nearest_first_with_the_primary_group_and_containers_upward(lab):
    person = lab.person(ALICE.id)
    assert [group.group.name for group in person.groups] == ["everybody", "vpn"]
    assert person.groups[0].policy.policy.priority == 5
    assert person.groups[1].policy is None
    assert [ancestor.container.name for ancestor in person.ancestors] == ["vienna", "staff"]
    assert person.ancestors[1].policy.dn == f"cn=strict,{BASE}"
    assert person.policy is None
    assert person.dn == f"cn=alice,ou=vienna,ou=staff,{BASE}"


def test_what_stands_above_an_entry_of_no_use_counts_too(writer, lab):
    shelf = thing("shelf", "shelf", STAFF.id)
    bob = thing("bob", "user", shelf.id)
    writer.apply(increment([whole_put(LAB | {shelf.id: shelf}, bob)]), SOURCE)
    assert [ancestor.container.name for ancestor in lab.person(bob.id).ancestors] == ["staff"]


def test_containers_that_stand_in_each_other_end_somewhere(writer, lab):
    """No directory does that, and none that does may hang a login or a sync."""
    one, two = (Put(item.id, dn_of(LAB, item), None, item.attributes) for item in (STAFF, VIENNA))
    circle = [replace(one, parent=two.id), replace(two, parent=one.id)]
    writer.apply(increment(circle), SOURCE)
    writer.apply(increment([replace(circle[0], dn=f"ou=other,{BASE}")]), SOURCE)
    assert [ancestor.container.name for ancestor in lab.person(ALICE.id).ancestors] == ["vienna", "staff"]


def test_nested_groups_count_once_by_their_shortest_path_also_in_a_cycle(writer, replica):
    things = directory(
        thing("alice", "user"),
        thing("a", "group", links={MEMBER: ["alice", "d"]}),
        thing("b", "group", links={MEMBER: ["a"]}),
        thing("c", "group", links={MEMBER: ["a", "b"]}),
        thing("d", "group", links={MEMBER: ["c", "d"]}),
        thing("e", "group", links={MEMBER: ["b", "c"]}),
        thing("f", "group", links={MEMBER: ["nobody"]}),
    )
    writer.apply(refresh(things), SOURCE)
    assert groups_of(replica, "alice") == [
        ("cn=a",),
        ("cn=a", "cn=b"),
        ("cn=a", "cn=c"),
        ("cn=a", "cn=c", "cn=d"),
        ("cn=a", "cn=b", "cn=e"),
    ]


def test_a_primary_group_is_the_beginning_of_nesting_as_well(writer, lab):
    outer = thing("outer", "group", links={MEMBER: ["everybody"]})
    writer.apply(increment([whole_put(LAB, outer)]), SOURCE)
    assert groups_of(lab, "alice") == [("cn=everybody",), ("cn=vpn",), ("cn=everybody", "cn=outer")]


@pytest.mark.parametrize("target", ["nobody", "vpn"])
def test_a_policy_link_to_nothing_or_to_no_policy_stays_and_has_no_policy(writer, replica, target):
    things = LAB | directory(thing("bob", "user", links={POLICY: [target]}))
    writer.apply(refresh(things), SOURCE)
    link = replica.person(entry_id("bob")).policy
    assert link.id == entry_id(target)
    assert link.policy is None
    assert link.dn == (dn_of(LAB, VPN) if target == "vpn" else None)
    assert replica.policy(entry_id(target)) == link


def test_two_policies_where_one_is_allowed_are_none(writer, replica):
    bob = thing("bob", "user", links={POLICY: ["strict", "lax"]})
    writer.apply(refresh(LAB | directory(bob, thing("lax", "policy"))), SOURCE)
    assert replica.person(bob.id).policy.policy is None


def test_a_deleted_policy_is_a_dropped_link_as_in_ad(writer, lab):
    writer.apply(increment([Delete(STRICT.id)]), SOURCE)
    assert all(ancestor.policy is None for ancestor in lab.person(ALICE.id).ancestors)


def test_that_people_lose_their_policy_with_a_deleted_one_is_logged(writer, lab, caplog):
    writer.apply(increment([Delete(STRICT.id)]), SOURCE)
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "strict" in line
    assert "3 that had it assigned" in line


def test_a_policy_that_a_full_read_no_longer_has_but_links_still_name_is_missing(writer, lab):
    """An LDIF file keeps the link: the user must be refused, not fall to the next policy."""
    without = {key: item for key, item in LAB.items() if item is not STRICT}
    writer.apply(refresh(without), SOURCE)
    assert lab.person(ALICE.id).ancestors[1].policy.policy is None
    assert lab.person(ALICE.id).groups[0].policy.dn is None


def test_nodes_are_listed_by_name_with_their_members(writer, lab):
    writer.apply(increment([whole_put(LAB, thing("alpha", "node"))]), SOURCE)
    assert [node.node.name for node in lab.nodes()] == ["alpha", "gate"]
    assert lab.nodes()[1].members == {VPN.id, entry_id("nobody")}
    assert lab.nodes()[1].policy.policy.priority == 5


def test_lookup_compares_as_dns_are_compared(lab):
    assert lab.lookup(f"CN=Alice, OU=VIENNA,ou=staff,{BASE}") == ALICE.id
    assert lab.lookup(f"cn=alice,{BASE}") is None
    assert lab.lookup("alice") is None


def test_malformed_values_are_listed_by_dn_and_go_when_they_are_mended(writer, lab):
    bad = replace(STRICT, attributes={**STRICT.attributes, "dirfactorpriority": (b"high",)})
    writer.apply(increment([whole_put(LAB, bad)]), SOURCE)
    assert [(dn, finding.attribute) for dn, finding in lab.malformed()] == [(dn_of(LAB, STRICT), "dirfactorPriority")]
    assert lab.person(ALICE.id).ancestors[1].policy.policy.malformed
    writer.apply(increment([partial_put(LAB, bad, STRICT)]), SOURCE)
    assert list(lab.malformed()) == []


def test_an_entry_of_no_use_is_not_stored_and_one_that_becomes_so_is_dropped(writer, lab):
    assert writer.apply(increment([whole_put(LAB, thing("pc", "computer"))]), SOURCE).version == 1
    computer = replace(ALICE, attributes={**ALICE.attributes, "objectclass": (b"user", b"computer")})
    assert writer.apply(increment([whole_put(LAB, computer)]), SOURCE).removed == 1
    assert lab.find([("sam", "alice")]) == ()
    assert lab.lookup(dn_of(LAB, ALICE)) is None


def test_a_partial_change_adds_to_what_is_known(writer, lab):
    changes = [
        Put(ALICE.id, dn_of(LAB, ALICE), None, {"mobile": (b"+43 664 0000001",), "mail": ()}, {}, whole=False),
        Put(VPN.id, dn_of(LAB, VPN), None, {}, {MEMBER: LinkChange((GATE.id,), (ALICE.id,), whole=False)}, whole=False),
    ]
    assert writer.apply(increment(changes), SOURCE) == Applied(0, 2, 0, 2)
    person = lab.person(ALICE.id)
    assert person.user.values_of("mobile") == ("+43 664 0000001",)
    assert person.user.mail is None
    assert lab.find([("mail", "alice@lab.example")]) == ()
    assert groups_of(lab, "alice") == [("cn=everybody",)]
    assert len(person.ancestors) == 2


def test_a_renamed_container_takes_everything_below_along(writer, lab):
    renamed = Put(STAFF.id, f"OU=People,{BASE}", None, {}, {}, whole=False)
    assert writer.apply(increment([renamed]), SOURCE).changed == 3
    assert lab.person(ALICE.id).dn == f"cn=alice,ou=vienna,OU=People,{BASE}"
    assert lab.lookup(f"ou=vienna,ou=people,{BASE}") == VIENNA.id
    assert lab.lookup(f"ou=vienna,ou=staff,{BASE}") is None


@pytest.mark.parametrize("known", [{}, LAB, directory(STRICT)], ids=["first load", "refresh", "hardly anything known"])
def test_a_container_that_is_renamed_during_a_full_read_takes_along_what_was_told_before_it(writer, replica, known):
    """The page with the people was sent before the renaming, the one with the container after it."""
    renamed = LAB | directory(replace(STAFF, rdn="ou=people"))
    told = [*(whole_put(LAB, item) for item in (ALICE, VIENNA, STRICT)), whole_put(renamed, renamed[STAFF.id])]
    writer.apply(refresh(known), SOURCE)
    writer.apply(Batch(iter(told), b"", refresh=True, as_of=NOW), SOURCE)
    assert replica.person(ALICE.id).dn == f"cn=alice,ou=vienna,ou=people,{BASE}"
    assert replica.lookup(f"ou=vienna,ou=people,{BASE}") == VIENNA.id
    assert replica.lookup(f"ou=vienna,ou=staff,{BASE}") is None
    again = partial_put(renamed, STAFF, renamed[STAFF.id])
    assert not writer.apply(increment([again]), SOURCE)


def test_an_entry_with_a_comma_in_its_name_stands_below_its_parent_all_the_same(writer, replica):
    """`ou=a` is now what `ou=b,ou=a` was: DNs below the old name end with the new one."""
    unit = replace(thing("a", "ou"), rdn="ou=b,ou=a")
    people = [
        replace(thing(name, "user", unit.id), rdn=rdn)
        for name, rdn in (("eve", r"cn=Eve\, A."), ("mallory", "cn=mallory\\\\"))
    ]
    before = directory(unit, *people)
    after = directory(replace(unit, rdn="ou=a"), *people)
    told = [*(whole_put(before, item) for item in people), whole_put(after, after[unit.id])]
    writer.apply(Batch(iter(told), b"", refresh=True, as_of=NOW), SOURCE)
    assert [replica.person(item.id).dn for item in people] == [dn_of(after, item) for item in people]
    assert not writer.apply(refresh(after), SOURCE)


def test_a_refresh_deletes_what_it_does_not_name(writer, lab):
    applied = writer.apply(refresh(directory(STAFF, VIENNA, ALICE)), SOURCE)
    assert (applied.added, applied.changed, applied.removed) == (0, 0, 4)
    assert groups_of(lab, "alice") == []
    assert lab.nodes() == ()


def test_a_refresh_may_tell_a_long_group_in_pieces(writer, lab):
    names = [f"user{number}" for number in range(20)]
    group = thing("big", "group", links={MEMBER: names})
    things = LAB | directory(group, *(thing(name, "user") for name in names))
    put = whole_put(things, group)
    pieces = [
        replace(put, links={MEMBER: LinkChange(tuple(map(entry_id, names[:5])), whole=False)}),
        replace(
            put, attributes={}, links={MEMBER: LinkChange(tuple(map(entry_id, names[5:])), whole=False)}, whole=False
        ),
    ]
    rest = [whole_put(things, item) for item in things.values() if item is not group]
    writer.apply(refresh(things), SOURCE)
    before = content(writer)
    again = Batch(iter([pieces[0], *rest, pieces[1]]), b"", refresh=True, as_of=NOW)
    assert writer.apply(again, SOURCE) == Applied(0, 0, 0, 2)
    assert content(writer) == before


def test_nothing_new_changes_the_time_and_the_cookie_but_not_the_version(writer, lab):
    later = NOW + timedelta(minutes=1)
    assert not writer.apply(Batch(iter(()), b"next", refresh=False, as_of=later), SOURCE)
    assert (lab.freshness().version, lab.freshness().as_of) == (1, later)
    assert writer.cookie(SOURCE) == b"next"


def test_what_was_read_before_a_commit_is_not_answered_after_it(writer, lab):
    assert lab.person(ALICE.id).user.disabled is False
    disabled = Put(ALICE.id, dn_of(LAB, ALICE), None, {"useraccountcontrol": (b"514",)}, {}, whole=False)
    writer.apply(increment([disabled]), SOURCE)
    assert lab.person(ALICE.id).user.disabled is True


def test_what_was_read_is_remembered_while_nothing_changes(writer, lab):
    person = lab.person(ALICE.id)
    writer.apply(replace(increment([]), as_of=NOW + timedelta(seconds=2)), SOURCE)
    assert lab.freshness().as_of != NOW
    assert lab.person(ALICE.id) is person


def test_who_is_remembered_costs_one_look_at_the_file(lab):
    def ask():
        return lab.person(*lab.find([("sam", "alice")]))

    statements = []
    lab._db.set_trace_callback(statements.append)
    person = ask()
    assert "BEGIN" in statements  # who is read is read from one version
    statements.clear()
    assert ask() is person
    assert statements == ["PRAGMA data_version"] * 2


def test_who_is_remembered_is_answered_of_one_version_only(writer, lab):
    """The look at the file may bring up another version after something was found in memory."""
    found = lab.find([("sam", "alice")])
    writer.apply(increment([Delete(ALICE.id)]), SOURCE)
    assert lab.find([("sam", "alice")]) == () != found
    writer.apply(refresh(LAB), SOURCE)
    assert lab.find([("sam", "alice")]) == found


def test_the_collector_does_not_go_through_those_who_are_remembered(lab):
    person = lab.person(ALICE.id)
    parts = (person, person.policy, *person.groups, *person.ancestors)
    assert len(parts) > 4
    assert not any(gc.is_tracked(part) for part in parts)


def test_the_cookie_is_of_use_only_to_the_source_that_gave_it(writer, lab):
    assert writer.cookie(SOURCE) == b"cookie"
    assert writer.cookie("another") is None
    with pytest.raises(ValueError, match="cannot continue"):
        writer.apply(increment([]), "another")
    writer.apply(refresh(LAB, b"other"), "another")
    assert writer.cookie("another") == b"other"
    assert writer.cookie(SOURCE) is None


def test_a_source_that_fails_in_the_middle_leaves_everything_as_it_was(writer, lab):
    before = content(writer)

    def changes():
        yield Delete(ALICE.id)
        raise DirectoryUnavailable("gone", remedy="wait")

    for full in (True, False):
        with pytest.raises(DirectoryUnavailable):
            writer.apply(Batch(changes(), b"new", refresh=full, as_of=NOW), SOURCE)
    assert content(writer) == before
    assert writer.cookie(SOURCE) == b"cookie"
    assert writer.apply(increment([Delete(ALICE.id)]), SOURCE).removed == 1


def test_a_dn_that_is_none_is_a_fault(writer):
    with pytest.raises(Fault, match="DN"):
        writer.apply(increment([Put(ALICE.id, "alice", None, ALICE.attributes)]), SOURCE)


def test_the_domains_short_name_is_kept_until_another_is_told(writer, lab):
    assert lab.domains() == {}
    for told, known in (("LAB", "lab"), (None, "lab"), ("OTHER", "other")):
        writer.apply(replace(increment([]), netbios_name=told), SOURCE)
        assert lab.domains() == {known: ""}
    assert lab.freshness().version == 1


def test_everything_is_there_after_a_restart(writer, lab, path):
    writer.close()
    again = ReplicaWriter(path)
    assert again.cookie(SOURCE) == b"cookie"
    again.close()
    reader = Replica(path)
    assert reader.person(ALICE.id) == lab.person(ALICE.id)
    reader.close()


def test_a_newer_parser_reads_every_entry_again_and_asks_for_a_full_read(writer, lab, path):
    phone = Put(ALICE.id, dn_of(LAB, ALICE), None, {"badge": (b"7",)}, {}, whole=False)
    writer.apply(increment([phone]), SOURCE)
    assert lab.person(ALICE.id).user.values_of("badge") == ()
    writer.close()
    newer = ReplicaWriter(path, extra_attributes=["Badge"])
    assert lab.person(ALICE.id).user.values_of("badge") == ("7",)
    assert groups_of(lab, "alice") == [("cn=everybody",), ("cn=vpn",)]
    assert lab.find([("sam", "alice")]) == (ALICE.id,)
    assert lab.freshness().version == 3
    assert newer.cookie(SOURCE) is None
    newer.close()


def test_several_threads_may_read_one_replica(lab):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(lab.person(ALICE.id))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [lab.person(ALICE.id)] * 8


def test_nobody_else_may_read_the_files(writer, lab, path):
    files = list(path.parent.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(writer, path):
    writer.close()
    path.chmod(0o644)
    ReplicaWriter(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, 4321, 1234)
    writer = ReplicaWriter(folder / "replica.sqlite")
    owners = {(file.stat().st_uid, file.stat().st_gid) for file in folder.iterdir()}
    assert len(list(folder.iterdir())) == 3
    writer.close()
    assert owners == {(4321, 1234)}


def test_a_missing_folder_is_a_fault_that_says_how_to_make_it(tmp_path):
    with pytest.raises(ReplicaUnavailable) as caught:
        ReplicaWriter(tmp_path / "missing" / "replica.sqlite")
    assert "mkdir" in caught.value.remedy


def test_a_missing_replica_is_a_fault_that_says_how_to_get_one(path):
    with pytest.raises(ReplicaUnavailable) as caught:
        Replica(path)
    assert "dirfactor sync" in caught.value.remedy
    assert not path.exists()


def test_a_corrupt_file_is_a_fault_that_says_to_delete_it(path):
    path.write_bytes(os.urandom(8192))
    for opening in (ReplicaWriter, Replica):
        with pytest.raises(ReplicaUnavailable) as caught:
            opening(path)
        assert "delete" in caught.value.remedy


def test_a_page_that_is_corrupt_is_a_fault_and_not_an_empty_answer(writer, lab, path):
    for number in range(200):
        writer.apply(increment([whole_put(LAB, thing(f"user{number}", "user"))]), SOURCE)
    writer.close()
    lab.close()
    octets = bytearray(path.read_bytes())
    octets[4096:] = os.urandom(len(octets) - 4096)
    path.write_bytes(octets)
    with pytest.raises(ReplicaUnavailable) as caught:
        Replica(path).person(ALICE.id)
    assert "delete" in caught.value.remedy


def test_tables_that_are_gone_are_a_fault_and_not_no_groups(writer, lab, path):
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE link")
    other.close()
    with pytest.raises(ReplicaUnavailable):
        lab.person(ALICE.id)


def test_an_entry_that_cannot_be_decoded_is_a_fault(writer, lab, path):
    with sqlite3.connect(path) as other:
        other.execute("UPDATE entry SET parsed = x'00' WHERE kind = 'group'")
        other.execute("UPDATE meta SET version = version + 1")
    other.close()
    with pytest.raises(ReplicaUnavailable):
        lab.person(ALICE.id)


def test_a_database_of_another_program_is_never_written_to(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(ReplicaUnavailable, match="not a replica"):
        ReplicaWriter(path)
    assert path.read_bytes() == before


def test_a_replica_that_was_cut_off_while_it_was_made_is_none_yet_and_the_writer_makes_it(path):
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA journal_mode = WAL")
    other.close()
    assert path.stat().st_size
    with pytest.raises(ReplicaUnavailable, match="there is no replica") as caught:
        Replica(path)
    assert "dirfactor sync" in caught.value.remedy
    ReplicaWriter(path).close()
    Replica(path).close()


def test_a_second_writer_is_a_fault(writer, lab, path, monkeypatch):
    monkeypatch.setattr("dirsync.replica.store._BUSY_SECONDS", 0.05)
    second = ReplicaWriter(path)

    def changes():
        with pytest.raises(ReplicaUnavailable, match="locked"):
            second.apply(increment([]), SOURCE)
        yield Delete(ALICE.id)

    assert writer.apply(increment(changes()), SOURCE).removed == 1
    second.close()


def test_a_read_only_reader_cannot_write(lab):
    with pytest.raises(sqlite3.OperationalError):
        lab._db.execute("DELETE FROM entry")


def test_a_policy_is_told_with_its_dn(lab):
    link = lab.policy(STRICT.id)
    assert (link.dn, type(link.policy)) == (dn_of(LAB, STRICT), Policy)
