"""What a token endpoint's answer means (RFC 6749 sections 5.1 and 5.2). No I/O."""

import re
from dataclasses import dataclass

import msgspec

from schema.errors import Fault
from schema.secret import Secret

_OK = 200
_UNSAID_SECONDS = 300.0  # RFC 6749 section 5.1 leaves expires_in to the server
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]{1,16000}={0,2}")  # RFC 6750 section 2.1: nothing that could end a line
_WORD = re.compile(r"[a-z_]{1,40}")
_SECRET = "draw a new client secret (an old one may have expired), or check assertion_certificate; check client_id"  # noqa: S105 - advice
_REMEDIES = {
    "invalid_client": _SECRET,
    "unauthorized_client": "check client_id and tenant, and that the application may use this grant",
    "invalid_grant": "the refresh token was withdrawn or has expired: get a new one, as the account that sends",
    "invalid_scope": "correct scope; for Microsoft it ends in /.default",
    "invalid_request": "check token_url, client_id and tenant",
    "access_denied": "let an administrator consent to the application's permissions",
}
# Microsoft's numbers of what it words as one of the above, and the key to look at
_AADSTS = {
    7000215: "client_secret is wrong: give the secret's value, which was shown once, and not its id",
    7000222: "client_secret has expired: draw a new one in the application's registration",
    700027: "assertion_certificate is not that of the application: upload it to the registration, under Certificates",
    700016: "client_id is not known in this tenant: check both",
    90002: "the tenant is not known: check it, or token_url",
    70011: "correct scope; for Microsoft it ends in /.default",
}


class TokenRefused(Fault):
    """No token was given; the problem quotes the endpoint's error word and numbers, and nothing else of it."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Attributes:
        access: the token itself.
        seconds: for how long it is good.
        refresh: the refresh token that takes the place of the one it was asked with; None when that one stays.
    """

    access: Secret
    seconds: float
    refresh: Secret | None


class _Given(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float | str = _UNSAID_SECONDS
    refresh_token: str | None = None


class _Refusal(msgspec.Struct):
    error: str
    error_codes: tuple[int, ...] = ()


def read_token(status: int, body: bytes) -> Token:
    """The token in an answer.

    Args:
        status: HTTP status.
        body: the answer's body.

    Raises:
        TokenRefused: there is none that can be used.
    """
    if status != _OK:
        raise _refused(status, body)
    try:
        given = msgspec.json.decode(body, type=_Given)
        seconds = float(given.expires_in)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _unusable("is no token") from None
    if given.token_type.lower() != "bearer":
        raise _unusable("is no bearer token")
    if not _BEARER.fullmatch(given.access_token):
        raise _unusable("is a token that cannot be sent")
    return Token(Secret(given.access_token), seconds, Secret(given.refresh_token) if given.refresh_token else None)


def _refused(status: int, body: bytes) -> TokenRefused:
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, RecursionError):
        refusal = _Refusal("")
    word = refusal.error if _WORD.fullmatch(refusal.error) else ""
    numbers = [number for number in refusal.error_codes if number >= 0][:3]
    said = " ".join([word, *(f"AADSTS{number}" for number in numbers)]).strip()
    remedy = next((_AADSTS[number] for number in numbers if number in _AADSTS), _REMEDIES.get(word))
    return TokenRefused(
        f"the token endpoint answered HTTP {status}{f' {said}' if said else ''}",
        remedy=remedy or "check token_url, and the authorization server's status page",
    )


def _unusable(what: str) -> TokenRefused:
    return TokenRefused(f"the token endpoint's answer {what}", remedy="check token_url; look for a proxy on the way")
