"""The VIP Authentication Service as the simulator reads and writes it: shapes in, decisions, answers out."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import MappingProxyType
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from auth.demo.vip.credentials import LIFE, Credential
from auth.demo.vip.registry import Registry, Result
from auth.demo.vip.wire import (
    BOOLEAN,
    CODE,
    MESSAGES,
    TRUE,
    ErrorAnswer,
    FaultAnswer,
    Part,
    Question,
    envelope,
    texts,
    values,
)
from schema.secret import Secret

NAMESPACE = "https://schemas.vip.symantec.com/2006/08/vipservice"
_VERSIONS = re.compile(r"3\.\d{0,9}")
_LONGEST_ID = 40
_TOKEN_TYPES = frozenset({"SMS", "Voice", "Service"})
_ANY_ID = re.compile(r"[^\x00-\x1f]{1,40}")

_ACCOUNT = Part("AuthorizerAccountId", re.compile(r"[a-zA-Z0-9]{1,32}"), 0)
_TOKEN = Part("TokenId", _ANY_ID, types=_TOKEN_TYPES)
_OTP1, _OTP2 = Part("OTP1", CODE), Part("OTP2", CODE)
_SMS = Part(
    "SMSDeliveryInfo",
    (Part("SMSFrom", re.compile(r"[0-9]{3,20}"), 0), Part("Message", re.compile(r".*"), 0)),
    0,
)
_MANAGEMENT, _VALIDATION = "/mgmt/soap", "/val/soap"
# operation -> path, and its children in the order of the schema
_OPERATIONS = MappingProxyType(
    {
        "Validate": (_VALIDATION, (_ACCOUNT, _TOKEN, Part("OTP", CODE))),
        "ValidateMultiple": (
            _VALIDATION,
            (
                _ACCOUNT,
                Part("TokenIds", _ANY_ID, 2, 5, types=_TOKEN_TYPES),
                Part("OTP", CODE),
                Part("SendSuccessfulTokenId", BOOLEAN, 0),
            ),
        ),
        "CheckOTP": (
            _VALIDATION,
            (_ACCOUNT, _TOKEN, _OTP1, Part("OTP2", CODE, 0), Part("acceptTemporaryPassword", BOOLEAN, 0)),
        ),
        "Synchronize": (_VALIDATION, (_ACCOUNT, _TOKEN, _OTP1, _OTP2)),
        "GetTokenInformation": (_MANAGEMENT, (_ACCOUNT, _TOKEN)),
        "ActivateToken": (_MANAGEMENT, (_ACCOUNT, _TOKEN, Part("OTP1", CODE, 0), Part("OTP2", CODE, 0))),
        "SendOTP": (_MANAGEMENT, (_ACCOUNT, _TOKEN, _SMS)),
        "GetServerTime": (_MANAGEMENT, ()),
    }
)
PATHS = frozenset(path for path, _ in _OPERATIONS.values())


def read(path: str, request: Element) -> Question | ErrorAnswer | FaultAnswer:
    """What a client posted to this path."""
    namespace, _, operation = request.tag.rpartition("}")
    if namespace != "{" + NAMESPACE or operation not in _OPERATIONS or _OPERATIONS[operation][0] != path:
        return FaultAnswer("Client", "there is no such operation here")
    request_id = request.get("Id")
    if not _VERSIONS.fullmatch(request.get("Version", "")):
        return ErrorAnswer("4e04", request_id)
    if request_id is not None and len(request_id) > _LONGEST_ID:
        return ErrorAnswer("4E02", None)
    found = values(request, NAMESPACE, _OPERATIONS[operation][1])
    if found is None or set(request.attrib) - {"Version", "Id"}:
        return ErrorAnswer("4E02", request_id)
    if "AuthorizerAccountId" in found:  # there is one account here, and it acts for nobody else
        return ErrorAnswer("4E03", request_id)
    tokens = [*found.get("TokenId", []), *found.get("TokenIds", [])]
    return Question(
        operation=operation,
        version=request.get("Version", ""),
        request_id=request_id,
        credentials=tuple((token.text, token.type) for token in tokens),
        codes=tuple(map(Secret, texts(found, "OTP", "OTP1", "OTP2"))),
        named=bool(TRUE & set(texts(found, "SendSuccessfulTokenId"))),
    )


def decide(registry: Registry, question: Question, now: datetime, below: Callable[[int], int]) -> Result:
    """What becomes of the question."""
    asked, codes = question.credentials, question.codes
    match question.operation:
        case "Validate" | "ValidateMultiple":
            return registry.validate(asked, codes[0], now)
        case "CheckOTP":
            return registry.check(asked[0], codes, now)
        case "Synchronize":
            return registry.synchronise(asked[0], codes, now)
        case "GetTokenInformation":
            return registry.describe(asked[0])
        case "ActivateToken":
            return registry.activate(asked[0], codes, now)
        case "SendOTP":
            return registry.send(asked[0], now, below)
        case _:
            return Result("0000")


def write(question: Question, result: Result, now: datetime) -> bytes:
    """The answer to a question."""
    content = _status(result.code)
    succeeded = result.code == "0000"
    match question.operation:
        case "ValidateMultiple" if question.named and result.credential is not None:
            content += f"<SuccessfulTokenId>{escape(result.credential.id)}</SuccessfulTokenId>"
        case "GetTokenInformation" if result.credential is not None:
            content += _information(result.credential, now)
        case "ActivateToken" if succeeded:
            content += f"<SameInitialState>{str(result.unchanged).lower()}</SameInitialState>"
        case "SendOTP" if result.texted is not None:
            content += f"<OTP>{result.texted.text}</OTP>"
        case "GetServerTime" if succeeded:
            content += f"<Timestamp>{now:%Y-%m-%dT%H:%M:%SZ}</Timestamp>"
    return envelope(_element(f"{question.operation}Response", question.version, question.request_id, content))


def write_error(error: ErrorAnswer) -> bytes:
    """An ErrorResponse."""
    return envelope(_element("ErrorResponse", "3.1", error.request_id, _status(error.code)))


def _element(name: str, version: str, request_id: str | None, content: str) -> str:
    echo = "" if request_id is None else f" RequestId={quoteattr(request_id)}"
    return f'<{name}{echo} Version={quoteattr(version)} xmlns="{NAMESPACE}">{content}</{name}>'


def _status(code: str) -> str:
    message = MESSAGES.get(code, "Failed")
    detail = "<ErrorDetail>Credential ID not found</ErrorDetail>" if code == "4E03" else ""
    return f"<Status><ReasonCode>{code}</ReasonCode><StatusMessage>{message}</StatusMessage>{detail}</Status>"


def _information(credential: Credential, now: datetime) -> str:
    ends, changed = credential.expires or now + LIFE, now - timedelta(days=100)
    type_ = f" type={quoteattr(credential.type)}" if credential.type else ""
    adapter = f"{credential.type.upper()}_OTP" if credential.type else "OATH_TIME"
    return (
        f"<TokenInformation><TokenId{type_}>{escape(credential.id)}</TokenId><TokenKind>SOFTWARE</TokenKind>"
        f"<Adapter>{adapter}</Adapter><TokenStatus>{credential.status}</TokenStatus>"
        f"<ExpirationDate>{ends:%Y-%m-%dT%H:%M:%SZ}</ExpirationDate>"
        f"<LastUpdate>{changed:%Y-%m-%dT%H:%M:%SZ}</LastUpdate><Owner>true</Owner></TokenInformation>"
    )
