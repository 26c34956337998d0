"""What a policy may return, and as which octets."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.radius.attributes import integer, prose, reply_attribute
from auth.request import ReplyAttribute
from schema.errors import Fault
from schema.grammar import REPLY_RULE, ReplyRule
from schema.reply import EXPECTED, NUMBERS


@pytest.mark.parametrize(
    ("name", "value", "octets"),
    [
        ("Filter-Id", "vpn-staff", (11, b"vpn-staff")),
        ("filter-id", "Prüfung", (11, "Prüfung".encode())),
        ("Class", "OU=vpn-staff;", (25, b"OU=vpn-staff;")),
        ("Class", "0x0A1b", (25, b"\x0a\x1b")),
        ("Reply-Message", "Welcome.", (18, b"Welcome.")),
        ("Session-Timeout", "3600", (27, bytes((0, 0, 14, 16)))),
        ("Idle-Timeout", "4294967295", (28, b"\xff" * 4)),
        ("Framed-IP-Address", "192.0.2.7", (8, bytes((192, 0, 2, 7)))),
        ("Tunnel-Private-Group-Id", "120", (81, b"120")),
        ("Filter-Id", "0x41", (11, b"0x41")),
        # RFC 2865 section 5.26: vendor, its attribute, length of that, value
        ("Vendor-Specific.12356.1", "staff", (26, bytes((0, 0, 0x30, 0x44, 1, 7)) + b"staff")),
        ("VENDOR-SPECIFIC.9.1", "shell:priv-lvl=15", (26, bytes((0, 0, 0, 9, 1, 19)) + b"shell:priv-lvl=15")),
        ("Vendor-Specific.3076.220", "0x0000000f", (26, bytes((0, 0, 0x0C, 4, 220, 6, 0, 0, 0, 15)))),
    ],
)
def test_an_attribute_becomes_the_octets_of_its_rfc(name, value, octets):
    assert reply_attribute(ReplyAttribute(name, value)) == octets


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Filter-Idd",
            "",
            "11",
            "Vendor-Specific",
            "Vendor-Specific.9",
            "Vendor-Specific.9.1.1",
            "Vendor-Specific.٩.1",
        ),
        # what the dialogue itself is made of is no policy's business
        *("State", "Proxy-State", "Message-Authenticator", "User-Password", "EAP-Message", "Prompt", "User-Name"),
    ],
)
def test_an_unknown_name_is_a_fault_that_lists_the_known_ones(name):
    with pytest.raises(Fault, match="unknown reply attribute") as fault:
        reply_attribute(ReplyAttribute(name, "x"))
    assert all(known in fault.value.remedy for known in NUMBERS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Session-Timeout", "-1"),
        ("Session-Timeout", "4294967296"),
        ("Session-Timeout", "one hour"),
        ("Session-Timeout", "٣"),
        ("Session-Timeout", ""),
        ("Framed-IP-Address", "2001:db8::1"),
        ("Framed-IP-Address", "192.0.2.256"),
        ("Filter-Id", ""),
        ("Filter-Id", "x" * 254),
        ("Reply-Message", "x" * 254),
        ("Filter-Id", "lone \udc80"),
        ("Class", "0x" + "00" * 254),
        ("Vendor-Specific.0.1", "x"),
        ("Vendor-Specific.16777216.1", "x"),
        ("Vendor-Specific.9.0", "x"),
        ("Vendor-Specific.9.256", "x"),
        ("Vendor-Specific.9.1", ""),
        ("Vendor-Specific.9.1", "x" * 248),
    ],
)
def test_a_value_that_its_attribute_cannot_have_is_a_fault(name, value):
    with pytest.raises(Fault, match=f"^reply attribute {name}=") as fault:
        reply_attribute(ReplyAttribute(name, value))
    assert fault.value.remedy


def test_the_longest_values_fit():
    assert len(reply_attribute(ReplyAttribute("Filter-Id", "x" * 253))[1]) == 253
    assert len(reply_attribute(ReplyAttribute("Vendor-Specific.9.1", "x" * 247))[1]) == 253


@given(st.sampled_from([*NUMBERS, "Vendor-Specific.9.1"]), st.text())
def test_any_value_becomes_1_to_253_octets_or_a_fault(name, value):
    try:
        _, octets = reply_attribute(ReplyAttribute(name, value))
    except Fault:
        return
    assert 1 <= len(octets) <= 253


@given(st.text(max_size=300))
@example("x" * 300)
@example("ä" * 200)
@example("x" * 251 + "€" + "x")
def test_prose_is_cut_between_characters_and_nowhere_earlier_than_it_must(text):
    octets = prose(text)
    kept = octets.decode()
    whole = text.encode("utf-8", "replace").decode()
    assert whole.startswith(kept)
    assert len(octets) <= 253
    assert kept == whole or len(whole[: len(kept) + 1].encode()) > 253


@given(st.integers())
def test_an_integer_has_four_octets_and_stays_at_its_limits(value):
    assert int.from_bytes(integer(value), "big") == sorted((0, value, 2**32 - 1))[1]


def test_the_phrase_for_the_administrator_names_every_attribute_that_may_be_returned():
    assert all(name in EXPECTED for name in (*NUMBERS, "Vendor-Specific.VENDOR.TYPE"))


@given(st.sampled_from([*NUMBERS, "Vendor-Specific.9.1", "State", "Foo-Bar"]), st.text(min_size=1).map(str.strip))
@example("Foo-Bar", "1")
@example("Filter-Id", "ä" * 127)
@example("Framed-IP-Address", "192.0.2.7")
@example("Session-Timeout", "4294967296")
@example("Vendor-Specific.9.256", "x")
def test_a_directory_value_is_read_exactly_when_the_door_can_send_it(name, value):
    """Otherwise a login would be audited as accepted while the client is told the opposite."""
    try:
        reply_attribute(ReplyAttribute(name, value))
    except Fault:
        with pytest.raises(ValueError):  # noqa: PT011 - which text it has is nobody's business
            REPLY_RULE.read(f"{name}={value}")
    else:
        assert REPLY_RULE.read(f"{name}={value}") == ReplyRule(name, value)
