"""Mails through an SMTP server: a connection for each mail, TLS first, one deadline, no retry."""

import asyncio
import re
from enum import StrEnum

import aiosmtplib

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.mail_message import Composer, one_line
from auth.channels.mail_settings import MailServerSettings, Security
from auth.clock import Clock, Entropy
from auth.tls import stays_on_this_host, tls_context, tls_problem
from schema.errors import Fault

__all__ = ["MailServerSettings", "Security", "SmtpGateway"]

_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_ENHANCED = re.compile(r"[245]\.(\d{1,3})\.\d{1,3}\b", re.ASCII)  # RFC 3463 section 2
_OF_ADDRESS_OR_MAILBOX = {"0", "1", "2"}  # its section 3: 0 says nothing, the rest is about systems and policies
_ABOUT_US = {530, 534, 535, 538}  # RFC 4954 section 6: refused is who asks, not whom it is for
_MAYBE_SENT = "see in the mail server's log whether it took the mail; on_unknown says whether another is tried"


class _Stage(StrEnum):
    """How far a mail has come."""

    CONNECTION = "the connection"
    LOGIN = "the login"
    SENDER = "the sender"
    RECIPIENT = "the recipient"
    MAIL = "the mail"


_REMEDIES = {
    _Stage.CONNECTION: "check host, port and security of its section, and whether the server runs",
    _Stage.LOGIN: "check username and password of its section, and whether the server lets this account log in",
    _Stage.SENDER: "check sender, username and password of its section: the server must let us send",
    _Stage.RECIPIENT: "look into the mail server's log",
    _Stage.MAIL: "look into the mail server's log",
}


