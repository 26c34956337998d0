"""Makes throw-away certificate authorities and server certificates."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class ServerFiles:
    """PEM files that a server is configured with: `ca` for its clients, `certificate` and `key` its own."""

    ca: Path
    certificate: Path
    key: Path


def issue(
    directory: Path,
    *names: str,
    common_name: str | None = None,
    first: datetime | None = None,
    last: datetime | None = None,
) -> ServerFiles:
    """Writes a certificate of a new authority for a server.

    Args:
        directory: where the three files go; made when missing.
        names: host names and addresses that clients will connect to (subjectAltName).
        common_name: for clients that want one as well; none when absent.
        first: the instant from which on it is valid; long ago when absent.
        last: the instant until which it is valid; far in the future when absent.
    """
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert(*names, common_name=common_name, not_before=first, not_after=last)
    files = ServerFiles(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    authority.cert_pem.write_to_path(str(files.ca))
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(str(files.certificate), append=number > 0)
    # Samba and Postfix refuse a key that others may read.
    files.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(files.key))
    return files


def self_signed(directory: Path, name: str) -> ServerFiles:
    """Writes a certificate that a server has made for itself; `ca` is that of an authority with no part in it."""
    files = issue(directory, name)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
