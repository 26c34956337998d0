"""What is asked of a token endpoint, and with which proof of who we are."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from auth.tls import stays_on_this_host
from schema.errors import Fault
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How tokens are had: by client credentials (RFC 6749 section 4.4), or by a refresh token (section 6).

    Attributes:
        url: the token endpoint: https, or http to this host.
        client_id: what the authorization server knows us by.
        client_secret: our proof; None when we have a certificate.
        certificate: PEM file of the certificate that stands for us there (RFC 7523); None when we have a secret.
        private_key: PEM file of its private key; None when the certificate's file has it as well.
        refresh_token: stands for the account that let us act for it; None for client credentials.
        scope: what the token shall be good for; empty for what the server gives.
        ca_file: PEM file of the authorities to trust; the system's when absent.
    """

    url: str
    client_id: str
    client_secret: Secret | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    refresh_token: Secret | None = None
    scope: str = ""
    ca_file: Path | None = None


def check_token_settings(settings: TokenSettings) -> None:
    """Raises Fault: no token can be had with these."""
    check_https("token_url", settings.url)
    if not settings.client_id:
        raise Fault("client_id is missing", remedy="give the application's id as its registration shows it")
    if settings.client_secret and settings.certificate:
        raise Fault("client_secret and assertion_certificate are both set", remedy="leave one of them out")
    if not (settings.client_secret or settings.certificate):
        raise Fault(
            "neither client_secret nor assertion_certificate is set",
            remedy="set one of them: it proves to the token endpoint who asks",
        )
    if settings.private_key and not settings.certificate:
        raise Fault("assertion_key is set without assertion_certificate", remedy="set both, or client_secret alone")


def check_https(key: str, text: str) -> None:
    """Raises Fault: the URL of this key is none that secrets may be sent to."""
    try:
        url = urlsplit(text)
        httpx.URL(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        plain = usable and "@" not in url.netloc and not url.query and not url.fragment
    except (ValueError, httpx.InvalidURL):
        plain = False
    if not plain:
        raise Fault(f"{key} is no https address", remedy="give one such as https://login.example.org/token")
    if url.scheme == "http" and not stays_on_this_host(url.hostname or ""):
        raise Fault(f"{key} would send secrets to {url.hostname} in clear text", remedy="use https")
