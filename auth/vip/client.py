"""Asks the VIP Authentication Service over mutual TLS: one question, one answer, one deadline, no retry."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from auth.clock import Entropy
from auth.http_client import http_client_over
from auth.tls import peer_certificate_end, tls_problem
from auth.vip.answers import Response, parse
from auth.vip.certificate import open_pkcs12, tls_context
from auth.vip.faults import VipAnswerRefused, VipTlsFailed, VipUnavailable
from auth.vip.messages import (
    MOST_CREDENTIALS,
    ActivateToken,
    GetTokenInformation,
    Request,
    Validate,
    ValidateMultiple,
    build,
    is_code,
)
from auth.vip.reasons import NOT_A_CODE, Kind, look_up
from schema.errors import Fault
from schema.secret import Secret

SERVICE_URL = "https://services-auth.vip.symantec.com"

_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '""',
    "Accept": "text/xml",
}
_XML_TYPES = frozenset({"text/xml", "application/xml"})
_LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class VipSettings:
    """How the VIP service is reached.

    Attributes:
        certificate: PKCS#12 file from VIP Manager.
        password: its password.
        url: https, host and perhaps port; the service's own paths are appended.
        ca_file: PEM file of the authorities to trust for the service's certificate; None for the system's.
        deadline: seconds for one question altogether: connection, TLS, request and answer.
    """

    certificate: Path
    password: Secret
    url: str = SERVICE_URL
    ca_file: Path | None = None
    deadline: float = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What VIP says about a code.

    Attributes:
        kind: whose business it is; only `Kind.SUCCESS` opens.
        reason_code: as `auth.vip.reasons.VipReason.code`.
        credential: the credential whose code it was; None without success, and where VIP does not say.
        detail: the service's own words, one printable line; for audit and operator.
    """

    kind: Kind
    reason_code: str
    credential: str | None = None
    detail: str = ""


