"""Our identity at VIP: a PKCS#12 or PEM file becomes a client certificate, and that a TLS context."""

import os
import re
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from auth import tls
from auth.clock import Entropy
from auth.vip.settings import CertificateFile
from schema.errors import Fault

_ANOTHER = "download the certificate again from VIP Manager, as PKCS#12 or PEM and with its private key"
_DER_SEQUENCE = b"\x30"
_PEM = b"-----BEGIN "
_PEM_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?(?:ENCRYPTED )?PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")
_Chain = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate that VIP knows our account by.

    Attributes:
        chain: the certificate, then the intermediate ones that came with it.
        key: its private key; its repr shows nothing of it.
        expires: when the certificate ends, in UTC.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes
    expires: datetime

    @property
    def fingerprint(self) -> bytes:
        """What tells it from every other: the SHA-256 of the certificate."""
        return self.chain[0].fingerprint(SHA256())


def open_certificate(file: CertificateFile, now: datetime) -> ClientCertificate:
    """The client certificate in a file: PKCS#12 (RFC 7292), as VIP Manager hands it out, or PEM (RFC 7468).

    Args:
        file: the file and its password.
        now: the instant at which the certificate must be valid, with a zone.

    Raises:
        Fault: the file cannot be read or opened, has no private key or no certificate, or is not valid now.
    """
    path = file.path
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise Fault(
            f"the VIP certificate {path} cannot be read: {error.strerror}",
            remedy="check the path, and that the service's user may read the file",
        ) from None
    try:
        if octets.startswith(_DER_SEQUENCE):
            key, chain = _pkcs12(octets, file)
        elif _PEM in octets:
            key, chain = _pem(octets, file)
        else:
            raise Fault(f"the VIP certificate {path} is neither PKCS#12 nor PEM", remedy=_ANOTHER)
    except UnsupportedAlgorithm as error:
        raise Fault(f"the VIP certificate {path} uses an unknown algorithm: {error}", remedy=_ANOTHER) from None
    _demand_validity(path, chain[0], now)
    return ClientCertificate(chain, key, chain[0].not_valid_after_utc)


def _pkcs12(octets: bytes, file: CertificateFile) -> tuple[PrivateKeyTypes, _Chain]:
    try:
        content = load_pkcs12(octets, file.password.octets or None)
    except ValueError:
        raise _locked(file.path) from None
    if content.key is None:
        raise Fault(f"the VIP certificate {file.path} has no private key in it", remedy=_ANOTHER)
    if content.cert is None:
        raise Fault(f"the VIP certificate {file.path} has a key, but not its certificate", remedy=_ANOTHER)
    return content.key, (content.cert.certificate, *(extra.certificate for extra in content.additional_certs))


def _pem(octets: bytes, file: CertificateFile) -> tuple[PrivateKeyTypes, _Chain]:
    if not _PEM_KEY.search(octets):
        raise Fault(f"the VIP certificate {file.path} has no private key in it", remedy=_ANOTHER)
    try:
        # a password for a key that is not encrypted is an error there, and none here: the file may have been converted
        key = load_pem_private_key(octets, file.password.octets if _ENCRYPTED.search(octets) else None)
    except (ValueError, TypeError):
        raise _locked(file.path) from None
    try:
        found = x509.load_pem_x509_certificates(octets)
    except ValueError:
        found = []
    own = [each for each in found if each.public_key() == key.public_key()]
    if not own:
        raise Fault(f"the VIP certificate {file.path} has a key, but not its certificate", remedy=_ANOTHER)
    return key, (own[0], *(each for each in found if each != own[0]))


def _locked(path: Path) -> Fault:
    return Fault(
        f"the VIP certificate {path} cannot be opened with the configured password",
        remedy="check the password, which was chosen when the certificate was downloaded from VIP Manager",
    )


def _demand_validity(path: Path, own: x509.Certificate, now: datetime) -> None:
    if now >= own.not_valid_after_utc:
        raise Fault(
            f"the VIP certificate {path} expired at {own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            remedy="request a new certificate in VIP Manager: Account, Manage VIP Certificates",
        )
    if now < own.not_valid_before_utc:
        raise Fault(
            f"the VIP certificate {path} is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            remedy="check this machine's clock",
        )


def tls_context(certificate: ClientCertificate, ca_file: Path | None, entropy: Entropy) -> ssl.SSLContext:
    """A context for TLS 1.2 or later that shows this certificate and verifies the server's chain and name.

    Python's ssl takes a key from a file only: it gets one that no other user can read, encrypted with a
    password that is used once and never written, and that is gone when this returns.

    Args:
        certificate: ours.
        ca_file: PEM file of the authorities to trust; None for the system's.
        entropy: where the one-time password comes from.

    Raises:
        Fault: the CA file cannot be used, or key and certificate don't belong together.
    """
    context = tls.tls_context(ca_file)
    once = entropy.octets(32).hex().encode()
    pem = certificate.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(once))
    pem += b"".join(each.public_bytes(Encoding.PEM) for each in certificate.chain)
    try:
        with tempfile.TemporaryDirectory(prefix="dirfactor-") as folder:
            path = Path(folder, "client.pem")
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(pem)
            context.load_cert_chain(path, password=lambda: once)
    except ssl.SSLError as error:
        raise Fault(f"the VIP certificate cannot be used for TLS: {error.reason}", remedy=_ANOTHER) from None
    except OSError as error:
        raise Fault(
            f"no temporary file for the VIP certificate: {error.strerror}",
            remedy="set TMPDIR to a folder that the service may write to",
        ) from None
    return context
