"""The one place that makes HTTP clients: certificates verified, nothing followed, remembered or logged."""

import logging
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from auth.http_lanes import Lanes
from auth.tls import tls_context

_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
_LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60.0)  # of one lane


def http_client(ca_file: Path | None) -> httpx.AsyncClient:
    """A client that trusts the authorities in a file, or the system's; otherwise as `http_client_over`.

    Raises:
        Fault: the file cannot be used.
    """
    return http_client_over(tls_context(ca_file))


def http_client_over(
    tls: ssl.SSLContext,
    *,
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
    proxy: httpx.Proxy | None = None,
) -> httpx.AsyncClient:
    """A client that keeps connections alive and follows no redirect, proxy setting or cookie.

    It has no time limit: the caller bounds each question as a whole, as four separate limits bound nothing.

    Args:
        tls: what servers are verified with, and perhaps our own certificate.
        base_url: stands before every address.
        headers: go with every request.
        proxy: stands between; https goes through it by CONNECT, so that `tls` holds from end to end.
    """
    _mute()
    # answers come as they are, so that a limit on what is read is a limit on what an answer can cost
    standard = {"User-Agent": "dirfactor", "Accept-Encoding": "identity"}
    lanes = Lanes(lambda: httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=_LIMITS, proxy=proxy))
    return httpx.AsyncClient(
        base_url=base_url,
        headers=standard | dict(headers or {}),
        transport=lanes,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=None,  # noqa: S113 - one deadline around the whole question, see above
    )


def _mute() -> None:
    """Silence the libraries: they log URLs and headers, in which gateways have credentials, numbers and codes.

    A filter, because a level can be set back by any logging configuration.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    del record
    return False
