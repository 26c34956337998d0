"""The VIP simulator's reading of the wire: octets become a question or a refusal, results become octets."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape, quoteattr

from auth.demo.vip_credentials import Credential, Result
from schema.secret import Secret

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_VIP = "https://schemas.vip.symantec.com/2006/08/vipservice"
_VERSIONS = re.compile(r"3\.\d{0,9}")
_CODE = re.compile(r"[a-zA-Z0-9]{6,10}")
_ACCOUNT = re.compile(r"[a-zA-Z0-9]{1,32}")
_BOOLEANS = MappingProxyType({"true": True, "1": True, "false": False, "0": False})
_LONGEST_ID = 40

_ACCOUNT_ID = ("AuthorizerAccountId", 0, 1)
_TOKEN_ID = ("TokenId", 1, 1)
# operation -> path, and (child, fewest, most) in the order of the schema
_OPERATIONS = MappingProxyType(
    {
        "Validate": ("/val/soap", (_ACCOUNT_ID, _TOKEN_ID, ("OTP", 1, 1))),
        "ValidateMultiple": (
            "/val/soap",
            (_ACCOUNT_ID, ("TokenIds", 2, 5), ("OTP", 1, 1), ("SendSuccessfulTokenId", 0, 1)),
        ),
        "GetTokenInformation": ("/mgmt/soap", (_ACCOUNT_ID, _TOKEN_ID)),
        "ActivateToken": ("/mgmt/soap", (_ACCOUNT_ID, _TOKEN_ID, ("OTP1", 0, 1), ("OTP2", 0, 1))),
    }
)
PATHS = frozenset(path for path, _ in _OPERATIONS.values())

_MESSAGES = MappingProxyType(
    {
        "0000": "Success",
        "4879": "The service is temporarily unavailable",
        "4923": "The code is outside the look-ahead window",
        "4993": "Operation not allowed on a disabled token",
        "4994": "Operation not allowed on a locked token",
        "49B5": "Failed with an invalid OTP",
        "4E02": "Malformed request",
        "4E03": "Authorization failed",
        "4e04": "Unsupported service protocol version",
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """A request that has the form that the service asks for.

    Attributes:
        operation: its name.
        version: the protocol version, sent back as it came.
        request_id: the Id to send back; None when there was none.
        credentials: the ids asked about.
        codes: the codes, in order.
        name_credential: whether the answer shall name the credential that matched.
    """

    operation: str
    version: str
    request_id: str | None
    credentials: tuple[str, ...]
    codes: tuple[Secret, ...]
    name_credential: bool


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A request that is refused with an ErrorResponse."""

    code: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """A request that is no request: answered with a SOAP Fault and HTTP status 500."""

    code: str
    text: str


def read(path: str, octets: bytes) -> Question | ErrorAnswer | FaultAnswer:
    """What a client posted to this path."""
    try:
        text = octets.decode()
        if "<!DOCTYPE" in text:
            return FaultAnswer("Client", "a document type is not allowed")
        # no document type, so no entity: what makes foreign XML dangerous is gone
        envelope = fromstring(text)  # noqa: S314
    except (UnicodeDecodeError, ParseError):
        return FaultAnswer("Client", "the request is no well-formed XML in UTF-8")
    if envelope.tag != f"{{{_SOAP}}}Envelope":
        return FaultAnswer("VersionMismatch", "the request is no SOAP 1.1 envelope")
    parts = [part for part in envelope if part.tag != f"{{{_SOAP}}}Header"]
    if len(parts) != 1 or parts[0].tag != f"{{{_SOAP}}}Body" or len(parts[0]) != 1:
        return FaultAnswer("Client", "the envelope holds no single request")
    request = parts[0][0]
    namespace, _, operation = request.tag.rpartition("}")
    if namespace != "{" + _VIP or operation not in _OPERATIONS or _OPERATIONS[operation][0] != path:
        return FaultAnswer("Client", "there is no such operation here")
    return _question(operation, request)


