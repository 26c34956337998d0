"""Texts through an HTTP gateway, described in config.ini: any provider with an HTTP interface, none in code."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import httpx
import msgspec

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.lines import Lines
from schema.errors import Fault
from schema.secret import Secret

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_KNOWN = ("phone", "phone_digits", "text", "sender", "username", "password")
_LARGEST_ANSWER = 64 * 1024
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class BodyKind(StrEnum):
    """How the request's body is written."""

    NONE = "none"
    FORM = "form"
    JSON = "json"
    RAW = "raw"


class SmsGatewaySettings(msgspec.Struct, frozen=True):
    """A [sms:NAME] section: one HTTP request for one text.

    In url, headers, fields and raw body stand {phone} (+436640000001), {phone_digits} (436640000001), {text}, {sender},
    {username} and {password}; each is escaped for where it stands.

    Attributes:
        url: where the request goes; https, or http to this host.
        method: GET or POST.
        username: fills {username}, and is the user of basic authentication.
        password: reference to what fills {password}, and is the password of basic authentication.
        basic_auth: send username and password as basic authentication.
        sender: fills {sender}.
        headers: one `Name: value` a line.
        body: none, form, json or raw.
        fields: of a form or JSON body, one `name = value` a line.
        raw: the body, for body = raw.
        success_status: HTTP statuses of success.
        success_body: regular expression that the answer must contain to be a success.
        failure_body: regular expression that makes the answer a failure whatever its status.
        message_id: regular expression whose first group is the message's id in the answer.
        timeout_seconds: how long the gateway may take.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        on_unknown: stop or failover, when the gateway gave no answer and may have taken the text.
    """

    url: str
    method: str = "POST"
    username: str = ""
    password: Secret | None = None
    basic_auth: bool = False
    sender: str = ""
    headers: Lines = Lines(())
    body: BodyKind = BodyKind.NONE
    fields: Lines = Lines(())
    raw: str = ""
    success_status: tuple[str, ...] = ("200", "201", "202")
    success_body: str = ""
    failure_body: str = ""
    message_id: str = ""
    timeout_seconds: float = 3.0
    ca_file: Path | None = None
    on_unknown: OnUnknown = OnUnknown.STOP


