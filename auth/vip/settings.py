"""How VIP is reached, as values."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from auth.vip.authentication.dialect import Authentication
from auth.vip.dialect import Dialect
from auth.vip.user_services.dialect import UserServices
from schema.secret import Secret


class DialectName(StrEnum):
    """Which of VIP's services is asked."""

    AUTHENTICATION = "authentication"
    USER_SERVICES = "user-services"

    @property
    def dialect(self) -> Dialect:
        """How that service is spoken to."""
        return Authentication() if self is DialectName.AUTHENTICATION else UserServices()


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A client certificate on disk.

    Attributes:
        path: PKCS#12, or PEM with private key and certificate.
        password: its password; empty for a private key that is not encrypted.
    """

    path: Path
    password: Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy for outbound HTTPS: asked to CONNECT, so that TLS is ours from end to end.

    Attributes:
        url: http, host and port.
        username: for basic authentication; empty for none.
        password: for basic authentication.
    """

    url: str
    username: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class VipSettings:
    """How the VIP service is reached.

    Attributes:
        certificate: our certificate.
        dialect: which of VIP's services.
        next_certificate: the one that takes over.
        hand_over_days: how many days before the end of the first one it takes over.
        url: https, host and perhaps port; the service's own paths are appended; empty for the dialect's own.
        fallback_urls: further ones, asked in this order when the first cannot be reached.
        proxy: what stands between; None for nothing.
        ca_file: PEM file of the authorities to trust for the service's certificate; None for the system's.
        deadline: seconds for one verb altogether: all its questions, at all URLs.
    """

    certificate: CertificateFile
    dialect: DialectName = DialectName.AUTHENTICATION
    next_certificate: CertificateFile | None = None
    hand_over_days: float = 14.0
    url: str = ""
    fallback_urls: tuple[str, ...] = ()
    proxy: Proxy | None = None
    ca_file: Path | None = None
    deadline: float = 5.0
