"""Where a code can be sent: what people write in directories, and what is no address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.addresses import email_address, masked, phone_number


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+43 664 0000001", None, "+436640000001"),
        ("+43 (0)664 0000001", None, "+436640000001"),
        ("+43/664/00 00 001", None, "+436640000001"),
        ("+43-664-0000001", None, "+436640000001"),
        ("+43.664.0000001", None, "+436640000001"),
        ("+43\u00a0664\u00a00000001", None, "+436640000001"),
        ("\uff0b436640000001", None, "+436640000001"),
        ("  +436640000001 ", None, "+436640000001"),
        ("0664 0000001", "AT", "+436640000001"),
        ("0664 0000001", "at", "+436640000001"),
        ("0043 664 0000001", "AT", "+436640000001"),
        ("07700 900123", "GB", "+447700900123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("+1 202 555 0123", "AT", "+12025550123"),
    ],
)
def test_a_number_as_people_write_it_becomes_e164(text, region, expected):
    assert phone_number(text, region) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "none",
        "1-800-FLOWERS",
        "+1 800 FLOWERS",
        "+43 664 0000001 ext. 5",
        "+43 664 0000001;ext=5",
        "+43 664 0000001 x5",
        "+12025550123,5",
        "+12025550123~5",
        "+1 202 555",
        "+1 202 555 01234",
        "+1 555 0123",
        "112",
        "+43 664 0000001, +43 664 0000002",
        "+43 664 0000001 / +43 664 0000002",
        "tel:+436640000001",
        "+43664000000123456789",
        "+43 6",
        "+999 664 0000001",
        "*21*06640000001",
        "#31#+436640000001",
        "*#06#",
        "\u0430\u0431\u0432 0664 0000001",
        "+43 664 0000001\n+43 664 0000002",
        "000000",
        "0" * 300,
    ],
)
def test_what_cannot_be_dialled_is_no_number(text):
    assert phone_number(text, "AT") is None


@pytest.mark.parametrize("region", [None, "", "XX", "Austria"])
def test_a_national_number_needs_a_region(region):
    assert phone_number("0664 0000001", region) is None


@given(st.text(alphabet="+0123456789 ()-/.*#x,;\u0661\uff11\u00a0abc", max_size=30) | st.text(max_size=30))
def test_whatever_stands_in_a_directory_becomes_e164_or_nothing(text):
    found = phone_number(text, "AT")
    if found is not None:
        assert found.isascii()
        assert found[0] == "+"
        assert found[1:].isdigit()
        assert 4 <= len(found) <= 18
        assert phone_number(found, None) in {found, None}, "an international number says no region"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice@example.org", "alice@example.org"),
        (" alice@example.org ", "alice@example.org"),
        ("alice.smith+otp@mail.example.org", "alice.smith+otp@mail.example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("a@b", "a@b"),
        ("j\u00fcrgen@example.org", "j\u00fcrgen@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_a_plain_mail_address_is_kept_as_it_is(text, expected):
    assert email_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "alice@@example.org",
        "alice@example.org, bob@example.org",
        "alice@example.org;bob@example.org",
        "Alice <alice@example.org>",
        "alice smith@example.org",
        "alice@example.org\r\nBcc: bob@example.org",
        "alice@example.org\nbob@example.org",
        '"alice"@example.org',
        "alice@exa mple.org",
        "alice@-example.org",
        "alice@example.org-",
        "alice@.example.org",
        "al..ice@example.org",
        "alice@example..org",
        "a" * 65 + "@example.org",
        "alice@" + "a" * 300,
        "alice@\u0435xample.org",
        "al\0ice@example.org",
        "alice\x7f@example.org",
        "al\u202ece@example.org",
        "al\u2028ce@example.org",
        "=?utf-8?b?DQpCY2M6IGV2ZQ==?=@example.org",
    ],
)
def test_what_is_not_one_plain_address_is_none(text):
    assert email_address(text) is None


@given(st.text(alphabet="ab.@-<>,; \r\n\0\u0085\u2028", max_size=20) | st.text(max_size=20))
def test_an_accepted_address_can_break_no_header_and_name_no_second_recipient(text):
    found = email_address(text)
    if found is not None:
        assert found == text.strip()
        assert found.count("@") == 1
        assert len(found.splitlines()) == 1
        assert not set(found) & set(' ,;<>"\0\r\n\t')
        assert all(character.isprintable() for character in found)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+436640000067", "+43***67"),
        ("+12025550123", "+12***23"),
        ("alice@example.org", "a***@example.org"),
        ("+4312", "***"),
        ("", "***"),
    ],
)
def test_enough_is_shown_for_the_owner_to_know_it(address, expected):
    assert masked(address) == expected


@given(st.integers(10**6, 10**14))
def test_of_a_phone_number_never_more_than_five_characters_are_shown(digits):
    shown = masked(f"+{digits}")
    assert len(shown.replace("*", "")) <= 5
    assert f"{digits}"[2:-2] not in shown


@given(st.text(alphabet="abcdefgh.", min_size=2, max_size=64))
def test_of_a_mail_address_only_the_first_letter_of_the_name_is_shown(local):
    assert masked(f"{local}@example.org") == f"{local[0]}***@example.org"
