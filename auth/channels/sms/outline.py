"""What a gateway would be told, for an operator's eyes: the request as it would leave, its secrets hidden. No I/O."""

from collections.abc import Iterator

import msgspec

from auth.addresses import PhoneNumber
from auth.channels.sms.command.gateway import arguments, environment
from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.http.request import RequestTemplate
from auth.channels.sms.http.settings import HttpSmsSettings, SignatureKind
from auth.channels.sms.sections import SmsSettings
from auth.channels.sms.smpp.settings import SmppSettings
from auth.channels.sms.smpp.submission import submissions
from schema.secret import Secret

# looks the same in a URL, a form, JSON and XML
_HIDDEN = Secret("xxxxx")


def outline(settings: SmsSettings, to: PhoneNumber, text: str) -> str:
    """What would be sent, in lines.

    Args:
        settings: a section from which a gateway could be made.
        to: whom the text goes to.
        text: what it says.

    Raises:
        Fault: the section, or the text in it, cannot work.
    """
    secrets = (key for key in settings.__struct_fields__ if isinstance(getattr(settings, key), Secret))
    shown = msgspec.structs.replace(settings, **dict.fromkeys(secrets, _HIDDEN))
    match shown:
        case HttpSmsSettings():
            return "\n".join(_http(shown, to, text))
        case SmppSettings():
            return "\n".join(_smpp(shown, to, text))
        case CommandSettings():
            return "\n".join(_command(shown, to, text))


def _http(settings: HttpSmsSettings, to: PhoneNumber, text: str) -> Iterator[str]:
    request = RequestTemplate(settings).fill(to, text)
    yield f"{request.method} {request.url}"
    for name, value in request.headers:
        # what stands there is encoded, so that the mark would not be seen
        yield f"{name}: Basic {_HIDDEN.text}" if value.startswith("Basic ") else f"{name}: {value}"
    if settings.signature is not SignatureKind.NONE:
        yield f"Authorization: the signature of {settings.signature}, made when it is sent"
    if request.body:
        yield ""
        yield request.body.decode()


def _smpp(settings: SmppSettings, to: PhoneNumber, text: str) -> Iterator[str]:
    yield f"connect {settings.host} port {settings.port}, {'TLS' if settings.tls else 'without TLS'}"
    yield f"bind_transceiver system_id={settings.system_id} password={_HIDDEN.text} system_type={settings.system_type}"
    for submission in submissions(settings, to, text, reference=0):
        source, destination = submission.source, submission.destination
        yield (
            f"submit_sm source={source.digits} ({source.ton}/{source.npi})"
            f" destination={destination.digits} ({destination.ton}/{destination.npi})"
            f" data_coding={submission.data_coding} esm_class={submission.esm_class}"
            f" {'message_payload' if submission.in_payload else 'short_message'}={submission.message.hex()}"
        )


def _command(settings: CommandSettings, to: PhoneNumber, text: str) -> Iterator[str]:
    yield from (f"{name}={value}" for name, value in environment(settings, to).items())
    yield " ".join(repr(argument) for argument in arguments(settings, to))
    yield ""
    yield text
