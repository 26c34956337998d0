"""Security descriptors: what was written is read again, what is none is refused, and grants come and go alone."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.admin import access_list, security_descriptor
from dirsync.admin.security_descriptor import (
    ALLOW,
    ALLOW_OBJECT,
    DENY,
    DENY_OBJECT,
    Ace,
    AceFlag,
    Acl,
    Control,
    OtherAce,
    SecurityDescriptor,
)
from dirsync.wire.ber import MalformedAnswer
from schema.access import Grant, ObjectType, Reach, Right
from schema.roles import ROLES
from schema.sid import Sid, parse_sid, read_sid

numbers = st.integers(0, 2**32 - 1)
sids = st.builds(Sid, st.integers(0, 2**48 - 1), st.lists(numbers, min_size=1, max_size=15).map(tuple))
# short, and few entries: the lists are what is drawn most
trustees = st.builds(Sid, st.sampled_from([1, 5]), st.tuples(numbers) | st.tuples(numbers, numbers))
types = st.none() | st.uuids()
flags = st.sampled_from([0, 2, 8, 10, 0x10, 0x12, 0x1A, 1, 3])
plain = st.builds(Ace, st.sampled_from([ALLOW, DENY]), flags, numbers, trustees)
objects = st.builds(Ace, st.sampled_from([ALLOW_OBJECT, DENY_OBJECT]), flags, numbers, trustees, types, types)
others = st.builds(
    OtherAce,
    st.sampled_from([2, 7, 9, 11]),
    flags,
    st.integers(0, 9).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words)),
)
acls = st.builds(Acl, st.just(4), st.lists(plain | objects | others, max_size=3).map(tuple))
descriptors = st.builds(
    SecurityDescriptor,
    st.sampled_from([0, 0x400, 0x1000, 0x1400]).map(lambda bits: bits | Control.SELF_RELATIVE),
    st.none() | sids,
    st.none() | sids,
    st.none() | acls,
    st.none() | acls,
)
# a few accounts, so that they meet
people = st.sampled_from([Sid(5, (21, 1, 2, 3, number)) for number in (1104, 1105)])
grants = st.lists(st.sampled_from([grant for role in ROLES for grant in role.grants]), max_size=4)


@st.composite
def lists(draw):
    """Lists in canonical order, in which some of what roles grant may be there already, whole or in part."""
    own = [
        entry
        for grant in draw(grants)
        for entry in access_list.added(Acl(4, ()), [grant], draw(people)).aces
        if draw(st.booleans())
    ]
    noise = draw(st.lists(plain | objects | others, max_size=3))
    entries = [*own, *noise]
    return Acl(4, tuple(sorted(entries, key=rank)))


def rank(entry):
    return bool(entry.flags & AceFlag.INHERITED), entry.kind not in {DENY, DENY_OBJECT}


def canonical(acl):
    ranks = [rank(entry) for entry in acl.aces]
    own = [place for place in ranks if not place[0]]
    return [place[0] for place in ranks] == sorted(place[0] for place in ranks) and own == sorted(own)


@given(sids)
def test_a_sid_is_the_same_after_its_text_and_after_its_octets(sid):
    assert parse_sid(str(sid)) == sid
    assert read_sid(sid.octets) == sid


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("S-1-5-18", "010100000000000512000000"),
        ("S-1-5-32-544", "01020000000000052000000020020000"),
        ("S-1-5-21-1-2-3-500", "0105000000000005150000000100000002000000 03000000f4010000"),
    ],
)
def test_sids_are_what_everybody_else_writes(text, octets):
    assert parse_sid(text).octets == bytes.fromhex(octets)
    assert str(read_sid(bytes.fromhex(octets))) == text


@pytest.mark.parametrize("text", ["", "S-1-5", "S-2-5-18", "S-1-5-18-", "S-1-5-x", "alice", "LAB\\S-1-5-18"])
def test_a_name_is_no_sid(text):
    assert parse_sid(text) is None


@pytest.mark.parametrize(
    "text", ["", "0201000000000005 12000000", "0101000000000005", "010100000000000512000000 00", "0100000000000005"]
)
def test_octets_that_are_no_sid_are_refused(text):
    with pytest.raises(ValueError, match="SID"):
        read_sid(bytes.fromhex(text))


def test_a_sid_with_a_number_too_large_is_refused():
    with pytest.raises(ValueError, match="numbers"):
        parse_sid("S-1-5-21-4294967296")


@given(descriptors)
def test_a_descriptor_is_the_same_after_it_was_written_and_read(descriptor):
    octets = security_descriptor.write(descriptor)
    again = security_descriptor.read(octets)
    present = (descriptor.sacl and Control.SACL_PRESENT) or 0, (descriptor.dacl and Control.DACL_PRESENT) or 0
    assert again == replace(descriptor, control=descriptor.control | sum(present))
    assert security_descriptor.write(again) == octets


def test_a_descriptor_as_windows_lays_it_out_is_read():
    """Owner and group last, slack in the list, a resource manager's octet: all of it allowed (MS-DTYP 2.4.6)."""
    system, entry = Sid(5, (18,)), bytes.fromhex("00001400ff010f00") + Sid(5, (18,)).octets
    entries = entry[:2] + struct.pack("<H", len(entry)) + entry[4:]
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(entries) + 4, 1, 0) + entries + bytes(4)
    end = 20 + len(acl)
    octets = struct.pack("<BBHIIII", 1, 7, 0x8C04, end, end + 12, 0, 20) + acl + system.octets * 2
    assert security_descriptor.read(octets) == SecurityDescriptor(
        0x8C04, system, system, dacl=Acl(2, (Ace(ALLOW, 0, 0xF01FF, system),))
    )


