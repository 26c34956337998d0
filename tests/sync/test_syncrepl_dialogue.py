"""What a server says by RFC 4533 is understood octet by octet, and message by message becomes the right changes."""

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.change import Delete, LinkChange, LinkKind, Put
from dirsync.errors import DirectoryUnavailable
from dirsync.syncrepl.controls import (
    SYNC_INFO,
    SYNC_STATE,
    IdSet,
    NewCookie,
    PhaseEnd,
    State,
    SyncState,
    read_info,
    read_state,
    sync_request,
)
from dirsync.syncrepl.cookie import SyncCookie, Witness, Witnesses
from dirsync.syncrepl.dialogue import Consumer
from dirsync.syncrepl.entry import read_entry, wanted
from dirsync.syncrepl.server import DS389, OPENLDAP, hear
from dirsync.wire import ber
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Page, Scope, Search, converse
from dirsync.wire.stream import Ended, Found, Told
from small_directory import entry_id

A, B, C = (entry_id(name) for name in "ABC")
WANTED = wanted(("employeeMobile",))
# as slapd 2.5 sends them
ADDED = "3015 0a0101 0410" + A.hex()
MODIFIED_WITH_COOKIE = "301a 0a0102 0410" + B.hex() + "0403 632332"
REFRESH_DONE = "a205 0403 632331"  # refreshDone is TRUE when it is left out
PRESENT_PHASE_OVER = "a208 0403 632331 010100"
DELETES_DONE = "a108 0403 632331 0101ff"
SET_OF_TWO = "a326 3124 0410" + A.hex() + "0410" + B.hex()
DELETED_SET = "a317 0101ff 3112 0410" + A.hex()
NEW_COOKIE = "8003 632339"


def octets(text):
    return bytes.fromhex(text.replace(" ", ""))


def test_the_request_asks_for_changes_as_they_happen_and_names_the_cookie():
    assert sync_request(None).value == octets("3003 0a0103")
    assert sync_request(b"c#1").value == octets("3008 0a0103 0403 632331")


def test_the_state_of_an_entry_is_read():
    assert read_state(octets(ADDED)) == SyncState(State.ADD, A)
    assert read_state(octets(MODIFIED_WITH_COOKIE)) == SyncState(State.MODIFY, B, b"c#2")


def test_sync_info_messages_are_read():
    assert read_info(octets(REFRESH_DONE)) == PhaseEnd(present=True, cookie=b"c#1", done=True)
    assert read_info(octets(PRESENT_PHASE_OVER)) == PhaseEnd(present=True, cookie=b"c#1", done=False)
    assert read_info(octets(DELETES_DONE)) == PhaseEnd(present=False, cookie=b"c#1", done=True)
    assert read_info(octets(SET_OF_TWO)) == IdSet((A, B), deleted=False, cookie=None)
    assert read_info(octets(DELETED_SET)) == IdSet((A,), deleted=True, cookie=None)
    assert read_info(octets(NEW_COOKIE)) == NewCookie(b"c#9")


@given(st.binary(max_size=80))
def test_any_octets_are_read_or_are_a_malformed_answer(value):
    for read in (read_state, read_info):
        with contextlib.suppress(MalformedAnswer):
            read(value)


@given(st.sampled_from(State), st.binary(min_size=16, max_size=16), st.none() | st.binary(min_size=1, max_size=300))
def test_whatever_form_the_state_has_it_is_read_as_it_was_written(state, entry, cookie):
    known = () if cookie is None else (ber.octet_string(cookie),)
    value = ber.sequence(ber.enumerated(state), ber.octet_string(entry), *known)
    assert read_state(value) == SyncState(state, entry, cookie)


@pytest.mark.parametrize(
    "value",
    ["3015 0a0104 0410" + A.hex(), "3014 0a0101 040f" + A.hex()[2:], "3016 0a0101 0411 00" + A.hex(), ADDED + "00", ""],
)
def test_a_state_that_breaks_the_specification_is_malformed(value):
    with pytest.raises(MalformedAnswer):
        read_state(octets(value))


