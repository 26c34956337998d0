"""Which of our certificates VIP is shown: a file is read again when it changes, and the next one takes over in time."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from auth.vip.certificate import ClientCertificate, open_certificate
from auth.vip.settings import CertificateFile, VipSettings
from schema.errors import Fault

_log = logging.getLogger("dirfactor.vip")


@dataclass(frozen=True, slots=True)
class CertificateState:
    """What became of one configured certificate.

    Attributes:
        path: its file.
        expires: when it ends, in UTC; None when it cannot be used.
        shown: whether VIP is shown this one.
        problem: why it cannot be used; empty when it can.
    """

    path: Path
    expires: datetime | None
    shown: bool
    problem: str = ""


@dataclass(slots=True)
class _Read:
    stamp: tuple[int, int, int]
    certificate: ClientCertificate


class Identities:
    """The configured certificates, of which one at a time is shown.

    Args:
        settings: names the files, and when the next one takes over.
    """

    def __init__(self, settings: VipSettings) -> None:
        self._first = settings.certificate
        self._next = settings.next_certificate
        self._hand_over = timedelta(days=settings.hand_over_days)
        self._read: dict[Path, _Read] = {}
        self._proven: bytes | None = None

    def current(self, now: datetime) -> ClientCertificate:
        """The certificate to show: the next one once it was proven or the first one cannot be used.

        Raises:
            Fault: none can be used; says what is wrong with the first one.
        """
        try:
            first = self._opened(self._first, now)
        except Fault:
            if self._next is None:
                raise
            try:
                return self._opened(self._next, now)
            except Fault as fault:
                _log.error("nor can the next VIP certificate be used: %s", fault)
            raise
        later = self._later(first, now)
        return later if later is not None and later.fingerprint == self._proven else first

    def due(self, now: datetime) -> ClientCertificate | None:
        """The next certificate, when its time has come and it is not proven yet.

        Raises:
            Fault: it cannot be used.
        """
        if self._next is None:
            return None
        try:
            first = self._opened(self._first, now)
        except Fault:
            return None  # it is shown already, for better or worse
        if first.expires - now > self._hand_over:
            return None
        following = self._opened(self._next, now)
        return following if following.expires > first.expires and following.fingerprint != self._proven else None

    def prove(self, certificate: ClientCertificate) -> None:
        """VIP has accepted it: show it from now on."""
        self._proven = certificate.fingerprint

    def states(self, now: datetime) -> tuple[CertificateState, ...]:
        """All configured certificates, for people."""
        try:
            shown = self.current(now).fingerprint
        except Fault:
            shown = b""
        return tuple(self._state(file, shown, now) for file in (self._first, self._next) if file is not None)

    def _state(self, file: CertificateFile, shown: bytes, now: datetime) -> CertificateState:
        try:
            certificate = self._opened(file, now)
        except Fault as fault:
            return CertificateState(file.path, None, shown=False, problem=fault.problem)
        return CertificateState(file.path, certificate.expires, certificate.fingerprint == shown)

    def _later(self, first: ClientCertificate, now: datetime) -> ClientCertificate | None:
        """The next certificate, when it can be used and ends after the first: a renewed first one comes back so."""
        try:
            following = self._opened(self._next, now) if self._next is not None else None
        except Fault:
            return None
        return following if following is not None and following.expires > first.expires else None

    def _opened(self, file: CertificateFile, now: datetime) -> ClientCertificate:
        """The certificate in a file, which is read again when it has changed."""
        stamp, known = _stamp(file.path), self._read.get(file.path)
        if known is not None and known.stamp == stamp and now < known.certificate.expires:
            return known.certificate
        try:
            certificate = open_certificate(file, now)
        except Fault as fault:
            if known is None or now >= known.certificate.expires:
                raise
            # somebody is writing it, or has put the wrong one there: what was good until now still is
            _log.error("the VIP certificate was replaced by one that cannot be used, so the old one stays: %s", fault)
            self._read[file.path] = _Read(stamp, known.certificate)
            return known.certificate
        if known is not None:
            _log.info("VIP certificate %s was replaced: good until %s", file.path, f"{certificate.expires:%Y-%m-%d}")
        self._read[file.path] = _Read(stamp, certificate)
        return certificate


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced or written to."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
