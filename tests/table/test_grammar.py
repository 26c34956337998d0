"""Grammars: every canonical word is read back as what it stands for, and nothing but ValueError says no."""

import ipaddress
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema import grammar, words
from schema.attributes import ATTRIBUTES

ENUMERATIONS = [
    item
    for item in vars(words).values()
    if isinstance(item, type) and issubclass(item, StrEnum) and item is not StrEnum
]
ANY_CASE = st.sampled_from([str.lower, str.upper, str.title, str.swapcase, str])


def refuses(read, text):
    with pytest.raises(ValueError):  # noqa: PT011 - which text it has is nobody's business
        read(text)


def test_there_are_enumerations():
    assert words.TokenKind in ENUMERATIONS
    assert len(ENUMERATIONS) == 8


@given(st.sampled_from(ENUMERATIONS).flatmap(st.sampled_from), ANY_CASE)
def test_a_word_is_read_in_any_case(item, in_case):
    assert grammar.word(type(item)).read(in_case(item.value)) is item


@given(st.sampled_from(ENUMERATIONS), st.text(max_size=20))
def test_a_word_is_one_of_the_enumeration_or_nothing(enumeration, text):
    if text.lower() not in {item.value.lower() for item in enumeration}:
        refuses(grammar.word(enumeration).read, text)


@given(
    st.sampled_from(ENUMERATIONS).flatmap(lambda kind: st.permutations(list(kind))), st.sampled_from([",", ", ", " ,"])
)
def test_words_in_order_keep_their_order(items, separator):
    assert grammar.words_in_order(type(items[0])).read(separator.join(items)) == tuple(items)


def test_words_in_order_are_named_once_each():
    read = grammar.words_in_order(words.TokenKind).read
    for text in ("sms, email, SMS", "", "sms,", "sms email", "sms, fax"):
        refuses(read, text)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers())
def test_an_integer_is_read_when_it_is_in_range(one, other, number):
    low, high = sorted((one, other))
    read = grammar.integer(low, high).read
    if low <= number <= high:
        assert read(str(number)) == number
    else:
        refuses(read, str(number))


@pytest.mark.parametrize("text", ["", "1.0", "0x10", "ten", "1 0", "1e1", "TRUE", "9" * 5000])
def test_what_is_no_whole_number_is_none(text):
    refuses(grammar.integer(0, 10**6).read, text)


@given(st.integers(1, 100), st.text(max_size=120))
def test_text_has_a_length_in_characters_and_no_control_characters(high, value):
    read = grammar.text(high).read
    controls = {chr(code) for code in range(32)} - {"\n", "\t"}
    if 1 <= len(value) <= high and not controls & set(value):
        assert read(value) == value
    else:
        refuses(read, value)


NAMES = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True), min_size=1, max_size=8, unique=True)


@given(NAMES)
def test_names_keep_their_order(items):
    assert grammar.names(8).read(" , ".join(items)) == tuple(items)
    refuses(grammar.names(len(items) - 1).read, ",".join(items))
    refuses(grammar.names(9).read, ",".join([*items, items[0]]))


@pytest.mark.parametrize("text", ["", ",", "a,,b", "-a", "a b", "a/b", "ä", "a" * 65])
def test_what_are_no_names_are_none(text):
    refuses(grammar.names(8).read, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("TRUE", "true", "Yes", "on", "1")),
        *((text, False) for text in ("FALSE", "false", "No", "off", "0")),
    ],
)
def test_a_truth_value_is_read_as_people_write_it(text, value):
    assert grammar.BOOLEAN.read(text) is value


@given(st.text(max_size=8))
def test_nothing_else_is_a_truth_value(text):
    if text.lower() not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        refuses(grammar.BOOLEAN.read, text)


INSTANTS = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive


@given(INSTANTS)
def test_a_time_is_read_as_active_directory_writes_it(instant):
    text = f"{instant:%Y}".zfill(4) + f"{instant:%m%d%H%M%S}.0Z"
    assert grammar.TIME.read(text) == instant.replace(microsecond=0)