def _question(operation: str, request: Element) -> Question | ErrorAnswer:
    request_id = request.get("Id")
    if not _VERSIONS.fullmatch(request.get("Version", "")):
        return ErrorAnswer("4e04", request_id)
    if request_id is not None and len(request_id) > _LONGEST_ID:
        return ErrorAnswer("4E02", None)
    values = _values(request, _OPERATIONS[operation][1])
    if values is None:
        return ErrorAnswer("4E02", request_id)
    if "AuthorizerAccountId" in values:  # there is one account here, and it acts for nobody else
        return ErrorAnswer("4E03", request_id)
    return Question(
        operation=operation,
        version=request.get("Version", ""),
        request_id=request_id,
        credentials=tuple(values.get("TokenId", values.get("TokenIds", []))),
        codes=tuple(Secret(text) for name in ("OTP", "OTP1", "OTP2") for text in values.get(name, [])),
        name_credential=_BOOLEANS[values.get("SendSuccessfulTokenId", ["false"])[0]],
    )


def _values(request: Element, shape: tuple[tuple[str, int, int], ...]) -> dict[str, list[str]] | None:
    """The children's texts by name, when they are those of the shape and in its order; else None."""
    rest = list(request)
    plain = not (set(request.attrib) - {"Version", "Id"}) and not (request.text or "").strip()
    if not plain or not all(map(_sound, rest)):
        return None
    values: dict[str, list[str]] = {}
    for name, fewest, most in shape:
        count = 0
        while count < most and rest and rest[0].tag == f"{{{_VIP}}}{name}":
            values.setdefault(name, []).append((rest.pop(0).text or "").strip())
            count += 1
        if count < fewest:
            return None
    return None if rest else values


def _sound(child: Element) -> bool:
    text = (child.text or "").strip()
    match child.tag.rpartition("}")[2]:
        case "OTP" | "OTP1" | "OTP2":
            good = _CODE.fullmatch(text) is not None
        case "AuthorizerAccountId":
            good = _ACCOUNT.fullmatch(text) is not None
        case "SendSuccessfulTokenId":
            good = text in _BOOLEANS
        case _:
            good = 0 < len(text.encode()) <= _LONGEST_ID
    # a `type` of SMS or Voice is another sort of credential, which this service does not keep
    return good and not len(child) and not child.attrib and not (child.tail or "").strip()


def write(question: Question, result: Result, now: datetime) -> bytes:
    """The answer to a question."""
    content = _status(result.code)
    if result.credential is not None:
        match question.operation:
            case "ValidateMultiple" if question.name_credential:
                content += f"<SuccessfulTokenId>{escape(result.credential.id)}</SuccessfulTokenId>"
            case "GetTokenInformation":
                content += _information(result.credential, now)
            case "ActivateToken":
                content += f"<SameInitialState>{str(result.unchanged).lower()}</SameInitialState>"
    return _envelope(_element(f"{question.operation}Response", question.version, question.request_id, content))


def write_error(error: ErrorAnswer) -> bytes:
    """An ErrorResponse."""
    return _envelope(_element("ErrorResponse", "3.1", error.request_id, _status(error.code)))


def write_fault(fault: FaultAnswer) -> bytes:
    """A SOAP 1.1 Fault (section 4.4); its children stand in no namespace."""
    code, text = f"s:{fault.code}", escape(fault.text)
    inside = f'<faultcode xmlns="">{code}</faultcode><faultstring xmlns="">{text}</faultstring>'
    return _envelope(f'<s:Fault xmlns:s="{_SOAP}">{inside}</s:Fault>')


def _element(name: str, version: str, request_id: str | None, content: str) -> str:
    echo = "" if request_id is None else f" RequestId={quoteattr(request_id)}"
    return f'<{name}{echo} Version={quoteattr(version)} xmlns="{_VIP}">{content}</{name}>'


def _envelope(content: str) -> bytes:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{declaration}<Envelope xmlns="{_SOAP}"><Body>{content}</Body></Envelope>'.encode()


def _status(code: str) -> str:
    message = _MESSAGES.get(code, "Failed")
    return f"<Status><ReasonCode>{code}</ReasonCode><StatusMessage>{message}</StatusMessage></Status>"


def _information(credential: Credential, now: datetime) -> str:
    ends, changed = now + timedelta(days=1000), now - timedelta(days=100)
    return (
        f"<TokenInformation><TokenId>{escape(credential.id)}</TokenId><TokenKind>SOFTWARE</TokenKind>"
        f"<Adapter>OATH_TIME</Adapter><TokenStatus>{credential.status}</TokenStatus>"
        f"<ExpirationDate>{ends:%Y-%m-%dT%H:%M:%SZ}</ExpirationDate>"
        f"<LastUpdate>{changed:%Y-%m-%dT%H:%M:%SZ}</LastUpdate><Owner>true</Owner></TokenInformation>"
    )
