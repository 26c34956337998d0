"""TLS towards the services of others: certificate and name are verified, whatever the environment says."""

import ipaddress
import ssl
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
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        why = "it holds no PEM certificate"
    except OSError as error:
        why = error.strerror or "it cannot be read"
    else:
        return context
    raise Fault(f"CA file {ca_file} cannot be used: {why}", remedy="give a readable PEM file of CA certificates")


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


def stays_on_this_host(host: str) -> bool:
    """Whether what is sent to a host, by name or address, never leaves this one, so that it needs no TLS."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
