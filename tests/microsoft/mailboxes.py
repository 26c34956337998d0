"""The double's Graph: user: sendMail as its reference describes it, and what the real one refuses."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_PATH = re.compile(r"/v1\.0/users/([^/?]+)/sendMail")
_MOST_HEADERS = 5
# Recipients at whom Graph goes wrong.
THROTTLED, BUSY, INVALID, DENIED, TIMED_OUT, BROKEN = (
    f"{name}@example.test" for name in ("throttled", "busy", "invalid", "denied", "timed-out", "broken")
)
_ANSWERS = {
    THROTTLED: (429, "ApplicationThrottled", {"Retry-After": "7"}),
    BUSY: (503, "ServiceUnavailable", {}),
    INVALID: (400, "ErrorInvalidRecipients", {}),
    DENIED: (403, "ErrorAccessDenied", {}),
    TIMED_OUT: (504, "UnknownError", {}),
    BROKEN: (500, "ErrorInternalServerError", {}),
}


class Malformed(Exception):
    """The request is none that sendMail takes."""


@dataclass
class Reply:
    """Status, error code of a refusal, further headers."""

    status: int
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if not self.code:
            return b""
        return json.dumps({"error": {"code": self.code, "message": "refused", "innerError": {}}}).encode()


def mailbox_of(path: str) -> str | None:
    """Whose sendMail a path is."""
    found = _PATH.fullmatch(path)
    return unquote(found[1]) if found else None


def send(body: bytes) -> tuple[Reply, dict]:
    """What becomes of a request, and the message in it."""
    try:
        message = _read(body)
    except Malformed as error:
        return Reply(400, str(error)), {}
    to = message["toRecipients"][0]["emailAddress"]["address"]
    return (Reply(*_ANSWERS[to]), {}) if to in _ANSWERS else (Reply(202), message)


def _read(body: bytes) -> dict:
    try:
        request = json.loads(body)
    except ValueError:
        raise Malformed("BadRequest") from None
    _shape(request, {"message": dict}, {"saveToSentItems": bool})
    message = request["message"]
    _shape(
        message,
        {"subject": str, "body": dict, "toRecipients": list},
        {"internetMessageHeaders": list, "replyTo": list, "ccRecipients": list, "bccRecipients": list},
    )
    _shape(message["body"], {"contentType": str, "content": str}, {})
    if message["body"]["contentType"].lower() not in ("text", "html"):
        raise Malformed("RequestBodyRead")
    for recipient in [each for key in ("toRecipients", "replyTo") for each in message.get(key, ())]:
        _shape(recipient, {"emailAddress": dict}, {})
        _shape(recipient["emailAddress"], {"address": str}, {"name": str})
        if not _ADDRESS.fullmatch(recipient["emailAddress"]["address"]):
            raise Malformed("ErrorInvalidRecipients")
    if not message["toRecipients"]:
        raise Malformed("ErrorInvalidRecipients")
    headers = message.get("internetMessageHeaders", [])
    for header in headers:
        _shape(header, {"name": str, "value": str}, {})
        if not re.fullmatch(r"[xX]-[!-9;-~]+", header["name"]) or len(headers) > _MOST_HEADERS:
            raise Malformed("InvalidInternetMessageHeader")
    return message


def _shape(value: object, must: dict[str, type], may: dict[str, type]) -> None:
    """Raises Malformed: an OData reader knows every property and its type, and refuses others."""
    kinds = must | may
    if not isinstance(value, dict) or not must.keys() <= value.keys() <= kinds.keys():
        raise Malformed("RequestBodyRead")
    if any(not isinstance(each, kinds[key]) for key, each in value.items()):
        raise Malformed("RequestBodyRead")
