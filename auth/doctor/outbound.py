"""The checks of what we speak to: SMS gateways, mail servers, VIP. Nothing is sent to anybody."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from cryptography import x509

from auth.channels.mail.settings import GraphSettings, MailSettings, own_certificates
from auth.channels.sms.command.gateway import CommandGateway
from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.http.request import located
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.channels.sms.sections import SmsSettings
from auth.channels.sms.smpp.settings import SmppSettings
from auth.clock import Clock, Entropy
from auth.doctor.catalogue import Check
from auth.doctor.days import Notice, days_left
from auth.doctor.endpoint import certificate_end
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.outbound import mail_gateway, vip_client
from auth.settings import Settings, VipSection
from auth.tls import tls_context
from auth.vip.client import VipClient
from auth.vip.faults import VipUnavailable
from dirsync.examination.session import NotExaminedError
from schema.errors import Fault

_PORTS = {"http": 80, "https": 443}
# VIP Manager hands out certificates to administrators only, who may be on holiday.
_VIP_NOTICE = Notice(failed=7, warning=30, info=60)
_NOT_SHOWN = Notice(failed=0, warning=0, info=60)
_NEW_ONE = "request a new one in VIP Manager: Account, Manage VIP Certificates"
_OURS = "renew it, and let the mail server or the application's registration know the new one first"
_ITS_OPERATOR = "tell its operator: once it has ended, nothing can be sent"


def outbound_examinations(settings: Settings, clock: Clock, entropy: Entropy) -> Iterator[Examination]:
    """The examinations of everything that [sms:NAME], [email:NAME] and [vip] name."""
    for name, sms in settings.sms.items():
        yield Examination(Check.SMS, f"[sms:{name}]", partial(_sms, name, sms, clock))
    for name, mail in settings.email.items():
        yield Examination(Check.MAIL, f"[email:{name}]", partial(_mail, name, mail, clock, entropy))
    if settings.vip is not None:
        yield Examination(Check.VIP_CERTIFICATE, "[vip]", partial(_vip_certificates, settings.vip, clock, entropy))
        yield Examination(Check.VIP_SERVICE, "[vip]", partial(_vip_service, settings.vip, clock, entropy))


def _sms(name: str, settings: SmsSettings, clock: Clock) -> Iterator[Finding]:
    if isinstance(settings, CommandSettings):
        CommandGateway(name, settings)
        yield Finding(Status.OK, f"{settings.program}: can be executed")
        return
    host, port, encrypted = _address(settings)
    tls = tls_context(settings.ca_file) if encrypted else None
    yield _reached(host, certificate_end(host, port, tls, settings.timeout_seconds), clock)


def _address(settings: HttpSmsSettings | SmppSettings) -> tuple[str, int, bool]:
    """Host, port, and whether TLS is spoken there."""
    if isinstance(settings, SmppSettings):
        return settings.host, settings.port, settings.tls
    url = urlsplit(located(settings))
    if url.scheme not in _PORTS or not url.hostname:
        raise NotExaminedError("url is no address, see config")
    return url.hostname, url.port or _PORTS[url.scheme], url.scheme == "https"


def _mail(name: str, settings: MailSettings, clock: Clock, entropy: Entropy) -> Iterator[Finding]:
    async def greeted() -> datetime | None:
        server = mail_gateway(name, settings, clock, entropy)
        try:
            return await server.greet()
        finally:
            await server.aclose()

    for file in own_certificates(settings):
        end = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        yield days_left(f"our certificate {file}", end, clock.now(), _OURS)
    where = settings.graph_url if isinstance(settings, GraphSettings) else settings.host
    try:
        end_of_theirs = asyncio.run(greeted())
    except Fault as fault:
        raise fault.about(where) from None
    yield _reached(where, end_of_theirs, clock)


def _vip_certificates(settings: VipSection, clock: Clock, entropy: Entropy) -> Iterator[Finding]:
    states = VipClient(settings.client, clock, entropy).certificates()
    covered = any(state.shown for state in states)
    for state in states:
        if state.expires is None:
            yield Finding(Status.WARNING if covered else Status.FAILED, state.problem, _NEW_ONE)
            continue
        notice = _VIP_NOTICE if state.shown else _NOT_SHOWN
        what = f"{state.path}{', shown to VIP' if len(states) > 1 and state.shown else ''}"
        yield days_left(what, state.expires, clock.now(), _NEW_ONE, notice)


def _vip_service(settings: VipSection, clock: Clock, entropy: Entropy) -> Iterator[Finding]:
    async def reached(url: str) -> datetime:
        async with vip_client(settings, clock, entropy) as client:
            return (await client.reach(url)).certificate_ends

    for url in VipClient(settings.client, clock, entropy).urls:
        try:
            yield _reached(url, asyncio.run(reached(url)), clock)
        except VipUnavailable as fault:
            yield Finding.of(fault.about(url), Status.FAILED)


def _reached(what: str, end: datetime | None, clock: Clock) -> Finding:
    if end is None:
        return Finding(Status.OK, f"{what}: reached, without TLS")
    return days_left(f"{what}: its certificate", end, clock.now(), _ITS_OPERATOR)
