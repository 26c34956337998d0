"""Builds what speaks to the outside as config.ini says: SMS gateways, mail servers, VIP."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryReport, Gateway
from auth.channels.mail.graph import GraphGateway
from auth.channels.mail.passage import MailGateway
from auth.channels.mail.settings import GraphSettings, MailSettings
from auth.channels.mail.smtp import SmtpGateway
from auth.channels.minted import MintedChannel
from auth.channels.sms.gateways import sms_gateway
from auth.clock import Clock, Entropy
from auth.delivery import Delivery
from auth.judges.vip import NoVip
from auth.metrics.measured import MeasuredGateway
from auth.metrics.tally import Tally
from auth.receipts.book import ReceiptBook
from auth.receipts.said import SaidReceipts
from auth.settings import Settings, VipSection
from auth.spend.guard import SpendGuard
from auth.vip.client import VipClient
from schema.errors import Fault

_log = logging.getLogger("dirfactor.app")


def delivery(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    stack: AsyncExitStack,
    guard: SpendGuard,
    book: ReceiptBook,
    tally: Tally,
) -> Delivery:
    """The channels for codes that we mint, measured; what they hold open is closed with the stack.

    Raises:
        Fault: a section cannot work.
    """
    mails = []
    for name, mail in settings.email.items():
        server = mail_gateway(name, mail, clock, entropy)
        stack.push_async_callback(server.aclose)
        mails.append(MeasuredGateway("email", server, tally, clock.monotonic))
    receipts = SaidReceipts(book, clock.now)
    stack.push_async_callback(receipts.aclose)
    texts = [
        MeasuredGateway("sms", gateway, tally, clock.monotonic)
        for gateway in _text_gateways(settings, clock, entropy, stack, receipts)
    ]
    return Delivery(
        MintedChannel(texts, clock.monotonic),
        MintedChannel(mails, clock.monotonic),
        settings.service.delivery_seconds,
        guard,
        book,
        clock.now,
    )


def mail_gateway(name: str, section: MailSettings, clock: Clock, entropy: Entropy) -> MailGateway:
    """The gateway that an [email:NAME] section describes.

    Raises:
        Fault: the section or its files cannot be used.
    """
    if isinstance(section, GraphSettings):
        return GraphGateway(name, section, clock, entropy)
    return SmtpGateway(name, section, clock, entropy)


def text_channel(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    stack: AsyncExitStack,
    on_report: Callable[[DeliveryReport], None],
) -> MintedChannel[PhoneNumber]:
    """The channel for texts alone; what it holds open is closed with the stack.

    Raises:
        Fault: a section cannot work.
    """
    return MintedChannel(_text_gateways(settings, clock, entropy, stack, on_report), clock.monotonic)


def _text_gateways(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    stack: AsyncExitStack,
    on_report: Callable[[DeliveryReport], None],
) -> Iterator[Gateway[PhoneNumber]]:
    for name, section in settings.sms.items():
        gateway = sms_gateway(name, section, clock, entropy, on_report)
        stack.push_async_callback(gateway.aclose)
        yield gateway


def vip(settings: Settings, clock: Clock, entropy: Entropy, stack: AsyncExitStack) -> VipClient | NoVip:
    """The VIP client. When it cannot be had, whoever stands for it says why, and everyone else is served.

    A certificate that cannot be used now may be replaced while the service runs, so that it is no reason to do without.
    """
    if settings.vip is None:
        return NoVip(Fault("VIP is not configured", remedy="add a [vip] section to config.ini"))
    try:
        client = VipClient(settings.vip.client, clock, entropy)
    except Fault as fault:
        _log.error("VIP cannot be used: %s", fault)
        return NoVip(fault)
    stack.push_async_callback(client.aclose)
    try:
        client.check()
    except Fault as fault:
        _log.error("VIP cannot be used: %s", fault)
    return client


def vip_client(section: VipSection, clock: Clock, entropy: Entropy) -> VipClient:
    """The VIP client, whose certificate is good.

    Raises:
        Fault: the section or its files cannot be used.
    """
    client = VipClient(section.client, clock, entropy)
    client.check()
    return client
