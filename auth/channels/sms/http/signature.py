"""Which signature a section wants, and that it has what it takes to make it. No I/O."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from auth.channels.sms.http.aws_signature import AwsKey, aws_headers
from auth.channels.sms.http.azure_signature import azure_headers, azure_key
from auth.channels.sms.http.placeholders import is_header_value
from auth.channels.sms.http.request import SmsRequest
from auth.channels.sms.http.settings import HttpSmsSettings, SignatureKind
from schema.errors import Fault

Signer = Callable[[SmsRequest, datetime], SmsRequest]
_AWS_SERVICE = "sms-voice"  # the credential scope of AWS End User Messaging SMS, version 2


def signer(settings: HttpSmsSettings) -> Signer:
    """What a request passes through before it is sent.

    Raises:
        Fault: the section lacks what the signature is made with; without a name in front.
    """
    match settings.signature:
        case SignatureKind.NONE:
            return lambda request, _: request
        case SignatureKind.AWS:
            return _aws(settings)
        case SignatureKind.AZURE:
            return _azure(settings)


def _aws(settings: HttpSmsSettings) -> Signer:
    if not (settings.username and settings.password and settings.region):
        raise Fault(
            "signature = aws lacks a key or a region",
            remedy="set username to the access key id, password to the secret access key, and region",
        )
    if not is_header_value(settings.username):  # it stands in Authorization as it is
        raise Fault("username is not printable ASCII", remedy="give the access key id as AWS shows it")
    key = AwsKey(settings.username, settings.password, settings.region, _AWS_SERVICE)

    def sign(request: SmsRequest, now: datetime) -> SmsRequest:
        own = dict(request.headers)
        return _with(request, aws_headers(key, request.method, request.url, own, request.body, now))

    return sign


def _azure(settings: HttpSmsSettings) -> Signer:
    if settings.password is None:
        raise Fault("signature = azure lacks a key", remedy="set password to the resource's access key")
    key = azure_key(settings.password)

    def sign(request: SmsRequest, now: datetime) -> SmsRequest:
        return _with(request, azure_headers(key, request.method, request.url, request.body, now))

    return sign


def _with(request: SmsRequest, headers: dict[str, str]) -> SmsRequest:
    return replace(request, headers=(*request.headers, *headers.items()))
