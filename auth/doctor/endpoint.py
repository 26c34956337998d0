"""Reaches a server as far as its TLS certificate, and sends it nothing."""

import socket
import ssl
from datetime import datetime

from auth.tls import peer_certificate_end, tls_problem
from schema.errors import Fault


def certificate_end(host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> datetime | None:
    """When the certificate of a server ends, in UTC; None without TLS.

    Args:
        host: name or address.
        port: TCP port.
        tls: what it is verified with; None for a connection without TLS.
        seconds: how long each step may take.

    Raises:
        Fault: it cannot be reached or trusted.
    """
    try:
        with socket.create_connection((host, port), seconds) as connection:
            if tls is None:
                return None
            with tls.wrap_socket(connection, server_hostname=host) as secured:
                return peer_certificate_end(secured)
    except socket.gaierror as error:
        raise Fault(
            f"the name {host} is not known to DNS ({error.strerror})",
            remedy="correct the name in its section, or the resolvers of this machine",
        ) from error
    except OSError as error:
        problem = tls_problem(error)
        if problem is not None:
            raise Fault(
                f"{host} port {port}: {problem}",
                remedy="set ca_file to the authority of its certificate, or correct the name in its section",
            ) from error
        why = f"no answer within {seconds:g} s" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise Fault(
            f"{host} port {port}: {why}",
            remedy="see whether it runs and the firewall lets us through, or correct its section",
        ) from error
