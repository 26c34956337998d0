"""The client for programs that wait, and the one for asyncio."""

import asyncio
import ssl
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from auth.client import dialogue
from auth.client.outcome import Challenged, Outcome, ServiceUnavailable
from auth.tls import present, stays_on_this_host, tls_context

_SECONDS = 15.0  # a code may go through several gateways, or to VIP
_IDLE_SECONDS = 3.0  # shorter than the service keeps a connection


class Client:
    """Asks dirfactor as one access node; may be used by several threads.

    Nothing is asked twice by itself: a code that was counted would be wrong the second time.

    Args:
        url: where the HTTP door is, such as https://auth.example.org:8480; http only for this host.
        api_key: of the access node; None when it shows a certificate.
        certificate: PEM file of the access node's client certificate with its chain and private key.
        ca_file: PEM file of the authorities to trust; the system's when it is None.
        seconds: how long the service may be silent; with asyncio, how long a step may take.

    Raises:
        ValueError: passwords would be sent in clear, or there is neither key nor certificate.
        schema.errors.Fault: a file cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        certificate: Path | None = None,
        ca_file: Path | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._client = httpx.Client(**_settings(url, api_key, certificate, ca_file, seconds))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def authenticate(self, user: str, password: str | None = None, *, passcode: str | None = None) -> Outcome:
        """Begin a logon.

        Args:
            user: login name.
            password: what was typed in the password field.
            passcode: a code typed in a field of its own.

        Raises:
            LogonError: there is no outcome; nobody may be let in.
        """
        return self._ask(dialogue.first_step(user, password, passcode), user)

    def answer(self, challenge: Challenged, typed: str) -> Outcome:
        """Go on with what the person typed.

        Raises:
            LogonError: there is no outcome; nobody may be let in.
        """
        return self._ask(dialogue.later_step(challenge, typed), challenge.user)

    def _ask(self, body: bytes, user: str) -> Outcome:
        try:
            answer = self._client.post(dialogue.PATH, content=body)
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        return dialogue.outcome(answer.status_code, answer.content, user)


class AsyncClient:
    """As `Client`, for asyncio."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        certificate: Path | None = None,
        ca_file: Path | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._client = httpx.AsyncClient(**_settings(url, api_key, certificate, ca_file, seconds))
        self._seconds = seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def authenticate(self, user: str, password: str | None = None, *, passcode: str | None = None) -> Outcome:
        """Begin a logon; see `Client.authenticate`."""
        return await self._ask(dialogue.first_step(user, password, passcode), user)

    async def answer(self, challenge: Challenged, typed: str) -> Outcome:
        """Go on with what the person typed; see `Client.answer`."""
        return await self._ask(dialogue.later_step(challenge, typed), challenge.user)

    async def _ask(self, body: bytes, user: str) -> Outcome:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.post(dialogue.PATH, content=body)
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unreachable(error) from None
        return dialogue.outcome(answer.status_code, answer.content, user)


def _settings(
    url: str, api_key: str | None, certificate: Path | None, ca_file: Path | None, seconds: float
) -> dict[str, Any]:
    place = urlsplit(url)
    is_near = stays_on_this_host(place.hostname or "")
    if place.scheme != "https" and not (place.scheme == "http" and is_near):
        msg = "give an https:// address: passwords would be sent in clear"
        raise ValueError(msg)
    if not (api_key or certificate):
        msg = "give the API key or the client certificate of an access node"
        raise ValueError(msg)
    return {
        "base_url": url,
        "headers": dialogue.headers(api_key),
        "verify": _context(certificate, ca_file) if place.scheme == "https" else True,
        "timeout": httpx.Timeout(seconds),
        "limits": httpx.Limits(keepalive_expiry=_IDLE_SECONDS),
        "trust_env": False,  # no proxy, and no file with session keys, by somebody's environment
        "follow_redirects": False,
    }


def _context(certificate: Path | None, ca_file: Path | None) -> ssl.SSLContext:
    context = tls_context(ca_file)
    if certificate is not None:
        present(context, certificate, None)
    return context


def _unreachable(error: Exception) -> ServiceUnavailable:
    """Without the error itself, which holds the request."""
    return ServiceUnavailable(f"the service cannot be asked: {type(error).__name__}")
