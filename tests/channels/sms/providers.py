"""Commercial gateways as strict programs: each takes the one request that its provider documents, no other.

What is asked for is written here on its own, without a look at our presets. Bodies of answers have the documented form.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

PASSWORD = "canary-Secret-7"
SENDER = "Example"
TEXT = '481516 is your code: "äöü€" & more \\ {text}'
TAKEN, NO_NUMBER, BUSY, ELSEWHERE = "+436640000001", "+436640000002", "+436640000003", "+436640000004"
AZURE_KEY = base64.b64encode(b"canary key of 32 octets for HMAC").decode()

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True)
class Provider:
    """One provider.

    Attributes:
        section: what an administrator adds to the preset.
        host: where the request must be sent.
        target: path and query.
        authorised: whether the credentials are right.
        number: the number of a request whose fields and text are as they must be; raises ValueError for another one.
        taken, no_number, busy, elsewhere: answers; the last is a refusal that has nothing to do with the number.
        unauthorised: the answer to wrong credentials.
        message_id: what the text is known by.
    """

    section: dict[str, str]
    host: str
    target: str
    authorised: Callable[[Request], bool]
    number: Callable[[Request], str]
    taken: Answer
    no_number: Answer
    busy: Answer
    elsewhere: Answer
    unauthorised: Answer
    message_id: str | None


@dataclass
class Program:
    """Talks HTTP/1.1 as one provider; remembers how many texts it took, and why it refused what it should not see."""

    provider: Provider
    texts: int = 0
    complaints: list[str] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _read(reader)
            status, body = self._answer(request)
            octets = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(octets)}\r\n\r\n".encode() + octets)
            await writer.drain()

    def _answer(self, request: Request) -> Answer:
        provider = self.provider
        if (request.method, request.target) != ("POST", provider.target):
            return self._refuse(404, f"{request.method} {request.target}")
        if request.headers.get("host") != provider.host:
            return self._refuse(421, request.headers.get("host", "no host"))
        if not provider.authorised(request):
            return provider.unauthorised
        try:
            number = provider.number(request)
        except (ValueError, KeyError, TypeError) as error:
            return self._refuse(400, f"{error!r}: {request.body!r}")
        self.texts += number == TAKEN
        return {
            TAKEN: provider.taken,
            NO_NUMBER: provider.no_number,
            BUSY: provider.busy,
            ELSEWHERE: provider.elsewhere,
        }[number]

    def _refuse(self, status: int, why: str) -> Answer:
        self.complaints.append(why)
        return status, {"refused": True}


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def basic(username: str) -> Callable[[Request], bool]:
    wanted = "Basic " + base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
    return lambda request: request.headers.get("authorization") == wanted


def header(name: str, value: str) -> Callable[[Request], bool]:
    return lambda request: request.headers.get(name) == value


def form(to: str, **others: str) -> Callable[[Request], str]:
    """A form with exactly these fields; `to` is the one with the number."""

    def number(request: Request) -> str:
        _demand(request.media_type == "application/x-www-form-urlencoded", request.media_type)
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        fields = dict(pairs)
        _demand(len(pairs) == len(fields), "a field twice")
        found = fields.pop(to)
        _demand(fields == others, f"{fields}")
        return found

    return number


def document(shape: Any, media_type: str = "application/json", **headers: str) -> Callable[[Request], str]:
    """A JSON document that equals this shape, in which NUMBER stands for the number."""

    def number(request: Request) -> str:
        _demand(request.media_type == media_type, request.media_type)
        for name, value in headers.items():
            _demand(request.headers.get(name.replace("_", "-")) == value, name)
        found: list[str] = []
        _compare(json.loads(request.body), shape, found)
        (only,) = found
        return only

    return number


NUMBER = object()


def _compare(given: Any, shape: Any, found: list[str]) -> None:
    if shape is NUMBER:
        found.append(given)
        return
    _demand(type(given) is type(shape), f"{given!r}")
    if isinstance(shape, dict):
        _demand(given.keys() == shape.keys(), f"{sorted(given)}")
        for key, value in shape.items():
            _compare(given[key], value, found)
    elif isinstance(shape, list):
        _demand(len(given) == len(shape), f"{given!r}")
        for one, other in zip(given, shape, strict=True):
            _compare(one, other, found)
    else:
        _demand(given == shape, f"{given!r}")


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a demand
    if not holds:
        raise ValueError(otherwise)


def with_plus(number: Callable[[Request], str]) -> Callable[[Request], str]:
    """For providers that want the number without its plus."""

    def plain(request: Request) -> str:
        digits = number(request)
        _demand(digits.isdigit(), digits)
        return f"+{digits}"

    return plain


def _aws(request: Request) -> bool:
    """Signature Version 4, computed the long way."""
    stamp = request.headers["x-amz-date"]
    names = "content-type;host;x-amz-date;x-amz-target"
    lines = ["POST", "/", "", *(f"{name}:{request.headers[name]}" for name in names.split(";")), "", names]
    canonical = "\n".join([*lines, hashlib.sha256(request.body).hexdigest()])
    scope = f"{stamp[:8]}/eu-central-1/sms-voice/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + PASSWORD.encode()
    for part in [*scope.split("/"), to_sign]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    wanted = f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return request.headers.get("authorization") == wanted


def _azure(request: Request) -> bool:
    stamp, digest = request.headers["x-ms-date"], request.headers["x-ms-content-sha256"]
    parsedate_to_datetime(stamp)
    said = f"{request.method}\n{request.target}\n{stamp};{request.headers['host']};{digest}"
    mac = hmac.new(base64.b64decode(AZURE_KEY), said.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(mac).decode()
    wanted = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    true_digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    return digest == true_digest and request.headers.get("authorization") == wanted


def _kannel_user(request: Request) -> bool:
    sent = request.headers.get("x-kannel-username"), request.headers.get("x-kannel-password")
    return sent == ("us", PASSWORD)


def _kannel_number(request: Request) -> str:
    _demand(request.headers.get("content-type") == "text/plain; charset=UTF-8", "content type")
    _demand(request.body.decode() == TEXT, "text")
    _demand(request.headers.get("x-kannel-from") == SENDER, "sender")
    _demand(request.headers.get("x-kannel-coding") == "0", "coding")
    return request.headers["x-kannel-to"]


def _vonage(status: str, **more: str) -> Answer:
    return 200, {"message-count": "1", "messages": [{"status": status, **more}]}


def _infobip(group: int, name: str, status: int, title: str) -> Answer:
    said = {"groupId": group, "groupName": name, "id": status, "name": title, "description": "..."}
    return 200, {"bulkId": "b-1", "messages": [{"messageId": "m-100", "status": said, "destination": "4366"}]}


def _azure_result(status: int, *, message: str | None = None) -> Answer:
    good = message is None
    taken = {"messageId": "Outgoing_1"} if good else {"messageId": None, "errorMessage": message}
    return 202, {"value": [{"to": "+4366", "httpStatusCode": status, "successful": good, **taken}]}


def _clicksend(status: str) -> Answer:
    message = {"direction": "out", "to": "+4366", "message_id": "BF7AD270-0DE2", "status": status}
    data = {"total_count": 1, "queued_count": 1, "messages": [message]}
    return 200, {"http_code": 200, "response_code": "SUCCESS", "response_msg": "...", "data": data}


_ELKS_ID = "s70df59406a1b4643b96f3f91e0bfb7b0"
_TWILIO_SID = f"SM{'0123456789abcdef' * 2}"
_BIRD_ID = "e8077d803532c0b5937c639b60216938"

PROVIDERS = {
    "twilio": Provider(
        section={"account": "AC0123", "username": "SK0123", "sender": SENDER},
        host="api.twilio.com",
        target="/2010-04-01/Accounts/AC0123/Messages.json",
        authorised=basic("SK0123"),
        number=form("To", From=SENDER, Body=TEXT),
        taken=(201, {"account_sid": "AC0123", "status": "queued", "error_code": None, "sid": _TWILIO_SID}),
        no_number=(400, {"code": 21211, "message": "...", "more_info": "...", "status": 400}),
        busy=(429, {"code": 20429, "message": "...", "more_info": "...", "status": 429}),
        elsewhere=(400, {"code": 21408, "message": "...", "more_info": "...", "status": 400}),
        unauthorised=(401, {"code": 20003, "message": "...", "more_info": "...", "status": 401}),
        message_id=_TWILIO_SID,
    ),
    "vonage": Provider(
        section={"username": "abcd1234", "sender": SENDER},
        host="rest.nexmo.com",
        target="/sms/json",
        authorised=lambda request: dict(parse_qsl(request.body.decode())).get("api_secret") == PASSWORD,
        number=with_plus(
            form("to", **{"from": SENDER}, api_key="abcd1234", api_secret=PASSWORD, text=TEXT, type="text")
        ),
        taken=_vonage("0", **{"to": "4366", "message-id": "0A0000000123ABCD1", "network": "23201"}),
        no_number=_vonage("7", **{"error-text": "..."}),
        busy=_vonage("1", **{"error-text": "..."}),
        elsewhere=_vonage("9", **{"error-text": "..."}),
        unauthorised=_vonage("4", **{"error-text": "..."}),
        message_id="0A0000000123ABCD1",
    ),
    "sinch": Provider(
        section={"region": "eu", "account": "plan-1", "sender": SENDER},
        host="eu.sms.api.sinch.com",
        target="/xms/v1/plan-1/batches",
        authorised=header("authorization", f"Bearer {PASSWORD}"),
        number=document({"from": SENDER, "to": [NUMBER], "body": TEXT}),
        taken=(201, {"id": "01FC66621XXXXX119Z8PMV1QPQ", "to": ["4366"], "from": SENDER, "canceled": False}),
        no_number=(403, {"code": "illegal_number_type", "text": "..."}),
        busy=(429, {"code": "too_many_requests", "text": "..."}),
        elsewhere=(403, {"code": "blocked_account", "text": "..."}),
        unauthorised=(401, ""),
        message_id="01FC66621XXXXX119Z8PMV1QPQ",
    ),
    "infobip": Provider(
        section={"host": "xyz123.api.infobip.com", "sender": SENDER},
        host="xyz123.api.infobip.com",
        target="/sms/3/messages",
        authorised=header("authorization", f"App {PASSWORD}"),
        number=with_plus(
            document(
                {"messages": [{"sender": SENDER, "destinations": [{"to": NUMBER}], "content": {"text": TEXT}}]},
                accept="application/json",
            )
        ),
        taken=_infobip(1, "PENDING", 26, "PENDING_ACCEPTED"),
        no_number=_infobip(5, "REJECTED", 52, "REJECTED_DESTINATION"),
        busy=_infobip(5, "REJECTED", 20, "REJECTED_FLOODING_FILTER"),
        elsewhere=_infobip(5, "REJECTED", 12, "REJECTED_NOT_ENOUGH_CREDITS"),
        unauthorised=(401, {"errorCode": "E401", "description": "...", "action": "...", "violations": []}),
        message_id="m-100",
    ),
    "messagebird": Provider(
        section={"sender": SENDER},
        host="rest.messagebird.com",
        target="/messages",
        authorised=header("authorization", f"AccessKey {PASSWORD}"),
        number=with_plus(form("recipients", originator=SENDER, body=TEXT, datacoding="auto")),
        taken=(
            201,
            {
                "id": _BIRD_ID,
                "direction": "mt",
                "reference": None,
                "recipients": {"totalCount": 1, "items": [{"recipient": 4366, "status": "sent"}]},
            },
        ),
        no_number=(422, {"errors": [{"code": 9, "description": "...", "parameter": "recipients"}]}),
        busy=(429, {"errors": [{"code": 101, "description": "...", "parameter": None}]}),
        elsewhere=(422, {"errors": [{"code": 9, "description": "...", "parameter": "originator"}]}),
        unauthorised=(401, {"errors": [{"code": 2, "description": "...", "parameter": "access_key"}]}),
        message_id=_BIRD_ID,
    ),
    "aws": Provider(
        section={"region": "eu-central-1", "username": "AKIDEXAMPLE", "sender": SENDER},
        host="sms-voice.eu-central-1.amazonaws.com",
        target="/",
        authorised=_aws,
        number=document(
            {
                "DestinationPhoneNumber": NUMBER,
                "OriginationIdentity": SENDER,
                "MessageBody": TEXT,
                "MessageType": "TRANSACTIONAL",
            },
            "application/x-amz-json-1.0",
            x_amz_target="PinpointSMSVoiceV2.SendTextMessage",
        ),
        taken=(200, {"MessageId": "a1b2-c3"}),
        no_number=(
            400,
            {"__type": "ConflictException", "Message": "...", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
        ),
        busy=(400, {"__type": "com.amazon.coral.service#ThrottlingException", "Message": "..."}),
        elsewhere=(402, {"__type": "ServiceQuotaExceededException", "Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}),
        unauthorised=(403, {"__type": "InvalidSignatureException", "Message": "..."}),
        message_id="a1b2-c3",
    ),
    "azure": Provider(
        section={"host": "contoso.communication.azure.com", "sender": SENDER, "password": AZURE_KEY},
        host="contoso.communication.azure.com",
        target="/sms?api-version=2021-03-07",
        authorised=_azure,
        number=document({"from": SENDER, "smsRecipients": [{"to": NUMBER}], "message": TEXT}),
        taken=_azure_result(202),
        no_number=_azure_result(400, message="Invalid To phone number format."),
        busy=_azure_result(429, message="..."),
        elsewhere=_azure_result(401, message="..."),
        unauthorised=(401, {"error": {"code": "Denied", "message": "..."}}),
        message_id="Outgoing_1",
    ),
    "clicksend": Provider(
        section={"username": "us", "sender": SENDER},
        host="rest.clicksend.com",
        target="/v3/sms/send",
        authorised=basic("us"),
        number=document({"messages": [{"source": "dirfactor", "from": SENDER, "to": NUMBER, "body": TEXT}]}),
        taken=_clicksend("SUCCESS"),
        no_number=_clicksend("INVALID_RECIPIENT"),
        busy=_clicksend("THROTTLED"),
        elsewhere=_clicksend("INSUFFICIENT_CREDIT"),
        unauthorised=(401, {"http_code": 401, "response_code": "UNAUTHORIZED", "response_msg": "...", "data": None}),
        message_id="BF7AD270-0DE2",
    ),
    "46elks": Provider(
        section={"username": "us", "sender": SENDER},
        host="api.46elks.com",
        target="/a1/sms",
        authorised=basic("us"),
        number=form("to", **{"from": SENDER}, message=TEXT, dontlog="message"),
        taken=(200, {"status": "created", "direction": "outgoing", "parts": 1, "cost": 3500, "id": _ELKS_ID}),
        no_number=(400, "Invalid to number"),
        busy=(429, "Too many requests"),
        elsewhere=(403, "Not enough credits"),
        unauthorised=(401, "API access requires Basic HTTP authentication"),
        message_id=_ELKS_ID,
    ),
    "kannel": Provider(
        section={"url": "https://sms.example.test:13013/cgi-bin/sendsms", "username": "us", "sender": SENDER},
        host="sms.example.test:13013",
        target="/cgi-bin/sendsms",
        authorised=_kannel_user,
        number=_kannel_number,
        taken=(202, "0: Accepted for delivery"),
        no_number=(400, "Missing receiver number, rejected"),
        busy=(202, "3: Queued for later delivery"),
        elsewhere=(403, "Denied"),
        unauthorised=(403, "Authorization failed for sendsms"),
        message_id=None,
    ),
}
