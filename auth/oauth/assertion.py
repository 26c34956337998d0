"""Our certificate at an authorization server: a signed statement of who asks, good once (RFC 7523 section 2.2)."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from schema.errors import Fault

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME = timedelta(minutes=5)
_ALGORITHM = "PS256"  # what Microsoft's platform asks for; RS256 is on its way out there


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs statements; its repr shows nothing of the key.

    Attributes:
        certificate: what the authorization server knows us by.
        key: its private key.
    """

    certificate: x509.Certificate
    key: RSAPrivateKey

    def sign(self, client_id: str, audience: str, now: datetime, identity: str) -> str:
        """A statement for one request.

        Args:
            client_id: who we are.
            audience: the token endpoint.
            now: from when on it is good, for five minutes.
            identity: unique.
        """
        thumbprint = base64.urlsafe_b64encode(self.certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": identity,
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME,
        }
        return jwt.encode(claims, self.key, algorithm=_ALGORITHM, headers={"x5t#S256": thumbprint})


def open_signer(certificate: Path, private_key: Path | None) -> Signer:
    """The signer whose certificate and RSA key are in PEM files.

    Args:
        certificate: file of the certificate.
        private_key: file of its key; None when the certificate's file has it as well.

    Raises:
        Fault: a file cannot be used, or they do not belong together.
    """
    try:
        octets = certificate.read_bytes()
        key_octets = private_key.read_bytes() if private_key else octets
    except OSError as error:
        raise Fault(
            f"assertion_certificate or assertion_key cannot be read: {error.strerror}",
            remedy="give PEM files that the service's user may read",
        ) from None
    try:
        own = x509.load_pem_x509_certificate(octets)
    except ValueError:
        raise Fault(
            f"assertion_certificate {certificate} holds no PEM certificate", remedy="give the one that was uploaded"
        ) from None
    try:
        key = load_pem_private_key(key_octets, None)
    except (ValueError, TypeError):
        raise Fault(
            f"assertion_key {private_key or certificate} holds no private key, or an encrypted one",
            remedy="store it unencrypted, for the service's user only (mode 600): openssl pkey -in KEY -out NEW",
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.public_key() != own.public_key():
        raise Fault(
            "assertion_certificate and assertion_key do not belong together, or are not of RSA",
            remedy="give the RSA key that the certificate was made for",
        )
    return Signer(own, key)
