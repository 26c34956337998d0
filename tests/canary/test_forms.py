"""A secret is found in whatever form it stands, and at whatever offset."""

import base64
import itertools
import json
from html import escape
from urllib.parse import quote

import pytest

from canary.forms import SHORTEST, forms, shown_in

AWKWARD = 'pass & "word" ü/?>~1'
SHAPES = {
    "plain": str.encode,
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper().encode(),
    "a URL": lambda text: quote(text, safe="").encode(),
    "JSON": lambda text: json.dumps({"of it": text}).encode(),
    "XML": lambda text: f"<of-it>{escape(text)}</of-it>".encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
}
ENCODINGS = {
    "Base64": base64.b64encode,
    "Base64 of URLs": base64.urlsafe_b64encode,
    "Base32": base64.b32encode,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", ["canary-0123456789", AWKWARD])
def test_a_form_is_found_wherever_it_stands(shape, text):
    assert shown_in(b"before " + SHAPES[shape](text) + b" behind", {"it": text})
    assert not shown_in(b"before " + SHAPES[shape](text[1:]) + b" behind", {"it": text})


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", ["canary-0123456789", AWKWARD, ">>>???~~~>>>???~~~"])
def test_what_was_encoded_with_more_around_it_is_found(encoding, text):
    for before, behind in itertools.product(range(11), range(6)):
        whole = b"\xfb" * before + text.encode() + b"\xfb" * behind
        assert shown_in(b"before " + ENCODINGS[encoding](whole) + b" behind", {"it": text}), (before, behind)


def test_what_is_too_short_to_be_known_is_no_form():
    assert {"plain", "hex", "UTF-16", "Base64, 1 before", "Base32, 3 before"} <= forms("Teapot-41").keys()
    for text in ("513270", "5132701", "Teapot-41"):
        assert min(map(len, forms(text).values())) >= SHORTEST
    assert "plain" not in forms("513270")
