"""Enrolling a software token: how an app learns it, and the first code that shows that the app has it. Pure."""

from dataclasses import replace
from datetime import datetime

import pyotp

from auth.otp.token import SoftwareToken
from auth.otp.window import Position, matches, window
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind


def otpauth(token: SoftwareToken, name: str, issuer: str) -> Secret:
    """The address by which apps take a token up, as a QR code shows it; the seed stands in it.

    Args:
        token: the token.
        name: the account's name, as the app shows it.
        issuer: who asks for the codes, likewise.
    """
    generator = token.generator
    if token.kind is TokenKind.HOTP:
        text = generator.provisioning_uri(name=name, issuer_name=issuer, initial_count=token.first)
    else:
        totp = pyotp.TOTP(token.base32.text, digits=token.digits, digest=generator.digest, interval=token.period)
        text = totp.provisioning_uri(name=name, issuer_name=issuer)
    return Secret(text)


def confirmed(token: SoftwareToken, code: Secret, policy: Policy, now: datetime) -> SoftwareToken | None:
    """The token as it is to be sealed, after its first code was shown; None when this is none of its codes now.

    The first code that is good at a logon is the one after it.
    """
    found = matches(token, code, window(token, Position(), policy, now))
    return replace(token, first=found[-1] + 1) if found else None
