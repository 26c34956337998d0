"""Polling by uSNChanged, on canned answers."""

import contextlib
from threading import Lock

import pytest

from dirsync.ad.controls import EXTENDED_DN, SHOW_DELETED, paged
from dirsync.ad.question import WHERE, domain
from dirsync.change import Batch, Delete, LinkChange, LinkKind, Put
from dirsync.errors import DirectoryRefused
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import ChangeFeed
from dirsync.view import PolicyLink
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Page
from domain_controller import (
    BASE,
    DC2,
    MEMBER,
    WANTED,
    Conversation,
    cut,
    entry,
    ghost,
    hello,
    ident,
    named,
    page,
    refused,
    value,
)
from small_directory import NOW, SOURCE, increment

USER = {"objectclass": (b"user",), "samaccountname": (b"e2",)}
GROUP = {"objectclass": (b"group",), "samaccountname": (b"e6",)}
OU = f"OU=o,{BASE}"
IN_OU = domain(OU, ())


def polled(*answers, wanted=WANTED, usn=101):
    """What is heard after a full read by numbers, which ended at 100."""
    cookie = Conversation(None, *hello(usn=100), cut(), feed=ChangeFeed.USN, wanted=wanted).answer.cookie
    return Conversation(cookie, *hello(usn=usn), *answers, feed=ChangeFeed.USN, wanted=wanted)


def test_where_dirsync_is_refused_everything_is_polled_and_so_it_goes_on():
    talk = Conversation(None, *hello(), refused(entry(5)), cut(entry(1)))
    assert [put.id for put in talk.changes] == [ident(1)]
    assert (talk.answer.feed, talk.answer.refresh) == (ChangeFeed.USN, True)
    assert "DirSync is refused" in talk.answer.why
    talk = Conversation(talk.answer.cookie, *hello(usn=101), cut(entry(2)))
    assert [(put.id, put.whole) for put in talk.changes] == [(ident(2), True)]
    assert (talk.answer.feed, talk.answer.refresh) == (ChangeFeed.USN, False)


def test_rfc_2696_pages_are_asked_for_until_there_is_no_cookie():
    talk = Conversation(None, *hello(), cut(entry(1), cookie=b"1"), cut(entry(2)), feed=ChangeFeed.USN)
    assert [search.controls for search in talk.walks] == [(EXTENDED_DN, paged(b"")), (EXTENDED_DN, paged(b"1"))]
    assert [put.id for put in talk.changes] == [ident(1), ident(2)]


def test_what_has_a_greater_number_is_asked_for_tombstones_too():
    talk = polled(cut(entry(1), (ghost(2), {"isDeleted": [b"TRUE"]})))
    (walk,) = talk.walks
    assert walk.where == f"(&(uSNChanged>=101){WHERE})"
    assert SHOW_DELETED in walk.controls
    assert talk.changes == [Put(ident(1), f"CN=e1,{BASE}", None, {}, {}, whole=True), Delete(ident(2))]


def test_polled_groups_have_all_their_members_however_many():
    members = {"member;range=0-1": [value(2), value(3)]}
    talk = polled(cut(entry(1, **members)), Page(iter([(named(1), {"member;range=2-*": [value(4)]})])))
    assert talk.changes[0].links == {MEMBER: LinkChange((ident(2), ident(3), ident(4)))}


def test_numbers_of_another_server_say_nothing():
    cookie = Conversation(None, *hello(usn=100), cut(), feed=ChangeFeed.USN).answer.cookie
    now = hello(usn=101, name=DC2, invocation=b"I2")
    assert Conversation(cookie, *now, cut(entry(1)), feed=ChangeFeed.USN).answer.refresh


@pytest.mark.parametrize(("first", "then"), [(ChangeFeed.USN, "dirsync"), (ChangeFeed.DIRSYNC, "usn")])
def test_another_way_of_asking_begins_with_everything(first, then):
    answers = {"usn": cut, "dirsync": page}
    cookie = Conversation(None, *hello(), answers[first](), feed=first).answer.cookie
    talk = Conversation(cookie, *hello(usn=101), answers[then](entry(1)), feed=ChangeFeed(then))
    assert (talk.answer.refresh, talk.answer.feed) == (True, then)


def test_a_restored_entry_is_polled_with_everything_because_links_come_back_with_it():
    talk = polled(cut(entry(1, lastKnownParent=[BASE.encode()])), cut(entry(1), entry(2)))
    assert talk.answer.refresh
    assert [put.id for put in talk.changes] == [ident(1), ident(2)]


