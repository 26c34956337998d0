"""Mails through an SMTP server: one deadline for each, handed over at most once."""

import asyncio
import math
from datetime import datetime

import aiosmtplib

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.mail.composer import Composer, sender_of
from auth.channels.mail.passage import Passage
from auth.channels.mail.settings import Security, SmtpSettings
from auth.channels.mail.sign_in import PasswordSignIn, SignIn, TokenSignIn
from auth.channels.mail.smtp_answer import LoginRefused, Stage
from auth.channels.mail.smtp_check import check_smtp
from auth.channels.mail.smtp_connections import Connections
from auth.channels.mail.smtp_dialogue import Dialogue
from auth.clock import Clock, Entropy
from auth.oauth.settings import TokenSettings
from auth.oauth.source import TokenSource
from auth.tls import present, tls_context
from schema.errors import Fault
from schema.secret import Secret

_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


class SmtpGateway:
    """`auth.channels.mail.passage.MailGateway` for a mail server.

    Args:
        name: its name in config.ini.
        settings: its section.
        clock: for the mails' Date and the life of tokens.
        entropy: for their Message-ID.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: SmtpSettings, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._connections = Connections(self._opened, settings.connections)
        try:
            check_smtp(settings)
            self._composer = Composer(
                sender_of("sender", settings.sender),
                settings.sender_name,
                sender_of("reply_to", settings.reply_to) if settings.reply_to else None,
            )
            self._composer.check()
            self._tls = tls_context(settings.ca_file)
            if settings.client_certificate is not None:
                present(
                    self._tls, settings.client_certificate, settings.client_key, ("client_certificate", "client_key")
                )
            self._client()
            self._sign_in = _sign_in(settings, clock, entropy)
        except Fault as fault:
            raise fault.about(f"[email:{name}]") from None

    async def send(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Send one mail; see `Gateway.send`."""
        return Receipt(self.name, (await self.hand_in(to, message, seconds=seconds)).message_id)

    async def hand_in(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Passage:
        """See `MailGateway.hand_in`.

        A connection that was kept and fails at its first command says nothing about the mail: a new one is tried.
        """
        identity = self._entropy.octets(16).hex()
        mail = self._composer.octets(to, message, self._clock.now(), identity)
        until, kept, stage = self._until(seconds), False, Stage.CONNECTION
        for new in (False, True):
            try:
                async with self._connections.lent(until, new=new) as dialogue:
                    kept = dialogue.mails > 0
                    try:
                        await dialogue.address(until, self._composer.sender, to)
                        queued = await dialogue.hand_over(until, mail)
                    finally:
                        stage = dialogue.stage
                    return self._passage(dialogue, f"{identity}@{self._composer.domain}", queued)
            except DeliveryFailed:
                if not kept or stage is not Stage.SENDER or new:
                    raise
        raise AssertionError  # the second round returns or raises

    async def rehearse(self, to: EmailAddress) -> Passage:
        """See `MailGateway.rehearse`: everything up to RCPT."""
        until = self._until()
        async with self._connections.lent(until, new=True) as dialogue:
            await dialogue.address(until, self._composer.sender, to)
            return self._passage(dialogue)

    async def greet(self) -> datetime | None:
        """See `MailGateway.greet`: everything before the login, and an access token for it."""
        until = self._until()
        await self._credential(until)
        dialogue = Dialogue(self._client())
        await dialogue.connect(until, start_tls=self._settings.security is Security.STARTTLS)
        if self._sign_in is not None:
            dialogue.login_method(self._sign_in)
        end = dialogue.certificate_end
        await dialogue.quit()
        return end

    async def aclose(self) -> None:
        """Wait until every server has heard our farewell."""
        await self._connections.aclose()
        if self._sign_in is not None:
            await self._sign_in.aclose()

    def _until(self, seconds: float = math.inf) -> float:
        return asyncio.get_running_loop().time() + min(seconds, self._settings.timeout_seconds)

    async def _opened(self, until: float) -> Dialogue:
        """A new connection, logged in. Raises DeliveryFailed."""
        for last in (False, True):
            credential = await self._credential(until)
            dialogue = Dialogue(self._client())
            await dialogue.connect(until, start_tls=self._settings.security is Security.STARTTLS)
            if self._sign_in is None:
                return dialogue
            try:
                await dialogue.log_in(until, self._sign_in, credential)
            except LoginRefused:
                if last or not self._sign_in.refused(credential):
                    raise
            else:
                return dialogue
        raise AssertionError  # the second round returns or raises

    async def _credential(self, until: float) -> Secret:
        """Before the connection, lest the server wait for a token endpoint. Raises DeliveryFailed."""
        if self._sign_in is None:
            return Secret("")
        try:
            async with asyncio.timeout_at(until):
                return await self._sign_in.credential()
        except TimeoutError:
            raise DeliveryFailed(
                "was not asked: there was no access token in time",
                remedy="check token_url, network and firewall; set timeout_seconds higher",
            ) from None

    def _passage(self, dialogue: Dialogue, message_id: str | None = None, queued: str | None = None) -> Passage:
        server = f"{self._settings.host}:{self._client().port}"
        sign_in = self._sign_in
        shown = f"{dialogue.login_method(sign_in).upper()} as {sign_in.username}" if sign_in else None
        return Passage(server, dialogue.tls, shown, message_id, queued)

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


def _sign_in(settings: SmtpSettings, clock: Clock, entropy: Entropy) -> SignIn | None:
    """Raises Fault."""
    if settings.password:
        return PasswordSignIn(settings.username, settings.password)
    if not settings.token_url:
        return None
    wanted = TokenSettings(
        settings.token_url,
        settings.client_id,
        settings.client_secret,
        settings.assertion_certificate,
        settings.assertion_key,
        settings.refresh_token,
        settings.scope,
        settings.ca_file,
    )
    return TokenSignIn(settings.username, TokenSource(wanted, clock, entropy))
