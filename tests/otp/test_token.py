"""Codes are those of RFC 4226 and RFC 6238, and of a foreign implementation; a token that none can be is refused."""

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.otp.token import Algorithm, SoftwareToken, UnfitToken, seed_from_text
from schema.words import TokenKind

SEED = b"12345678901234567890"
TOTP, HOTP = TokenKind.TOTP, TokenKind.HOTP
SERIALS = "use letters, digits, dots, dashes and underscores, at most 64"
SEEDS = "use one of 16 to 128 octets; RFC 4226 wants at least 128 bits"


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_counter_codes_are_those_of_rfc_4226_appendix_d(counter, code):
    assert SoftwareToken(HOTP, "T", SEED).code(counter).text == code


# RFC 6238 appendix B; the seeds for the longer hashes are those of its program (erratum 2866)
@pytest.mark.parametrize(
    ("seconds", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_time_codes_are_those_of_rfc_6238_appendix_b(seconds, sha1, sha256, sha512):
    for algorithm, length, code in (("sha1", 20, sha1), ("sha256", 32, sha256), ("sha512", 64, sha512)):
        token = SoftwareToken(TOTP, "T", (SEED * 4)[:length], Algorithm(algorithm), digits=8)
        assert token.code(token.step(datetime.fromtimestamp(seconds, UTC))).text == code


@given(
    seed=st.binary(min_size=16, max_size=128),
    algorithm=st.sampled_from(Algorithm),
    digits=st.integers(6, 8),
    position=st.integers(0, 2**62),
)
def test_pyotp_shows_the_same_codes(seed, algorithm, digits, position):
    token = SoftwareToken(HOTP, "T", seed, algorithm, digits)
    assert token.code(position).text == token.generator.at(position)


@pytest.mark.servers
@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("digits", [6, 7, 8])
def test_oathtool_shows_the_same_codes(algorithm, digits):
    token = SoftwareToken(TOTP, "T", bytes(range(40)), algorithm, digits, period=60)
    at = datetime(2026, 11, 26, 2, 0, 30, tzinfo=UTC)
    shown = oathtool(f"--totp={algorithm}", "--time-step-size=60s", f"--now={at:%Y-%m-%d %H:%M:%S} UTC", token=token)
    assert shown == [token.code(token.step(at)).text]
    if algorithm is Algorithm.SHA1:
        shown = oathtool("--hotp", "--counter=7", "--window=3", token=token)
        assert shown == [token.code(counter).text for counter in range(7, 11)]


def oathtool(*arguments, token):
    command = ["oathtool", *arguments, f"--digits={token.digits}", "--base32", token.base32.text]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@given(st.binary(min_size=16, max_size=128))
def test_a_seed_is_read_back_from_base32_and_from_hex(seed):
    token = SoftwareToken(TOTP, "T", seed)
    assert seed_from_text(token.base32.text) == seed or len(token.base32.text) % 2 == 0
    assert seed_from_text(seed.hex()) == seed_from_text(seed.hex().upper()) == seed
    assert seed_from_text(" ".join(seed.hex())) == seed


@pytest.mark.parametrize(
    "text", ["gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "GEZD-GNBV-GY3T-QOJQ-GEZDGNBVGY3TQOJQ===="]
)
def test_a_seed_is_read_as_people_write_it(text):
    assert seed_from_text(text) == SEED


def test_what_is_no_seed_is_refused_without_being_repeated():
    with pytest.raises(UnfitToken) as caught:
        seed_from_text("0189!secretseed")
    assert "secretseed" not in str(caught.value)
    assert caught.value.remedy == "write it as 40 hex digits or 32 of A-Z2-7"


@given(st.integers(-(10**9), 2**32), st.integers(0, 999_999), st.integers(10, 300))
def test_a_time_step_holds_the_instants_of_one_period_before_1970_as_after(seconds, microseconds, period):
    token = SoftwareToken(TOTP, "T", SEED, period=period)
    instant = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    assert token.step(instant) == seconds // period


@pytest.mark.parametrize("octets", [16, 128])
def test_the_shortest_and_the_longest_seed_are_good(octets):
    assert len(SoftwareToken(TOTP, "T", b"x" * octets).seed) == octets


@pytest.mark.parametrize(
    ("change", "problem", "remedy"),
    [
        ({"kind": TokenKind.SMS}, "sms is no software token", "use totp or hotp"),
        ({"serial": ""}, "'' cannot be a serial", SERIALS),
        ({"serial": "a:b"}, "'a:b' cannot be a serial", SERIALS),
        ({"serial": "x" * 65}, f"'{'x' * 65}' cannot be a serial", SERIALS),
        ({"seed": b"x" * 15}, "a seed of 15 octets cannot be used", SEEDS),
        ({"seed": b"x" * 129}, "a seed of 129 octets cannot be used", SEEDS),
        ({"digits": 5}, "codes of 5 digits cannot be used", "use 6 to 8"),
        ({"digits": 9}, "codes of 9 digits cannot be used", "use 6 to 8"),
        ({"period": 9}, "a period of 9 seconds cannot be used", "use 10 to 300"),
        ({"period": 301}, "a period of 301 seconds cannot be used", "use 10 to 300"),
        ({"first": -1}, "-1 is no counter", "use a whole number from 0 on"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_what_can(change, problem, remedy):
    values = {"kind": TOTP, "serial": "T", "seed": SEED} | change
    with pytest.raises(UnfitToken) as caught:
        SoftwareToken(**values)
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)


def test_the_seed_is_not_shown():
    token = SoftwareToken(TOTP, "T", SEED)
    assert "123456" not in repr(token)
    assert "***" in repr(token.base32)


def test_identity_follows_the_seed_and_not_the_serial():
    one = SoftwareToken(HOTP, "one", SEED)
    assert one.identity == SoftwareToken(HOTP, "two", SEED, digits=8).identity
    assert one.identity != SoftwareToken(TOTP, "one", SEED).identity
    assert one.identity != SoftwareToken(HOTP, "one", SEED[::-1]).identity
