"""What we ask VIP User Services, as values and as SOAP 1.1 envelopes. Pure."""

import re
from dataclasses import dataclass
from typing import ClassVar

from auth.vip.credential import MOST_CREDENTIALS, Credential, CredentialKind, check, credential, shown
from auth.vip.soap import Child, checked_id, envelope
from schema.errors import Fault
from schema.secret import Secret

USER_SERVICES = "https://schemas.symantec.com/vip/2011/04/vipuserservices"

_AUTHENTICATION = "/vipuserservices/AuthenticationService_1_7"
_MANAGEMENT = "/vipuserservices/ManagementService_1_7"
_QUERY = "/vipuserservices/QueryService_1_7"
_ID = re.compile(r"[0-9A-Za-z,#.*]{4,100}")
_TYPES = {
    CredentialKind.STANDARD: "STANDARD_OTP",
    CredentialKind.SMS: "SMS_OTP",
    CredentialKind.VOICE: "VOICE_OTP",
}


@dataclass(frozen=True, slots=True)
class AuthenticateCredentials:
    """Is this the current code of one of 1 to 5 credentials? Raises Fault for what the service's schema forbids.

    Attributes:
        credentials: as `auth.vip.credential.Credential.text`.
        code: the code.
        code2: the next one, when there are two.
        activate: take the credential into use when it was not.
    """

    credentials: tuple[str, ...]
    code: Secret
    code2: Secret | None = None
    activate: bool = False
    path: ClassVar[str] = _AUTHENTICATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.credentials) <= MOST_CREDENTIALS:
            raise Fault(
                f"{len(self.credentials)} VIP credentials cannot be validated together",
                remedy=f"assign at most {MOST_CREDENTIALS}",
            )
        check((), *(code for code in (self.code, self.code2) if code is not None))
        for text in self.credentials:
            _known(text)


@dataclass(frozen=True, slots=True)
class AuthenticateUser:
    """Is this the current code of one of the user's credentials, or the user's temporary security code?"""

    user: str
    code: Secret
    path: ClassVar[str] = _AUTHENTICATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check((), self.code)


@dataclass(frozen=True, slots=True)
class CheckOtp:
    """Do these two codes in a row come from one of the user's credentials? Answered for locked ones as well."""

    user: str
    code1: Secret
    code2: Secret
    path: ClassVar[str] = _AUTHENTICATION
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check((), self.code1, self.code2)


@dataclass(frozen=True, slots=True)
class SendOtp:
    """Send a code to this telephone of the user, or to the one that VIP has for the user."""

    user: str
    credential: str | None = None
    path: ClassVar[str] = _MANAGEMENT
    repeatable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.credential is not None and _known(self.credential).kind is CredentialKind.STANDARD:
            raise Fault(f"{self.credential} is no telephone", remedy="name sms:NUMBER or voice:NUMBER")


@dataclass(frozen=True, slots=True)
class GetUserInfo:
    """In which state is this user, and with which credentials?"""

    user: str
    path: ClassVar[str] = _QUERY
    repeatable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class GetCredentialInfo:
    """In which state is this credential, and whose is it?"""

    credential: str
    path: ClassVar[str] = _QUERY
    repeatable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _known(self.credential)


@dataclass(frozen=True, slots=True)
class GetServerTime:
    """What time is it? Asks about nobody, and is answered only to whom the service knows."""

    path: ClassVar[str] = _QUERY
    repeatable: ClassVar[bool] = True


Request = (
    AuthenticateCredentials | AuthenticateUser | CheckOtp | SendOtp | GetUserInfo | GetCredentialInfo | GetServerTime
)


def build(request: Request, request_id: str) -> bytes:
    """The request as the octets of a SOAP 1.1 envelope, valid against the service's schema.

    Args:
        request: what is asked.
        request_id: 4 to 40 of `[0-9A-Za-z_]`, unpredictable and new for each request.

    Raises:
        ValueError: the request id has another form.
    """
    children: list[Child] = [("requestId", checked_id(request_id)), *_children(request)]
    return envelope(USER_SERVICES, f"{type(request).__name__}Request", {}, children)


def _children(request: Request) -> list[Child]:
    """The operation's own children in the schema's order, which the service insists on."""
    match request:
        case AuthenticateCredentials(texts, code, code2, activate):
            asked = [("credentials", _definition(_known(text))) for text in texts]
            wanted: list[Child] = [("activate", "true")] if activate else []
            return [*asked, *wanted, _codes(code, code2)]
        case AuthenticateUser(user, code):
            return [("userId", user), _codes(code, None)]
        case CheckOtp(user, code1, code2):
            return [("userId", user), _codes(code1, code2)]
        case SendOtp(user, text):
            return [("userId", user), *([_delivery(_known(text))] if text is not None else [])]
        case GetUserInfo(user):
            return [("userId", user), ("includePushAttributes", "false")]
        case GetCredentialInfo(text):
            return [*_definition(_known(text)), ("includePushAttributes", "false")]
        case GetServerTime():
            return []


def _definition(meant: Credential) -> list[Child]:
    return [("credentialId", meant.id), ("credentialType", _TYPES[meant.kind])]


def _codes(code1: Secret, code2: Secret | None) -> Child:
    second: list[Child] = [("otp2", code2.text)] if code2 is not None else []
    return ("otpAuthData", [("otp", code1.text), *second])


def _delivery(meant: Credential) -> Child:
    name = "smsDeliveryInfo" if meant.kind is CredentialKind.SMS else "voiceDeliveryInfo"
    return (name, [("phoneNumber", meant.id)])


def _known(text: str) -> Credential:
    """The credential, when User Services can have one of this form."""
    meant = credential(text)
    if meant.kind is CredentialKind.USER:
        raise Fault(
            f"{text} is a VIP user and stands beside credentials",
            remedy="assign either one VIP user or the ids of credentials in dirfactorVipCredential",
        )
    if not _ID.fullmatch(meant.id):
        raise Fault(
            f"{shown(text)!r} is not a credential id of VIP User Services",
            remedy="give 4 or more letters and digits, as VIP Access shows the id",
        )
    return meant
