"""Who is attacked: one person of each kind, whose policies name methods and leave all else as it is shipped."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from attack.site import RING, START
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from scenarios.company import Entry, Value, person, phone, policy, policy_dn, texted, with_vip
from schema.secret import Secret
from schema.words import TokenKind

KEYWORD = "text me"
POLICIES = (
    policy("byKeyword", dirfactorSmsMode="keyword", dirfactorSmsKeyword=KEYWORD),
    policy("temporary", dirfactorTemporaryResponseAllowed="TRUE"),
    policy("pin", dirfactorSecondMethod="pin"),
    policy("tokenAlone", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
    policy("pinFirst", dirfactorFirstMethod="pin", dirfactorSecondMethod="token"),
)
NUMBER = 7_000_001
PIN = "482915"


def token_of(uid: str, kind: TokenKind) -> SoftwareToken:
    return SoftwareToken(kind, "1", uuid.uuid5(uuid.NAMESPACE_URL, f"seed {uid}").bytes * 2)


def people(kind: str, number: int = 1, policy_name: str = "", *, apart: bool = False) -> Sequence[Entry]:
    """So many people with this token, called user1 and so on, and the policies that there are.

    Their numbers stand next to each other, or `apart` in a hundred blocks.
    """
    governed: dict[str, Value] = {"dirfactorPolicy": policy_dn(policy_name)} if policy_name else {}
    if apart:
        return (*POLICIES, *(texted(f"user{n}", n % 100 * 100_000 + n, **governed) for n in range(1, number + 1)))
    return (*POLICIES, *(_one(kind, f"user{n}", n, governed) for n in range(1, number + 1)))


def number_of(n: int) -> str:
    return phone(NUMBER + n)


def _one(kind: str, uid: str, n: int, governed: dict[str, Value]) -> Entry:
    if kind == "sms":
        return texted(uid, NUMBER + n, **governed)
    if kind == "vip":
        return with_vip(uid, "VSST12345678", **governed)
    entry = uuid.uuid5(uuid.NAMESPACE_URL, uid)
    known = {"entryUUID": str(entry), **governed}
    if kind in ("totp", "hotp"):
        sealed = sealed_token(RING, entry.bytes, token_of(uid, TokenKind(kind)), bytes([n % 256]) * 12)
        return person(uid, kind, dirfactorSecret=sealed, **known)
    if kind == "response":
        about = TemporaryResponse(START, START + timedelta(days=30), multiple=True)
        value = response_value(RING, entry.bytes, Secret("40718293"), about)
        return person(uid, "sms", mobile=phone(NUMBER + n), dirfactorTemporaryResponse=value, **known)
    if kind.startswith("pin"):
        pin = pin_value(RING, entry.bytes, Secret(PIN[: int(kind[3:])]))
        return person(uid, "sms", mobile=phone(NUMBER + n), dirfactorPin=pin, **known)
    return person(uid, kind, **governed)
