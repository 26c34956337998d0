"""Several directories in one replica: each is written, refreshed, aged and dropped for itself; links join them."""

import contextlib
from dataclasses import replace
from datetime import timedelta
from threading import Lock

import pytest

from dirsync.change import Delete, LinkKind, Put
from dirsync.replica import Replica, ReplicaWriter
from dirsync.replica.directories import keep_configured
from dirsync.view import Freshness
from small_directory import BASE, NOW, content, directory, entry_id, increment, refresh, thing

ALICE = thing("alice", "user", sAMAccountName="alice")
ALSO_ALICE = thing("alice2", "user", sAMAccountName="alice")
GROUP = thing("vpn", "group", links={LinkKind.MEMBER: ["alice2"]})
HQ, BRANCH = directory(ALICE, GROUP), directory(ALSO_ALICE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.sqlite"


@pytest.fixture
def writers(path):
    """A writer for the directory without a name, one for `branch`, both with something in them."""
    turn = Lock()
    with (
        contextlib.closing(ReplicaWriter(path, turn=turn)) as hq,
        contextlib.closing(ReplicaWriter(path, directory="branch", turn=turn)) as branch,
    ):
        hq.apply(replace(refresh(HQ, b"hq 1"), netbios_name="HQ"), "hq")
        branch.apply(replace(refresh(BRANCH, b"branch 1"), netbios_name="BRANCH"), "branch")
        yield hq, branch


@pytest.fixture
def replica(writers, path):
    with contextlib.closing(Replica(path)) as replica:
        yield replica


def test_each_entry_knows_its_directory_and_a_name_may_be_looked_for_in_one_of_them(replica):
    both = replica.find([("sam", "alice")])
    assert {replica.person(user).directory for user in both} == {"", "branch"}
    assert replica.find([("sam", "alice")], "branch") == (ALSO_ALICE.id,)
    assert replica.find([("sam", "alice")], "") == (ALICE.id,)
    assert replica.find([("sam", "alice")], "elsewhere") == ()
    assert replica.domains() == {"hq": "", "branch": "branch"}


def test_a_short_name_that_two_directories_have_means_neither(replica, writers):
    writers[1].apply(replace(increment([]), netbios_name="hq"), "branch")
    assert replica.domains() == {}


def test_groups_have_members_of_other_directories(replica):
    assert [group.dn for group in replica.person(ALSO_ALICE.id).groups] == ["cn=vpn,dc=lab,dc=example"]


def test_a_dn_that_entries_of_two_directories_have_means_neither(replica, writers):
    """A node of config.ini would let the wrong group in, or ask for what the wrong policy says."""
    twin = replace(GROUP, id=entry_id("twin"))
    dn = "cn=vpn,dc=lab,dc=example"
    assert replica.lookup(dn) == GROUP.id
    writers[1].apply(increment(refresh(directory(twin)).changes), "branch")
    assert replica.lookup(dn) is None


def test_who_stands_below_an_unseen_unit_is_not_below_one_of_another_directory_with_the_same_dn(replica, writers):
    staff, lax = thing("staff", "ou", links={LinkKind.POLICY: ["lax"]}), thing("lax", "policy")
    base, unseen, bob = thing("base", "ou"), thing("unseen", "ou"), thing("bob", "user", entry_id("unseen"))
    dns = {base.id: BASE, bob.id: f"cn=bob,{staff.rdn},{BASE}"}
    seen = [change for change in refresh(directory(base, unseen, bob)).changes if change.id in dns]
    writers[0].apply(increment(refresh(directory(staff, lax)).changes), "hq")
    writers[1].apply(increment([replace(put, dn=dns[put.id]) for put in seen]), "branch")
    assert [above.id for above in replica.person(bob.id).ancestors] == [base.id]


def test_a_domain_below_another_one_is_below_its_units_though_they_are_read_as_two_directories(replica, writers):
    above = Put(entry_id("forest"), "dc=example", None, {"objectclass": (b"domainDNS",)})
    head = Put(entry_id("head"), BASE, None, {"objectclass": (b"domainDNS",)})
    writers[0].apply(increment([above]), "hq")
    writers[1].apply(increment([head]), "branch")
    assert [unit.id for unit in replica.person(ALSO_ALICE.id).ancestors] == [head.id, above.id]


def test_a_refresh_of_one_leaves_the_other_as_it_is(replica, writers):
    hq, branch = writers
    before = content(hq)
    assert not hq.apply(refresh(HQ), "hq")
    assert not branch.apply(refresh(BRANCH), "branch")
    assert content(hq) == before
    assert branch.apply(refresh({}), "branch").removed == 1
    assert replica.find([("sam", "alice")]) == (ALICE.id,)
    assert not hq.apply(refresh(HQ), "hq"), "links into the other directory are as they were"


def test_each_has_a_cookie_of_its_own(writers):
    hq, branch = writers
    assert (hq.cookie("hq"), branch.cookie("branch")) == (b"hq 1", b"branch 1")
    assert hq.cookie("branch") is None


def test_each_has_an_age_of_its_own_and_all_together_are_as_old_as_the_oldest(replica, writers, path):
    later = NOW + timedelta(hours=1)
    writers[0].apply(replace(increment([]), as_of=later), "hq")
    assert replica.freshness("") == Freshness(2, later)
    assert replica.freshness("branch") == replica.freshness() == Freshness(2, NOW)
    assert replica.freshness("elsewhere").as_of is None
    with contextlib.closing(ReplicaWriter(path, directory="new")):
        assert replica.freshness().as_of is None, "one that was never read is older than all"
        assert replica.freshness("").as_of == later


def test_an_entry_that_moves_to_another_directory_is_there_all_the_time(replica, writers):
    """Between the domains of a forest an entry keeps its objectGUID; either domain may tell first."""
    hq, branch = writers
    branch.apply(increment(refresh(directory(ALSO_ALICE, ALICE)).changes), "branch")
    assert replica.person(ALICE.id).directory == "branch"
    assert not hq.apply(increment([Delete(ALICE.id)]), "hq")
    assert replica.person(ALICE.id).directory == "branch"
    assert not hq.apply(refresh(directory(GROUP)), "hq").removed
    assert replica.person(ALICE.id) is not None


def test_a_directory_that_is_not_configured_any_more_is_dropped_with_its_people(replica, writers, path):
    keep_configured(path, {"": "hq"})
    assert replica.find([("sam", "alice")]) == (ALICE.id,)
    assert replica.domains() == {"hq": ""}
    assert replica.person(ALSO_ALICE.id) is None


def test_a_directory_with_another_name_in_the_configuration_keeps_everything(replica, writers, path):
    before = content(writers[0])
    keep_configured(path, {"": "hq", "vienna": "branch"})
    assert content(writers[0]) == before
    assert replica.person(ALSO_ALICE.id).directory == "vienna"
    with contextlib.closing(ReplicaWriter(path, directory="vienna")) as writer:
        assert writer.cookie("branch") == b"branch 1"


def test_what_is_configured_as_before_changes_nothing(replica, writers, path):
    version = replica.freshness().version
    keep_configured(path, {"": "hq", "branch": "branch", "new": "new"})
    assert replica.freshness().version == version
    assert len(replica.find([("sam", "alice")])) == 2
    assert entry_id("alice") == ALICE.id
