"""Looks after the certificate files that config.ini names, while the service runs: rings 30 and 7 days before the end.

The certificates of the doors and that of VIP have watches of their own: `auth.reloaded_tls` and `auth.vip.watch`.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

import msgspec
from cryptography import x509

from auth.certificate_bell import CertificateBell
from auth.clock import Clock
from auth.settings import Settings

_log = logging.getLogger("dirfactor.tls")
_LOOK_SECONDS = 3600.0
_LIMITS = (7, 30)
_REMEDY = "put a new one in its place, then: systemctl reload dirfactor"
_OURS = "certificate"
_AUTHORITIES = "ca_file"
_WATCHED_BY_VIP = frozenset({"certificate", "next_certificate"})


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file with certificates that config.ini names.

    Attributes:
        section: of config.ini, such as [directory].
        key: in the section, such as client_certificate.
        path: PEM file.
    """

    section: str
    key: str
    path: Path

    def __str__(self) -> str:
        return f"{self.section} {self.key}: {self.path}"

    def ends(self) -> datetime | None:
        """When it is of no use any more, in UTC; None of what cannot be read, which is told where it is needed.

        Of what we show, the first certificate counts; of authorities the last one to end, for which of them somebody's
        certificate is of nobody can tell before, and a bundle holds many.
        """
        found = _ends(self.path)
        if not found:
            return None
        return found[0] if self.key.endswith(_OURS) else max(found)


def first_end(path: Path) -> datetime | None:
    """When the certificate ends that stands first in a PEM file, in UTC; None of what cannot be read."""
    return next(iter(_ends(path)), None)


def certificate_files(settings: Settings) -> Iterator[NamedFile]:
    """Every one that config.ini names, without those that have watches of their own."""
    single = {"state": settings.state, "audit": settings.audit, "vip": settings.vip}
    for name, section in chain(
        _named("directory", settings.directories),
        _named("sms", settings.sms),
        _named("email", settings.email),
        single.items(),
    ):
        if section is None:
            continue
        for key in section.__struct_fields__:
            path = getattr(section, key)
            if name == "vip" and key in _WATCHED_BY_VIP:
                continue
            if isinstance(path, Path) and key.endswith((_OURS, _AUTHORITIES)):
                yield NamedFile(f"[{name}]", key, path)


class CertificateFilesWatch:
    """The watch over all these files.

    Args:
        settings: config.ini, which names them.
        clock: tells how many days are left.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._files = tuple(certificate_files(settings))
        self._clock = clock
        self._bell = CertificateBell(_log, "certificate of", _REMEDY, _LIMITS)

    async def run(self) -> None:
        """Look now and every hour, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Say which have less than 30 days left; from seven days on it is said every day."""
        found = await asyncio.to_thread(lambda: [(file, file.ends()) for file in self._files])
        for file, ends in found:
            if ends is not None:
                self._bell.listen(str(file), ends, self._clock.now())


def _ends(path: Path) -> list[datetime]:
    """Of all in a file, in their order; none of what cannot be read."""
    try:
        return [each.not_valid_after_utc for each in x509.load_pem_x509_certificates(path.read_bytes())]
    except (OSError, ValueError):
        return []


def _named(kind: str, sections: Mapping[str, msgspec.Struct]) -> Iterator[tuple[str, msgspec.Struct]]:
    for name, section in sections.items():
        yield f"{kind}:{name}" if name else kind, section