class VipClient:
    """A client of the VIP Authentication Service; connections are kept alive between questions.

    Every question is asked once: a second attempt could find the code used up by the first.

    Args:
        settings: how the service is reached.
        entropy: where request ids come from.
        now: the instant at which the client certificate must be valid, with a zone.

    Attributes:
        certificate_expires: when the client certificate ends, in UTC.

    Raises:
        Fault: settings, certificate or CA file cannot be used.
    """

    certificate_expires: datetime

    def __init__(self, settings: VipSettings, entropy: Entropy, now: datetime) -> None:
        if settings.deadline <= 0:
            raise Fault("the deadline for VIP is not positive", remedy="give seconds, for example 5")
        base = _base_url(settings.url)
        certificate = open_pkcs12(settings.certificate, settings.password, now)
        self.certificate_expires = certificate.expires
        self._entropy = entropy
        self._deadline = settings.deadline
        context = tls_context(certificate, settings.ca_file, entropy)
        self._http = http_client_over(context, base_url=base, headers=_HEADERS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        """Whether the code is the current one of one of these credentials.

        Args:
            credentials: 1 to 5 ids; VIP counts a wrong code against each of them.
            code: as typed; what cannot be a code is the person's mistake and never sent.

        Raises:
            VipUnavailable: the service could not be asked, or its answer cannot be used.
            Fault: no credential, too many of them, or one that cannot be an id.
        """
        distinct = tuple(dict.fromkeys(credentials))
        if not 1 <= len(distinct) <= MOST_CREDENTIALS:
            raise Fault(
                f"{len(distinct)} VIP credentials cannot be validated together",
                remedy=f"assign 1 to {MOST_CREDENTIALS} in dirfactorVipCredential",
            )
        if not is_code(code):
            return Verdict(NOT_A_CODE.kind, NOT_A_CODE.code)
        if len(distinct) == 1:
            return _verdict(await self.ask(Validate(distinct[0], code)))
        return _verdict(await self.ask(ValidateMultiple(distinct, code)))

    async def activate(self, credential: str, code1: Secret, code2: Secret | None = None) -> Verdict:
        """Take a credential into use in our account; raises as `validate` does."""
        return _verdict(await self.ask(ActivateToken(credential, code1, code2)))

    async def information(self, credential: str) -> Response:
        """In which state a credential is; also shows that certificate, password and URL work. Raises VipUnavailable."""
        return await self.ask(GetTokenInformation(credential))

    async def reach(self) -> datetime:
        """Make one HTTP request that asks about nobody: that it is answered at all shows network, TLS and certificates.

        Returns:
            When the service's own certificate ends.

        Raises:
            VipUnavailable: it is not answered within the deadline, or one side does not trust the other.
        """
        limit = httpx.Timeout(None, connect=self._deadline / 2)
        try:
            async with asyncio.timeout(self._deadline), self._http.stream("GET", "/", timeout=limit) as answer:
                return peer_certificate_end(answer.extensions["network_stream"].get_extra_info("ssl_object"))
        except TimeoutError:
            raise self._silent() from None
        except (httpx.HTTPError, OSError) as error:
            raise _unreachable(error) from None

    async def ask(self, request: Request) -> Response:
        """One question to the service, and the answer to exactly this question.

        Raises:
            VipUnavailable: no connection, no answer within the deadline, or an answer that cannot be used.
        """
        request_id = self._entropy.octets(16).hex()
        try:
            async with asyncio.timeout(self._deadline):
                status, body = await self._post(request.path, build(request, request_id))
        except TimeoutError:
            raise self._silent() from None
        except (httpx.HTTPError, OSError) as error:
            raise _unreachable(error) from None
        if status == httpx.codes.OK:
            return parse(body, request, request_id)
        return _fault_of(status, body, request, request_id)

    def _silent(self) -> VipUnavailable:
        return VipUnavailable(
            f"the VIP service gave no answer within {self._deadline:g} s",
            remedy="check the network and proxies on the way, and the service's status page",
        )

    async def _post(self, path: str, envelope: bytes) -> tuple[int, bytes]:
        # half the time for TCP and for TLS: httpcore leaves a socket open when our deadline cuts a handshake
        limit = httpx.Timeout(None, connect=self._deadline / 2)
        async with self._http.stream("POST", path, content=envelope, timeout=limit) as answer:
            if answer.status_code not in (httpx.codes.OK, httpx.codes.INTERNAL_SERVER_ERROR):
                raise _status(answer.status_code)
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if media_type not in _XML_TYPES or "Content-Encoding" in answer.headers:
                raise _status(answer.status_code, "content that is no plain XML")
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise _status(answer.status_code, f"more than {_LARGEST_ANSWER // 1024} KiB")
            return answer.status_code, bytes(body)


def _base_url(text: str) -> str:
    wrong = Fault(f"{text!r} is no service URL for VIP", remedy=f"give one such as {SERVICE_URL}")
    try:
        url = urlsplit(text)
        plain = url.scheme == "https" and url.hostname and url.port != 0 and "@" not in url.netloc
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        raise wrong from None
    if not plain or url.query or url.fragment:
        raise wrong
    return text


def _verdict(response: Response) -> Verdict:
    kind = look_up(response.reason_code).kind
    return Verdict(kind, response.reason_code, response.credential, response.message)


def _fault_of(status: int, body: bytes, request: Request, request_id: str) -> Response:
    """SOAP 1.1 section 6.2 sends a Fault, and nothing else, with HTTP status 500."""
    try:
        response = parse(body, request, request_id)
    except VipAnswerRefused:
        raise _status(status) from None
    if not response.reason_code.startswith("soap:"):
        raise _status(status)
    return response


def _status(status: int, what: str = "") -> VipUnavailable:
    return VipUnavailable(
        f"the VIP service answered with HTTP status {status}{' and ' if what else ''}{what}",
        remedy="check the service URL and its status page; look for a proxy on the way",
    )


def _unreachable(error: BaseException) -> VipUnavailable:
    problem = tls_problem(error)
    if problem is not None:
        return VipTlsFailed(
            f"the VIP service could not be asked: {problem}",
            remedy="check ca_file, whether something on the way opens TLS, and that our certificate belongs to this "
            "VIP account and was not revoked",
        )
    return VipUnavailable(
        f"the VIP service could not be reached: {type(error).__name__} {error}".rstrip(),
        remedy="check name, network and firewall; a closed connection may mean that our certificate is not accepted",
    )
