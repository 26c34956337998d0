"""What MS-CHAPv2 computes, against the examples of its RFCs and against somebody else's MD4 and DES."""

import hashlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.chap.ms_chap import (
    authenticator_response,
    challenge_hash,
    challenge_response,
    is_response,
    master_keys,
    nt_password_hash,
)
from auth.chap.response import ChapResponse, MsChapResponse, ms_chap2_response
from schema.secret import Secret

# RFC 2759 section 9.2
USER, PASSWORD = b"User", "clientPass"
AUTHENTICATOR_CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
CHALLENGE = bytes.fromhex("D02E4386BCE91226")
PASSWORD_HASH = bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
PROOF = "S=407A5589115FD0D6209F510FE9C04566932CDA56"

codes = st.text(alphabet="0123456789", min_size=6, max_size=10).map(Secret)


def test_the_example_of_rfc2759_section_9_2():
    assert challenge_hash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER) == CHALLENGE
    assert nt_password_hash(PASSWORD) == PASSWORD_HASH
    assert challenge_response(CHALLENGE, PASSWORD_HASH) == RESPONSE
    assert authenticator_response(PASSWORD_HASH, RESPONSE, CHALLENGE) == PROOF


def test_the_key_of_rfc3079_section_3_5_3():
    send, receive = master_keys(PASSWORD_HASH, RESPONSE)
    assert send == bytes.fromhex("8B7CDC149B993A1BA118CB153F56DCCB")
    assert len(receive) == 16
    assert receive != send


def test_a_response_proves_its_password_and_no_other_and_says_what_to_tell_back():
    response = ms_chap2_response(7, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER, RESPONSE)
    assert response.proves(Secret(PASSWORD))
    assert not response.proves(Secret("clientpass"))
    success = response.success(Secret(PASSWORD))
    assert (success.identifier, success.proof) == (7, PROOF)
    assert (success.send_key, success.receive_key) == master_keys(PASSWORD_HASH, RESPONSE)


@given(st.integers(0, 23), st.integers(1, 255))
def test_a_response_of_which_any_octet_differs_is_none(at, difference):
    changed = bytearray(RESPONSE)
    changed[at] ^= difference
    assert not is_response(bytes(changed), CHALLENGE, PASSWORD_HASH)
    assert is_response(RESPONSE, CHALLENGE, PASSWORD_HASH)


def test_the_domain_in_front_of_the_name_does_not_count_rfc2759_section_4():
    response = ms_chap2_response(7, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, b"BIGCO\\" + USER, RESPONSE)
    assert response.proves(Secret(PASSWORD))
    other = ms_chap2_response(7, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, b"Other", RESPONSE)
    assert not other.proves(Secret(PASSWORD))


@given(st.integers(0, 255), st.binary(min_size=1, max_size=32), codes, codes)
def test_a_chap_response_proves_what_it_was_computed_from_rfc1994_section_4_1(identifier, challenge, code, other):
    octets = hashlib.md5(bytes((identifier,)) + code.octets + challenge, usedforsecurity=False).digest()
    response = ChapResponse(identifier, challenge, octets)
    assert response.proves(code)
    assert response.proves(other) is (other.text == code.text)
    assert response.success(code) is None


@given(st.binary(min_size=8, max_size=8), codes, codes)
def test_an_ms_chap_response_proves_what_it_was_computed_from(challenge, code, other):
    response = MsChapResponse(1, challenge, challenge_response(challenge, nt_password_hash(code.text)))
    assert response.proves(code)
    assert response.proves(other) is (other.text == code.text)
    assert response.success(code) is None


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), codes, codes)
def test_two_codes_or_two_challenges_have_different_keys(peer, authenticator, code, other):
    def keys(challenge, secret):
        hashed = nt_password_hash(secret.text)
        return master_keys(hashed, challenge_response(challenge_hash(peer, challenge, b"alice"), hashed))

    assert (keys(authenticator, code) == keys(authenticator, other)) is (code.text == other.text)
    assert keys(authenticator, code) != keys(bytes(octet ^ 1 for octet in authenticator), code)


@pytest.mark.servers
def test_openssl_computes_the_same_md4_and_des():
    def openssl(*arguments, octets):
        providers = ["-provider", "legacy", "-provider", "default"]
        return subprocess.run(["openssl", *arguments, *providers], input=octets, capture_output=True, check=True).stdout

    assert openssl("dgst", "-md4", "-binary", octets="4815162342".encode("utf-16-le")) == nt_password_hash("4815162342")
    challenge = bytes(range(8))
    # seven octets of ones are eight octets 0xfe and parity
    encrypted = openssl("enc", "-des-ecb", "-nopad", "-K", "fe" * 8, octets=challenge)
    assert challenge_response(challenge, b"\xff" * 7)[:8] == encrypted


def test_neither_code_nor_key_is_in_the_text_form():
    response = ms_chap2_response(7, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER, RESPONSE)
    shown = repr(response) + repr(response.success(Secret(PASSWORD)))
    assert "key" not in shown
    assert RESPONSE.hex() not in shown.lower()