class HttpSmsGateway:
    """`auth.channels.base.Gateway` for phone numbers.

    Raises:
        Fault: the section cannot work: an unknown placeholder, a bad expression, an unprotected URL.
    """

    def __init__(self, name: str, settings: SmsGatewaySettings, client: httpx.AsyncClient) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._client = client
        self._check()
        self._success = re.compile(settings.success_body, re.DOTALL)
        self._failure = re.compile(settings.failure_body, re.DOTALL) if settings.failure_body else None
        self._id = re.compile(settings.message_id) if settings.message_id else None

    async def send(self, to: PhoneNumber, message: Message) -> Receipt:
        """Make the request once; see `Gateway.send`."""
        request = self._request(to, message.text)
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                status, body = await self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.PoolTimeout) as error:
            raise self._failed(f"could not be reached: {_kind(error)}") from None
        except TimeoutError:
            raise self._failed(f"gave no answer in {self._settings.timeout_seconds:g} s", unknown=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._failed(f"gave no usable answer: {_kind(error)}", unknown=True) from None
        return self._read(status, body)

    async def _exchange(self, request: httpx.Request) -> tuple[int, str]:
        answer = await self._client.send(request, stream=True)
        try:
            octets = b""
            async for chunk in answer.aiter_bytes():
                octets += chunk
                if len(octets) > _LARGEST_ANSWER:
                    raise self._failed("answered more than 64 KiB", unknown=True)
        finally:
            await answer.aclose()
        return answer.status_code, octets.decode(errors="replace")

    def _read(self, status: int, body: str) -> Receipt:
        """Success is said by status AND body: several providers answer 200 to a text that they refuse."""
        if str(status) not in self._settings.success_status:
            raise self._failed(f"answered HTTP {status}")
        if self._failure is not None and self._failure.search(body):
            raise self._failed(f"answered HTTP {status} with a body that failure_body matches")
        if not self._success.search(body):
            raise self._failed(f"answered HTTP {status} with a body that success_body does not match")
        found = self._id.search(body) if self._id else None
        return Receipt(self.name, found[1][:100] if found else None)

    def _request(self, to: PhoneNumber, text: str) -> httpx.Request:
        values = {
            "phone": to,
            "phone_digits": to.removeprefix("+"),
            "text": text,
            "sender": self._settings.sender,
            "username": self._settings.username,
            "password": self._settings.password.text if self._settings.password else "",
        }
        headers = dict(_pair(line, ":") for line in self._settings.headers)
        headers = {key: _fill(value, values, _one_line) for key, value in headers.items()}
        if self._settings.basic_auth:
            pair = f"{values['username']}:{values['password']}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        content, content_type = self._content(values)
        if content_type:
            headers.setdefault("Content-Type", content_type)
        url = _fill(self._settings.url, values, _percent)
        return self._client.build_request(self._settings.method, url, headers=headers, content=content)

    def _content(self, values: dict[str, str]) -> tuple[bytes | None, str]:
        pairs = [_pair(line, "=") for line in self._settings.fields]
        match self._settings.body:
            case BodyKind.FORM:
                form = "&".join(f"{quote_plus(key)}={quote_plus(_fill(value, values, str))}" for key, value in pairs)
                return form.encode(), "application/x-www-form-urlencoded"
            case BodyKind.JSON:
                document = {key: _fill(value, values, str) for key, value in pairs}
                return json.dumps(document).encode(), "application/json"
            case BodyKind.RAW:
                return _fill(self._settings.raw, values, str).encode(), "text/plain; charset=utf-8"
            case BodyKind.NONE:
                return None, ""

    def _check(self) -> None:
        settings = self._settings
        texts = (settings.url, settings.raw, *settings.headers, *settings.fields)
        for found in (name for text in texts for name in _PLACEHOLDER.findall(text)):
            if found not in _KNOWN:
                raise self._wrong(f"unknown placeholder {{{found}}}", "use " + ", ".join(f"{{{k}}}" for k in _KNOWN))
        url = urlsplit(settings.url)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise self._wrong("url is not https", "use https, or http to a gateway on this host")
        for line, separator in (
            *((each, ":") for each in settings.headers),
            *((each, "=") for each in settings.fields),
        ):
            if separator not in line:
                raise self._wrong(f"{line!r} has no {separator!r}", "write one `name = value` or `Name: value` a line")
        for key in ("success_body", "failure_body", "message_id"):
            try:
                re.compile(getattr(settings, key))
            except re.error as error:
                raise self._wrong(f"{key}: {error}", "give a regular expression") from None
        if settings.message_id and not re.compile(settings.message_id).groups:
            raise self._wrong("message_id has no group", "put the id's part in parentheses")
        if not settings.success_status:
            raise self._wrong("success_status is empty", "name the statuses of success, such as 200")

    def _wrong(self, problem: str, remedy: str) -> Fault:
        return Fault(f"[sms:{self.name}] {problem}", remedy=remedy)

    def _failed(self, what: str, *, unknown: bool = False) -> DeliveryFailed:
        remedy = "check the gateway, and url, credentials and success rule of its section"
        return DeliveryFailed(f"SMS gateway {what}", remedy=remedy, unknown=unknown)


def _pair(line: str, separator: str) -> tuple[str, str]:
    key, _, value = line.partition(separator)
    return key.strip(), value.strip()


def _fill(template: str, values: dict[str, str], escape: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]), template)


def _percent(value: str) -> str:
    return quote(value, safe="")


def _one_line(value: str) -> str:
    return "".join(character for character in value if character.isprintable())


def _kind(error: Exception) -> str:
    """The kind of an error; its text may hold the URL, and that the credentials."""
    return type(error).__name__
