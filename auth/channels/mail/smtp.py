"""Mails through an SMTP server: a connection for each mail, one deadline, no retry."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import aiosmtplib

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.mail.composer import Composer, one_line
from auth.channels.mail.settings import MailServerSettings, Security
from auth.channels.mail.smtp_answer import refused, silent
from auth.channels.mail.smtp_dialogue import Dialogue
from auth.clock import Clock, Entropy
from auth.tls import stays_on_this_host, tls_context
from schema.errors import Fault

_Said = TypeVar("_Said")
_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


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
        self._farewells: set[asyncio.Task[None]] = set()
        try:
            _check(settings)
            self._composer = Composer(_sender(settings), settings.sender_name)
            self._tls = tls_context(settings.ca_file)
            self._client()
        except Fault as fault:
            raise fault.about(f"[email:{name}]") from None

    async def send(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Send one mail over a connection of its own; see `Gateway.send`."""
        identity = self._entropy.octets(16).hex()
        try:
            mail = self._composer.compose(to, message, self._clock.now(), identity)
        except ValueError:
            raise DeliveryFailed(
                "the mail address cannot stand in a mail", remedy="check the person's mail address", permanent=True
            ) from None
        await self._hand_over(to, mail.as_bytes(), seconds)
        return Receipt(self.name, f"{identity}@{self._composer.domain}")

    async def greet(self) -> datetime | None:
        """Do everything that comes before a mail but the login, and hang up: for whoever wants to know that it works.

        Returns:
            When the server's certificate ends; None without TLS.

        Raises:
            DeliveryFailed: it would not come to a mail.
        """

        async def greeting(dialogue: Dialogue) -> datetime | None:
            await dialogue.connect(start_tls=self._settings.security is Security.STARTTLS)
            if self._settings.password:
                dialogue.login_method()
            return dialogue.certificate_end()

        return await self._over_a_connection(greeting)

    async def aclose(self) -> None:
        """Wait until every server has heard our farewell."""
        await asyncio.gather(*self._farewells)

    async def _hand_over(self, to: EmailAddress, mail: bytes, seconds: float) -> None:
        """Raises DeliveryFailed."""

        async def handing_over(dialogue: Dialogue) -> None:
            await dialogue.connect(start_tls=self._settings.security is Security.STARTTLS)
            if self._settings.password:
                await dialogue.log_in(self._settings.username, self._settings.password)
            await dialogue.hand_over(self._composer.sender, to, mail)

        await self._over_a_connection(handing_over, seconds)

    async def _over_a_connection(
        self, talk: Callable[[Dialogue], Awaitable[_Said]], seconds: float = math.inf
    ) -> _Said:
        """What a talk over a connection of its own comes to. Raises DeliveryFailed."""
        dialogue = Dialogue(self._client())
        # Raised below and not in the handlers: what the library raises quotes addresses.
        try:
            async with asyncio.timeout(min(seconds, self._settings.timeout_seconds)):
                said = await talk(dialogue)
        except aiosmtplib.SMTPResponseException as error:
            failure = refused(dialogue.stage, error.code, error.message)
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            failure = silent(dialogue.stage, error)
        except BaseException:
            dialogue.abort()
            raise
        else:
            # not waited for: somebody is waiting for this mail
            farewell = asyncio.get_running_loop().create_task(dialogue.quit())
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)
            return said
        dialogue.abort()
        raise failure

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