@given(st.binary(max_size=80))
def test_octets_that_are_no_descriptor_are_refused_as_such(octets):
    try:
        security_descriptor.read(octets)
    except MalformedAnswer as fault:
        assert fault.remedy  # noqa: PT017 - most are refused, and some are descriptors


@given(descriptors, st.data())
def test_a_descriptor_that_was_cut_or_altered_is_read_or_refused_and_never_anything_else(descriptor, data):
    octets = bytearray(security_descriptor.write(descriptor))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    for damaged in (bytes(octets), bytes(octets[:at])):
        try:
            security_descriptor.read(damaged)
        except MalformedAnswer:
            continue


def dacl(*entries, revision=4, count=None, claimed=0):
    """The octets of a descriptor with a list of these octets."""
    body = b"".join(entries)
    acl = struct.pack("<BBHHH", revision, 0, 8 + len(body) + claimed, len(entries) if count is None else count, 0)
    return struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20) + acl + body


def entry(kind, body, size=None):
    return struct.pack("<BBH", kind, 0, 4 + len(body) if size is None else size) + body


EVERYBODY = bytes(4) + Sid(1, (0,)).octets


@pytest.mark.parametrize(
    "octets",
    [
        dacl(entry(ALLOW, EVERYBODY), revision=3),
        dacl(entry(ALLOW, EVERYBODY), claimed=4),
        dacl(entry(ALLOW, EVERYBODY), count=2),
        dacl(entry(9, bytes(6))),
        dacl(entry(9, bytes(8), size=16)),
        dacl(entry(9, bytes(8), size=0)),
        dacl(entry(ALLOW, EVERYBODY + bytes(4))),
        dacl(entry(ALLOW, EVERYBODY[:-4])),
        dacl(entry(ALLOW_OBJECT, bytes(4) + b"\4\0\0\0" + EVERYBODY[4:])),
        dacl(entry(ALLOW_OBJECT, bytes(4) + b"\1\0\0\0" + EVERYBODY[4:])),
        b"\2" + dacl()[1:],
        dacl()[:2] + b"\4\0" + dacl()[4:],
        dacl()[:19],
    ],
    ids=[
        "revision of the list",
        "list beyond the end",
        "fewer entries than counted",
        "entry not of whole words",
        "entry beyond the list",
        "entry without its header",
        "octets after the account",
        "account cut off",
        "unknown object type",
        "no room for the object type",
        "revision",
        "not self-relative",
        "half a header",
    ],
)
def test_a_descriptor_that_is_not_as_it_should_be_is_refused(octets):
    """What is read is written back, so that a guess would change who may do what."""
    with pytest.raises(MalformedAnswer):
        security_descriptor.read(octets)


