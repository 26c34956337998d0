"""The dialogue with a domain controller, on canned answers: above all what Samba never does, and Windows does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.ad.controls import EXTENDED_DN, guid_dn
from dirsync.ad.cookie import AdCookie
from dirsync.ad.question import WHERE
from dirsync.ad.server import find_netbios_name
from dirsync.change import Delete, LinkChange, Put
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import ChangeFeed
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Page, converse
from domain_controller import (
    BASE,
    DC2,
    FULL_FLAGS,
    MEMBER,
    NODE_MEMBER,
    POLICY,
    SINCE_FLAGS,
    WANTED,
    Conversation,
    asked_with,
    cookie_after,
    entry,
    ghost,
    guid,
    hello,
    ident,
    named,
    page,
    plain,
    read,
    refused,
    since,
    value,
)
from schema.attributes import ATTRIBUTES, CLASSES


def test_the_attribute_list_has_what_moves_and_deletions_are_reported_by():
    names = {name.lower() for name in WANTED.attributes}
    assert {"name", "parentguid", "isdeleted", "objectguid", "objectsid", "member", "departmentnumber"} <= names
    assert {attribute.name.lower() for attribute in ATTRIBUTES if attribute.forward_link is None} <= names
    assert len(names) == len(WANTED.attributes)
    # DirSync never sends back links
    assert "dirfactorpolicysubjects" not in names


def test_the_filter_speaks_of_classes_only():
    # an entry that stops matching leaves the answers without a word; only its class is for ever
    assert set(re.findall(r"\(([^()=]+)=", WHERE)) == {"objectClass"}
    classes = set(re.findall(r"=([^()]+)\)", WHERE))
    assert {"user", "group", "organizationalUnit", "domainDNS"} <= classes
    assert {item.name for item in CLASSES if item.structural} <= classes


def test_a_first_read_asks_for_everything_with_the_readers_own_rights():
    talk = read(entry(1, mail=[b"a@example.test"], parentGUID=[guid(9)]))
    assert talk.walks == [asked_with(FULL_FLAGS, b"")]
    assert talk.changes == [
        Put(ident(1), f"CN=e1,{BASE}", ident(9), {"mail": (b"a@example.test",)}, {}, whole=True),
    ]


def test_pages_are_asked_for_until_there_is_no_more_and_only_then_the_cookie_counts():
    talk = Conversation(
        None,
        *hello(),
        page(entry(1), more=1, cookie=b"one"),
        page(more=1, cookie=b"two"),
        page(entry(2), more=0, cookie=b"three"),
    )
    assert talk.walks == [asked_with(FULL_FLAGS, cookie) for cookie in (b"", b"one", b"two")]
    assert [change.id for change in talk.changes] == [ident(1), ident(2)]
    assert AdCookie.decode(talk.answer.cookie).raw == b"three"


def test_a_server_that_promises_more_and_sends_nothing_is_not_asked_for_ever():
    with pytest.raises(MalformedAnswer, match="never sends"):
        Conversation(None, *hello(), page(more=1, cookie=b"one"), page(more=1, cookie=b"one"))


def test_a_later_read_asks_for_what_has_changed_with_incremental_values():
    talk = since(entry(1, mail=[b"new@example.test"]), cookie=b"second")
    assert talk.walks == [asked_with(SINCE_FLAGS, b"first")]
    assert talk.changes == [Put(ident(1), f"CN=e1,{BASE}", None, {"mail": (b"new@example.test",)}, {}, whole=False)]
    assert AdCookie.decode(talk.answer.cookie).raw == b"second"


def test_an_attribute_without_values_is_gone_and_one_that_is_not_sent_is_unchanged():
    (put,) = since(entry(1, mobile=[], telephoneNumber=[b"1", b"2"])).changes
    assert put.attributes == {"mobile": (), "telephonenumber": (b"1", b"2")}


def test_a_move_brings_the_new_name_and_parent():
    (put,) = since(entry(1, f"CN=new,OU=o,{BASE}", name=[b"new"], parentGUID=[guid(7)])).changes
    assert (put.dn, put.parent, put.attributes) == (f"CN=new,OU=o,{BASE}", ident(7), {"name": (b"new",)})


@pytest.mark.parametrize(
    "tombstone",
    [(ghost(1), {"isDeleted": [b"TRUE"], "mail": []}), (ghost(1), {}), (named(1), {"isDeleted": [b"TRUE"]})],
    ids=["as it comes", "known by its name", "known by its attribute"],
)
def test_a_tombstone_is_a_deletion(tombstone):
    assert since(tombstone).changes == [Delete(ident(1))]


def test_tombstones_of_a_full_read_are_nothing():
    assert read((ghost(1), {"isDeleted": [b"TRUE"]})).changes == []


def test_what_is_deleted_while_everything_is_read_is_deleted():
    talk = Conversation(
        None,
        *hello(),
        page(entry(1), entry(2), more=1, cookie=b"one"),
        page((ghost(1), {"isDeleted": [b"TRUE"]})),
    )
    assert talk.changes[-1] == Delete(ident(1))
    assert len(talk.changes) == 3


def test_what_is_deleted_and_restored_while_everything_is_read_is_complete_in_itself():
    pages = [
        page(entry(1), more=1, cookie=b"1"),
        page((ghost(1), {}), more=1, cookie=b"2"),
        page(entry(1, isDeleted=[])),
    ]
    changes = Conversation(None, *hello(), *pages).changes
    assert changes[1] == Delete(ident(1))
    assert [changes[0].whole, changes[2].whole] == [True, True]


def test_what_comes_again_while_everything_is_read_adds_to_what_was_read():
    talk = Conversation(
        None,
        *hello(),
        page(entry(1, mail=[b"a@example.test"]), more=1, cookie=b"one"),
        page(entry(1, mobile=[b"1"])),
    )
    assert [put.whole for put in talk.changes] == [True, False]


def test_an_entry_that_was_restored_has_everything_read_anew():
    talk = Conversation(
        cookie_after(),
        *hello(usn=101),
        page(entry(3), entry(1, name=[b"u1"], isDeleted=[])),
        page(entry(1, mail=[b"back@example.test"], isDeleted=[]), entry(2)),
    )
    assert talk.walks == [asked_with(SINCE_FLAGS, b"first"), asked_with(FULL_FLAGS, b"")]
    assert talk.answer.refresh
    assert [(put.id, put.whole) for put in talk.changes] == [(ident(1), True), (ident(2), True)]


def test_of_links_only_the_values_that_came_or_went_are_sent():
    (put,) = since(entry(1, **{"member;range=1-1": [value(2), value(3)], "member;range=0-0": [value(4)]})).changes
    assert put.links == {MEMBER: LinkChange((ident(2), ident(3)), (ident(4),), whole=False)}
    assert put.attributes == {}


def test_a_policy_that_is_replaced_comes_and_goes():
    links = {"dirfactorPolicy;range=1-1": [value(2)], "dirfactorPolicy;range=0-0": [value(3)]}
    (put,) = since(entry(1, **links)).changes
    assert put.links == {POLICY: LinkChange((ident(2),), (ident(3),), whole=False)}


def test_the_empty_list_beside_a_range_says_nothing():
    (put,) = since(entry(1, **{"member": [], "member;range=0-0": [value(4)]})).changes
    assert put.links == {MEMBER: LinkChange((), (ident(4),), whole=False)}


def test_a_link_without_values_is_gone():
    (put,) = since(entry(1, dirfactorPolicy=[])).changes
    assert put.links == {POLICY: LinkChange((), whole=True)}


def test_in_a_full_read_links_are_complete():
    (put,) = read(entry(1, member=[value(2)], dirfactorPolicy=[value(3)], dirfactorMember=[value(4)])).changes
    assert put.links == {
        MEMBER: LinkChange((ident(2),)),
        POLICY: LinkChange((ident(3),)),
        NODE_MEMBER: LinkChange((ident(4),)),
    }


def test_links_to_tombstones_are_dropped():
    (put,) = read(entry(1, member=[value(2), ghost(3).encode()])).changes
    assert put.links == {MEMBER: LinkChange((ident(2),))}
    (put,) = since(
        entry(1, **{"member;range=1-1": [ghost(2).encode()], "member;range=0-0": [ghost(3).encode()]})
    ).changes
    assert put.links == {MEMBER: LinkChange((), (ident(3),), whole=False)}


def test_values_that_the_server_held_back_are_fetched():
    talk = Conversation(
        None,
        *hello(),
        page(
            entry(1, **{"member": [], "member;range=0-1": [value(2), value(3)], "dirfactorPolicy": [value(8)]}),
            entry(7, mail=[b"a@example.test"]),
        ),
        Page(iter([(named(1), {"member;range=2-3": [value(4), ghost(5).encode()]})])),
        Page(iter([(named(1), {"member;range=4-*": [value(6)]})])),
    )
    follow_ups = [search for search in talk.asked if search.base == guid_dn(ident(1))]
    assert [search.attributes for search in follow_ups] == [("member;range=2-*",), ("member;range=4-*",)]
    assert all(search.controls == (EXTENDED_DN,) for search in follow_ups)
    group = next(put for put in talk.changes if put.id == ident(1))
    assert group.links == {
        MEMBER: LinkChange(tuple(ident(n) for n in (2, 3, 4, 6)), whole=True),
        POLICY: LinkChange((ident(8),)),
    }
    assert group.whole


def test_values_that_are_gone_when_they_are_fetched_end_the_list():
    talk = Conversation(
        None,
        *hello(),
        page(entry(1, **{"member;range=0-0": [value(2)], "member;range=0-1": [value(2), value(3)]})),
    )
    assert talk.changes[0].links[MEMBER].removed == (ident(2),)
    talk = Conversation(
        None,
        *hello(),
        page(entry(1, **{"member;range=0-1": [value(2), value(3)]})),
        Page(iter([(named(1), {})])),
    )
    assert talk.changes[0].links == {MEMBER: LinkChange((ident(2), ident(3)))}


def test_ranges_that_go_back_are_not_followed_for_ever():
    with pytest.raises(MalformedAnswer, match="ends at 1"):
        Conversation(
            None,
            *hello(),
            page(entry(1, **{"member;range=0-1": [value(2), value(3)]})),
            Page(iter([(named(1), {"member;range=0-1": [value(2), value(3)]})])),
        )


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(1, 40))
def test_however_the_server_cuts_it_everything_is_read(pages, count):
    numbers = list(range(1, count + 1))
    cut = []
    for size in pages:
        cut.append(numbers[:size])
        numbers = numbers[size:]
    cut.append(numbers)
    answers = [
        page(*(entry(n, member=[value(n)]) for n in part), more=int(i < len(cut) - 1), cookie=b"c%d" % i)
        for i, part in enumerate(cut)
    ]
    talk = Conversation(None, *hello(), *answers)
    assert talk.changes == read(*(entry(n, member=[value(n)]) for n in range(1, count + 1))).changes


def test_a_refused_cookie_leads_to_a_full_read():
    talk = Conversation(cookie_after(), *hello(usn=101), refused(entry(5)), page(entry(1), cookie=b"anew"))
    assert talk.walks == [asked_with(SINCE_FLAGS, b"first"), asked_with(FULL_FLAGS, b"")]
    assert talk.answer.refresh
    assert [put.id for put in talk.changes] == [ident(1)]
    assert AdCookie.decode(talk.answer.cookie).raw == b"anew"


def test_a_full_read_that_is_refused_is_refused():
    with pytest.raises(DirectoryRefused):
        Conversation(None, *hello(), refused(), refused())
    with pytest.raises(DirectoryRefused):
        Conversation(None, *hello(), refused(), feed=ChangeFeed.DIRSYNC)


def test_a_lost_connection_is_no_reason_for_a_full_read():
    with pytest.raises(DirectoryUnavailable):
        Conversation(
            cookie_after(),
            *hello(usn=101),
            refused(fault=DirectoryUnavailable("Can't contact LDAP server", remedy="-")),
        )


@given(st.binary())
def test_octets_that_are_no_cookie_of_ours_lead_to_a_full_read(octets):
    assert Conversation(octets, *hello(), page(entry(1))).answer.refresh


def test_a_server_that_has_committed_nothing_is_not_asked_what_has_changed():
    cookie = cookie_after(*hello(usn=100), page(cookie=b"first"))
    talk = Conversation(cookie, *hello(usn=100))
    assert (talk.walks, talk.changes) == ([], [])
    assert talk.answer.cookie == cookie
    assert not talk.answer.refresh


def test_what_is_committed_during_a_read_is_asked_for_next_time():
    # the number is taken before the read: what comes in between is read twice rather than never
    cookie = cookie_after(*hello(usn=100), page(entry(1), cookie=b"first"))
    assert Conversation(cookie, *hello(usn=101), page(entry(1))).walks == [asked_with(SINCE_FLAGS, b"first")]


@pytest.mark.parametrize(
    "now",
    [
        hello(usn=99),
        hello(usn=200, invocation=b"I2"),
        hello(usn=200, domain_guid=guid(99)),
        hello(usn=200, name=DC2, domain_guid=guid(99)),
    ],
    ids=["went back in time", "was restored", "is of another domain", "another server is of another domain"],
)
def test_a_server_that_cannot_continue_is_read_anew(now):
    talk = Conversation(cookie_after(), *now, page(entry(1)))
    assert talk.walks == [asked_with(FULL_FLAGS, b"")]
    assert talk.answer.refresh


def test_another_server_of_the_domain_continues_whatever_its_numbers():
    talk = Conversation(cookie_after(), *hello(usn=3, name=DC2, invocation=b"I2"), page(cookie=b"second"))
    assert talk.walks == [asked_with(SINCE_FLAGS, b"first")]
    # and the first is still known when it is its turn again: here it has been restored in the meantime
    talk = Conversation(talk.answer.cookie, *hello(usn=90), page(entry(1)))
    assert talk.walks == [asked_with(FULL_FLAGS, b"")]


def test_a_wrong_base_is_refused_and_the_right_one_is_named():
    with pytest.raises(DirectoryRefused) as fault:
        Conversation(None, hello(base="DC=other,DC=test")[0])
    assert "base = DC=other,DC=test" in fault.value.remedy


def test_the_base_may_be_written_otherwise():
    assert Conversation(None, *hello(base="dc=LAB, dc=Example,DC=test"), page(entry(1))).changes


def test_a_server_that_has_not_got_its_data_yet_is_not_read():
    with pytest.raises(DirectoryUnavailable, match="not got all data"):
        Conversation(None, hello(isSynchronized=[b"FALSE"])[0])


@pytest.mark.parametrize("attribute", ["dsServiceName", "highestCommittedUSN", "defaultNamingContext"])
def test_a_server_that_is_no_domain_controller_is_not_read(attribute):
    with pytest.raises(DirectoryUnavailable, match=attribute):
        Conversation(None, hello(**{attribute: []})[0])


def test_an_answer_without_the_control_is_no_answer():
    with pytest.raises(MalformedAnswer, match="lacks the DirSync control"):
        Conversation(None, *hello(), Page(iter([entry(1)])))


def test_the_short_name_is_that_of_the_domains_partition():
    partitions = [
        ("CN=Enterprise Configuration", {"nCName": [f"CN=Configuration,{BASE}".encode()]}),
        ("CN=OTHER", {"nCName": [b"DC=other,DC=test"], "nETBIOSName": [b"OTHER"]}),
        ("CN=LAB", {"nCName": [b"DC=LAB,DC=example,DC=test"], "nETBIOSName": [b"LAB"]}),
    ]
    for present, expected in ((partitions, "LAB"), (partitions[:2], None)):
        answers = [plain({"configurationNamingContext": [f"CN=Configuration,{BASE}".encode()]}), Page(iter(present))]
        asked = []

        def ask(search, asked=asked, answers=answers):
            asked.append(search)
            return answers.pop(0)

        assert converse(find_netbios_name(BASE), ask) == expected
        assert asked[1].base == f"CN=Partitions,CN=Configuration,{BASE}"


def holder(number, usn, when=b"20260101000000.0Z"):
    return {"objectGUID": [guid(number)], "uSNChanged": [b"%d" % usn], "whenChanged": [when]}


@pytest.mark.parametrize(
    "now",
    [
        hello(usn=103, witnesses=[holder(1, 90), holder(2, 101)]),
        hello(usn=103, witnesses=[holder(1, 100, b"20260101000009.0Z")]),
        hello(usn=103, witnesses=[holder(1, 103), holder(2, 100)]),
        hello(usn=103),
        hello(usn=100, witnesses=[holder(2, 100)]),
    ],
    ids=["a number shrank", "at another time", "another holds a number", "a witness is gone", "at the same number"],
)
def test_a_server_that_was_restored_from_a_copy_and_has_caught_up_is_read_anew(now):
    cookie = cookie_after(*hello(usn=100, witnesses=[holder(1, 100)]), page(cookie=b"first"))
    talk = Conversation(cookie, *now, page(entry(1)))
    assert talk.walks == [asked_with(FULL_FLAGS, b"")]
    assert talk.answer.refresh
    assert "restore" in talk.answer.why


def test_a_server_whose_past_is_proven_continues():
    cookie = cookie_after(*hello(usn=100, witnesses=[holder(1, 100)]), page(cookie=b"first"))
    talk = Conversation(cookie, *hello(usn=103, witnesses=[holder(1, 102), holder(2, 103)]), page(entry(1)))
    assert talk.walks == [asked_with(SINCE_FLAGS, b"first")]
    assert talk.answer.why == ""
