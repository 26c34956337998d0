"""HTTP over mutual TLS with one client certificate: what is posted, and what of an answer is read at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

from auth.clock import Entropy
from auth.http_client import http_client_over
from auth.http_exchange import let_go_of
from auth.tls import peer_certificate_end, tls_problem
from auth.vip.certificate import ClientCertificate, tls_context
from auth.vip.faults import VipTlsFailed, VipUnavailable
from auth.vip.settings import VipSettings

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""What is raised before a request leaves: no connection, no TLS, or no way through the proxy."""

_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '""',
    "Accept": "text/xml",
}
_XML_TYPES = frozenset({"text/xml", "application/xml"})
_LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reached:
    """The other end of a connection.

    Attributes:
        tls: the protocol's version, such as `TLSv1.3`.
        certificate_ends: when the service's own certificate ends, in UTC.
    """

    tls: str
    certificate_ends: datetime


class Connection:
    """Connections to all of the service's URLs with one certificate of ours, kept alive between questions.

    Args:
        certificate: ours.
        settings: the authorities to trust, and the proxy.
        entropy: for the temporary file that Python's ssl wants the key in.

    Raises:
        Fault: the CA file cannot be used.
    """

    def __init__(self, certificate: ClientCertificate, settings: VipSettings, entropy: Entropy) -> None:
        self.fingerprint = certificate.fingerprint
        context = tls_context(certificate, settings.ca_file, entropy)
        self._http = http_client_over(context, headers=_HEADERS, proxy=_proxy(settings))
        self._users = 0
        self._retired = False

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep it open for as long as the context lasts, whoever retires it meanwhile."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1

    async def retire(self) -> None:
        """Close it, now or when the last question is answered: see `settle`."""
        self._retired = True
        if not self._users:
            await self._http.aclose()

    async def settle(self) -> None:
        """Close it when it was retired and nobody uses it any more."""
        if self._retired and not self._users:
            await self._http.aclose()

    async def aclose(self) -> None:
        """Close it, whatever is under way."""
        await self._http.aclose()

    async def post(self, url: str, envelope: bytes, connect_seconds: float) -> tuple[int, bytes]:
        """Post an envelope; the HTTP status and the body of the answer, which is XML by its own account.

        Args:
            url: where.
            envelope: what.
            connect_seconds: for TCP and for TLS, each: httpcore leaves a socket open when a deadline from outside cuts
                a handshake. The caller bounds all of it.

        Raises:
            NOTHING_SENT: one of these.
            httpx.HTTPError, OSError: it may have been sent.
            VipUnavailable: the answer cannot be used.
        """
        limit = httpx.Timeout(None, connect=connect_seconds)
        async with let_go_of(self._http.stream("POST", url, content=envelope, timeout=limit)) as answer:
            if answer.status_code not in (httpx.codes.OK, httpx.codes.INTERNAL_SERVER_ERROR):
                raise wrong_status(answer.status_code)
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if media_type not in _XML_TYPES or "Content-Encoding" in answer.headers:
                raise wrong_status(answer.status_code, "content that is no plain XML")
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise wrong_status(answer.status_code, f"more than {_LARGEST_ANSWER // 1024} KiB")
            return answer.status_code, bytes(body)

    async def reach(self, url: str, connect_seconds: float) -> Reached:
        """Make one HTTP request that asks nothing: that it is answered at all shows network, TLS and certificates.

        Raises:
            httpx.HTTPError, OSError: it is not answered, or one side does not trust the other.
        """
        limit = httpx.Timeout(None, connect=connect_seconds)
        async with let_go_of(self._http.stream("GET", url, timeout=limit)) as answer:
            secured = answer.extensions["network_stream"].get_extra_info("ssl_object")
            return Reached(secured.version() or "", peer_certificate_end(secured))


def _proxy(settings: VipSettings) -> httpx.Proxy | None:
    proxy = settings.proxy
    if proxy is None:
        return None
    password = proxy.password.text if proxy.password is not None else ""
    return httpx.Proxy(proxy.url, auth=(proxy.username, password) if proxy.username else None)


def wrong_status(status: int, what: str = "") -> VipUnavailable:
    """The fault of an HTTP answer that is none of the service's."""
    return VipUnavailable(
        f"the VIP service answered with HTTP status {status}{' and ' if what else ''}{what}",
        remedy="check the service URL and its status page; look for a proxy on the way",
    )


def unreachable(error: BaseException) -> VipUnavailable:
    """The fault of a connection that failed."""
    problem = tls_problem(error)
    if problem is not None:
        return VipTlsFailed(
            f"the VIP service could not be asked: {problem}",
            remedy="check ca_file, whether something on the way opens TLS, and that our certificate belongs to this "
            "VIP account and was not revoked",
        )
    if isinstance(error, httpx.ProxyError):
        return VipUnavailable(
            f"the proxy did not let us through to the VIP service: {error}",
            remedy="check [vip] proxy and its credentials, and that it allows CONNECT to the service's port",
        )
    return VipUnavailable(
        f"the VIP service could not be reached: {type(error).__name__} {error}".rstrip(),
        remedy="check name, network and firewall; a closed connection may mean that our certificate is not accepted",
    )
