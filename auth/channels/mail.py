"""Mails through an SMTP server, encrypted, with the marks that keep auto-responders quiet."""

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

import aiosmtplib
import msgspec

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.clock import Clock, Entropy
from auth.http_client import tls_context
from schema.errors import Fault
from schema.secret import Secret

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PERMANENT = range(500, 600)
_NO_AUTH = {530, 534, 535, 538}  # RFC 4954 section 6: about us, not about the recipient


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailServerSettings(msgspec.Struct, frozen=True):
    """An [email:NAME] section.

    Attributes:
        host: the mail server.
        sender: address that mails come from.
        port: 587 for starttls, 465 for tls, 25 for none.
        security: starttls, tls, or none (only to this host).
        ca_file: PEM file of the authorities to trust; the system's when absent.
        username: for AUTH; none without.
        password: reference to its password.
        timeout_seconds: how long the server may take for one mail.
        on_unknown: stop or failover, when the server gave no answer and may have taken the mail.
    """

    host: str
    sender: str
    port: int = 587
    security: Security = Security.STARTTLS
    ca_file: Path | None = None
    username: str = ""
    password: Secret | None = None
    timeout_seconds: float = 4.0
    on_unknown: OnUnknown = OnUnknown.STOP


class SmtpGateway:
    """`auth.channels.base.Gateway` for mail addresses.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: MailServerSettings, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        sender = email_address(settings.sender)
        if sender is None:
            raise Fault(f"[email:{name}] sender is no mail address", remedy="give one, such as logon@example.org")
        if settings.security is Security.NONE and settings.host not in _LOOPBACK:
            raise Fault(f"[email:{name}] mails would travel in clear text", remedy="set security = starttls or tls")
        self._sender: EmailAddress = sender
        self._tls: ssl.SSLContext = tls_context(settings.ca_file)

    async def send(self, to: EmailAddress, message: Message) -> Receipt:
        """Send one mail over a connection of its own; see `Gateway.send`."""
        mail = self._compose(to, message)
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                await aiosmtplib.send(
                    mail,
                    sender=self._sender,
                    recipients=[to],
                    hostname=settings.host,
                    port=settings.port,
                    username=settings.username or None,
                    password=settings.password.text if settings.password else None,
                    start_tls=settings.security is Security.STARTTLS,
                    use_tls=settings.security is Security.TLS,
                    tls_context=None if settings.security is Security.NONE else self._tls,
                    timeout=settings.timeout_seconds,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = {refusal.code for refusal in error.recipients}
            raise self._refused(max(codes), about_recipient=True) from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused(error.code, about_recipient=False) from None
        except (aiosmtplib.SMTPConnectError, ConnectionRefusedError, ssl.SSLError) as error:
            raise self._failed(f"could not be reached: {type(error).__name__}") from None
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            raise self._failed(f"gave no answer: {type(error).__name__}", unknown=True) from None
        return Receipt(self.name, mail["Message-ID"].strip("<>"))

    def _compose(self, to: EmailAddress, message: Message) -> EmailMessage:
        mail = EmailMessage()
        domain = self._sender.rpartition("@")[2]
        mail["From"] = self._sender
        mail["To"] = to
        mail["Subject"] = " ".join(message.subject.split())
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{self._entropy.octets(16).hex()}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        return mail

    def _refused(self, code: int, *, about_recipient: bool) -> DeliveryFailed:
        permanent = about_recipient and code in _PERMANENT and code not in _NO_AUTH
        who = "the recipient" if about_recipient else "the mail"
        return DeliveryFailed(
            f"mail server refused {who} with {code}",
            remedy="check the user's mail address"
            if permanent
            else "check the server's log and the section's settings",
            permanent=permanent,
        )

    def _failed(self, what: str, *, unknown: bool = False) -> DeliveryFailed:
        remedy = "check host, port, security, ca_file and credentials of its section"
        return DeliveryFailed(f"mail server {what}", remedy=remedy, unknown=unknown)
