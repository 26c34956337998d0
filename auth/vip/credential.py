"""What `dirfactorVipCredential` may say: a credential's id, a telephone that VIP sends codes to, a VIP user. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from auth.addresses import masked
from schema.errors import Fault
from schema.secret import Secret

MOST_CREDENTIALS = 5
_CODE = re.compile(r"[a-zA-Z0-9]{6,10}")
_ID = re.compile(r"[!-9;-~]{1,40}")
_NUMBER = re.compile(r"[0-9]{5,20}")
_USER = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\s\x00-\x1f\x7f])?")


class CredentialKind(StrEnum):
    """How the codes of a credential come about; the value is what stands before its colon."""

    STANDARD = ""
    SMS = "sms"
    VOICE = "voice"
    USER = "user"


_TELEPHONES = (CredentialKind.SMS, CredentialKind.VOICE)


@dataclass(frozen=True, slots=True)
class Credential:
    """One value of `dirfactorVipCredential`.

    Attributes:
        text: as it is written in the directory: `VSST12345678`, `sms:436640000001`, `voice:436640000001`, `user:alice`.
        kind: what it is.
        id: what VIP knows it by.
    """

    text: str
    kind: CredentialKind
    id: str


def credential(text: str) -> Credential:
    """The credential that is written so.

    Raises:
        Fault: it is none.
    """
    word, colon, rest = text.partition(":")
    if not colon:
        kind, id_, form = CredentialKind.STANDARD, text, _ID
    else:
        known = {each.value: each for each in CredentialKind if each.value}
        kind, id_ = known.get(word.lower(), CredentialKind.STANDARD), rest.removeprefix("+")
        form = _USER if kind is CredentialKind.USER else _NUMBER
    if (colon and kind is CredentialKind.STANDARD) or not form.fullmatch(id_):
        raise Fault(
            f"{shown(text)!r} is not a VIP credential id",
            remedy="give the id as VIP Access shows it, without spaces; or sms:NUMBER or voice:NUMBER with the country "
            "code, or user:NAME",
        )
    return Credential(text, kind, id_)


def typed(text: str) -> str:
    """A credential as VIP knows it; people write ids in any case, and ids and numbers with spaces and dashes.

    Raises:
        Fault: it is none.
    """
    word, colon, rest = text.partition(":")
    if not colon:
        return credential(_bare(text).upper()).text
    kind = word.strip().lower()
    return credential(f"{kind}:{rest.strip() if kind == CredentialKind.USER else _bare(rest).lstrip('+')}").text


def shown(text: str) -> str:
    """A credential for log and eye: of a telephone number no more than its owner needs to know it."""
    word, colon, rest = text.partition(":")
    return f"{word}:{masked(rest)}" if colon and word.lower() != CredentialKind.USER else text


def without_telephones(words: str, credentials: Sequence[str]) -> str:
    """What VIP says, for log and audit; nothing of it where it echoes the number of one of the credentials."""
    digits = "".join(filter(str.isdecimal, words))
    telephones = (each for each in map(credential, credentials) if each.kind in _TELEPHONES)
    return "" if any(each.id in digits for each in telephones) else words


def _bare(text: str) -> str:
    return "".join(character for character in text if character not in " -\u00a0()/")


def check(credentials: Sequence[str], *codes: Secret) -> None:
    """That VIP's schema allows these.

    Raises:
        Fault: a credential or a code has another form.
    """
    for text in credentials:
        credential(text)
    if not all(map(is_code, codes)):
        raise Fault("a VIP code has 6 to 10 letters and digits", remedy="type the code as VIP Access shows it")


def is_code(code: Secret) -> bool:
    """Whether VIP would take this for a code at all (OTPType of its schemas: 6 to 10 letters and digits)."""
    return _CODE.fullmatch(code.text) is not None


def ours(credentials: Sequence[str], named: str) -> str | None:
    """Our spelling of the credential that VIP names; None when it names another."""
    for text in credentials:
        if credential(text).id.casefold() == named.casefold():
            return text
    return None
