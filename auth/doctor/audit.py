"""The check of the audit: who may touch its files, whether it can go on being written, and what is unsigned."""

import shutil
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from auth.audit.files import AuditFiles
from auth.audit.head import head_of, is_ours
from auth.audit.head_file import stable_octets
from auth.audit.keys import AuditKey
from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.keys import private_file
from auth.settings import ServiceSettings
from dirsync.examination.session import NotExaminedError
from schema.errors import Fault

_CHANGEABLE = stat.S_IWGRP | stat.S_IRWXO
_NO_ROOM = 50_000_000
_FEWEST_DAYS = 30
_SIGNED_WITHIN = 600.0  # seconds; a service that runs signs within one minute
_VERIFY = "run `dirfactor audit verify`, and ask who has touched the files"


def audit_examinations(service: ServiceSettings, clock: Clock) -> Iterator[Examination]:
    """The examination of the audit."""
    yield Examination(Check.AUDIT, "", partial(_audit, service.audit, clock))


def room_left(free: int, segments: list[int]) -> Finding | None:
    """Whether the disk has too little room.

    Args:
        free: octets that are free.
        segments: octets of each whole day's segment, the newest last.
    """
    if free < _NO_ROOM:
        return Finding(
            Status.FAILED, f"{free // 1_000_000} MB are left, and without room nobody is let in", "make room"
        )
    busiest = max(segments[-7:], default=0)
    days = free // busiest if busiest else _FEWEST_DAYS
    if days >= _FEWEST_DAYS:
        return None
    return Finding(Status.WARNING, f"there is room for {days} more days", "use a larger disk, or set [audit] days")


def _audit(files: AuditFiles, clock: Clock) -> Iterator[Finding]:
    try:
        days = files.days()
        unwell = _unwell(files, days, clock) if days else []
    except OSError as error:
        raise Fault(f"{error.filename}: {error.strerror}", remedy="run this as the service's user") from error
    if not days:
        raise NotExaminedError("nothing was recorded yet")
    yield from unwell or [Finding(Status.OK, f"{len(days)} days, from {days[0]} to {days[-1]}")]


def _unwell(files: AuditFiles, days: list[str], clock: Clock) -> list[Finding]:
    segments = [files.segment(day) for day in days]
    sizes = [segment.stat().st_size for segment in segments]
    looked_at = [
        *(_changeable(file) for file in (*segments, files.head)),
        _head(files, clock.now().timestamp() - segments[-1].stat().st_mtime),
        room_left(shutil.disk_usage(files.base.parent).free, sizes[:-1]),
    ]
    return [found for found in looked_at if found]


def _changeable(file: Path) -> Finding | None:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return None  # the head, of which there is more to be said
    if mode & _CHANGEABLE:
        return Finding(Status.FAILED, f"others may use {file}: its mode is {stat.S_IMODE(mode):o}", f"chmod 640 {file}")
    return None


def _head(files: AuditFiles, silence: float) -> Finding | None:
    """What is wrong with the head, or waits for a signature though nothing was written for so many seconds."""
    try:
        octets = stable_octets(files.head)
    except FileNotFoundError:
        return Finding(Status.FAILED, f"{files.head} is not there, so that lines may have been cut unnoticed", _VERIFY)
    head = head_of(octets)
    if head is None or not is_ours(octets, AuditKey(private_file.read(files.key))):
        return Finding(Status.FAILED, f"{files.head} was not written by the service", _VERIFY)
    unsigned = head.seq - head.checkpoint
    if unsigned and silence > _SIGNED_WITHIN:
        return Finding(Status.INFO, f"{unsigned} lines wait for a signature: the service has ended without one")
    return None
