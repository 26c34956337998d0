"""Finds out why a server cannot be reached or trusted: libldap only says that it cannot contact it."""

import socket
import ssl
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from dirsync.settings import DirectorySettings
from dirsync.wire.complaints import Unreached, Untrusted
from dirsync.wire.handle import is_encrypted
from schema.errors import Fault

_PORTS: Final = {"ldap": 389, "ldaps": 636}
# An ExtendedRequest for StartTLS (RFC 4511 section 4.14.1), and how its answer begins when it is granted.
_START_TLS: Final = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
_GRANTED: Final = bytes.fromhex("0a0100")
_ANSWER_OCTETS: Final = 4096
# Why OpenSSL did not accept a certificate (x509_vfy.h), and what to do.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNKNOWN_ISSUER: Final = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})


def obstacle(url: str, settings: DirectorySettings) -> Fault | None:
    """What stands between us and a server; None when nothing is wrong with the network and the certificate now.

    It takes `timeout_seconds` at most for each step.

    Args:
        url: of the server.
        settings: of the directory.
    """
    try:
        certificate_end(url, settings)
    except Unreached as fault:
        return fault
    return None


def certificate_end(url: str, settings: DirectorySettings) -> datetime | None:
    """When the certificate of a server ends, seen over one connection of Python's own, which sends nothing secret.

    Args:
        url: of the server.
        settings: of the directory.

    Returns:
        The instant, in UTC; None when there is no TLS, or the server is on this machine's own socket.

    Raises:
        Unreached: what stands between us and the server, with its remedy; Untrusted when it is its certificate.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        return None
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        with socket.create_connection((host, port), settings.timeout_seconds) as connection:
            return _trusted_until(connection, host, url, settings) if is_encrypted(url, settings) else None
    except socket.gaierror as error:
        raise Unreached(
            f"{url}: the name {host} is not known to DNS ({error.strerror})",
            remedy="check the name in url of [directory], and the resolvers of this machine",
        ) from error
    except TimeoutError as error:
        raise Unreached(
            f"{url}: no answer within {settings.timeout_seconds:g} s",
            remedy=f"check that the server runs, and that no firewall drops connections to port {port}",
        ) from error
    except OSError as error:
        raise Unreached(
            f"{url}: {error.strerror or error}",
            remedy=f"check that the server runs and serves LDAP on port {port}",
        ) from error


def _trusted_until(connection: socket.socket, host: str, url: str, settings: DirectorySettings) -> datetime:
    """When the certificate ends that the server shows. Raises Unreached, or Untrusted, when it cannot be trusted."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.client_certificate:
        context.load_cert_chain(settings.client_certificate, settings.client_key)
    if urlsplit(url).scheme == "ldap":
        connection.sendall(_START_TLS)
        if _GRANTED not in connection.recv(_ANSWER_OCTETS):
            raise Unreached(
                f"{url}: the server does not grant StartTLS",
                remedy="give the server a certificate, or use ldaps:// in url of [directory]",
            )
    try:
        with context.wrap_socket(connection, server_hostname=host) as secured:
            end = (secured.getpeercert() or {})["notAfter"]
            return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(
            f"{url}: its certificate is not accepted: {error.verify_message}",
            remedy=_remedy(error.verify_code, host, settings),
        ) from error
    except ssl.SSLError as error:
        raise Unreached(
            f"{url}: no TLS ({error.reason or error})",
            remedy="check that url in [directory] names a port that speaks TLS 1.2 or newer, ldaps:// usually 636",
        ) from error


def _remedy(code: int, host: str, settings: DirectorySettings) -> str:
    authorities = f"ca_file {settings.ca_file}" if settings.ca_file else "the system's list of authorities"
    if code == _EXPIRED:
        return "give the server a new certificate"
    if code == _NOT_YET_VALID:
        return "check the clocks of this machine and of the server, and the certificate's first day"
    if code in _WRONG_NAME:
        return f"write in url of [directory] a name that the certificate bears, or have one issued that names {host}"
    if code in _UNKNOWN_ISSUER:
        return (
            f"{authorities} does not have the certificate's issuer: let ca_file of [directory] name a PEM file of the "
            "authority that issued it, or of the certificate itself when it is self-signed"
        )
    return f"check the certificate of the server against {authorities}"
