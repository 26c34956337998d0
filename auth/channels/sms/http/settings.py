"""The [sms:NAME] section of config.ini for HTTP: a provider is described there or by a preset, none in code."""

from enum import StrEnum
from pathlib import Path

import msgspec

from auth.channels.base import OnUnknown
from auth.channels.sms.driver import Driver
from auth.lines import Lines
from schema.secret import Secret


class HttpMethod(StrEnum):
    """How the request is made."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"


class BodyKind(StrEnum):
    """How the request's body is written."""

    NONE = "none"
    FORM = "form"
    JSON = "json"
    RAW = "raw"


class SignatureKind(StrEnum):
    """How a provider wants the request signed."""

    NONE = "none"
    AWS = "aws"
    AZURE = "azure"


class HttpSmsSettings(msgspec.Struct, frozen=True):
    """A [sms:NAME] section: one HTTP request for one text.

    In url, headers, fields and raw, {phone} (+12025550123), {phone_digits} (12025550123), {text}, {coding}, {sender},
    {account}, {username}, {password} and {receipt_url} are filled in, each escaped for where it stands; {host} and
    {region} in url.

    Attributes:
        url: where the request goes: https, or http to this host.
        success_status: HTTP statuses of success, such as 200, 202.
        driver: http; this section is described by what follows.
        preset: provider whose settings stand beneath the section's own, see `dirfactor sms presets`.
        method: GET, POST or PUT.
        host: fills {host} in url: the host that a provider gives each customer.
        region: fills {region} in url: where the provider shall work; part of what AWS wants signed.
        account: fills {account}: what the provider calls the customer.
        username: fills {username}, and is the user of basic authentication.
        password: reference to what fills {password}, and is the password of basic authentication.
        basic_auth: whether username and password are sent as basic authentication.
        signature: none, aws (Signature Version 4) or azure (HMAC-SHA256), made with username and password.
        bearer_token: reference to a token that is sent as `Authorization: Bearer`.
        sender: fills {sender}: who the text comes from.
        coding: fills {coding}: two words, the first for texts in the GSM alphabet, the second for all others.
        receipt_url: reference to what fills {receipt_url}: our [receipts:NAME] address, with its token.
        headers: one `Name: value` a line.
        body: none, form, json (one flat object), or raw.
        fields: of a form or JSON body, one `name = value` a line; without receipt_url, those that have it are left out.
        raw: a raw body; escaped as text/plain, or as JSON, XML or a form when headers have that Content-Type.
        success_body: regular expression that the answer must contain as well; without it the status is enough.
        failure_body: regular expression that makes the answer a failure whatever its status.
        permanent_body: regular expression in a failed answer that blames the number, so that no other gateway is tried.
        transient_status: HTTP statuses of a gateway that can take no text for the moment, such as 429, 503.
        transient_body: regular expression in a failed answer that says the same, and never blames the number.
        message_id: regular expression whose first group is the message's id in the answer.
        error_code: regular expression whose first group is the provider's error code in a failed answer, for the log.
        timeout_seconds: how long the gateway may take.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        allow_plain_http: whether http to another host is allowed, though anybody on the way can read codes.
        on_unknown: stop or failover, when the gateway gave no answer and may have taken the text.
    """

    url: str
    success_status: tuple[str, ...]
    driver: Driver = Driver.HTTP
    preset: str = ""
    method: HttpMethod = HttpMethod.POST
    host: str = ""
    region: str = ""
    account: str = ""
    username: str = ""
    password: Secret | None = None
    basic_auth: bool = False
    signature: SignatureKind = SignatureKind.NONE
    bearer_token: Secret | None = None
    sender: str = ""
    coding: tuple[str, ...] = ()
    receipt_url: Secret | None = None
    headers: Lines = Lines(())
    body: BodyKind = BodyKind.NONE
    fields: Lines = Lines(())
    raw: str = ""
    success_body: str = ""
    failure_body: str = ""
    permanent_body: str = ""
    transient_status: tuple[str, ...] = ()
    transient_body: str = ""
    message_id: str = ""
    error_code: str = ""
    timeout_seconds: float = 3.0
    ca_file: Path | None = None
    allow_plain_http: bool = False
    on_unknown: OnUnknown = OnUnknown.STOP
