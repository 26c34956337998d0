"""The one maker of HTTP clients: certificates verified, no redirects, no environment, no credentials in logs."""

import logging
import ssl
from pathlib import Path

import httpx

from schema.errors import Fault

# httpx logs each request's URL at INFO, and gateways have credentials and codes in URLs
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


def http_client(ca_file: Path | None) -> httpx.AsyncClient:
    """A client that keeps connections and follows nothing; time limits are the caller's, for each request.

    Args:
        ca_file: PEM file of the authorities to trust instead of the system's.

    Raises:
        Fault: the file cannot be read.
    """
    return httpx.AsyncClient(
        verify=tls_context(ca_file),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - the caller bounds each request as a whole
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60.0),
    )


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer with the server's certificate and name verified. Raises Fault as `http_client` does."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Fault(f"CA file {ca_file}: {error}", remedy="give a readable PEM file of CA certificates") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
