"""What we ask the VIP Authentication Service, as values and as SOAP 1.1 envelopes. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from auth.vip.credential import MOST_CREDENTIALS, CredentialKind, check, credential
from auth.vip.soap import Child, checked_id, envelope
from schema.errors import Fault
from schema.secret import Secret

VIP = "https://schemas.vip.symantec.com/2006/08/vipservice"
VERSION = "3.1"

_VALIDATION = "/val/soap"
_MANAGEMENT = "/mgmt/soap"
_TYPES = {CredentialKind.SMS: "SMS", CredentialKind.VOICE: "Voice"}


@dataclass(frozen=True, slots=True)
class Validate:
    """Is this the current code of this credential? Raises Fault for what the service's schema forbids."""

    credential: str
    code: Secret
    path: ClassVar[str] = _VALIDATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.credential, self.code)


@dataclass(frozen=True, slots=True)
class ValidateMultiple:
    """Is this the current code of one of 2 to 5 credentials? A wrong code counts against each at VIP."""

    credentials: tuple[str, ...]
    code: Secret
    path: ClassVar[str] = _VALIDATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 2 <= len(self.credentials) <= MOST_CREDENTIALS:  # noqa: PLR2004 - minOccurs of the schema
            raise Fault(
                f"{len(self.credentials)} VIP credentials cannot be validated together",
                remedy=f"assign at most {MOST_CREDENTIALS}",
            )
        for each in self.credentials:
            _check(each, self.code)


@dataclass(frozen=True, slots=True)
class CheckOTP:
    """Does this code, or do these two in a row, come from this credential, whatever its state? Never opens a door."""

    credential: str
    code1: Secret
    code2: Secret | None = None
    path: ClassVar[str] = _VALIDATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.credential, self.code1, self.code2)


@dataclass(frozen=True, slots=True)
class Synchronize:
    """Take two consecutive codes as those of now, for a credential whose clock or counter has drifted."""

    credential: str
    code1: Secret
    code2: Secret
    path: ClassVar[str] = _VALIDATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.credential, self.code1, self.code2)


@dataclass(frozen=True, slots=True)
class SendOTP:
    """Send a code to the telephone that this credential is."""

    credential: str
    path: ClassVar[str] = _MANAGEMENT
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.credential)


@dataclass(frozen=True, slots=True)
class GetTokenInformation:
    """In which state is this credential?"""

    credential: str
    path: ClassVar[str] = _MANAGEMENT
    repeatable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.credential)


@dataclass(frozen=True, slots=True)
class ActivateToken:
    """Take this credential into use in our account; two codes must be consecutive."""

    credential: str
    code1: Secret | None = None
    code2: Secret | None = None
    path: ClassVar[str] = _MANAGEMENT
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.credential, self.code1, self.code2)


@dataclass(frozen=True, slots=True)
class GetServerTime:
    """What time is it? Asks about nobody, and is answered only to whom the service knows."""

    path: ClassVar[str] = _MANAGEMENT
    repeatable: ClassVar[bool] = True


Request = (
    Validate | ValidateMultiple | CheckOTP | Synchronize | SendOTP | GetTokenInformation | ActivateToken | GetServerTime
)


def build(request: Request, request_id: str) -> bytes:
    """The request as the octets of a SOAP 1.1 envelope, valid against the service's schema.

    Args:
        request: what is asked.
        request_id: 4 to 40 of `[0-9A-Za-z_]`, unpredictable and new for each request.

    Raises:
        ValueError: the request id has another form.
    """
    attributes = {"Version": VERSION, "Id": checked_id(request_id)}
    return envelope(VIP, type(request).__name__, attributes, _children(request))


def _children(request: Request) -> list[Child]:
    """The operation's children in the schema's order, which the service insists on."""
    match request:
        case Validate(text, code):
            return [_token("TokenId", text), ("OTP", code.text)]
        case ValidateMultiple(texts, code):
            ids = [_token("TokenIds", text) for text in texts]
            return [*ids, ("OTP", code.text), ("SendSuccessfulTokenId", "true")]
        case CheckOTP(text, code1, code2) | Synchronize(text, code1, code2) | ActivateToken(text, code1, code2):
            codes = (("OTP1", code1), ("OTP2", code2))
            return [_token("TokenId", text), *((name, code.text) for name, code in codes if code is not None)]
        case SendOTP(text) | GetTokenInformation(text):
            return [_token("TokenId", text)]
        case GetServerTime():
            return []


def _token(name: str, text: str) -> Child:
    meant = credential(text)
    if meant.kind is CredentialKind.STANDARD:
        return (name, meant.id)
    return (name, meant.id, {"type": _TYPES[meant.kind]})


def _check(text: str, *codes: Secret | None) -> None:
    check([text], *(code for code in codes if code is not None))
    if credential(text).kind is CredentialKind.USER:
        raise Fault(
            f"{text} is a VIP user, whom the VIP Authentication Service does not know",
            remedy="set [vip] dialect = user-services, or assign the ids of credentials",
        )
