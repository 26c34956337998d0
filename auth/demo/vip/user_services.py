"""VIP User Services as the simulator reads and writes them: shapes in, decisions, answers out."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from auth.demo.vip.credentials import Credential
from auth.demo.vip.registry import Registry, Result, User
from auth.demo.vip.wire import (
    BOOLEAN,
    CODE,
    MESSAGES,
    NUMBER,
    TRUE,
    ErrorAnswer,
    FaultAnswer,
    Part,
    Question,
    Value,
    envelope,
    texts,
    values,
)
from schema.secret import Secret

NAMESPACE = "https://schemas.symantec.com/vip/2011/04/vipuserservices"
_REQUEST_ID = re.compile(r"[0-9A-Za-z_]{4,40}")
_TYPES = MappingProxyType({"STANDARD_OTP": "", "SMS_OTP": "SMS", "VOICE_OTP": "Voice"})
_TYPE_WORDS = MappingProxyType({ours: theirs for theirs, ours in _TYPES.items()})

_ID = Part("credentialId", re.compile(r"[0-9A-Za-z,#.*]{4,100}"))
_TYPE = Part("credentialType", re.compile(r"STANDARD_OTP|SMS_OTP|VOICE_OTP|SERVICE_OTP|CERTIFICATE|IA"))
_USER = Part("userId", re.compile(r".{1,128}"))
_CODES = Part("otpAuthData", (Part("otp", CODE), Part("otp2", CODE, 0)))
_PUSH = Part("includePushAttributes", BOOLEAN, 0)
_NUMBER = (Part("phoneNumber", NUMBER),)
_AUTHENTICATION, _MANAGEMENT, _QUERY = (
    f"/vipuserservices/{name}Service_1_7" for name in ("Authentication", "Management", "Query")
)
# operation -> path, and its children in the order of the schema, after requestId and onBehalfOfAccountId
_OPERATIONS = MappingProxyType(
    {
        "AuthenticateCredentials": (
            _AUTHENTICATION,
            (Part("credentials", (_ID, _TYPE), 1, 5), Part("activate", BOOLEAN, 0), _CODES),
        ),
        "AuthenticateUser": (_AUTHENTICATION, (_USER, _CODES)),
        "CheckOtp": (_AUTHENTICATION, (_USER, _CODES)),
        "SendOtp": (
            _MANAGEMENT,
            (_USER, Part("smsDeliveryInfo", _NUMBER, 0), Part("voiceDeliveryInfo", _NUMBER, 0)),
        ),
        "GetUserInfo": (_QUERY, (_USER, Part("iaInfo", BOOLEAN, 0), _PUSH)),
        "GetCredentialInfo": (_QUERY, (_ID, _TYPE, _PUSH)),
        "GetServerTime": (_QUERY, ()),
    }
)
PATHS = frozenset(path for path, _ in _OPERATIONS.values())
# what the registry finds, as status and detail
_STATUSES = MappingProxyType(
    {
        "4879": ("6005", "4879"),
        "4923": ("6009", "4923"),
        "4990": ("6009", "4990"),
        "4993": ("6009", "4993"),
        "4994": ("6009", "4994"),
        "49B5": ("6009", "49B5"),
        "4E03": ("6004", "4E03"),
    }
)


def read(path: str, request: Element) -> Question | ErrorAnswer | FaultAnswer:
    """What a client posted to this path."""
    namespace, _, name = request.tag.rpartition("}")
    operation = name.removesuffix("Request")
    known = name.endswith("Request") and operation in _OPERATIONS and _OPERATIONS[operation][0] == path
    if namespace != "{" + NAMESPACE or not known:
        return FaultAnswer("Client", "there is no such operation here")
    request_id = request.findtext(f"{{{NAMESPACE}}}requestId", "").strip()
    if not _REQUEST_ID.fullmatch(request_id):
        return FaultAnswer("Client", "there is no requestId to answer to")
    shape = (
        Part("requestId", _REQUEST_ID),
        Part("onBehalfOfAccountId", re.compile(r"[0-9A-Za-z]{3,50}"), 0),
        *_OPERATIONS[operation][1],
    )
    found = values(request, NAMESPACE, shape)
    if found is None or request.attrib or {"smsDeliveryInfo", "voiceDeliveryInfo"} <= found.keys():
        return ErrorAnswer("600B", request_id, operation)
    if "onBehalfOfAccountId" in found:  # there is one account here, and it acts for nobody else
        return ErrorAnswer("6001", request_id, operation)
    return _question(operation, request_id, found)


def _question(operation: str, request_id: str, found: Mapping[str, list[Value]]) -> Question | ErrorAnswer:
    definitions = [each.inside for each in found.get("credentials", [])] or ([found] if "credentialId" in found else [])
    pairs = [(texts(each, "credentialId")[0], texts(each, "credentialType")[0]) for each in definitions]
    if not all(type_ in _TYPES for _, type_ in pairs):
        return ErrorAnswer("600A", request_id, operation)
    delivery = [
        (texts(value.inside, "phoneNumber")[0], type_)
        for name, type_ in (("smsDeliveryInfo", "SMS"), ("voiceDeliveryInfo", "Voice"))
        for value in found.get(name, [])
    ]
    return Question(
        operation=operation,
        version="",
        request_id=request_id,
        credentials=tuple((id_, _TYPES[type_]) for id_, type_ in pairs),
        codes=tuple(
            Secret(text) for data in found.get("otpAuthData", []) for text in texts(data.inside, "otp", "otp2")
        ),
        user=next(iter(texts(found, "userId")), ""),
        named=True,
        activate=bool(TRUE & set(texts(found, "activate"))),
        telephone=delivery[0] if delivery else ("", ""),
    )


def decide(registry: Registry, question: Question, now: datetime, below: Callable[[int], int]) -> Result:
    """What becomes of the question."""
    asked, codes = question.credentials, question.codes
    match question.operation:
        case "AuthenticateCredentials" | "AuthenticateUser" if not codes[0].text.isdigit():
            return Result("6009")  # without a detail, as the service answers a code with a letter
        case "AuthenticateCredentials" if question.activate or len(codes) > 1:
            return registry.activate(asked[0], codes, now)
        case "AuthenticateCredentials":
            return registry.validate(asked, codes[0], now)
        case "AuthenticateUser":
            return registry.authenticate_user(question.user, codes[0], now)
        case "CheckOtp":
            return registry.check_user(question.user, codes, now)
        case "SendOtp":
            telephone = registry.telephone_of(question.user, *question.telephone)
            return Result("6008") if telephone is None else registry.send(telephone, now, below)
        case "GetUserInfo":
            return registry.user(question.user)
        case "GetCredentialInfo":
            return registry.describe(asked[0])
        case _:
            return Result("0000")


def write(question: Question, result: Result, now: datetime) -> bytes:
    """The answer to a question."""
    content = ""
    credential = result.credential
    match question.operation:
        case "AuthenticateCredentials" | "AuthenticateUser" | "CheckOtp" if credential is not None:
            content = _identity(credential)
        case "GetCredentialInfo" if credential is not None:
            bound = _user_binding(result.user, now) if result.user is not None else ""
            content = f"{_identity(credential)}<credentialStatus>{credential.status}</credentialStatus>"
            content += f"<numBindings>{1 if bound else 0}</numBindings>{bound}"
        case "GetUserInfo" if result.user is not None:
            content = _user(result.user, result.bound, now)
        case "GetServerTime" if result.code == "0000":
            content = f"<timestamp>{now:%Y-%m-%dT%H:%M:%SZ}</timestamp>"
    return _response(question.operation, question.request_id or "", result.code, content)


def write_error(error: ErrorAnswer) -> bytes:
    """The operation's answer, with a status and nothing else."""
    return _response(error.operation, error.request_id or "", error.code, "")


