"""The request for one text, as a [sms:NAME] section describes it: checked once, filled for each text. No I/O."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from auth.addresses import PhoneNumber
from auth.channels.sms.encoding import Encoding, encoding_of
from auth.channels.sms.http.placeholders import (
    PLACEHOLDERS,
    Escape,
    as_it_is,
    escape_for,
    fill,
    in_form,
    in_path,
    in_query,
    is_header_value,
    placeholders,
)
from auth.channels.sms.http.settings import BodyKind, HttpSmsSettings, SignatureKind
from auth.tls import stays_on_this_host
from schema.errors import Fault

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_FRAMING = {"connection", "content-length", "host", "transfer-encoding"}
_PLACED_IN_HOST = {
    "host": re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?"),
    "region": re.compile(r"[A-Za-z0-9-]+"),
}
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTENT_TYPES = {
    BodyKind.FORM: "application/x-www-form-urlencoded",
    BodyKind.JSON: "application/json",
    BodyKind.RAW: "text/plain; charset=utf-8",
}
_SAMPLE_NUMBER = PhoneNumber("+12025550123")
_SAMPLE_TEXT = "sample"


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """One request; it holds code, number and credentials, so only its method is ever shown."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)


class RequestTemplate:
    """The request of a section, with its places still open.

    Raises:
        Fault: the section describes no request that could be made; without a name in front.
    """

    def __init__(self, settings: HttpSmsSettings) -> None:
        self._settings = settings
        self._url = located(settings)
        self._path, self._question, self._query = self._url.partition("?")
        self._headers = tuple(_pair(line, ":", "headers") for line in settings.headers)
        lines = [line for line in settings.fields if settings.receipt_url or "{receipt_url}" not in line]
        self._fields = tuple(_pair(line, "=", "fields") for line in lines)
        self._known = {
            "sender": settings.sender,
            "account": settings.account,
            "username": settings.username,
            "password": settings.password.text if settings.password else "",
            "receipt_url": settings.receipt_url.text if settings.receipt_url else "",
        }
        self._check_places(lines)
        _check_url(self._url, allow_plain_http=settings.allow_plain_http)
        self._check_authentication()
        self._raw_escape = self._check_body()
        self._check_sample()

    def fill(self, to: PhoneNumber, text: str) -> SmsRequest:
        """The request that sends a text to a number.

        Raises:
            Fault: the text cannot stand where the section wants it, which is in a header.
        """
        values = self._known | {"phone": to, "phone_digits": to.removeprefix("+"), "text": text}
        values["coding"] = self._coding(text)
        url = fill(self._path, values, in_path) + self._question + fill(self._query, values, in_query)
        headers = [(name, fill(value, values, as_it_is)) for name, value in self._headers]
        for name, value in headers:
            if not is_header_value(value):
                raise Fault(
                    f"the value of header {name} is not printable ASCII",
                    remedy="keep sender, credentials and text to ASCII, or send them in the body",
                )
        return SmsRequest(self._settings.method, url, (*headers, *self._own_headers()), self._body(values))

    def _coding(self, text: str) -> str:
        for_gsm, for_all = self._settings.coding or ("", "")
        return for_gsm if encoding_of(text) is Encoding.GSM else for_all

    def _own_headers(self) -> list[tuple[str, str]]:
        settings, own = self._settings, []
        if settings.basic_auth:  # RFC 7617
            pair = f"{self._known['username']}:{self._known['password']}".encode()
            own.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
        if settings.bearer_token:  # RFC 6750
            own.append(("Authorization", f"Bearer {settings.bearer_token.text}"))
        if settings.body is not BodyKind.NONE and not self._header("Content-Type"):
            own.append(("Content-Type", _CONTENT_TYPES[settings.body]))
        return own

    def _body(self, values: dict[str, str]) -> bytes:
        match self._settings.body:
            case BodyKind.NONE:
                return b""
            case BodyKind.FORM:
                pairs = (f"{in_form(name)}={in_form(fill(value, values, as_it_is))}" for name, value in self._fields)
                return "&".join(pairs).encode()
            case BodyKind.JSON:
                return json.dumps({name: fill(value, values, as_it_is) for name, value in self._fields}).encode()
            case BodyKind.RAW:
                return fill(self._settings.raw, values, self._raw_escape).encode()

    def _header(self, wanted: str) -> str:
        return next((value for name, value in self._headers if name.lower() == wanted.lower()), "")

    def _check_places(self, fields: Iterable[str]) -> None:
        settings = self._settings
        named = placeholders((self._url, settings.raw, *settings.headers, *fields))
        for name in named:
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                raise Fault(f"unknown placeholder {{{name}}}", remedy=f"use {known}")
            if name == "coding" and not settings.coding:
                raise Fault(
                    "{coding} stands there, but coding is not set", remedy="add both words, such as `coding = 0, 2`"
                )
            if name in self._known and not self._known[name]:
                raise Fault(f"{{{name}}} stands there, but {name} is not set", remedy=f"add `{name} = ...`")
        if settings.coding and len(settings.coding) != len(Encoding):
            raise Fault(
                "coding does not have two words",
                remedy="give that for the GSM alphabet and that for all other texts, such as 0, 2",
            )
        if "text" not in named or not {"phone", "phone_digits"} & set(named):
            raise Fault(
                "the request does not carry the text and the number",
                remedy="put {text}, and {phone} or {phone_digits}, into url, headers, fields or raw",
            )

    def _check_authentication(self) -> None:
        settings = self._settings
        ways = [
            settings.basic_auth,
            settings.bearer_token is not None,
            settings.signature is not SignatureKind.NONE,
            bool(self._header("Authorization")),
        ]
        if ways.count(True) > 1:
            raise Fault(
                "there is more than one Authorization",
                remedy="keep one of basic_auth, bearer_token, signature and the header Authorization",
            )
        if settings.basic_auth and not (settings.username and settings.password and ":" not in settings.username):
            raise Fault(
                "basic_auth lacks a username without colon, or a password", remedy="set username and password, or no"
            )
        if settings.bearer_token and not is_header_value(settings.bearer_token.text):
            raise Fault("bearer_token is not printable ASCII", remedy="give the token as the provider shows it")
        written = self._header("Authorization")
        if written and not placeholders([written]):
            raise Fault(
                "the header Authorization holds its secret itself",
                remedy="write {password} in its place, and `password = file:PATH`",
            )

    def _check_body(self) -> Escape:
        settings = self._settings
        has_fields, has_raw = bool(settings.fields), bool(settings.raw)
        wants_fields, wants_raw = settings.body in (BodyKind.FORM, BodyKind.JSON), settings.body is BodyKind.RAW
        if (has_fields, has_raw) != (wants_fields, wants_raw):
            raise Fault(
                f"body = {settings.body} does not go with the fields and raw that are set",
                remedy="set fields for form or json, raw for raw, and neither for none",
            )
        media_type = self._header("Content-Type") or _CONTENT_TYPES[BodyKind.RAW]
        escape = escape_for(media_type) if wants_raw else as_it_is
        if escape is None:
            raise Fault(
                f"raw cannot be escaped for {media_type}",
                remedy="use a Content-Type of text/plain, JSON, XML or a form",
            )
        return escape

    def _check_sample(self) -> None:
        """Fill it once, so that what is wrong for every text is found at the start."""
        sample = self.fill(_SAMPLE_NUMBER, _SAMPLE_TEXT)
        if self._settings.body is BodyKind.RAW and "json" in self._header("Content-Type").lower():
            try:
                json.loads(sample.body)
            except ValueError:
                raise Fault(
                    "raw is no JSON once it is filled", remedy='put every placeholder into quotes: "{phone}"'
                ) from None