def test_part_of_a_domain_is_polled_and_what_leaves_it_is_gone():
    elsewhere = cut(
        entry(1, objectClass=[b"user"]),
        entry(2, f"CN=e2,{OU}", objectClass=[b"user"]),
        (ghost(3), {"isDeleted": [b"TRUE"], "objectClass": [b"user"]}),
        entry(4, BASE, objectClass=[b"domainDNS"]),
        entry(5, OU, objectClass=[b"organizationalUnit"]),
    )
    talk = polled(elsewhere, cut(entry(2, f"CN=e2,{OU}"), entry(5, OU)), wanted=IN_OU)
    gone, kept = talk.changes[:3], talk.changes[3:]
    outside = [Put(ident(number), dn, None, {}) for number, dn in ((1, f"CN=e1,{BASE}"), (4, BASE))]
    assert gone == [outside[0], Delete(ident(3)), outside[1]]
    assert [put.id for put in kept] == [ident(2), ident(5)]
    assert not talk.answer.refresh


def test_an_edit_of_a_policy_outside_of_the_base_leaves_those_refused_who_have_it(tmp_path):
    """It is missing here, and must not become no policy at all: the next one could ask for less."""
    alice = Put(ident(2), f"CN=e2,{OU}", None, USER, {LinkKind.POLICY: LinkChange((ident(1),))})
    group = Put(ident(6), f"CN=e6,{OU}", None, GROUP, {LinkKind.MEMBER: LinkChange((ident(2), ident(7)))})
    with (
        contextlib.closing(ReplicaWriter(tmp_path / "replica")) as writer,
        contextlib.closing(Replica(tmp_path / "replica")) as replica,
    ):
        writer.apply(Batch(iter((alice, group)), b"", refresh=True, as_of=NOW), SOURCE)
        talk = polled(cut(entry(1, objectClass=[b"dirfactorSecurityPolicy"])), cut(), wanted=IN_OU)
        writer.apply(increment(talk.changes), SOURCE)
        assert replica.person(ident(2)).policy == PolicyLink(ident(1), None, None)
        writer.apply(increment(polled(cut(entry(2, objectClass=[b"user"])), cut(), wanted=IN_OU).changes), SOURCE)
        assert replica.person(ident(2)) is None
        writer.apply(increment([alice]), SOURCE)
        assert [group.dn for group in replica.person(ident(2)).groups] == [f"CN=e6,{OU}"], "the group was not touched"


def test_who_leaves_one_part_of_a_domain_for_another_that_is_read_as_well_is_there_all_the_time(tmp_path):
    moved = Put(ident(1), f"CN=e1,{BASE}", None, USER)
    turn = Lock()
    with (
        contextlib.closing(ReplicaWriter(tmp_path / "replica", turn=turn)) as one,
        contextlib.closing(ReplicaWriter(tmp_path / "replica", directory="two", turn=turn)) as two,
        contextlib.closing(Replica(tmp_path / "replica")) as replica,
    ):
        one.apply(Batch(iter((Put(ident(1), f"CN=e1,{OU}", None, USER),)), b"", refresh=True, as_of=NOW), "one")
        two.apply(increment([moved]), "two")
        one.apply(increment(polled(cut(entry(1, objectClass=[b"user"])), cut(), wanted=IN_OU).changes), "one")
        assert replica.person(ident(1)).directory == "two"


@pytest.mark.parametrize("dn", [f"OU=in,{OU}", f"OU=out,{BASE}"])
def test_a_container_that_may_have_moved_has_part_of_a_domain_read_anew(dn):
    talk = polled(cut(entry(4, dn, objectClass=[b"top", b"organizationalUnit"])), cut(entry(2)), wanted=IN_OU)
    assert talk.answer.refresh
    assert "container" in talk.answer.why


def test_dirsync_alone_cannot_read_part_of_a_domain_and_the_way_out_is_named():
    with pytest.raises(DirectoryRefused) as fault:
        Conversation(None, *hello()[:3], feed=ChangeFeed.DIRSYNC, wanted=IN_OU)
    assert "changes = usn" in fault.value.remedy


def test_a_base_in_another_naming_context_is_refused():
    contexts = {"namingContexts": [BASE.encode(), f"CN=Configuration,{BASE}".encode()]}
    with pytest.raises(DirectoryRefused):
        Conversation(None, hello(**contexts)[0], wanted=domain(f"CN=Sites,CN=Configuration,{BASE}", ()))


def test_an_answer_without_the_paging_control_is_no_answer():
    with pytest.raises(MalformedAnswer, match="paged"):
        Conversation(None, *hello(), Page(iter([entry(1)])), feed=ChangeFeed.USN)