class _Dialogue:
    """One connection, and how far it has come."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.client = client
        self.stage = _Stage.CONNECTION


class SmtpGateway:
    """`auth.channels.base.Gateway` for mail addresses.

    Args:
        name: its name in config.ini.
        settings: its section.
        clock: for the mails' Date.
        entropy: for their Message-ID.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: MailServerSettings, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        try:
            _check(settings)
            self._composer = Composer(_sender(settings), settings.sender_name)
            self._tls = tls_context(settings.ca_file)
            self._client()
        except Fault as fault:
            raise fault.about(f"[email:{name}]") from None
        except ValueError:
            raise Fault(
                f"[email:{name}] host or helo_name is no host name", remedy="give one, without a port"
            ) from None

    async def send(self, to: EmailAddress, message: Message) -> Receipt:
        """Send one mail over a connection of its own; see `Gateway.send`."""
        identity = self._entropy.octets(16).hex()
        try:
            mail = self._composer.compose(to, message, self._clock.now(), identity)
        except ValueError:
            raise DeliveryFailed(
                "the mail address cannot stand in a mail", remedy="check the person's mail address", permanent=True
            ) from None
        dialogue = _Dialogue(self._client())
        # Raised below and not in the handlers: what the library raises quotes addresses.
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                await self._converse(dialogue, to, mail.as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            failure = _refused(dialogue.stage, error.code, error.message)
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            failure = _broken(dialogue.stage, error)
        else:
            return Receipt(self.name, f"{identity}@{self._composer.domain}")
        finally:
            dialogue.client.close()
        raise failure

    async def aclose(self) -> None:
        """Nothing: connections don't outlive their mail."""

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        try:
            return aiosmtplib.SMTP(
                hostname=settings.host,
                port=settings.port or _PORTS[settings.security],
                local_hostname=settings.helo_name or self._composer.domain,
                timeout=None,
                use_tls=settings.security is Security.TLS,
                start_tls=False,
                tls_context=self._tls,
            )
        except ValueError:
            raise Fault("host or helo_name is no host name", remedy="give one, without a port") from None

    async def _converse(self, dialogue: _Dialogue, to: EmailAddress, mail: bytes) -> None:
        client = dialogue.client
        await client.connect()
        await client.ehlo()
        if self._settings.security is Security.STARTTLS:
            await _start_tls(client)
        if self._settings.username:
            dialogue.stage = _Stage.LOGIN
            await self._log_in(client)
        dialogue.stage = _Stage.SENDER
        options, encoding = _options(client, to)
        await client.mail(self._composer.sender, options=options, encoding=encoding)
        dialogue.stage = _Stage.RECIPIENT
        await client.rcpt(to, encoding=encoding)
        dialogue.stage = _Stage.MAIL
        await client.data(mail)
        # said, as RFC 5321 section 4.1.1.10 wants, but not waited for: a login waits for this mail
        if client.protocol is not None and client.is_connected:
            client.protocol.write(b"QUIT\r\n")

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        """AUTH, once: three methods tried with one wrong password are three steps towards a locked account."""
        settings = self._settings
        password = settings.password.text if settings.password else ""
        offered = set(client.server_auth_methods)
        for method, log_in in (
            ("plain", client.auth_plain),
            ("login", client.auth_login),
            ("cram-md5", client.auth_crammd5),
        ):
            if method in offered:
                await log_in(settings.username, password)
                return
        raise DeliveryFailed(
            "does not offer AUTH PLAIN, LOGIN or CRAM-MD5", remedy="check port and security, or leave out username"
        )


async def _start_tls(client: aiosmtplib.SMTP) -> None:
    if not client.supports_extension("starttls"):
        raise DeliveryFailed(
            "does not offer STARTTLS, so nothing was sent to it",
            remedy="let the server offer it, or set security = tls; something on the way may have removed the offer",
        )
    await client.starttls()
    await client.ehlo()


def _options(client: aiosmtplib.SMTP, to: EmailAddress) -> tuple[list[str], str]:
    """Options and encoding of the envelope: RFC 6531 for an address that is not ASCII."""
    if to.isascii():
        return [], "ascii"
    if not client.supports_extension("smtputf8"):
        raise DeliveryFailed(
            "cannot take an address that is not ASCII (SMTPUTF8)", remedy="give the person an ASCII address"
        )
    return ["SMTPUTF8"], "utf-8"


def _sender(settings: MailServerSettings) -> EmailAddress:
    sender = email_address(settings.sender)
    if sender is None or not sender.isascii():
        raise Fault("sender is no mail address", remedy="give one, such as logon@example.org")
    return sender


def _check(settings: MailServerSettings) -> None:
    if one_line(settings.sender_name) != settings.sender_name:
        raise Fault("sender_name is no single line of text", remedy="give a name such as Example IT")
    if settings.security is Security.NONE and not stays_on_this_host(settings.host):
        raise Fault(
            f"mails would travel to {settings.host} in clear text", remedy="set security = starttls or security = tls"
        )
    if bool(settings.username) != bool(settings.password):
        raise Fault("username and password are not both set", remedy="set both, or none for a server without AUTH")
    if settings.port is not None and not 0 < settings.port < 65536:  # noqa: PLR2004 - what TCP has
        raise Fault("port is no TCP port", remedy="give a number from 1 to 65535, or leave it out")
    if not settings.timeout_seconds > 0:
        raise Fault("timeout_seconds is not positive", remedy="give seconds, such as 3")


def _refused(stage: _Stage, code: int, text: str) -> DeliveryFailed:
    """A refusal in our words: those of the server may hold the address."""
    if code < 0:
        return _broken(stage, None)
    enhanced = _ENHANCED.match(text)
    permanent = (
        stage in (_Stage.RECIPIENT, _Stage.MAIL)
        and 500 <= code < 600  # noqa: PLR2004 - RFC 5321 section 4.2.1: permanent negative
        and code not in _ABOUT_US
        and (enhanced is None or enhanced[1] in _OF_ADDRESS_OR_MAILBOX)
    )
    return DeliveryFailed(
        f"refused {stage} with {code}{f' {enhanced[0]}' if enhanced else ''}",
        remedy="check the person's mail address" if permanent else _REMEDIES[stage],
        permanent=permanent,
    )


def _broken(stage: _Stage, error: Exception | None) -> DeliveryFailed:
    """No answer, or none that can be read."""
    if stage is _Stage.MAIL:
        return DeliveryFailed("gave no answer to the mail", remedy=_MAYBE_SENT, unknown=True)
    problem = tls_problem(error) if error else None
    if problem is not None:
        return DeliveryFailed(
            f"could not be asked: {problem}", remedy="set ca_file to the authority of its certificate; check host"
        )
    why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__ if error else "no SMTP"
    return DeliveryFailed(f"broke off before {stage} was through ({why})", remedy=_REMEDIES[_Stage.CONNECTION])
