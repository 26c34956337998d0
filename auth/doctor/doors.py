"""The checks of our own doors: the certificate of the HTTP door, and whether somebody could listen where both are."""

import errno
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.days import days_left
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.ports import REMEDIES, Place, places, trial
from auth.settings import Settings
from dirsync.examination.session import NotExaminedError


def door_examinations(settings: Settings, clock: Clock) -> Iterator[Examination]:
    """The examinations of both doors."""
    if settings.http.enabled and settings.http.certificate:
        files = (settings.http.certificate, settings.http.client_ca_file)
        yield Examination(Check.HTTP_CERTIFICATE, "[http]", partial(_certificates, files, clock))
    if settings.radsec is not None:
        files = (settings.radsec.certificate, settings.radsec.client_ca_file)
        yield Examination(Check.RADSEC_CERTIFICATE, "[radsec]", partial(_certificates, files, clock))
    for place in places(settings):
        yield Examination(Check.PORTS, f"[{place.section}]", partial(_port, place))


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
    remedy = REMEDIES.get(error.errno or 0, "correct host and port in its section")
    return Finding(Status.FAILED, f"{what}: {error.strerror}", remedy)


def _certificates(files: tuple[Path, Path | None], clock: Clock) -> Iterator[Finding]:
    """The door's own, which stands first in its file, and of its clients' authorities the one that ends first."""
    own, authorities = files
    remedy = "put a new one in its place; the running service takes it by itself"
    yield days_left(str(own), _ends(own)[0], clock.now(), remedy)
    if authorities is not None:
        yield days_left(str(authorities), min(_ends(authorities)), clock.now(), remedy)


def _ends(file: Path) -> list[datetime]:
    try:
        return [found.not_valid_after_utc for found in x509.load_pem_x509_certificates(file.read_bytes())]
    except (OSError, ValueError):
        raise NotExaminedError("it cannot be read, see config") from None


def _port(place: Place) -> Iterator[Finding]:
    if place.port == 0:
        raise NotExaminedError("port = 0 lets the system choose")
    yield bind_finding(str(place), trial(place))