def found(entry, dn, state=State.ADD, cookie=None, **attributes):
    known = () if cookie is None else (ber.octet_string(cookie),)
    value = ber.sequence(ber.enumerated(state), ber.octet_string(entry), *known)
    return Found(dn, {name: [text.encode()] for name, text in attributes.items()}, {SYNC_STATE: value})


def told(text):
    return Told(SYNC_INFO, octets(text))


def consume(messages, known=None, owed=()):
    changes, present = [], []
    consumer = Consumer(WANTED, known, changes, present, owed)
    for message in messages:
        consumer.take(message)
    return consumer, changes, present


KNOWN = SyncCookie(b"c#0", (Witness(C, b"2025"),))


def test_a_full_refresh_puts_every_entry_and_keeps_the_newest_as_witnesses():
    consumer, changes, _ = consume(
        [
            found(A, "cn=a", objectClass="person", entryCSN="2026"),
            found(B, "cn=b", entryCSN="2024"),
            told(REFRESH_DONE),
        ]
    )
    assert changes == [Put(A, "cn=a", None, {"objectclass": (b"person",)}), Put(B, "cn=b", None, {})]
    assert consumer.refreshed
    assert consumer.raw == b"c#1"
    assert set(consumer.witnesses) == {Witness(A, b"2026"), Witness(B, b"2024")}


def test_a_present_phase_names_all_there_are():
    consumer, changes, present = consume([told(SET_OF_TWO), found(C, "cn=c"), told(REFRESH_DONE)], KNOWN)
    assert (consumer.refreshed, consumer.complete) == (True, True)
    assert present == [A, B]
    assert [change.id for change in changes] == [C]


def test_a_delete_phase_names_those_that_are_gone():
    consumer, changes, present = consume([told(DELETED_SET), told(DELETES_DONE)], KNOWN, owed=[A, B])
    assert (consumer.refreshed, consumer.complete) == (True, False)
    assert changes == [Delete(A)]
    assert present == []
    assert consumer.unexplained == {B}


def test_a_delete_phase_may_follow_a_present_phase():
    consumer, *_ = consume([told(PRESENT_PHASE_OVER)], KNOWN)
    assert not consumer.refreshed
    consumer, *_ = consume([told(PRESENT_PHASE_OVER), told(DELETES_DONE)], KNOWN)
    assert (consumer.refreshed, consumer.complete) == (True, True)


def test_what_happens_afterwards_moves_the_cookie_on():
    later = [
        found(A, "cn=a", State.MODIFY, b"c#2", entryCSN="2027"),
        found(B, "", State.DELETE, b"c#3"),
        told(NEW_COOKIE),
    ]
    consumer, changes, _ = consume([told(DELETES_DONE), *later], KNOWN)
    assert [type(change) for change in changes] == [Put, Delete]
    assert consumer.raw == b"c#9"
    assert consumer.witnesses == (Witness(C, b"2025"), Witness(A, b"2027"), Witness(B, b""))
    assert consumer.told == 2


def test_other_intermediate_messages_are_not_heard():
    consumer, changes, _ = consume([Told("1.2.3", b"what?")], KNOWN)
    assert (consumer.refreshed, changes) == (False, [])


@pytest.mark.parametrize("message", [Ended(), Found("cn=a", {}, {}), Told(SYNC_INFO, b"\x30\x00")])
def test_a_server_that_does_not_keep_to_it_is_an_error(message):
    with pytest.raises(DirectoryUnavailable):
        consume([message])


