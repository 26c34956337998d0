"""Asks VIP over mutual TLS: one deadline for everything, and no code is ever judged twice.

A question goes to the next URL only when nothing of it was sent (no connection, no TLS, no way through the proxy), or
when the service itself said that it did not look at it (4879). A question that changes nothing goes there after any
failure. A code that may have been judged is not asked about again: the second answer could call a right code used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Self
from urllib.parse import urlsplit

import httpx

from auth import tls
from auth.clock import Clock, Entropy
from auth.vip.connection import NOTHING_SENT, Connection, Reached, unreachable, wrong_status
from auth.vip.credential import MOST_CREDENTIALS, is_code, without_telephones
from auth.vip.dialect import Ask, Question
from auth.vip.faults import VipAnswerRefused, VipUnavailable
from auth.vip.identities import CertificateState, Identities
from auth.vip.reasons import NOT_A_CODE, Kind
from auth.vip.settings import VipSettings
from auth.vip.verdict import Response, Verdict
from schema.errors import Fault
from schema.secret import Secret

_NOT_LOOKED_AT = "4879"
_REST_SECONDS = 30.0


class VipClient:
    """A client of VIP in one dialect; connections are kept alive between questions.

    Args:
        settings: how the service is reached.
        clock: tells which certificate is valid, and for how long a URL that failed is asked last.
        entropy: where request ids come from.

    Attributes:
        urls: where the service is, in the order in which they are asked.

    Raises:
        Fault: the settings cannot be used. Certificates are opened when they are needed; see `check`.
    """

    urls: tuple[str, ...]

    def __init__(self, settings: VipSettings, clock: Clock, entropy: Entropy) -> None:
        if settings.deadline <= 0:
            raise Fault("the deadline for VIP is not positive", remedy="give seconds, for example 5")
        self._dialect = settings.dialect.dialect
        self.urls = tuple(map(self._service_url, (settings.url or self._dialect.service_url, *settings.fallback_urls)))
        _check_proxy(settings)
        tls.tls_context(settings.ca_file)
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._identities = Identities(settings)
        self._connection: Connection | None = None
        self._resting: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._connection is not None:
            await self._connection.aclose()

    def check(self) -> None:
        """That there is a certificate that can be shown. Raises Fault when there is none."""
        self._identities.current(self._clock.now())

    def certificates(self) -> tuple[CertificateState, ...]:
        """The configured certificates, and which of them is shown."""
        return self._identities.states(self._clock.now())

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        """Whether the code is the current one of one of these credentials.

        Args:
            credentials: 1 to 5, as `auth.vip.credential.Credential.text`; VIP counts a wrong code against each.
            code: as typed; what cannot be a code is the person's mistake and never sent.

        Raises:
            VipUnavailable: the service could not be asked, or its answer cannot be used.
            Fault: no credential, too many, one that cannot be asked about, or no certificate of ours that is valid.
        """
        asked = _distinct(credentials)
        if not is_code(code):
            return Verdict(NOT_A_CODE.kind, NOT_A_CODE.code)
        return Verdict.of(await self._within(lambda ask: self._dialect.validate(ask, asked, code)))

    async def resynchronise(self, credentials: Sequence[str], code1: Secret, code2: Secret) -> Verdict:
        """Whether these are two consecutive codes of one of the credentials, after 4923; raises as `validate` does."""
        asked = _distinct(credentials)
        if not is_code(code2):
            return Verdict(NOT_A_CODE.kind, NOT_A_CODE.code)
        return Verdict.of(await self._within(lambda ask: self._dialect.resynchronise(ask, asked, code1, code2)))

    async def send(self, credentials: Sequence[str]) -> Verdict:
        """Have VIP send a code to the first credential that is a telephone; raises as `validate` does.

        Never asked twice, so that one keyword is one text.
        """
        asked = _distinct(credentials)
        response = await self._within(lambda ask: self._dialect.send(ask, asked))
        return Verdict.of(replace(response, message=without_telephones(response.message, asked)))

    async def activate(self, credential: str, code1: Secret | None = None, code2: Secret | None = None) -> Verdict:
        """Take a credential into use in our account; raises as `validate` does."""
        return Verdict.of(await self._within(lambda ask: self._dialect.activate(ask, credential, code1, code2)))

    async def possessed(self, credential: str, code1: Secret, code2: Secret | None = None) -> Verdict:
        """Whether these codes come from this credential, for enrolment only; raises as `validate` does."""
        return Verdict.of(await self._within(lambda ask: self._dialect.possessed(ask, credential, code1, code2)))

    async def information(self, credential: str) -> Response:
        """In which state a credential is; raises as `validate` does."""
        return await self._within(lambda ask: self._dialect.describe(ask, credential))

    async def server_time(self, url: str = "") -> Response:
        """What time it is at VIP: proves certificate, password and URL together, and asks about nobody.

        Args:
            url: one of `urls`, to ask this one only.

        Raises:
            VipUnavailable: the service could not be asked, or its answer cannot be used.
            Fault: there is no certificate of ours that is valid.
        """
        return await self._within(self._dialect.server_time, (url,) if url else ())

    async def reach(self, url: str) -> Reached:
        """Make one HTTP request that asks nothing: that it is answered at all shows network, TLS and certificates.

        Raises:
            VipUnavailable: it is not answered within the deadline, or one side does not trust the other.
            Fault: there is no certificate of ours that is valid.
        """
        connection = await self._connected()
        try:
            async with asyncio.timeout(self._settings.deadline):
                with connection.in_use():
                    return await connection.reach(url, self._settings.deadline / 2)
        except TimeoutError:
            raise self._silent() from None
        except (httpx.HTTPError, OSError) as error:
            raise unreachable(error) from None

    async def hand_over(self) -> bool:
        """Show the next certificate from now on, when its time has come and VIP accepts it.

        Returns:
            Whether that happened just now.

        Raises:
            VipUnavailable: it was tried, and VIP could not be asked with it.
            Fault: it was tried, and cannot be used.
        """
        candidate = self._identities.due(self._clock.now())
        if candidate is None:
            return False
        connection = Connection(candidate, self._settings, self._entropy)
        try:
            answer = await self._within(self._dialect.server_time, connection=connection)
        finally:
            await connection.aclose()
        if answer.kind is not Kind.SUCCESS:
            raise Fault(
                f"VIP does not accept the next certificate: {answer.reason_code} {answer.message}",
                remedy="check that next_certificate was issued for this VIP account, and download it again",
            )
        self._identities.prove(candidate)
        return True

    async def _within(
        self,
        verb: Callable[[Ask], Awaitable[Response]],
        urls: tuple[str, ...] = (),
        connection: Connection | None = None,
    ) -> Response:
        """All questions of one verb, within the deadline."""
        used = connection or await self._connected()
        try:
            async with asyncio.timeout(self._settings.deadline):
                with used.in_use():
                    return await verb(partial(self._ask, used, urls))
        except TimeoutError:
            raise self._silent() from None
        finally:
            await used.settle()

    async def _ask(self, connection: Connection, urls: tuple[str, ...], question: Question) -> Response:
        """One question, at one URL or, where that is harmless, at several."""
        answer: Response | None = None
        failure: VipUnavailable | None = None
        for url in urls or self._in_order():
            try:
                answer = await self._ask_at(connection, url, question)
            except NOTHING_SENT as error:
                self._resting[url] = self._clock.monotonic() + _REST_SECONDS
                failure = unreachable(error)
                continue
            except VipUnavailable as fault:
                if not question.repeatable:
                    raise
                failure = fault
                continue
            if answer.kind is not Kind.SERVICE or not (question.repeatable or answer.reason_code == _NOT_LOOKED_AT):
                break
        if answer is None:
            raise failure or self._silent()
        return answer

    async def _ask_at(self, connection: Connection, url: str, question: Question) -> Response:
        request_id = self._entropy.octets(16).hex()
        # one share of the time for each URL, and one for the answer
        share = self._settings.deadline / (len(self.urls) + 1)
        try:
            status, body = await connection.post(url + question.path, question.build(request_id), share)
        except NOTHING_SENT:
            raise
        except (httpx.HTTPError, OSError) as error:
            raise unreachable(error) from None
        if status == httpx.codes.OK:
            return question.parse(body, request_id)
        return _fault_of(status, body, question, request_id)

    def _in_order(self) -> list[str]:
        """The URLs, those last that failed a moment ago."""
        now = self._clock.monotonic()
        return sorted(self.urls, key=lambda url: self._resting.get(url, now) > now)

    async def _connected(self) -> Connection:
        """The connection with the certificate that is to be shown now."""
        certificate = self._identities.current(self._clock.now())
        if self._connection is None or self._connection.fingerprint != certificate.fingerprint:
            old, self._connection = self._connection, Connection(certificate, self._settings, self._entropy)
            if old is not None:
                await old.retire()
        return self._connection

    def _silent(self) -> VipUnavailable:
        return VipUnavailable(
            f"the VIP service gave no answer within {self._settings.deadline:g} s",
            remedy="check the network and proxies on the way, and the service's status page",
        )

    def _service_url(self, text: str) -> str:
        wrong = Fault(f"{text!r} is no service URL for VIP", remedy=f"give one such as {self._dialect.service_url}")
        if not _is_address(text, "https"):
            raise wrong
        return text.rstrip("/")


def _distinct(credentials: Sequence[str]) -> tuple[str, ...]:
    distinct = tuple(dict.fromkeys(credentials))
    if not 1 <= len(distinct) <= MOST_CREDENTIALS:
        raise Fault(
            f"{len(distinct)} VIP credentials cannot be validated together",
            remedy=f"assign 1 to {MOST_CREDENTIALS} in dirfactorVipCredential",
        )
    return distinct


def _check_proxy(settings: VipSettings) -> None:
    if settings.proxy is not None and not _is_address(settings.proxy.url, "http"):
        raise Fault(
            f"{settings.proxy.url!r} is no proxy for VIP",
            remedy="give one such as http://proxy.example.org:3128; its credentials are proxy_username and "
            "proxy_password",
        )


def _is_address(text: str, scheme: str) -> bool:
    try:
        url = urlsplit(text)
        plain = url.scheme == scheme and url.hostname and url.port != 0 and "@" not in url.netloc
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        return False
    return bool(plain) and not url.query and not url.fragment


def _fault_of(status: int, body: bytes, question: Question, request_id: str) -> Response:
    """SOAP 1.1 section 6.2 sends a Fault, and nothing else, with HTTP status 500."""
    try:
        response = question.parse(body, request_id)
    except VipAnswerRefused:
        raise wrong_status(status) from None
    if not response.reason_code.startswith("soap:"):
        raise wrong_status(status)
    return response
