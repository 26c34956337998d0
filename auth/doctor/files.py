"""The checks of files: who owns those that hold secrets or people's data, and who else may look into them."""

import os
import pwd
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from auth.channels.mail.settings import own_keys
from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.embedded_state import StateFile
from auth.ini import IniFile
from auth.references import referred_file
from auth.settings import ServiceSettings, Settings
from auth.state import StateUnavailable
from dirsync.examination.session import NotExaminedError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def file_examinations(settings: Settings) -> Iterator[Examination]:
    """The examinations of the secrets' files and of the state directory."""
    yield Examination(Check.SECRET_FILES, "", partial(_secret_files, settings))
    yield Examination(Check.STATE, "", partial(state_findings, settings.service))


def not_private(path: Path, mode: int, owner: int, service: int, status: Status = Status.FAILED) -> Finding | None:
    """What keeps a file from being the service's alone, by its mode and owner; None when nothing does.

    Args:
        path: the file or folder.
        mode: its mode, with its type.
        owner: its user id.
        service: the service's user id.
        status: what it is when others may look into it.
    """
    bits = "700" if stat.S_ISDIR(mode) else "600"
    if mode & _OTHERS:
        return Finding(status, f"others may use {path}: its mode is {stat.S_IMODE(mode):o}", f"chmod {bits} {path}")
    if owner != service:
        return Finding(
            Status.FAILED,
            f"{path} belongs to {_name(owner)}, and the service runs as {_name(service)}",
            f"chown {_name(service)} {path}",
        )
    return None


def secret_paths(settings: Settings) -> tuple[Path, ...]:
    """Every file with a secret that config.ini names, each once."""
    folder = settings.file.parent
    values = [value for section in IniFile(settings.file).sections.values() for value in section.values()]
    named = [referred_file(value.strip(), folder) for value in values]
    keys = [each for directory in settings.directories.values() for each in (directory.keytab, directory.client_key)]
    keys += [key for section in settings.email.values() for key in own_keys(section)]
    of_http = settings.http.private_key or settings.http.certificate
    of_vip = (settings.vip.certificate, settings.vip.next_certificate) if settings.vip else ()
    found = (*named, *keys, of_http if settings.http.enabled else None, *of_vip)
    return tuple(dict.fromkeys(path for path in found if path))


def state_findings(service: ServiceSettings) -> Iterator[Finding]:
    """Whether the state directory and its files are the service's alone, and of no later release.

    Raises:
        NotExaminedError: there is none yet.
    """
    folder = service.state_directory
    if not folder.is_dir():
        raise NotExaminedError(f"{folder} is not there yet: the first start makes it")
    user = _service_user(service)
    mains = (service.replica_file, service.state_file, service.journal_file)
    files = [path for main in mains for path in (main, Path(f"{main}-wal"), Path(f"{main}-shm")) if path.exists()]
    looked_at = [_looked_at(path, user, Status.WARNING) for path in (folder, *files)]
    if service.key_file.exists():
        looked_at.append(_looked_at(service.key_file, user, Status.FAILED))
    unwell = [found for found in looked_at if found]
    for file in (service.state_file, service.own_copy_file):
        try:
            StateFile(file).examine()
        except StateUnavailable as fault:
            unwell.append(Finding.of(fault, Status.FAILED))
    yield from unwell or [Finding(Status.OK, f"{folder} and its files are the service's alone")]


def _secret_files(settings: Settings) -> Iterator[Finding]:
    paths = secret_paths(settings)
    if not paths:
        raise NotExaminedError("config.ini names no file with a secret")
    service = _service_user(settings.service)
    unwell = [found for path in paths if (found := _looked_at(path, service, Status.FAILED))]
    yield from unwell or [Finding(Status.OK, f"{len(paths)} files, all of them the service's alone")]


def _looked_at(path: Path, user: int, status: Status) -> Finding | None:
    try:
        found = path.stat()
    except OSError as error:
        return Finding(Status.WARNING, f"{path}: {error.strerror}", "see config, or run this as the service's user")
    return not_private(path, found.st_mode, found.st_uid, user, status)


def _service_user(service: ServiceSettings) -> int:
    """Whom the service runs as: the state directory's owner, and before there is one whoever asks."""
    folder = service.state_directory
    return folder.stat().st_uid if folder.is_dir() else os.geteuid()


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
