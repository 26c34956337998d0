"""Builds what speaks to the outside as config.ini says: SMS gateways, mail servers, VIP."""

import logging
from contextlib import AsyncExitStack

from auth.channels.mail.graph import GraphGateway
from auth.channels.mail.passage import MailGateway
from auth.channels.mail.settings import GraphSettings, MailSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.minted import MintedChannel
from auth.channels.sms.http.gateway import HttpSmsGateway
from auth.clock import Clock, Entropy
from auth.delivery import Delivery
from auth.http_client import http_client
from auth.judges.vip import NoVip, Validator
from auth.settings import Settings, VipSection
from auth.vip.client import VipClient, VipSettings
from schema.errors import Fault

_log = logging.getLogger("dirfactor.app")


def delivery(settings: Settings, clock: Clock, entropy: Entropy, stack: AsyncExitStack) -> Delivery:
    """The channels for codes that we mint; what they hold open is closed with the stack.

    Raises:
        Fault: a section cannot work.
    """
    texts = []
    for name, sms in settings.sms.items():
        gateway = HttpSmsGateway(name, sms, http_client(sms.ca_file))
        stack.push_async_callback(gateway.aclose)
        texts.append(gateway)
    mails = []
    for name, mail in settings.email.items():
        server = mail_gateway(name, mail, clock, entropy)
        stack.push_async_callback(server.aclose)
        mails.append(server)
    return Delivery(
        MintedChannel(texts, clock.monotonic), MintedChannel(mails, clock.monotonic), settings.service.delivery_seconds
    )


def mail_gateway(name: str, section: MailSettings, clock: Clock, entropy: Entropy) -> MailGateway:
    """The gateway that an [email:NAME] section describes.

    Raises:
        Fault: the section or its files cannot be used.
    """
    if isinstance(section, GraphSettings):
        return GraphGateway(name, section, clock, entropy)
    return SmtpGateway(name, section, clock, entropy)


def vip(settings: Settings, clock: Clock, entropy: Entropy, stack: AsyncExitStack) -> Validator:
    """The VIP client. When it cannot be had, whoever stands for it says why, and everyone else is served."""
    if settings.vip is None:
        return NoVip(Fault("VIP is not configured", remedy="add a [vip] section to config.ini"))
    try:
        client = vip_client(settings.vip, clock, entropy)
    except Fault as fault:
        _log.error("VIP cannot be used: %s", fault)
        return NoVip(fault)
    stack.push_async_callback(client.aclose)
    return client


def vip_client(section: VipSection, clock: Clock, entropy: Entropy) -> VipClient:
    """The VIP client.

    Raises:
        Fault: the section or its files cannot be used.
    """
    wanted = VipSettings(section.certificate, section.password, section.url, section.ca_file, section.deadline_seconds)
    return VipClient(wanted, entropy, clock.now())
