"""One connection to a mail server: TLS, login, one mail, farewell; it knows how far the mail has come."""

import asyncio
import contextlib
from datetime import datetime
from enum import StrEnum
from typing import cast

import aiosmtplib

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed
from auth.tls import peer_certificate_end
from schema.secret import Secret

_FAREWELL_SECONDS = 1.0
_METHODS = ("plain", "login", "cram-md5")


class Stage(StrEnum):
    """How far a mail has come; once at MAIL, the server may have taken it."""

    CONNECTION = "the connection"
    LOGIN = "the login"
    SENDER = "the sender"
    RECIPIENT = "the recipient"
    MAIL = "the mail"


class Dialogue:
    """A dialogue by RFC 5321, for one mail.

    Args:
        client: not connected; it has neither time limits nor credentials of its own.
    """

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.stage = Stage.CONNECTION
        self._client = client

    async def connect(self, *, start_tls: bool) -> None:
        """Connect and greet; with `start_tls`, nothing is said in clear text but what RFC 3207 wants."""
        await self._client.connect()
        await self._client.ehlo()
        if not start_tls:
            return
        if not self._client.supports_extension("starttls"):
            raise DeliveryFailed(
                "does not offer STARTTLS, so nothing was sent to it",
                remedy="let it offer STARTTLS, or set security = tls; something on the way may have removed the offer",
            )
        await self._client.starttls()
        await self._client.ehlo()

    async def log_in(self, username: str, password: Secret) -> None:
        """AUTH, once: three methods tried with one wrong password are three steps towards a locked account."""
        method = self.login_method()
        self.stage = Stage.LOGIN
        client = self._client
        log_in = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}[method]
        await log_in(username, password.text)

    def login_method(self) -> str:
        """How `log_in` would do it. Raises DeliveryFailed when the server offers no way that we know."""
        offered = next((method for method in _METHODS if method in self._client.server_auth_methods), None)
        if offered is None:
            raise DeliveryFailed(
                "does not offer AUTH PLAIN, LOGIN or CRAM-MD5", remedy="check port and security, or leave out username"
            )
        return offered

    def certificate_end(self) -> datetime | None:
        """When the certificate ends that the server has shown; None without TLS."""
        secured = self._client.get_transport_info("ssl_object")
        return peer_certificate_end(secured) if secured else None

    async def hand_over(self, sender: EmailAddress, to: EmailAddress, mail: bytes) -> None:
        """MAIL, RCPT and DATA."""
        client, options, encoding = self._client, [], "ascii"
        self.stage = Stage.SENDER
        if not to.isascii():  # RFC 6531
            options, encoding = ["SMTPUTF8"], "utf-8"
            if not client.supports_extension("smtputf8"):
                raise DeliveryFailed(
                    "cannot take an address that is not ASCII (SMTPUTF8)", remedy="give the person an ASCII address"
                )
        await client.mail(sender, options=options, encoding=encoding)
        self.stage = Stage.RECIPIENT
        await client.rcpt(to, encoding=encoding)
        self.stage = Stage.MAIL
        await client.data(mail)

    async def quit(self) -> None:
        """Say farewell, as RFC 5321 section 4.1.1.10 wants, to a server that may not answer."""
        transport = self._client.transport
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._client.quit()
        self._end(transport)

    def abort(self) -> None:
        """Hang up."""
        self._end(self._client.transport)

    def _end(self, transport: asyncio.BaseTransport | None) -> None:
        """Let go of the socket at once: close() alone would wait half a minute for a silent peer's end of TLS."""
        self._client.close()
        if transport is not None:
            cast("asyncio.WriteTransport", transport).abort()
