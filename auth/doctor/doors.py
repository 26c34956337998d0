"""The checks of our own doors: the certificate of the HTTP door, and whether somebody could listen where both are."""

import errno
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cryptography import x509

from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.days import days_left
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.settings import Settings
from dirsync.examination.session import NotExaminedError

_REMEDIES = {
    errno.EACCES: "give the service the right: AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit",
    errno.EADDRNOTAVAIL: "set host to an address of this machine, or to 0.0.0.0",
}


def door_examinations(settings: Settings, clock: Clock) -> Iterator[Examination]:
    """The examinations of both doors."""
    if settings.http.enabled and settings.http.certificate:
        yield Examination(Check.HTTP_CERTIFICATE, "[http]", partial(_certificate, settings.http.certificate, clock))
    if settings.radsec is not None:
        certificate = partial(_certificate, settings.radsec.certificate, clock)
        yield Examination(Check.RADSEC_CERTIFICATE, "[radsec]", certificate)
        place = (settings.radsec.host, settings.radsec.port)
        yield Examination(Check.PORTS, "[radsec]", partial(_port, socket.SOCK_STREAM, *place))
    if settings.radius.accounting_port is not None:
        place = (settings.radius.host, settings.radius.accounting_port)
        yield Examination(Check.PORTS, "[radius]", partial(_port, socket.SOCK_DGRAM, *place))
    if settings.radius.enabled:
        place = (settings.radius.host, settings.radius.port)
        yield Examination(Check.PORTS, "[radius]", partial(_port, socket.SOCK_DGRAM, *place))
    if settings.http.enabled:
        place = (settings.http.host, settings.http.port)
        yield Examination(Check.PORTS, "[http]", partial(_port, socket.SOCK_STREAM, *place))


def bind_finding(what: str, error: OSError | None) -> Finding:
    """What it means that somebody could listen somewhere, or could not.

    Args:
        what: where.
        error: what kept them from it.
    """
    if error is None:
        return Finding(Status.OK, f"{what} is free")
    if error.errno == errno.EADDRINUSE:
        return Finding(Status.INFO, f"{what} is in use, as it is while the service runs")
    remedy = _REMEDIES.get(error.errno or 0, "correct host and port in its section")
    return Finding(Status.FAILED, f"{what}: {error.strerror}", remedy)


def _certificate(certificate: Path, clock: Clock) -> Iterator[Finding]:
    try:
        found = x509.load_pem_x509_certificates(certificate.read_bytes())
    except (OSError, ValueError):
        raise NotExaminedError("it cannot be read, see config") from None
    remedy = "put a new one in its place; the running service takes it by itself"
    yield days_left(str(certificate), found[0].not_valid_after_utc, clock.now(), remedy)


def _port(kind: socket.SocketKind, host: str, port: int) -> Iterator[Finding]:
    what = f"{'UDP' if kind is socket.SOCK_DGRAM else 'TCP'} {host} port {port}"
    if port == 0:
        raise NotExaminedError("port = 0 lets the system choose")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as door:
        if kind is socket.SOCK_STREAM:
            # as the service does: connections that have just ended do not count
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            yield bind_finding(what, error)
            return
    yield bind_finding(what, None)
