"""The codes that we send: their shape, and that only the one code of the one challenge is right."""

import hashlib
import hmac
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.codes import digest, is_right, mint
from schema.secret import Secret

KEY, CHALLENGE = b"k" * 32, b"c" * 16
keys = st.binary(min_size=32, max_size=32)
challenges = st.binary(min_size=16, max_size=16)
lengths = st.integers(6, 10)


@st.composite
def codes(draw):
    length = draw(lengths)
    return mint(length, lambda limit: draw(st.integers(0, limit - 1)))


@given(lengths, st.data())
def test_a_code_is_the_drawn_number_in_exactly_so_many_digits(length, data):
    drawn = []

    def below(limit):
        assert limit == 10**length, "every code of the length is possible, and none is likelier"
        drawn.append(data.draw(st.integers(0, limit - 1)))
        return drawn[-1]

    code = mint(length, below)
    assert len(drawn) == 1
    assert len(code.text) == length
    assert code.text.isdigit()
    assert code.text.isascii()
    assert int(code.text) == drawn[0]


@pytest.mark.parametrize(("number", "text"), [(0, "000000"), (7, "000007"), (123, "000123"), (999_999, "999999")])
def test_leading_zeros_are_kept(number, text):
    assert mint(6, lambda limit: number).text == text


def test_every_digit_is_equally_likely_in_every_place():
    dice = random.Random(20261124)
    drawn = [mint(6, dice.randrange).text for _ in range(20_000)]
    for place in range(6):
        counts = [sum(code[place] == digit for code in drawn) for digit in "0123456789"]
        chi_squared = sum((count - 2000) ** 2 / 2000 for count in counts)
        assert chi_squared < 33.7, f"place {place}: {counts} (9 degrees of freedom, p = 0.0001)"


@given(keys, challenges, codes())
def test_the_right_code_is_right(key, challenge, code):
    assert is_right(key, challenge, code, digest(key, challenge, code))


@given(keys, challenges, codes(), codes())
def test_any_other_code_is_wrong(key, challenge, code, other):
    assume(code.text != other.text)
    assert not is_right(key, challenge, other, digest(key, challenge, code))


@given(keys, challenges, codes(), st.text())
def test_any_text_at_all_is_judged_and_only_the_code_is_right(key, challenge, code, typed):
    bare = "".join(character for character in typed if character not in " -\u00a0")
    assert is_right(key, challenge, Secret(typed), digest(key, challenge, code)) == (bare == code.text)


@given(keys, challenges, challenges, codes())
def test_a_code_is_wrong_in_every_other_challenge(key, challenge, other, code):
    assume(challenge != other)
    assert not is_right(key, other, code, digest(key, challenge, code))


@given(keys, keys, challenges, codes())
def test_a_code_is_wrong_under_every_other_key(key, other, challenge, code):
    assume(key != other)
    assert not is_right(other, challenge, code, digest(key, challenge, code))


@pytest.mark.parametrize("typed", ["123456", " 123456 ", "123 456", "123-456", "12\u00a034 56", "1-2-3-4-5-6"])
def test_spaces_and_dashes_that_people_type_do_not_count(typed):
    assert is_right(KEY, CHALLENGE, Secret(typed), digest(KEY, CHALLENGE, Secret("123456")))


@pytest.mark.parametrize(
    "typed",
    ["", " ", "12345", "1234567", "123456\0", "\x00123456", "+123456", "123456.0", "0123456", "123456\n", "\ud800",
     "\uff11\uff12\uff13\uff14\uff15\uff16", "\u0661\u0662\u0663\u0664\u0665\u0666", "654321", "1e5"],
)  # fmt: skip
def test_what_merely_looks_like_the_code_is_wrong(typed):
    assert not is_right(KEY, CHALLENGE, Secret(typed), digest(KEY, CHALLENGE, Secret("123456")))


@given(challenges, codes(), st.integers(0, 31), st.integers(0, 7))
def test_a_stored_digest_with_one_bit_flipped_is_nobodys(challenge, code, octet, bit):
    stored = bytearray(digest(KEY, challenge, code))
    stored[octet] ^= 1 << bit
    assert not is_right(KEY, challenge, code, bytes(stored))


@given(challenges, codes(), st.integers(0, 31))
def test_a_digest_that_was_cut_short_is_nobodys(challenge, code, length):
    assert not is_right(KEY, challenge, code, digest(KEY, challenge, code)[:length])


@given(challenges, codes())
def test_what_is_stored_is_hmac_sha256_over_challenge_and_code_and_does_not_hold_the_code(challenge, code):
    stored = digest(KEY, challenge, code)
    assert stored == hmac.new(KEY, challenge + code.text.encode(), hashlib.sha256).digest()
    assert code.octets not in stored
    assert code.text not in repr(code)
