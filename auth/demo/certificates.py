"""Throw-away certificates: an authority, a server for this machine, and a client as VIP would issue it."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from auth.clock import Entropy
from schema.secret import Secret

_LIFE = timedelta(days=90)
_CLOCK_SKEW = timedelta(hours=1)
_ENDING, _ENDED = timedelta(days=5), timedelta(days=-1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, its private key, and the authority's certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    authority: x509.Certificate

    def pem(self) -> bytes:
        """Key, certificate and authority as PEM, the key unencrypted."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM) + self.authority.public_bytes(Encoding.PEM)

    def pkcs12(self, password: Secret) -> bytes:
        """The same as a PKCS#12 file with a password."""
        name = self.certificate.subject.rfc4514_string().encode()
        encryption = BestAvailableEncryption(password.octets)
        return pkcs12.serialize_key_and_certificates(name, self.key, self.certificate, [self.authority], encryption)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that lives 90 days from `now`, as does all that it issues."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    now: datetime

    @classmethod
    def make(cls, name: str, now: datetime) -> Self:
        """A new authority of this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, key, now)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        return cls(builder.sign(key, SHA256()), key, now)

    def server(self) -> Issued:
        """A certificate for localhost, 127.0.0.1 and ::1."""
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName("localhost"),
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                x509.IPAddress(ipaddress.ip_address("::1")),
            ]
        )
        return self._issue("localhost", ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, name: str, ends: datetime | None = None) -> Issued:
        """A certificate that a client shows, good until it `ends`."""
        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, None, ends)

    def _issue(
        self,
        name: str,
        usage: x509.ObjectIdentifier,
        alternatives: x509.SubjectAlternativeName | None,
        ends: datetime | None = None,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        builder = _builder(name, str(issuer), key, self.now, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        from_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(from_issuer, critical=False)
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        return Issued(builder.sign(self.key, SHA256()), key, self.certificate)


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime | None = None
) -> x509.CertificateBuilder:
    ends = ends or now + _LIFE
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, ends) - _CLOCK_SKEW)
        .not_valid_after(ends)
        .add_extension(own, critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class CertificateFolder:
    """The files of one throw-away authority.

    Attributes:
        folder: where they lie.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, PEM: what both sides trust."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path:
        """The server's key and chain, PEM, for its owner only."""
        return self.folder / "server.pem"

    @property
    def client(self) -> Path:
        """The client's PKCS#12 file."""
        return self.folder / "client.p12"

    @property
    def client_password(self) -> Path:
        """The password of the client's PKCS#12 file, without a line end; for its owner only."""
        return self.folder / "client.password"

    @property
    def foreign_client(self) -> Path:
        """A PKCS#12 file with the same password, of an authority that the server doesn't know."""
        return self.folder / "foreign-client.p12"

    @property
    def ending_client(self) -> Path:
        """A PKCS#12 file with the same password, whose certificate has five days left."""
        return self.folder / "ending-client.p12"

    @property
    def ended_client(self) -> Path:
        """A PKCS#12 file with the same password, whose certificate ended yesterday."""
        return self.folder / "ended-client.p12"

    def make(self, now: datetime, entropy: Entropy) -> None:
        """Write all of them, replacing what was there.

        Raises:
            OSError: the folder cannot be written.
        """
        password = Secret(entropy.octets(12).hex())
        authority = Authority.make("Demo VIP Authority", now)
        stranger = Authority.make("Another Authority", now)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
        _write_private(self.server, authority.server().pem())
        _write_private(self.client, authority.client("Demo VIP Account").pkcs12(password))
        for path, left in ((self.ending_client, _ENDING), (self.ended_client, _ENDED)):
            _write_private(path, authority.client("Demo VIP Account", now + left).pkcs12(password))
        _write_private(self.client_password, password.octets)
        _write_private(self.foreign_client, stranger.client("Another Account").pkcs12(password))


def _write_private(path: Path, octets: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(octets)
