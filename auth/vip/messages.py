"""What we ask the VIP Authentication Service, as values and as SOAP 1.1 envelopes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree.ElementTree import Element, SubElement, tostring

from schema.errors import Fault
from schema.secret import Secret

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
VIP = "https://schemas.vip.symantec.com/2006/08/vipservice"
VERSION = "3.1"
MOST_CREDENTIALS = 5

_CREDENTIAL = re.compile(r"[!-~]{1,40}")
_CODE = re.compile(r"[a-zA-Z0-9]{6,10}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z_]{1,40}")


def is_code(code: Secret) -> bool:
    """Whether VIP would take this for a code at all (OTPType of its schema: 6 to 10 letters and digits)."""
    return _CODE.fullmatch(code.text) is not None


def _check(credentials: Sequence[str], *codes: Secret) -> None:
    for credential in credentials:
        if not _CREDENTIAL.fullmatch(credential):
            raise Fault(
                f"{credential!r} is not a VIP credential id",
                remedy="give 1 to 40 printable ASCII characters without spaces, as VIP Access shows the id",
            )
    if not all(map(is_code, codes)):
        raise Fault("a VIP code has 6 to 10 letters and digits", remedy="type the code as VIP Access shows it")


@dataclass(frozen=True, slots=True)
class Validate:
    """Is this the current code of this credential? Raises Fault for what the service's schema forbids."""

    credential: str
    code: Secret
    path: ClassVar[str] = "/val/soap"

    def __post_init__(self) -> None:
        _check([self.credential], self.code)


@dataclass(frozen=True, slots=True)
class ValidateMultiple:
    """Is this the current code of one of 2 to 5 credentials? A wrong code counts against each at VIP."""

    credentials: tuple[str, ...]
    code: Secret
    path: ClassVar[str] = "/val/soap"

    def __post_init__(self) -> None:
        if not 2 <= len(self.credentials) <= MOST_CREDENTIALS:  # noqa: PLR2004 - minOccurs of the schema
            raise Fault(
                f"{len(self.credentials)} VIP credentials cannot be validated together",
                remedy=f"assign at most {MOST_CREDENTIALS}",
            )
        _check(self.credentials, self.code)


@dataclass(frozen=True, slots=True)
class GetTokenInformation:
    """In which state is this credential?"""

    credential: str
    path: ClassVar[str] = "/mgmt/soap"

    def __post_init__(self) -> None:
        _check([self.credential])


@dataclass(frozen=True, slots=True)
class ActivateToken:
    """Take this credential into use in our account; two codes must be consecutive."""

    credential: str
    code1: Secret
    code2: Secret | None = None
    path: ClassVar[str] = "/mgmt/soap"

    def __post_init__(self) -> None:
        _check([self.credential], self.code1, *([self.code2] if self.code2 is not None else []))


Request = Validate | ValidateMultiple | GetTokenInformation | ActivateToken


def build(request: Request, request_id: str) -> bytes:
    """The request as the octets of a SOAP 1.1 envelope, valid against the service's schema.

    Args:
        request: what is asked.
        request_id: 1 to 40 of `[0-9A-Za-z_]`, unpredictable and new for each request.

    Raises:
        ValueError: the request id has another form.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        msg = "the request id has another form"
        raise ValueError(msg)
    # literal prefixes, because ElementTree would otherwise keep them in a registry of the whole process
    envelope = Element("soapenv:Envelope", {"xmlns:soapenv": SOAP, "xmlns:vip": VIP})
    body = SubElement(envelope, "soapenv:Body")
    operation = SubElement(body, f"vip:{type(request).__name__}", {"Version": VERSION, "Id": request_id})
    for name, text in _children(request):
        SubElement(operation, f"vip:{name}").text = text
    octets: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return octets


def _children(request: Request) -> list[tuple[str, str]]:
    """The operation's children in the schema's order, which the service insists on."""
    match request:
        case Validate(credential, code):
            return [("TokenId", credential), ("OTP", code.text)]
        case ValidateMultiple(credentials, code):
            ids = [("TokenIds", credential) for credential in credentials]
            return [*ids, ("OTP", code.text), ("SendSuccessfulTokenId", "true")]
        case GetTokenInformation(credential):
            return [("TokenId", credential)]
        case ActivateToken(credential, code1, code2):
            second = [("OTP2", code2.text)] if code2 is not None else []
            return [("TokenId", credential), ("OTP1", code1.text), *second]
