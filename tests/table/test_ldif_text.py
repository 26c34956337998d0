"""LDIF lines: whatever is written is read back by python-ldap's reader."""

import base64
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ldif
from schema.ldif_text import comment, line


def read_back(text):
    parsed = ldif.LDIFRecordList(io.StringIO(f"dn: cn=x\n{text}\n\n"))
    parsed.parse()
    return parsed.all_records[0][1]["description"]


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
@example(" leading")
@example("trailing ")
@example(": colon")
@example("< file:///etc/passwd")
@example("")
@example("two\nlines")
@example("\ttab\t")
@example("Vösendorf")
def test_a_value_is_read_back_as_it_was(value):
    octets = value.encode() if isinstance(value, str) else value
    assert read_back(line("description", value)) == [octets]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":<"), min_size=1, max_size=500))
def test_plain_text_stays_readable_and_in_one_piece(value):
    assert line("description", value) == f"description: {value}"


@pytest.mark.parametrize("value", [" x", ":x", "<x", "x ", "x\ny", "ä", "\0"])
def test_what_is_no_safe_string_is_never_written_as_text(value):
    """RFC 2849: SAFE-INIT-CHAR has no colon, space and less-than, SAFE-CHAR no line ends; readers differ on these."""
    assert line("description", value) == "description:: " + base64.b64encode(value.encode()).decode()


def test_a_comment_is_one_on_every_line():
    assert comment("a\n\n  b\n") == "# a\n#\n#   b\n"
