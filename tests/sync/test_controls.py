"""The controls of a sync, octet by octet."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dirsync.ad.controls import (
    DIRSYNC,
    EXTENDED_DN,
    INCREMENTAL_VALUES,
    OBJECT_SECURITY,
    DirSyncAnswer,
    dirsync,
    entry_id,
    guid_dn,
    read_dirsync,
    read_extended_dn,
)
from dirsync.wire import ber
from dirsync.wire.ber import MalformedAnswer

PAGE = bytes.fromhex("02 04 00 80 00 00")  # 8 MiB
GUID = "1e655dd9ef3f1b4b93aa4e1b4ad057d5"
ALICE = "CN=Alice,OU=Lab,DC=lab,DC=example,DC=test"
# what a Samba domain controller sent
EXTENDED = f"<GUID={GUID}>;<SID=0105000000000005150000009b1285bdb9413b6b74b10ab74f040000>;{ALICE}"
TOMBSTONE = rf"<GUID={GUID}>;CN=u1\0ADEL:d95d651e-3fef-4b1b-93aa-4e1b4ad057d5,CN=Deleted Objects,DC=lab"


def response(more=0, unused=0, cookie=b"MSDS"):
    return ber.sequence(ber.integer(more), ber.integer(unused), ber.octet_string(cookie))


@pytest.mark.parametrize(
    ("flags", "octets"),
    [
        (0, "02 01 00"),
        (OBJECT_SECURITY, "02 01 01"),
        (0x800, "02 02 08 00"),
        (INCREMENTAL_VALUES, "02 04 80 00 00 00"),
        (OBJECT_SECURITY | INCREMENTAL_VALUES, "02 04 80 00 00 01"),
        (0xFFFFFFFF, "02 01 FF"),
    ],
)
def test_ms_adts_3_1_1_3_4_1_3_flags_are_a_signed_number_in_the_fewest_octets(flags, octets):
    written = bytes.fromhex(octets)
    control = dirsync(flags, b"MSDS")
    assert control.oid == DIRSYNC == "1.2.840.113556.1.4.841"
    assert control.value == bytes((0x30, len(written) + 12)) + written + PAGE + b"\x04\x04MSDS"


def test_ms_adts_3_1_1_3_4_1_3_without_a_cookie_everything_is_asked_for():
    assert dirsync(OBJECT_SECURITY, b"").value == bytes.fromhex("30 0B 02 01 01 02 04 00 80 00 00 04 00")


def test_ms_adts_3_1_1_3_4_1_5_extended_dns_are_asked_for_in_hex_by_a_control_without_a_value():
    assert (EXTENDED_DN.oid, EXTENDED_DN.value) == ("1.2.840.113556.1.4.529", None)


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        ("30 0C 02 01 01 02 01 00 04 04 4D 53 44 53", DirSyncAnswer(True, b"MSDS")),
        ("30 0C 02 01 00 02 01 00 04 04 4D 53 44 53", DirSyncAnswer(False, b"MSDS")),
        # lengths and numbers as Windows writes them
        ("30 84 00 00 00 10 02 01 00 02 01 00 04 84 00 00 00 04 4D 53 44 53", DirSyncAnswer(False, b"MSDS")),
        ("30 10 02 04 00 00 00 01 02 02 00 00 04 04 4D 53 44 53", DirSyncAnswer(True, b"MSDS")),
    ],
)
def test_ms_adts_3_1_1_3_4_1_3_the_response_says_whether_there_is_more(octets, answer):
    assert read_dirsync(bytes.fromhex(octets)) == answer


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        response()[:-1],
        response() + b"\0",
        b"\x31" + response()[1:],
        ber.sequence(ber.integer(0), ber.integer(0)),
        ber.sequence(ber.integer(0), ber.octet_string(b""), ber.octet_string(b"")),
        ber.sequence(ber.integer(0), ber.integer(0), ber.octet_string(b""), ber.integer(0)),
        ber.sequence(b"\x02\x00", ber.integer(0), ber.octet_string(b"")),
        ber.sequence(b"\x02\x09" + bytes(9), ber.integer(0), ber.octet_string(b"")),
        b"\x30\x80" + response()[2:] + b"\0\0",
        b"\x30\x85\x00\x00\x00\x00\x0c" + response()[2:],
    ],
    ids=[
        "nothing",
        "cut off",
        "followed by something",
        "a set",
        "no cookie",
        "text for a number",
        "a fourth element",
        "a number of no octets",
        "a number of nine octets",
        "an indefinite length",
        "a length of five octets",
    ],
)
def test_octets_that_are_no_response_are_a_fault_with_a_remedy(octets):
    with pytest.raises(MalformedAnswer) as fault:
        read_dirsync(octets)
    assert fault.value.remedy


@given(st.binary(max_size=64))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30\x82")
def test_any_octets_are_a_response_or_a_fault(octets):
    try:
        answer = read_dirsync(octets)
    except MalformedAnswer:
        return
    assert isinstance(answer.cookie, bytes)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31), st.binary(max_size=70000))
def test_what_is_written_is_read_again(more, unused, cookie):
    assert read_dirsync(response(more, unused, cookie)) == DirSyncAnswer(more != 0, cookie)


@given(st.integers(-(2**63), 2**63 - 1))
def test_x_690_8_3_2_a_number_never_begins_with_nine_equal_bits(number):
    contents = ber.integer(number)[2:]
    assert int.from_bytes(contents, "big", signed=True) == number
    assert len(contents) == 1 or contents[0] not in {0x00, 0xFF} or (contents[0] ^ contents[1]) & 0x80


def test_an_extended_dn_has_the_guid_as_it_is_written_everywhere_else():
    name = read_extended_dn(EXTENDED)
    assert str(uuid.UUID(bytes=name.id)) == "d95d651e-3fef-4b1b-93aa-4e1b4ad057d5"
    assert name.dn == ALICE
    assert name.id == entry_id(bytes.fromhex(GUID))
    assert guid_dn(name.id) == "<GUID=d95d651e-3fef-4b1b-93aa-4e1b4ad057d5>"
    assert not name.deleted


def test_an_organizational_unit_has_no_sid():
    assert read_extended_dn(f"<GUID={GUID}>;OU=a\\,b;c,DC=lab").dn == "OU=a\\,b;c,DC=lab"


def test_a_tombstone_is_known_by_its_name():
    assert read_extended_dn(TOMBSTONE).deleted
    # somebody may be called like that, below somebody who is not
    assert not read_extended_dn(rf"<GUID={GUID}>;CN=x,CN=y\0ADEL:z,DC=lab").deleted


@pytest.mark.parametrize("text", ["", ALICE, f"<GUID={GUID}>", f"<GUID={GUID[:-2]}>;{ALICE}", f"<SID=01>;{ALICE}"])
def test_a_text_without_guid_or_dn_is_no_extended_dn(text):
    with pytest.raises(MalformedAnswer):
        read_extended_dn(text)


@given(st.text())
def test_any_text_is_an_extended_dn_or_a_fault(text):
    for tried in (text, f"<GUID={GUID}>;{text}"):
        try:
            assert len(read_extended_dn(tried).id) == 16
        except MalformedAnswer:
            continue


@given(st.binary(max_size=20))
def test_a_guid_has_sixteen_octets_or_is_a_fault(octets):
    try:
        assert uuid.UUID(bytes=entry_id(octets)).bytes_le == octets
    except MalformedAnswer:
        assert len(octets) != 16
