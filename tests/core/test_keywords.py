"""A keyword in any case is one, typed or shown as a response; anything else is none."""

import hashlib

import pytest

from auth.chap.response import ChapResponse
from auth.keywords import keyword_in
from schema.secret import Secret
from schema.words import TokenKind

WORDS = (("Text me", TokenKind.SMS), (" mail ", TokenKind.EMAIL), ("text ME", TokenKind.VIP))


def chap(text):
    return ChapResponse(1, b"c", hashlib.md5(b"\1" + text.encode() + b"c", usedforsecurity=False).digest())


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("Text me", TokenKind.SMS),  # of two tokens with one word the first
        ("TEXT ME", TokenKind.SMS),
        ("text me", TokenKind.SMS),
        ("mail", TokenKind.EMAIL),
        ("MAIL", TokenKind.EMAIL),
        ("textme", None),
        ("123456", None),
        ("", None),
    ],
)
def test_it_is_known_as_text_and_as_response(typed, kind):
    assert keyword_in(Secret(typed), WORDS) is kind
    assert keyword_in(chap(typed), WORDS) is kind


def test_as_text_it_may_have_any_case_and_spaces_around_it():
    assert keyword_in(Secret(" tExT mE "), WORDS) is TokenKind.SMS
    assert keyword_in(chap("tExT mE"), WORDS) is None


def test_where_there_are_no_words_nothing_is_one():
    assert keyword_in(Secret("Text me"), ()) is None
    assert keyword_in(chap("Text me"), ()) is None
