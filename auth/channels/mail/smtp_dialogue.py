"""One connection to a mail server: TLS, login, mails, farewell; it knows how far the mail at hand has come."""

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar, cast

import aiosmtplib

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed
from auth.channels.mail.sign_in import SignIn
from auth.channels.mail.smtp_answer import Stage, queue_id, refused, silent
from auth.tls import peer_certificate_end
from schema.secret import Secret

_FAREWELL_SECONDS = 1.0
_Said = TypeVar("_Said")


class Dialogue:
    """A dialogue by RFC 5321. Whatever goes wrong in it ends it and is a DeliveryFailed.

    Times until which a step may take are those of the running loop.

    Args:
        client: not connected; it has neither time limits nor credentials of its own.

    Attributes:
        mails: how many it has handed over.
        stage: how far the mail at hand has come.
    """

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.mails = 0
        self.stage = Stage.CONNECTION
        self._client = client

    async def connect(self, until: float, *, start_tls: bool) -> None:
        """Connect and greet; with `start_tls`, nothing is said in clear text but what RFC 3207 wants."""
        await self._step(Stage.CONNECTION, until, self._greet())
        if not start_tls:
            return
        if not self._client.supports_extension("starttls"):
            self.abort()
            raise DeliveryFailed(
                "does not offer STARTTLS, so nothing was sent to it",
                remedy="let it offer STARTTLS, or set security = tls; something on the way may have removed the offer",
            )
        await self._step(Stage.CONNECTION, until, self._start_tls())

    async def log_in(self, until: float, sign_in: SignIn, credential: Secret) -> None:
        """AUTH, once.

        Raises:
            LoginRefused: the server does not take our credential.
        """
        self.login_method(sign_in)
        await self._step(Stage.LOGIN, until, sign_in.log_in(self._client, credential))

    def login_method(self, sign_in: SignIn) -> str:
        """How `log_in` would do it. Raises DeliveryFailed when the server offers no way that we know."""
        try:
            return sign_in.method(self._client.server_auth_methods)
        except DeliveryFailed:
            self.abort()
            raise

    @property
    def tls(self) -> str | None:
        """The version of TLS; None without TLS."""
        secured = self._client.get_transport_info("ssl_object")
        return secured.version() if secured else None

    @property
    def certificate_end(self) -> datetime | None:
        """When the certificate ends that the server has shown; None without TLS."""
        secured = self._client.get_transport_info("ssl_object")
        return peer_certificate_end(secured) if secured else None

    async def address(self, until: float, sender: EmailAddress, to: EmailAddress) -> None:
        """MAIL and RCPT."""
        client, options, encoding = self._client, [], "ascii"
        self.stage = Stage.SENDER
        if not to.isascii():  # RFC 6531
            options, encoding = ["SMTPUTF8"], "utf-8"
            if not client.supports_extension("smtputf8"):
                self.abort()
                raise DeliveryFailed(
                    "cannot take an address that is not ASCII (SMTPUTF8)", remedy="give the person an ASCII address"
                )
        await self._step(Stage.SENDER, until, client.mail(sender, options=options, encoding=encoding))
        await self._step(Stage.RECIPIENT, until, client.rcpt(to, encoding=encoding))

    async def hand_over(self, until: float, mail: bytes) -> str | None:
        """DATA; gives what the server calls the mail, when it says so."""
        answer = await self._step(Stage.MAIL, until, self._client.data(mail))
        self.mails += 1
        return queue_id(answer.message)

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

    async def _greet(self) -> None:
        await self._client.connect()
        await self._client.ehlo()

    async def _start_tls(self) -> None:
        await self._client.starttls()
        await self._client.ehlo()

    async def _step(self, stage: Stage, until: float, talk: Awaitable[_Said]) -> _Said:
        """What a part of the dialogue comes to. Raises DeliveryFailed."""
        self.stage = stage
        try:
            async with asyncio.timeout_at(until):
                return await talk
        except aiosmtplib.SMTPResponseException as error:
            failure = refused(stage, error.code, error.message)
        except (TimeoutError, aiosmtplib.SMTPException, OSError, UnicodeError) as error:  # the last of no host name
            failure = silent(stage, error)
        except BaseException:
            self.abort()
            raise
        self.abort()
        # not in the handlers: what the library raises quotes addresses
        raise failure

    def _end(self, transport: asyncio.BaseTransport | None) -> None:
        """Let go of the socket at once: close() alone would wait half a minute for a silent peer's end of TLS."""
        self._client.close()
        if transport is not None:
            cast("asyncio.WriteTransport", transport).abort()
