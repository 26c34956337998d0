"""Enrolment: an app that reads the address shows the codes that are judged, and its first code is used up."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from auth.otp.enrolment import confirmed, otpauth
from auth.otp.token import Algorithm, SoftwareToken
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, 2, 0, 10, tzinfo=UTC)
POLICY = Policy(name="staff", totp_window=1, hotp_look_ahead=3)
SEED = bytes(range(20, 52))


@pytest.mark.parametrize("kind", [TokenKind.TOTP, TokenKind.HOTP])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_an_app_that_reads_the_address_shows_the_tokens_codes(kind, algorithm):
    token = SoftwareToken(kind, "T", SEED, algorithm, digits=8, period=60, first=5 if kind is TokenKind.HOTP else 0)
    address = otpauth(token, "alice@example.org", "Example & Sons")
    app = pyotp.parse_uri(address.text)
    shown = app.at(NOW) if kind is TokenKind.TOTP else app.at(0)
    assert shown == token.code(token.step(NOW) if kind is TokenKind.TOTP else 5).text
    query = parse_qs(urlsplit(address.text).query)
    assert query["issuer"] == ["Example & Sons"]
    assert query["secret"] == [token.base32.text]
    assert "***" in repr(address)


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_the_first_code_is_used_up_by_confirming(offset):
    token = SoftwareToken(TokenKind.TOTP, "T", SEED)
    position = token.step(NOW) + offset
    found = confirmed(token, token.code(position), POLICY, NOW)
    assert found.first == position + 1
    assert confirmed(found, token.code(position), POLICY, NOW) is None


def test_what_is_not_a_code_of_now_confirms_nothing():
    token = SoftwareToken(TokenKind.TOTP, "T", SEED)
    assert confirmed(token, token.code(token.step(NOW) + 2), POLICY, NOW) is None
    assert confirmed(token, Secret(""), POLICY, NOW) is None
    counter = SoftwareToken(TokenKind.HOTP, "H", SEED)
    assert confirmed(counter, counter.code(2), POLICY, NOW).first == 3
    assert confirmed(counter, counter.code(4), POLICY, NOW) is None