def _pair(line: str, separator: str, key: str) -> tuple[str, str]:
    name, found, value = (part.strip() for part in line.partition(separator))
    if not found or not name:
        example = "Name: value" if separator == ":" else "name = value"
        raise Fault(f"a line of {key} is no pair", remedy=f"write `{example}` on each line")
    if key == "headers" and (not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING):
        raise Fault(f"header {name!r} cannot be set", remedy="leave it out; it is no header name or one that HTTP sets")
    return name, value


def located(settings: HttpSmsSettings) -> str:
    """The URL with its host and region: which host is asked does not depend on the text.

    Raises:
        Fault: one of them is missing or has no such form; without a name in front.
    """
    url = settings.url
    for name, form in _PLACED_IN_HOST.items():
        place, value = f"{{{name}}}", getattr(settings, name)
        if place in url and not value:
            raise Fault(f"{place} stands there, but {name} is not set", remedy=f"add `{name} = ...`")
        if value and not form.fullmatch(value):
            raise Fault(f"{name} cannot stand in a URL", remedy=f"give {name} as the provider names it")
        url = url.replace(place, value)
    return url


def _check_url(address: str, *, allow_plain_http: bool) -> None:
    try:
        httpx.URL(address)
        url = urlsplit(address)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise Fault("url is no http or https address", remedy="give one such as https://sms.example.org/send")
    if "@" in url.netloc or placeholders([url.netloc]):
        raise Fault(
            "url has credentials or a placeholder where host and port stand", remedy="use basic_auth = yes for them"
        )
    if "#" in address or _BARE_PERCENT.search(address):
        raise Fault("url has a # or a % that escapes nothing", remedy="write %23 or %25 for them")
    if url.scheme == "http" and not allow_plain_http and not stays_on_this_host(url.hostname or ""):
        raise Fault(
            f"url would send codes and credentials to {url.hostname} in clear text",
            remedy="use https, or set allow_plain_http = yes where the network is yours alone",
        )
