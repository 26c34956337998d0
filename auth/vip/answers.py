"""What the VIP Authentication Service answers: octets from outside become one closed value, or are refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from auth.vip.faults import VipAnswerRefused
from auth.vip.messages import SOAP, VIP, ActivateToken, GetTokenInformation, Request, Validate, ValidateMultiple
from auth.vip.reasons import Kind, look_up

_REASON_CODE = re.compile(r"(?:[0-9A-Fa-f]{2}){1,8}")
_SOAP_FAULTS = frozenset({"Client", "Server", "VersionMismatch", "MustUnderstand"})
_LONGEST_TEXT = 200
_XML_SPACE = " \t\r\n"


class TokenStatus(StrEnum):
    """The states of a credential, as TokenStatusType of the service's schema lists them."""

    NEW = "NEW"
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    LOCKED = "LOCKED"
    INACTIVE = "INACTIVE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class TokenInformation:
    """What VIP tells about a credential.

    Attributes:
        credential: its id, as we asked for it.
        status: its state.
        adapter: how it makes its codes, e.g. `OATH_TIME`.
        expires: when it ends, in UTC.
    """

    credential: str
    status: TokenStatus
    adapter: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Response:
    """What VIP answered to our request.

    Attributes:
        reason_code: as `auth.vip.reasons.VipReason.code`, hexBinary in upper case.
        message: the service's own words, one printable line of at most 200 characters; for people only.
        credential: the credential whose code it was, one of those that we asked about; None without success,
            and where the service does not say.
        information: the answer to GetTokenInformation; None without success.
    """

    reason_code: str
    message: str = ""
    credential: str | None = None
    information: TokenInformation | None = None


def parse(body: bytes, expecting: Request, request_id: str) -> Response:
    """The answer in these octets, when it is the answer to this request.

    Elements are known by namespace and name, never by prefix. RequestId must be ours. Only an ErrorResponse
    may lack it: the service may not have been able to read it, and an ErrorResponse never says yes.

    Args:
        body: the body of the HTTP response; the caller bounds its length.
        expecting: the request that was sent.
        request_id: the id that was sent with it.

    Raises:
        VipAnswerRefused: it is neither the operation's response nor an ErrorResponse nor a SOAP 1.1 Fault.
    """
    answer = _only_child(_one(_document(body), f"{{{SOAP}}}Body"))
    if answer.tag == f"{{{SOAP}}}Fault":
        return _soap_fault(answer)
    error = answer.tag == f"{{{VIP}}}ErrorResponse"
    if not error and answer.tag != f"{{{VIP}}}{type(expecting).__name__}Response":
        raise _refused("it is the answer to another operation, or none")
    echoed = answer.get("RequestId")
    if echoed != request_id and not (error and echoed is None):
        raise _refused("its RequestId is not ours")
    status = _one(answer, f"{{{VIP}}}Status")
    reason_code = _text(_one(status, f"{{{VIP}}}ReasonCode"))
    if not _REASON_CODE.fullmatch(reason_code):
        raise _refused("its reason code is no hexBinary")
    words = (_at_most_one(status, f"{{{VIP}}}{name}") for name in ("StatusMessage", "ErrorDetail"))
    message = _line(": ".join(text for word in words if word is not None and (text := _text(word))))
    if look_up(reason_code).kind is not Kind.SUCCESS:
        return Response(reason_code.upper(), message)
    if error:
        raise _refused("an ErrorResponse cannot mean success")
    return _success(answer, expecting, reason_code, message)


def _success(answer: Element, expecting: Request, reason_code: str, message: str) -> Response:
    match expecting:
        case Validate(credential) | ActivateToken(credential):
            return Response(reason_code, message, credential)
        case ValidateMultiple(credentials):
            which = _at_most_one(answer, f"{{{VIP}}}SuccessfulTokenId")
            return Response(reason_code, message, None if which is None else _one_of(credentials, _text(which)))
        case GetTokenInformation(credential):
            information = _information(_one(answer, f"{{{VIP}}}TokenInformation"), credential)
            return Response(reason_code, message, credential, information)


def _information(element: Element, credential: str) -> TokenInformation:
    def text(name: str) -> str:
        return _text(_one(element, f"{{{VIP}}}{name}"))

    try:
        status = TokenStatus(text("TokenStatus"))
        expires = datetime.fromisoformat(text("ExpirationDate"))
        # a dateTime without a zone is read as UTC, XML Schema part 2 section 3.2.7.3
        expires = expires.replace(tzinfo=expires.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("its TokenInformation has an unknown state or date") from None
    return TokenInformation(
        credential=_one_of([credential], text("TokenId")),
        status=status,
        adapter=_line(text("Adapter")),
        expires=expires,
    )


def _soap_fault(fault: Element) -> Response:
    """A SOAP Fault as a reason; its code is a qualified name, refined by dots (SOAP 1.1 section 4.4.1)."""
    code = _text(_one(fault, "faultcode")).rpartition(":")[2].partition(".")[0]
    words = _at_most_one(fault, "faultstring")
    return Response(f"soap:{code if code in _SOAP_FAULTS else 'Other'}", "" if words is None else _line(_text(words)))


def _document(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise _refused("it is no well-formed XML without a document type") from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise _refused("it is no SOAP 1.1 envelope")
    return root


def _one(parent: Element, tag: str) -> Element:
    child = _at_most_one(parent, tag)
    if child is None:
        raise _refused(f"{tag.rpartition('}')[2]} is missing")
    return child


def _at_most_one(parent: Element, tag: str) -> Element | None:
    children = parent.findall(tag)
    if len(children) > 1:
        raise _refused(f"{tag.rpartition('}')[2]} stands there twice")
    return children[0] if children else None


def _only_child(body: Element) -> Element:
    if len(body) != 1:
        raise _refused("its body does not hold exactly one element")
    return body[0]


def _text(element: Element) -> str:
    if len(element):
        raise _refused("there are elements where text is expected")
    return (element.text or "").strip(_XML_SPACE)


def _one_of(credentials: Sequence[str], named: str) -> str:
    """Our spelling of the credential that the service names."""
    for credential in credentials:
        if credential.casefold() == named.casefold():
            return credential
    raise _refused("it names a credential that was not asked about")


def _line(text: str) -> str:
    """Words from outside, fit for a log line."""
    line = " ".join(text.split())[:_LONGEST_TEXT]
    return "".join(character if character.isprintable() else "?" for character in line)


def _refused(why: str) -> VipAnswerRefused:
    return VipAnswerRefused(
        f"the VIP service's answer is not usable: {why}",
        remedy="check that the URL belongs to the VIP Authentication Service and that nothing stands between",
    )
