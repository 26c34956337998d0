"""The checks of what we speak to: SMS gateways, mail servers, VIP. Nothing is sent to anybody."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from cryptography import x509

from auth.channels.mail.settings import GraphSettings, MailSettings, own_certificates
from auth.channels.sms.settings import SmsGatewaySettings
from auth.clock import Clock, Entropy
from auth.doctor.catalogue import Check
from auth.doctor.days import Notice, days_left
from auth.doctor.endpoint import certificate_end
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.outbound import mail_gateway, vip_client
from auth.settings import Settings, VipSection
from auth.tls import tls_context
from auth.vip.certificate import open_pkcs12
from dirsync.examination.session import NotExaminedError
from schema.errors import Fault

_PORTS = {"http": 80, "https": 443}
# VIP Manager hands out certificates to administrators only, who may be on holiday.
_VIP_NOTICE = Notice(failed=7, warning=30, info=60)
_OURS = "renew it, and let the mail server or the application's registration know the new one first"
_ITS_OPERATOR = "tell its operator: once it has ended, nothing can be sent"


def outbound_examinations(settings: Settings, clock: Clock, entropy: Entropy) -> Iterator[Examination]:
    """The examinations of everything that [sms:NAME], [email:NAME] and [vip] name."""
    for name, sms in settings.sms.items():
        yield Examination(Check.SMS, f"[sms:{name}]", partial(_sms, sms, clock))
    for name, mail in settings.email.items():
        yield Examination(Check.MAIL, f"[email:{name}]", partial(_mail, name, mail, clock, entropy))
    if settings.vip is not None:
        yield Examination(Check.VIP_CERTIFICATE, "[vip]", partial(_vip_certificate, settings.vip, clock))
        yield Examination(Check.VIP_SERVICE, "[vip]", partial(_vip_service, settings.vip, clock, entropy))


def _sms(settings: SmsGatewaySettings, clock: Clock) -> Iterator[Finding]:
    url = urlsplit(settings.url)
    if url.scheme not in _PORTS or not url.hostname:
        raise NotExaminedError("url is no address, see config")
    tls = tls_context(settings.ca_file) if url.scheme == "https" else None
    end = certificate_end(url.hostname, url.port or _PORTS[url.scheme], tls, settings.timeout_seconds)
    yield _reached(url.hostname, end, clock)


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


def _vip_certificate(settings: VipSection, clock: Clock) -> Iterator[Finding]:
    now = clock.now()
    certificate = open_pkcs12(settings.certificate, settings.password, now)
    remedy = "request a new one in VIP Manager: Account, Manage VIP Certificates"
    yield days_left(str(settings.certificate), certificate.expires, now, remedy, _VIP_NOTICE)


def _vip_service(settings: VipSection, clock: Clock, entropy: Entropy) -> Iterator[Finding]:
    async def reached() -> datetime:
        async with vip_client(settings, clock, entropy) as client:
            return await client.reach()

    yield _reached(settings.url, asyncio.run(reached()), clock)


def _reached(what: str, end: datetime | None, clock: Clock) -> Finding:
    if end is None:
        return Finding(Status.OK, f"{what}: reached, without TLS")
    return days_left(f"{what}: its certificate", end, clock.now(), _ITS_OPERATOR)
