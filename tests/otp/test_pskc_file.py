"""PSKC files: what RFC 6030 shows is read; what is altered, not guarded, or meant for something else is refused."""

import base64
from datetime import UTC, datetime

import pytest

from auth.otp.importing import BadFile
from auth.otp.pskc_file import Opening, WrongKey, tokens_of_pskc
from auth.otp.token import Algorithm
from otp.pskc_text import (
    KEY,
    PASSWORD,
    SEED,
    base64_of,
    by_password,
    ciphertext,
    container,
    encrypted,
    package,
    plain,
    pre_shared,
)
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NOTHING = Opening()


def read(octets, opening=NOTHING):
    return tokens_of_pskc(octets, opening, NOW)


def test_a_plain_seed_is_read_with_all_that_belongs_to_it():
    """Section 5, figure 5 and section 10.1."""
    (item,) = read(container(package(plain(), user="CN=alice,DC=example,DC=org", counter=7)))
    token = item.token
    assert (token.kind, token.serial, token.seed, token.digits, token.first) == (
        TokenKind.HOTP,
        "987654321",
        SEED,
        8,
        7,
    )
    assert item.user == "CN=alice,DC=example,DC=org"
    assert item.where == "key 987654321"


def test_a_time_based_token_is_read_with_its_interval_and_hash():
    """Section 10.2."""
    text = package(plain(bytes(32)), algorithm="totp", suite="HMAC-SHA256", length=6, counter=None, interval=60)
    token = read(container(text))[0].token
    assert (token.kind, token.algorithm, token.period, token.digits) == (TokenKind.TOTP, Algorithm.SHA256, 60, 6)


def test_a_seed_under_a_pre_shared_key_opens_with_it_and_its_mac_is_checked():
    """Section 6.1."""
    octets = container(package(encrypted(KEY)), head=pre_shared())
    assert read(octets, Opening(key=KEY))[0].token.seed == SEED
    for opening in (NOTHING, Opening(key=KEY[::-1]), Opening(password=Secret("qwerty"))):
        with pytest.raises((WrongKey, BadFile)):
            read(octets, opening)


def test_a_seed_under_a_password_opens_with_it():
    """Section 6.2."""
    key, head = by_password()
    octets = container(package(encrypted(key)), head=head)
    assert read(octets, Opening(password=Secret(PASSWORD)))[0].token.seed == SEED
    with pytest.raises(WrongKey) as caught:
        read(octets, Opening(password=Secret("wrong")))
    assert "--pskc-password-file" in caught.value.remedy


def test_the_encrypted_seeds_of_rfc_6030_open():
    """The values of figures 6 and 7."""
    head = pre_shared("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX")
    cipher = "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv"
    octets = container(package(ciphertext(cipher, "Su+NvtQfmvfJzF6bmQiJqoLRExc=")), head=head)
    assert read(octets, Opening(key=KEY))[0].token.seed == SEED
    mac_key = "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx"
    _, head = by_password(salt=base64.b64decode("Ej7/PEpyEpw="), mac_key=mac_key)
    cipher = "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f"
    octets = container(package(ciphertext(cipher, "LP6xMvjtypbfT9PdkJhBZ+D6O4w=")), head=head)
    assert read(octets, Opening(password=Secret(PASSWORD)))[0].token.seed == SEED


def test_a_wrong_mac_is_refused_with_what_to_do():
    altered = (
        encrypted(KEY)
        .replace("<ValueMAC>", f"<ValueMAC>{base64_of(b'x' * 20)}</ValueMAC><!--")
        .replace("</ValueMAC></Secret>", "--></Secret>")
    )
    with pytest.raises(WrongKey, match="MAC value does not match") as caught:
        read(container(package(altered), head=pre_shared()), Opening(key=KEY))
    assert "altered: get it anew" in caught.value.remedy


def test_an_altered_seed_is_refused_by_its_mac():
    octets = container(package(encrypted(KEY)), head=pre_shared())
    cipher = octets.index(b"<Data><Secret>")
    start = octets.index(b"<xenc:CipherValue>", cipher) + len(b"<xenc:CipherValue>")
    altered = octets[:start] + (b"B" if octets[start : start + 1] == b"A" else b"A") + octets[start + 1 :]
    with pytest.raises(WrongKey):
        read(altered, Opening(key=KEY))


def test_an_encrypted_seed_without_a_mac_is_refused():
    octets = container(package(encrypted(KEY, mac=False)), head=pre_shared())
    with pytest.raises(BadFile, match="without a MAC"):
        read(octets, Opening(key=KEY))


ENTITY = '<!DOCTYPE x [<!ENTITY a "b">]>'


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"", "no XML"),
        (b"<", "no XML"),
        (b"<a/>", "no PSKC"),
        (container(), "no key"),
        (container(package(plain()), before=ENTITY), "no XML that may be read: DTDForbidden"),
        (container(package(plain(), algorithm="ocra")), "neither HOTP nor TOTP"),
        (container(package(plain(), encoding="HEXADECIMAL")), "not decimal"),
        (container(package(plain(), length=9)), "9 digits"),
        (container(package(plain(b"short"))), "5 octets"),
        (container(package(plain(), suite="HMAC-MD5")), "not known"),
        (container(package("")), "no seed"),
        (container(package(plain()), package(plain(), serial="2")), "the seed stands at key 987654321 already"),
        (container(package(plain()), package(plain(b"x" * 20))), "serial 987654321 stands at"),
        (container(package(plain(), policy="<Policy><KeyUsage>Encrypt</KeyUsage></Policy>")), "for codes"),
        (container(package(plain(), policy="<Policy><Unheard/></Policy>")), "for codes"),
        (
            container(package(plain(), policy="<Policy><ExpiryDate>2026-01-01T00:00:00Z</ExpiryDate></Policy>")),
            "or not now",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(octets, problem):
    with pytest.raises(BadFile, match=problem):
        read(octets)


def test_a_password_that_would_take_for_ever_is_refused():
    _, head = by_password(iterations=10**9)
    with pytest.raises(BadFile, match="more than anybody waits for"):
        read(container(package(plain()), head=head), Opening(password=Secret(PASSWORD)))


def test_no_refusal_shows_key_password_or_seed():
    octets = container(package(encrypted(KEY)), head=pre_shared())
    with pytest.raises(WrongKey) as caught:
        read(octets, Opening(key=b"0123456789abcdef"))
    assert "0123456789abcdef" not in repr(caught.value) + repr(Opening(key=b"0123456789abcdef"))


def test_a_number_with_more_digits_than_any_is_refused_with_its_key():
    with pytest.raises(BadFile, match="key 987654321: a number"):
        read(container(package(plain(), counter="9" * 5_000)))


def test_an_encoding_that_nobody_knows_is_refused():
    with pytest.raises(BadFile, match="no XML that may be read"):
        read(b'<?xml version="1.0" encoding="klingon"?><a/>')
