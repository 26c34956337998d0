"""TLS towards others, whose certificate and name are verified whatever the environment says, and TLS towards us."""

import ipaddress
import ssl
from datetime import UTC, datetime
from pathlib import Path

from schema.errors import Fault


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A client's context for TLS 1.2 or later that verifies the server's chain and name.

    Args:
        ca_file: PEM file of the authorities to trust, instead of the system's.

    Raises:
        Fault: the file cannot be used.
    """
    # not create_default_context(): that one writes session keys to the file that $SSLKEYLOGFILE names
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    _trust(context, ca_file)
    return context


def server_tls_context(certificate: Path, private_key: Path | None, client_ca: Path | None = None) -> ssl.SSLContext:
    """A server's context for TLS 1.2 or later that shows this certificate; nobody is ever asked for a password.

    Args:
        certificate: PEM file of the certificate and its chain.
        private_key: PEM file of its private key; None when the certificate's file has it as well.
        client_ca: PEM file of the authorities whose clients may show a certificate, and then must prove it; without it
            nobody is asked for one.

    Raises:
        Fault: a file cannot be read, the key is encrypted, or they do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    present(context, certificate, private_key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _trust(context, client_ca)
    return context


def _trust(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        why = "it holds no PEM certificate"
    except OSError as error:
        why = error.strerror or "it cannot be read"
    else:
        return
    raise Fault(f"CA file {ca_file} cannot be used: {why}", remedy="give a readable PEM file of CA certificates")


def present(
    context: ssl.SSLContext,
    certificate: Path,
    private_key: Path | None,
    names: tuple[str, str] = ("certificate", "private_key"),
) -> None:
    """Let a context show a certificate; nobody is ever asked for a password.

    Args:
        context: a client's or a server's.
        certificate: PEM file of the certificate and its chain.
        private_key: PEM file of its private key; None when the certificate's file has it as well.
        names: what config.ini calls the two.

    Raises:
        Fault: a file cannot be read, the key is encrypted, or they do not belong together.
    """
    key = private_key or certificate
    for what, path in zip(names, (certificate, key), strict=True):
        try:
            path.open("rb").close()
        except OSError as error:
            raise Fault(
                f"{what} {path} cannot be read: {error.strerror}",
                remedy="give a PEM file that the service's user may read",
            ) from None

    def no_password() -> bytes:
        raise Fault(
            f"{names[1]} {key} is encrypted",
            remedy="store it unencrypted, for the service's user only (mode 600): openssl pkey -in KEY -out NEW",
        )

    try:
        context.load_cert_chain(certificate, private_key, password=no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Fault(
                f"{names[0]} {certificate} and {names[1]} {key} do not belong together",
                remedy="give the key that the certificate was made for; the certificate itself stands first",
            ) from None
        raise Fault(
            f"{names[0]} {certificate} with {names[1]} {key} cannot be used: {error.reason or 'no PEM'}",
            remedy="give PEM files: the certificate with its chain, and its private key",
        ) from None


def tls_problem(error: BaseException) -> str | None:
    """What TLS found wrong, when an exception or one that led to it came from TLS; None when it did not."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate was not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return f"TLS failed: {cause.reason or 'no reason given'}"
        cause = cause.__cause__ or cause.__context__
    return None


def peer_certificate_end(secured: ssl.SSLSocket | ssl.SSLObject) -> datetime:
    """When the certificate ends that the other side of a verified connection has shown, in UTC."""
    end = (secured.getpeercert() or {})["notAfter"]
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)


def stays_on_this_host(host: str) -> bool:
    """Whether what is sent to a host, by name or address, never leaves this one, so that it needs no TLS."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
