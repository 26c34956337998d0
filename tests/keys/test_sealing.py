"""A value opens for the entry, purpose, header and ring that it was made for, and for nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.keys.ring import Key, KeyMissing, Ring
from auth.keys.sealing import NoEntryId, SealBroken, digested, is_digest_of, sealed, unsealed
from auth.keys.text import NotOurs, Purpose
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
ALICE, BOB = b"a" * 16, b"b" * 16
entries = st.binary(min_size=16, max_size=16)
nonces = st.binary(min_size=12, max_size=12)
purposes = st.sampled_from(Purpose)
headers = st.lists(st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True), max_size=3)
pins = st.text(alphabet="0123456789", min_size=4, max_size=16).map(Secret)


@given(purposes, entries, headers, st.binary(max_size=200), nonces)
def test_what_is_sealed_is_found_again_and_fits_the_attribute(purpose, entry, header, octets, nonce):
    text = sealed(RING, purpose, entry, header, octets, nonce)
    assert len(text) <= 1024
    assert text.isascii()
    found = unsealed(RING, purpose, entry, text, len(header))
    assert (found.header, found.octets) == (tuple(header), octets)


@given(purposes, entries, entries, headers, st.binary(max_size=50), nonces)
def test_a_value_copied_to_another_entry_never_opens(purpose, entry, other, header, octets, nonce):
    assume(entry != other)
    text = sealed(RING, purpose, entry, header, octets, nonce)
    with pytest.raises(SealBroken) as caught:
        unsealed(RING, purpose, other, text, len(header))
    assert "copied from another" in caught.value.problem
    assert caught.value.remedy


@given(st.binary(min_size=1, max_size=50), nonces, st.data())
def test_a_value_with_any_character_changed_never_opens_as_it_was(octets, nonce, data):
    text = sealed(RING, Purpose.SEED, ALICE, ("totp", "6", "T-1"), octets, nonce)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCab01:-_.9"))
    changed = text[:place] + letter + text[place + 1 :]
    assume(changed != text)
    try:
        found = unsealed(RING, Purpose.SEED, ALICE, changed, 3)
    except Fault:
        return
    # the last character of unpadded base64 has bits that stand for nothing
    assert place == len(text) - 1
    assert found.octets == octets


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.SEED])
def test_a_value_for_one_purpose_is_nothing_for_another(purpose):
    text = sealed(RING, Purpose.SEED, ALICE, (), b"x", b"n" * 12)
    with pytest.raises(NotOurs):
        unsealed(RING, purpose, ALICE, text, 0)
    with pytest.raises(SealBroken):
        unsealed(RING, purpose, ALICE, text.replace(":seed:", f":{purpose}:"), 0)


def test_a_missing_key_is_said_by_its_id():
    old, new = Key(b"o" * 32, NOW), Key(b"n" * 32, NOW)
    text = sealed(Ring((old,)), Purpose.SEED, ALICE, (), b"x", b"n" * 12)
    assert unsealed(Ring((old, new)), Purpose.SEED, ALICE, text, 0).octets == b"x"
    with pytest.raises(KeyMissing, match=old.id):
        unsealed(Ring((new,)), Purpose.SEED, ALICE, text, 0)


def test_new_values_are_under_the_current_key():
    ring = RING.with_new(Key(b"n" * 32, NOW))
    assert f":{ring.keys[1].id}:" in sealed(ring, Purpose.SEED, ALICE, (), b"x", b"n" * 12)
    assert f":{ring.keys[1].id}:" in digested(ring, Purpose.PIN, ALICE, (), Secret("2580"))


@pytest.mark.parametrize("entry", [b"", b"a" * 15, b"a" * 17])
def test_nothing_is_bound_to_an_entry_whose_id_is_not_known(entry):
    with pytest.raises(NoEntryId):
        sealed(RING, Purpose.SEED, entry, (), b"x", b"n" * 12)
    with pytest.raises(NoEntryId):
        digested(RING, Purpose.PIN, entry, (), Secret("2580"))


@given(entries, entries, pins, pins)
def test_a_digest_tells_the_one_secret_of_the_one_entry(entry, other, pin, guess):
    text = digested(RING, Purpose.PIN, entry, (), pin)
    assert is_digest_of(RING, Purpose.PIN, entry, text, 0, pin)
    assert is_digest_of(RING, Purpose.PIN, entry, text, 0, guess) == (guess.text == pin.text)
    assert is_digest_of(RING, Purpose.PIN, other, text, 0, pin) == (other == entry)


def test_the_header_of_a_digest_cannot_be_changed():
    text = digested(RING, Purpose.TEMPORARY_RESPONSE, ALICE, ("2026", "single"), Secret("12345678"))
    longer = text.replace(":2026:", ":2027:")
    assert not is_digest_of(RING, Purpose.TEMPORARY_RESPONSE, ALICE, longer, 2, Secret("12345678"))


@pytest.mark.parametrize("text", ["", "sealed", "df1:seed", "df2:seed:0a:AAAA", "df1:seed:0a:***", "df1:pin:0a:AAAA"])
def test_what_we_did_not_write_is_said_without_showing_it(text):
    with pytest.raises(NotOurs) as caught:
        unsealed(RING, Purpose.SEED, ALICE, text, 0)
    assert not text or text not in str(caught.value)


def test_a_header_that_would_break_the_form_is_never_written():
    with pytest.raises(ValueError, match="characters"):
        sealed(RING, Purpose.SEED, ALICE, ("a:b",), b"x", b"n" * 12)


def test_neither_ring_nor_opened_value_shows_what_is_secret():
    opened = unsealed(RING, Purpose.SEED, ALICE, sealed(RING, Purpose.SEED, ALICE, (), b"seed", b"n" * 12), 0)
    assert "kkkk" not in repr(RING)
    assert "seed" not in repr(opened)


def test_sealing_and_digests_do_not_share_a_key():
    assert len({RING.current.octets, RING.current.derived(b"sealing"), RING.current.derived(b"digests")}) == 3
