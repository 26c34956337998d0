"""Makes the gateway of a [sms:NAME] section, whatever its driver."""

from collections.abc import Callable

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryReport, Gateway
from auth.channels.sms.command.gateway import CommandGateway
from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.http.gateway import HttpSmsGateway
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.channels.sms.sections import SmsSettings
from auth.channels.sms.smpp.gateway import SmppGateway
from auth.channels.sms.smpp.settings import SmppSettings
from auth.clock import Clock, Entropy
from auth.http_client import http_client


def sms_gateway(
    name: str, settings: SmsSettings, clock: Clock, entropy: Entropy, on_report: Callable[[DeliveryReport], None]
) -> Gateway[PhoneNumber]:
    """The gateway that a section describes; nothing is asked yet.

    Args:
        name: its name in config.ini.
        settings: its section.
        clock: dates signatures.
        entropy: numbers the parts of long texts.
        on_report: is handed each delivery receipt, where the driver receives any.

    Raises:
        Fault: the section cannot work.
    """
    match settings:
        case HttpSmsSettings():
            return HttpSmsGateway(name, settings, http_client(settings.ca_file), clock)
        case SmppSettings():
            return SmppGateway(name, settings, entropy, on_report)
        case CommandSettings():
            return CommandGateway(name, settings)