def _response(operation: str, request_id: str, code: str, content: str) -> bytes:
    status, detail = _STATUSES.get(code, (code, ""))
    said = f"<status>{status}</status><statusMessage>{MESSAGES.get(status, 'Failed')}</statusMessage>"
    if detail:
        said += f"<detail>{detail}</detail><detailMessage>{MESSAGES.get(detail, 'Failed')}</detailMessage>"
    inside = f"<requestId>{request_id}</requestId>{said}{content}"
    return envelope(f'<{operation}Response xmlns="{NAMESPACE}">{inside}</{operation}Response>')


def _identity(credential: Credential) -> str:
    type_ = _TYPE_WORDS[credential.type]
    return f"<credentialId>{escape(credential.id)}</credentialId><credentialType>{type_}</credentialType>"


def _user(user: User, bound: tuple[Credential, ...], now: datetime) -> str:
    created = now - timedelta(days=100)
    bindings = "".join(
        f"<credentialBindingDetail>{_identity(each)}<credentialStatus>{each.status}</credentialStatus>"
        f"{_binding(now)}</credentialBindingDetail>"
        for each in bound
    )
    return (
        f"<userId>{escape(user.id)}</userId><userCreationTime>{created:%Y-%m-%dT%H:%M:%SZ}</userCreationTime>"
        f"<userStatus>{user.status}</userStatus><numBindings>{len(bound)}</numBindings>{bindings}"
    )


def _user_binding(user: User, now: datetime) -> str:
    inside = f"<userId>{escape(user.id)}</userId><userStatus>{user.status}</userStatus>{_binding(now)}"
    return f"<userBindingDetail>{inside}</userBindingDetail>"


def _binding(now: datetime) -> str:
    bound = now - timedelta(days=50)
    inside = f"<bindStatus>ENABLED</bindStatus><lastBindTime>{bound:%Y-%m-%dT%H:%M:%SZ}</lastBindTime>"
    return f"<bindingDetail>{inside}</bindingDetail>"
