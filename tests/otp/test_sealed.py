"""A sealed software token is found again whole, by its owner's entry and no other, and tells in clear what it may."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.keys.ring import Key, Ring
from auth.keys.sealing import SealBroken, sealed
from auth.keys.text import NotOurs, Purpose
from auth.otp.sealed import read_sealed, sealed_token, sealed_tokens, unsealed_token
from auth.otp.token import Algorithm, SoftwareToken
from schema.entry import User
from schema.errors import Fault
from schema.words import TokenKind

RING = Ring((Key(b"k" * 32, datetime(2026, 11, 26, tzinfo=UTC)),))
ALICE, BOB, NONCE = b"a" * 16, b"b" * 16, b"n" * 12
TOTP, HOTP = TokenKind.TOTP, TokenKind.HOTP

software_tokens = st.builds(
    SoftwareToken,
    kind=st.sampled_from([TOTP, HOTP]),
    serial=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    seed=st.binary(min_size=16, max_size=128),
    algorithm=st.sampled_from(Algorithm),
    digits=st.integers(6, 8),
    period=st.integers(10, 300),
    first=st.integers(0, 2**62),
)


@given(software_tokens)
def test_a_token_is_found_again_whole_and_fits_the_attribute(token):
    text = sealed_token(RING, ALICE, token, NONCE)
    assert len(text) <= 1024
    assert unsealed_token(RING, ALICE, text) == token
    with pytest.raises(SealBroken):
        unsealed_token(RING, BOB, text)


@given(software_tokens)
def test_kind_digits_serial_and_key_are_clear_and_the_seed_is_not(token):
    text = sealed_token(RING, ALICE, token, NONCE)
    clear = read_sealed(text)
    assert (clear.kind, clear.digits, clear.serial, clear.key_id) == (
        token.kind,
        token.digits,
        token.serial,
        RING.current.id,
    )
    assert text not in repr(clear)
    assert token.base32.text not in text


def test_a_header_that_was_edited_breaks_the_seal():
    text = sealed_token(RING, ALICE, SoftwareToken(HOTP, "T-1", b"s" * 20), NONCE)
    for edit in ((":hotp:", ":totp:"), (":6:", ":8:"), (":T-1:", ":T-2:")):
        with pytest.raises(SealBroken):
            unsealed_token(RING, ALICE, text.replace(*edit))


def test_a_users_tokens_are_found_by_kind_and_in_the_order_of_serials():
    texts = [
        sealed_token(RING, ALICE, SoftwareToken(kind, serial, b"s" * 20), NONCE)
        for kind, serial in ((TOTP, "b"), (HOTP, "c"), (TOTP, "a"))
    ]
    somebody = User(secrets=("written by hand", *texts, "df1:seed:00000000:totp:x:T:AAAA"))
    assert [token.serial for token in sealed_tokens(somebody, TOTP)] == ["a", "b"]
    assert [token.serial for token in sealed_tokens(somebody, HOTP)] == ["c"]


def test_what_was_sealed_but_is_no_token_is_a_fault():
    for body in (b"", b"\x93", b"seed"):
        with pytest.raises(NotOurs) as caught:
            unsealed_token(RING, ALICE, sealed(RING, Purpose.SEED, ALICE, ("totp", "6", "T"), body, NONCE))
        assert caught.value.problem == "a sealed token is not one that dirfactor wrote"
        assert caught.value.remedy == "enrol it anew: dirfactor token assign"
    short = b"\x94\xc4\x01x\xa4sha1\x1e\x00"
    with pytest.raises(Fault, match="1 octets"):
        unsealed_token(RING, ALICE, sealed(RING, Purpose.SEED, ALICE, ("totp", "6", "T"), short, NONCE))
