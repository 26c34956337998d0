"""One account's access token: asked for when it is wanted, kept while it is good, renewed before it ends."""

import asyncio
import logging
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

import httpx

from auth.clock import Clock, Entropy
from auth.http_client import http_client
from auth.http_exchange import Question, UnusableAnswer, exchange
from auth.oauth.answers import Token, TokenRefused, read_token
from auth.oauth.assertion import TYPE, open_signer
from auth.oauth.settings import TokenSettings, check_token_settings
from auth.tls import tls_problem
from schema.secret import Secret

_log = logging.getLogger("dirfactor.oauth")
_QUESTION_SECONDS = 10.0  # whoever waits for the token has a deadline of their own
_RENEW_BEFORE_SECONDS = 300.0
_PAUSE_SECONDS = 30.0  # between two renewals while the old token is still good
_ANEW_SECONDS = 1.0  # between two questions while there is none: a refusal comes at once, and logons all the time
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Held:
    """A token and, by the monotonic clock, when it is to be renewed and when it ends."""

    token: Secret
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why there was no token, and until when the endpoint is not asked again."""

    fault: TokenRefused
    until: float


class TokenSource:
    """Has a token ready; however many ask at once, the endpoint is asked once.

    Near its end a token is renewed beside the logons that still use it, so that none of them waits, and a token
    endpoint that is away for minutes is not noticed.

    Args:
        settings: how tokens are had.
        clock: for the life of tokens, and the time in assertions.
        entropy: for the ids of assertions.

    Raises:
        Fault: no token can be had with these settings.
    """

    def __init__(self, settings: TokenSettings, clock: Clock, entropy: Entropy) -> None:
        check_token_settings(settings)
        self._settings = settings
        self._signer = open_signer(settings.certificate, settings.private_key) if settings.certificate else None
        self._clock = clock
        self._entropy = entropy
        self._refresh_token = settings.refresh_token
        self._held: _Held | None = None
        self._refusal: _Refusal | None = None
        self._renewal: asyncio.Task[Secret] | None = None
        self._client = http_client(settings.ca_file)

    async def token(self) -> Secret:
        """A token that is good now, as far as anybody but the server that it is for can know.

        Raises:
            TokenRefused: the endpoint gave none, or could not be asked.
        """
        now, held = self._clock.monotonic(), self._held
        if held is None or now >= held.ends_at:
            if self._refusal is not None and now < self._refusal.until:
                raise TokenRefused(self._refusal.fault.problem, remedy=self._refusal.fault.remedy)
            return await asyncio.shield(self._renewed())
        if now >= held.renew_at:
            self._held = _Held(held.token, now + _PAUSE_SECONDS, held.ends_at)
            self._renewed()
        return held.token

    def refused(self, token: Secret) -> None:
        """Give this token out no more: the server that it is for has refused it."""
        if self._held is not None and self._held.token.matches(token):
            self._held = None

    async def aclose(self) -> None:
        """Ask no more."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
        await self._client.aclose()

    def _renewed(self) -> "asyncio.Task[Secret]":
        """The renewal under way, begun if there is none; whoever is cancelled while waiting does not end it."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
            self._renewal.add_done_callback(self._ended)
        return self._renewal

    def _ended(self, renewal: "asyncio.Task[Secret]") -> None:
        """Tell the operator of a renewal that failed: whoever did not wait for it hears nothing."""
        error = None if renewal.cancelled() else renewal.exception()
        if error is not None:
            _log.warning("no new access token: %s", error)
        until = self._clock.monotonic() + _ANEW_SECONDS
        self._refusal = _Refusal(error, until) if isinstance(error, TokenRefused) else None

    async def _renew(self) -> Secret:
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(_QUESTION_SECONDS):
                token = await self._ask()
        except TimeoutError:
            failure = _unreachable(f"gave no answer within {_QUESTION_SECONDS:g} s")
        except UnusableAnswer as error:
            failure = _unreachable(f"gave an answer that {error}")
        except (httpx.HTTPError, OSError) as error:
            failure = _unreachable(f"could not be asked ({tls_problem(error) or type(error).__name__})")
        else:
            early = min(_RENEW_BEFORE_SECONDS, token.seconds / 2)
            self._held = _Held(token.access, begun + token.seconds - early, begun + token.seconds)
            self._exchange_refresh_token(token.refresh)
            return token.access
        # not in the handlers: what httpx raises holds the request
        raise failure

    def _exchange_refresh_token(self, given: Secret | None) -> None:
        """Use the one that came from now on (RFC 6749 section 6), and tell the operator once if it is another one.

        It is kept nowhere else: neither another process nor this one after a restart knows it.
        """
        if given is None or self._refresh_token is None or given.matches(self._refresh_token):
            return
        if self._refresh_token is self._settings.refresh_token:
            _log.warning(
                "the token endpoint exchanged refresh_token for another one, which is not kept: if it takes the old one"
                " no more, no other worker gets a token, nor does any after a restart (use a client whose refresh"
                " token stays, or an endpoint that gives tokens by client credentials)"
            )
        self._refresh_token = given

    async def _ask(self) -> Token:
        settings = self._settings
        fields = {"client_id": settings.client_id}
        if self._refresh_token is not None:
            fields |= {"grant_type": "refresh_token", "refresh_token": self._refresh_token.text}
        else:
            fields["grant_type"] = "client_credentials"
        if settings.scope:
            fields["scope"] = settings.scope
        if self._signer is not None:
            identity = str(UUID(bytes=self._entropy.octets(16), version=4))
            signed = self._signer.sign(settings.client_id, settings.url, self._clock.now(), identity)
            fields |= {"client_assertion_type": TYPE, "client_assertion": signed}
        elif settings.client_secret is not None:
            fields["client_secret"] = settings.client_secret.text
        question = Question("POST", settings.url, _HEADERS, urlencode(fields).encode())
        answer = await exchange(self._client, question, connect_seconds=_QUESTION_SECONDS / 2)
        return read_token(answer.status, answer.body)


def _unreachable(what: str) -> TokenRefused:
    return TokenRefused(f"the token endpoint {what}", remedy="check token_url, network and firewall, and ca_file")