@given(INSTANTS, st.integers(-14 * 60, 14 * 60), st.booleans())
def test_a_time_of_another_zone_is_the_same_instant(instant, offset, with_seconds):
    """RFC 4517 section 3.3.13: minutes and seconds may be missing, the difference is hours and minutes."""
    local = instant.astimezone(timezone(timedelta(minutes=offset)))
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    clock = f"{local:%m%d%H%M%S}" if with_seconds else f"{local:%m%d%H%M}"
    text = f"{local:%Y}".zfill(4) + f"{clock}{sign}{minutes // 60:02}{minutes % 60:02}"
    expected = instant.replace(microsecond=0, second=instant.second if with_seconds else 0)
    assert grammar.TIME.read(text) == expected


@pytest.mark.parametrize(
    "text", ["20261124", "2026112412", "20261324120000Z", "20261124126000Z", "24.11.2026", "never"]
)
def test_what_is_no_time_is_none(text):
    refuses(grammar.TIME.read, text)


NETWORKS = st.one_of(
    st.ip_addresses().map(str), st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map("{0[0]}/{0[1]}".format)
)


@given(NETWORKS)
def test_a_network_is_written_in_one_way_and_holds_what_was_written(text):
    read = grammar.NETWORK.read(text)
    assert grammar.NETWORK.read(read) == read
    assert ipaddress.ip_address(text.partition("/")[0]) in ipaddress.ip_network(read)


@pytest.mark.parametrize("text", ["", "192.0.2.0/33", "192.0.2", "vpn.example.com", "192.0.2.1-192.0.2.9", "1"])
def test_what_is_no_network_is_none(text):
    refuses(grammar.NETWORK.read, text)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_a_target_is_an_address_and_a_port(address, port):
    host = f"[{address}]" if address.version == 6 else str(address)
    text = f"{host}:{port}"
    assert grammar.TARGET.read(text) == text
    assert grammar.split_target(text) == (str(address), port)


NO_TARGETS = """
192.0.2.9
192.0.2.9:
192.0.2.9:0
192.0.2.9:65536
192.0.2.9:radius
192.0.2.9: 1812
[192.0.2.9]:1812
2001:db8::9:1812
[2001:db8::9]
[2001:db8::9:1812
radius.example.com:1812
:1812
"""


@pytest.mark.parametrize("text", NO_TARGETS.split("\n")[1:])
def test_what_is_no_target_is_none(text):
    refuses(grammar.TARGET.read, text)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Filter-Id=vpn-staff", "Filter-Id", "vpn-staff"),
        (" Class = ou=it ", "Class", "ou=it"),
        ("Framed-IP-Address=192.0.2.1", "Framed-IP-Address", "192.0.2.1"),
    ],
)
def test_a_reply_rule_is_split_at_the_first_equals_sign(text, name, value):
    assert grammar.REPLY_RULE.read(text) == grammar.ReplyRule(name, value)


@pytest.mark.parametrize("text", ["", "Filter-Id", "=vpn", "Filter-Id=", " = "])
def test_what_is_no_reply_rule_is_none(text):
    refuses(grammar.REPLY_RULE.read, text)


@pytest.mark.parametrize("text", ["mobile", "extensionAttribute7", "msDS-cloudExtensionAttribute1", "m" * 60])
def test_an_attributes_name_is_read(text):
    assert grammar.ATTRIBUTE_NAME.read(text) == text


@pytest.mark.parametrize("text", ["", "1mobile", "mobile;lang-de", "mo bile", "mobile)(objectClass=*", "m" * 61])
def test_what_is_no_attributes_name_is_none(text):
    refuses(grammar.ATTRIBUTE_NAME.read, text)


@given(st.sampled_from(ATTRIBUTES), st.text(max_size=60))
@example(next(item for item in ATTRIBUTES if item.name == "dirfactorUnlockedAt"), "00010101000000+01")
@example(next(item for item in ATTRIBUTES if item.name == "dirfactorUnlockedAt"), "99991231235959-01")
@example(next(item for item in ATTRIBUTES if item.name == "dirfactorLogonHours"), "Mon 07:00-19:00; \0")
@example(next(item for item in ATTRIBUTES if item.name == "dirfactorLogonHours"), "Mon 07:00-19:00; Europe")
def test_a_grammar_says_no_with_a_value_error_and_nothing_else(attribute, text):
    try:
        value = attribute.grammar.read(text)
    except ValueError:
        return
    assert value is not None
    assert hash(value) == hash(attribute.grammar.read(text))


def test_every_grammar_says_what_it_expects():
    for attribute in ATTRIBUTES:
        assert attribute.grammar.expected
        assert not attribute.grammar.expected.endswith(".")
