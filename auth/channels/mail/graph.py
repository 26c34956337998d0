"""Mails through Microsoft Graph: one deadline for each, handed over at most once."""

import asyncio
import math
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from auth.addresses import EmailAddress
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.mail.composer import sender_of
from auth.channels.mail.graph_answer import busy, pause_seconds, read_answer, refused_token
from auth.channels.mail.graph_request import GraphRequest
from auth.channels.mail.passage import Passage
from auth.channels.mail.settings import GraphSettings
from auth.channels.mail.smtp_check import check_seconds
from auth.clock import Clock, Entropy
from auth.http_client import http_client
from auth.http_exchange import Answer, Progress, Question, UnusableAnswer, exchange
from auth.oauth.answers import TokenRefused
from auth.oauth.settings import TokenSettings, check_https
from auth.oauth.source import TokenSource
from auth.tls import tls_problem
from schema.errors import Fault
from schema.secret import Secret

_Written = Callable[[Secret], Question]

_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_NETWORK = "check graph_url, network, firewall and ca_file"
_MAYBE_SENT = "see in the message trace whether the mail was sent; on_unknown says whether another server is tried"


class GraphGateway:
    """`auth.channels.mail.passage.MailGateway` for Microsoft Graph.

    Args:
        name: its name in config.ini.
        settings: its section.
        clock: for the life of tokens, and pauses.
        entropy: for the requests' ids.

    Raises:
        Fault: the section cannot work.
    """

    def __init__(self, name: str, settings: GraphSettings, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.on_unknown = settings.on_unknown
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._silent_until = clock.monotonic()
        try:
            check_seconds(settings.timeout_seconds)
            check_https("graph_url", settings.graph_url)
            self._request = GraphRequest(
                settings.graph_url,
                sender_of("sender", settings.sender),
                sender_of("reply_to", settings.reply_to) if settings.reply_to else None,
            )
            self._tokens = TokenSource(_token_settings(settings), clock, entropy)
            self._client = http_client(settings.ca_file)
        except Fault as fault:
            raise fault.about(f"[email:{name}]") from None

    async def send(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Send one mail; see `Gateway.send`."""
        return Receipt(self.name, (await self.hand_in(to, message, seconds=seconds)).message_id)

    async def hand_in(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Passage:
        """See `MailGateway.hand_in`; a token that Graph refuses is renewed once, as nothing was sent with it."""
        identity = str(UUID(bytes=self._entropy.octets(16), version=4))

        def sending(token: Secret) -> Question:
            return self._request.fill(to, message, token, identity)

        answer = await self._asked(sending, seconds)
        pause = pause_seconds(answer.status, answer.headers.get("Retry-After", ""))
        self._silent_until = self._clock.monotonic() + pause
        read_answer(answer.status, answer.body)
        return self._passage(answer, identity)

    async def rehearse(self, to: EmailAddress) -> Passage:
        """See `MailGateway.rehearse`: a token, and a request for Graph's first page; nobody sees the address."""
        del to
        return self._passage(await self._asked(self._first_page), None)

    async def greet(self) -> datetime | None:
        """See `MailGateway.greet`: a token, and a request for Graph's first page."""
        return (await self._asked(self._first_page)).certificate_end

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tokens.aclose()
        await self._client.aclose()

    async def _asked(self, question: _Written, seconds: float = math.inf) -> Answer:
        """Graph's answer. Raises DeliveryFailed when there is none."""
        left = self._silent_until - self._clock.monotonic()
        if left > 0:
            raise busy(left)
        progress, seconds = Progress(), min(seconds, self._settings.timeout_seconds)
        try:
            async with asyncio.timeout(seconds):
                return await self._asked_with_token(question, progress)
        except TokenRefused as fault:
            failure = DeliveryFailed(fault.problem, remedy=fault.remedy)
        except TimeoutError:
            failure = _silent(f"gave no answer within {seconds:g} s", progress)
        except UnusableAnswer as error:
            failure = DeliveryFailed(f"gave an answer that {error}", remedy=_MAYBE_SENT, unknown=True)
        except (httpx.HTTPError, OSError) as error:
            failure = _silent(f"broke off ({tls_problem(error) or type(error).__name__})", progress)
        # not in the handlers: what httpx raises holds the request
        raise failure

    async def _asked_with_token(self, question: _Written, progress: Progress) -> Answer:
        connect = self._settings.timeout_seconds / 2
        token = await self._tokens.token()
        answer = await exchange(self._client, question(token), connect_seconds=connect, progress=progress)
        if not refused_token(answer.status):
            return answer
        self._tokens.refused(token)
        progress.begun = False
        renewed = await self._tokens.token()
        return await exchange(self._client, question(renewed), connect_seconds=connect, progress=progress)

    def _first_page(self, token: Secret) -> Question:
        del token  # Graph describes itself to everybody
        return Question("GET", f"{self._settings.graph_url.rstrip('/')}/v1.0/", {"Accept": "application/json"})

    def _passage(self, answer: Answer, message_id: str | None) -> Passage:
        server = urlsplit(self._settings.graph_url).netloc
        return Passage(server, answer.tls, f"OAuth as application {self._settings.client_id}", message_id)


def _token_settings(settings: GraphSettings) -> TokenSettings:
    """Raises Fault."""
    check_https("login_url", settings.login_url)
    if not _TENANT.fullmatch(settings.tenant):
        raise Fault("tenant is none", remedy="give the tenant's id, or one of its domains such as example.org")
    return TokenSettings(
        url=f"{settings.login_url.rstrip('/')}/{settings.tenant}/oauth2/v2.0/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        certificate=settings.assertion_certificate,
        private_key=settings.assertion_key,
        scope=f"{settings.graph_url.rstrip('/')}/.default",
        ca_file=settings.ca_file,
    )


def _silent(what: str, progress: Progress) -> DeliveryFailed:
    return DeliveryFailed(what, remedy=_MAYBE_SENT if progress.begun else _NETWORK, unknown=progress.begun)
