"""A door's TLS context, read anew when a file of it is replaced: certificates are renewed without a restart."""

import asyncio
import logging
import math
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from auth.certificate_bell import CertificateBell, days, valid
from auth.clock import Clock
from schema.errors import Fault

_log = logging.getLogger("dirfactor.tls")
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 60.0
"""Between two tries of files that cannot be used: a certificate may begin, with no file changed."""
_LIMITS = (7, 30)
_Stamp = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a context is made of.

    Attributes:
        section: of config.ini, such as [http]; for people.
        certificate: the PEM file whose first certificate the door shows.
        others: further files that the context is made of: private key, authorities.
        build: makes a context of them as they are now. Raises Fault.
    """

    section: str
    certificate: Path
    others: Sequence[Path]
    build: Callable[[], ssl.SSLContext]


class ReloadedTls:
    """The context in force. Take `context` for each connection that is accepted; those that are open keep theirs.

    Files that cannot be used, or a certificate that is not good now, leave the last good context in force; they are
    tried again each minute.

    Args:
        files: what it is made of.
        clock: tells how many days are left.

    Raises:
        Fault: the files cannot be used to begin with.
    """

    def __init__(self, files: TlsFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._bell = CertificateBell(_log, f"{files.section} certificate", "put a new one in its place", _LIMITS)
        self._seen = self._tried = self._stamp()
        self._problem = ""
        self._again_at = math.inf
        self._context = files.build()
        self._ends = _shown(files.certificate).not_valid_after_utc
        self._authorities = _authorities(files.others)

    @property
    def context(self) -> ssl.SSLContext:
        """What a connection that begins now is given."""
        return self._context

    @property
    def section(self) -> str:
        """Of config.ini, such as [http]."""
        return self._files.section

    @property
    def ends(self) -> datetime:
        """When the certificate ends that is shown, in UTC."""
        return self._ends

    @property
    def days(self) -> int:
        """How many whole days it has left; negative after its end."""
        return days(self._ends, self._clock.now())

    @property
    def problem(self) -> str:
        """Why the files as they are now are not in force; empty when they are."""
        return self._problem

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Read files that were replaced, once they have stayed the same from one look to the next: they may be several.

        Also says when the certificate, or one of an authority that clients are known by, has less than 30 days left.
        """
        stamp = self._stamp()
        settled, self._seen = stamp == self._seen, stamp
        replaced = stamp != self._tried
        if settled and (replaced or self._clock.monotonic() >= self._again_at):
            self._tried = stamp
            self._read(replaced=replaced)
        now = self._clock.now()
        for path, ends in ((self._files.certificate, self._ends), *self._authorities):
            self._bell.listen(str(path), ends, now)

    def _read(self, *, replaced: bool) -> None:
        """Put what the files hold in force; of files that are tried again a problem is told when it is another one."""
        path, now = self._files.certificate, self._clock.now()
        try:
            context = self._files.build()
            shown = _shown(path)
            _demand_valid(shown, path, now)
        except Fault as fault:
            if replaced or fault.problem != self._problem:
                _log.error("%s: what was replaced cannot be used, so the old stays in force: %s", self.section, fault)
            self._problem, self._again_at = fault.problem, self._clock.monotonic() + _AGAIN_SECONDS
            return
        self._again_at = math.inf
        self._context, self._ends, self._problem = context, shown.not_valid_after_utc, ""
        self._authorities = _authorities(self._files.others)
        _log.info("%s: certificate %s was replaced: good until %s", self.section, path, f"{self._ends:%Y-%m-%d}")

    def _stamp(self) -> _Stamp:
        return tuple(_stamp(path) for path in (self._files.certificate, *self._files.others))


def untimely(path: Path, now: datetime) -> Fault | None:
    """What is to be said when the certificate that a door shows has ended or has not begun; None of a file without any.

    Args:
        path: its PEM file.
        now: the instant (aware).
    """
    try:
        shown = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):  # which is told where it is needed
        return None
    try:
        _demand_valid(shown, path, now)
    except Fault as fault:
        return fault
    return None


def _demand_valid(shown: x509.Certificate, path: Path, now: datetime) -> None:
    valid(shown.not_valid_before_utc, shown.not_valid_after_utc, now, f"certificate {path}")


def _shown(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise Fault(
            f"certificate {path} cannot be read: {type(error).__name__}",
            remedy="give a PEM file that the service's user may read",
        ) from None


def _authorities(paths: Sequence[Path]) -> tuple[tuple[Path, datetime], ...]:
    """When the first certificate ends in each of these files that has any."""
    found = []
    for path in paths:
        try:
            certificates = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):  # a private key; what cannot be used is told where it is needed
            continue
        found.append((path, min(each.not_valid_after_utc for each in certificates)))
    return tuple(found)


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is replaced, written to or given to another; the file, and not a link to it."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
