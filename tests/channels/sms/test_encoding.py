"""How a text travels: alphabets by the vectors of 3GPP TS 23.038, parts by laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.channels.sms.encoding import Encoding, encoded, encoding_of, parts


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@", b"\x00"),
        ("A1 z", b"\x41\x31\x20\x7a"),
        ("äöüÄÖÜß", b"\x7b\x7c\x7e\x5b\x5c\x5e\x1e"),
        ("à", b"\x7f"),
        ("€", b"\x1b\x65"),
        ("{code}", b"\x1b\x28code\x1b\x29"),
        ("\n", b"\x0a"),
        ("Δ_", b"\x10\x11"),
        ("¡¿§", b"\x40\x60\x5f"),
    ],
)
def test_the_gsm_alphabet(text, octets):
    assert encoding_of(text) is Encoding.GSM
    assert encoded(text, Encoding.GSM) == octets


@pytest.mark.parametrize("text", ["“481516”", "`", "код", "ç", "\x1b", "😀", "\t"])
def test_one_character_outside_makes_all_of_it_ucs_2(text):
    assert encoding_of(f"code 481516 {text}") is Encoding.UCS2
    with pytest.raises(ValueError, match="GSM"):
        encoded(text, Encoding.GSM)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("x" * 158 + "€", 1),
        ("x" * 159 + "€", 2),
        ("к" * 70, 1),
        ("к" * 71, 2),
        ("к" * 134, 2),
        ("к" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_how_many_parts_a_text_has(text, count):
    assert len(parts(text)) == count


@given(st.text(alphabet=st.one_of(st.sampled_from("ab€{}ä"), st.characters(codec="utf-8")), max_size=400))
def test_parts_are_the_text_and_each_fits_without_a_character_cut_in_two(text):
    cut, encoding = parts(text), encoding_of(text)
    assert "".join(cut) == text
    room = encoding.single if len(cut) == 1 else encoding.each
    width = 1 if encoding is Encoding.GSM else 2
    assert all(len(encoded(part, encoding)) <= room * width for part in cut)
    assert not any(encoded(part, encoding).endswith(b"\x1b") for part in cut if encoding is Encoding.GSM)
