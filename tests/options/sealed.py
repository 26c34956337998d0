"""What stands sealed or digested in alice's entry, under a key ring of the tests' own."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp

from auth.keys.ring import KEY_OCTETS, Key, Ring
from auth.keys.shared_secret import sealed_shared_secret
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from schema.secret import Secret
from schema.words import TokenKind

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
RING = Ring((Key(bytes(range(KEY_OCTETS)), START - timedelta(days=400)),))
ALICE_UUID = "8a1c6ad5-4b1f-4a53-9a0c-2f3e0cbb6a01"
NODE_UUID = "1f0d3a52-97b5-4c35-8b1e-70a55d2f2c02"
_ALICE_ID, _NODE_ID = UUID(ALICE_UUID).bytes, UUID(NODE_UUID).bytes
SHARED_SECRET_SEALED = sealed_shared_secret(RING, _NODE_ID, Secret("0123456789abcdef" * 2), bytes(12))

PIN = "2468"
PIN_DIGEST = pin_value(RING, _ALICE_ID, Secret(PIN))
RESPONSE = "40718293"


def directory_time(instant: datetime) -> str:
    """As a directory writes it."""
    return f"{instant:%Y%m%d%H%M%S}.0Z"


def response(*, minutes: float, multiple: bool = False) -> str:
    """The temporary response, issued at the start and good for so long."""
    about = TemporaryResponse(START, START + timedelta(minutes=minutes), multiple)
    return response_value(RING, _ALICE_ID, Secret(RESPONSE), about)


_SEED = b"12345678901234567890"
TOTP_SEED_SEALED, HOTP_SEED_SEALED = (
    sealed_token(RING, _ALICE_ID, SoftwareToken(kind, "1", _SEED), bytes(12))
    for kind in (TokenKind.TOTP, TokenKind.HOTP)
)


def time_code(steps: int = 0) -> str:
    """What her authenticator shows so many steps of 30 seconds from the start."""
    return pyotp.TOTP(b32encode(_SEED).decode()).at(START + timedelta(seconds=30 * steps))


def counter_code(counter: int) -> str:
    """What her event token shows at this counter."""
    return pyotp.HOTP(b32encode(_SEED).decode()).at(counter)