def test_the_ones_that_were_refused_differ_from_good_ones_in_that_alone():
    good = (
        dacl(),
        dacl(entry(ALLOW, EVERYBODY)),
        dacl(entry(9, bytes(8))),
        dacl(entry(ALLOW_OBJECT, bytes(8) + EVERYBODY[4:])),
    )
    assert [len(security_descriptor.read(octets).dacl.aces) for octets in good] == [0, 1, 1, 1]


def test_a_list_that_no_descriptor_can_hold_is_not_written():
    entry = OtherAce(9, 0, bytes(60000))
    with pytest.raises(ValueError, match="octets"):
        security_descriptor.write(SecurityDescriptor(0, dacl=Acl(4, (entry, entry))))


@given(lists(), grants, people)
def test_adding_what_is_missing_grants_everything_and_a_second_time_changes_nothing(acl, wanted, sid):
    first = access_list.missing(acl, wanted, sid)
    full = access_list.added(acl, first, sid)
    assert access_list.missing(full, wanted, sid) == ()
    for grant in wanted:
        assert access_list.present(full, [grant], sid) == (grant,)


@given(lists(), grants, people)
def test_adding_keeps_the_canonical_order_and_everything_that_was_there(acl, wanted, sid):
    assert canonical(acl)
    full = access_list.added(acl, access_list.missing(acl, wanted, sid), sid)
    assert canonical(full)
    left = iter(full.aces)
    assert all(entry in left for entry in acl.aces)


@given(lists(), grants, people)
def test_removing_leaves_nothing_of_it_and_touches_nobody_else(acl, unwanted, sid):
    less = access_list.removed(acl, unwanted, sid)
    assert access_list.present(less, unwanted, sid) == ()
    assert [entry for entry in less.aces if isinstance(entry, OtherAce) or entry.sid != sid] == [
        entry for entry in acl.aces if isinstance(entry, OtherAce) or entry.sid != sid
    ]
    assert access_list.removed(less, unwanted, sid) == less


@given(lists(), grants, people)
def test_what_was_added_to_a_list_without_it_can_be_removed_without_a_trace(acl, wanted, sid):
    bare = access_list.removed(acl, wanted, sid)
    full = access_list.added(bare, access_list.missing(bare, wanted, sid), sid)
    assert access_list.removed(full, wanted, sid) == bare


def test_what_an_entry_grants_beyond_a_role_stays_when_the_role_is_removed():
    """ADUC writes the rights to one attribute into one entry, whoever they were granted for."""
    sid, pin = Sid(5, (21, 1, 2, 3, 1104)), ObjectType("pin", ROLES[0].grants[1].target.guid)
    both = Grant(Right.READ_PROPERTY | Right.WRITE_PROPERTY, pin, reach=Reach.HERE_AND_BELOW)
    acl = access_list.added(Acl(4, ()), [both], sid)
    (entry,) = access_list.removed(acl, [replace(both, rights=Right.WRITE_PROPERTY)], sid).aces
    assert entry.mask == Right.READ_PROPERTY


def test_what_is_inherited_or_denied_grants_nothing_here():
    sid, grant = Sid(5, (21, 1, 2, 3, 1104)), ROLES[1].grants[0]
    (entry,) = access_list.added(Acl(4, ()), [grant], sid).aces
    for other in (replace(entry, flags=entry.flags | AceFlag.INHERITED), replace(entry, kind=DENY_OBJECT)):
        assert access_list.missing(Acl(4, (other,)), [grant], sid) == (grant,)