def test_an_entry_keeps_its_links_as_names_and_its_wanted_attributes_under_lower_case_names():
    put, stamp = read_entry(
        A,
        "cn=g",
        {
            "CN": [b"g"],
            "cn;lang-de": [b"other"],
            "employeeMobile": [b"+43 664 0000001"],
            "unwanted": [b"x"],
            "member": [b"uid=a,dc=x", b"uid=b,dc=x"],
            "uniqueMember": [b"uid=c,dc=x#'0101'B"],
            "memberUid": [b"dora"],
            "dirfactorPolicy": [b"cn=p"],
            "entryCSN": [b"2026"],
        },
        WANTED,
    )
    assert stamp == b"2026"
    assert put.attributes == {"cn": (b"g",), "employeemobile": (b"+43 664 0000001",)}
    assert put.links == {
        LinkKind.MEMBER: LinkChange(dns=("uid=a,dc=x", "uid=b,dc=x", "uid=c,dc=x"), logins=("dora",)),
        LinkKind.POLICY: LinkChange(dns=("cn=p",)),
    }


@given(st.lists(st.tuples(st.sampled_from([bytes([n]) * 16 for n in range(20)]), st.integers(1, 99)), max_size=40))
def test_the_witnesses_are_the_newest_changes(stamped):
    stamped = list(dict(stamped).items())
    witnesses = Witnesses()
    for entry, stamp in stamped:
        witnesses.met(entry, b"%02d" % stamp)
    kept = sorted(witness.stamp for witness in witnesses.all())
    assert kept == sorted(b"%02d" % stamp for _, stamp in stamped)[-8:]


@pytest.mark.parametrize("octets", [None, b"", b"no cookie", SyncCookie(b"").encode()])
def test_what_is_no_cookie_is_none(octets):
    assert SyncCookie.decode(octets) is None


def asked(witnesses, *there):
    """What a server with these entries, as (id, stamp), says of the witnesses."""

    def ask(search: Search) -> Page:
        assert (search.base, search.scope) == ("dc=x", Scope.SUBTREE)
        named = [(str(UUID(bytes=entry)), stamp) for entry, stamp in there]
        return Page(
            [("", {"entryUUID": [name.encode()], "entrycsn": [stamp]}) for name, stamp in named if name in search.where]
        )

    return converse(hear("dc=x", witnesses), ask)


def test_a_server_that_has_been_through_what_was_seen_is_believed_and_another_is_not():
    seen = [Witness(A, b"2026"), Witness(B, b"")]
    assert asked([], (A, b"2020")) == asked(seen, (A, b"2026"))
    assert not asked(seen, (A, b"2027"), (C, b"2030")).denied
    assert asked(seen, (A, b"2025")).denied
    assert asked(seen, (A, b"2026"), (B, b"2020")).denied
    assert asked(seen).missing == {A}


def csn(server, second):
    return b"202611251200%02d.000000Z#000000#%03x#000000" % (second, server)


@pytest.mark.parametrize(
    ("server", "now", "before", "cookie", "told", "caught_up"),
    [
        (OPENLDAP, (csn(1, 10), csn(2, 20)), (), b"rid=000,csn=" + csn(1, 10) + b";" + csn(2, 20), 0, True),
        (OPENLDAP, (csn(1, 10), csn(2, 30)), (), b"rid=000,csn=" + csn(1, 40) + b";" + csn(2, 20), 9, False),
        (OPENLDAP, (csn(1, 10), csn(2, 20)), (), b"rid=000,csn=" + csn(1, 10), 9, False),
        # somebody goes on writing
        (OPENLDAP, (csn(1, 10),), (), b"rid=000,csn=" + csn(1, 40), 0, True),
        (OPENLDAP, (), (), b"", 0, True),
        (DS389, (b"12",), (b"10",), b"", 2, True),
        (DS389, (b"12",), (b"10",), b"", 1, False),
        (DS389, (), (), b"", 0, True),
    ],
)
def test_a_server_has_told_all_when_its_progress_is_covered(server, now, before, cookie, told, caught_up):
    assert server.caught_up(now, before, cookie, told) is caught_up
