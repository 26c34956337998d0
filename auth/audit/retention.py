"""What is too old is let go: looked for, recorded, left out of the head, and only then deleted.

Looking and deleting take as long as the disk does, and need no turn, so that another thread may do them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from auth.audit.chain import Chain
from auth.audit.files import AuditFiles, day_of
from auth.audit.line import AuditUnavailable
from auth.audit.rows import Kind, Retired, Row, row_of


@dataclass(frozen=True, slots=True)
class TooOld:
    """Segments that may go.

    Attributes:
        files: them, and the file from before there were segments.
        first_day: day of the first segment that stays.
        first: its first line.
    """

    files: tuple[Path, ...]
    first_day: str
    first: Row


def too_old(files: AuditFiles, written: str, now: datetime, days: int) -> TooOld | None:
    """The segments that are older than so many days; None when there are none, or none may go.

    The one that is written stays. Nothing goes on a day on which even the segment before would: the clock may have
    jumped.

    Args:
        files: where the audit lies.
        written: day of the segment that is written.
        now: the present instant.
        days: how many days are kept.

    Raises:
        AuditUnavailable: a file cannot be read.
    """
    oldest = day_of(now - timedelta(days=days))
    try:
        present = files.days()
        before = max((day for day in present if day < written), default=written)
        kept = [day for day in present if day >= oldest or day >= written]
        gone = [day for day in present if day not in kept]
        if before < oldest or not gone or not kept:
            return None
        with files.segment(kept[0]).open("rb") as opened:
            first = next((row for line in opened if (row := row_of(line)) is not None), None)
        older = [files.base] if files.base.is_file() else []
    except OSError as error:
        raise _unavailable(error) from error
    return TooOld((*older, *map(files.segment, gone)), kept[0], first) if first is not None else None


def record(chain: Chain, found: TooOld, now: datetime) -> None:
    """Have the audit begin behind what goes, in our turn, unless it does so already; a line says what it is.

    Raises:
        OSError: the line is not written.
    """
    if found.first_day <= chain.head.first_day:
        return
    chain.append(Kind.RETIRED, Retired(now, tuple(file.name for file in found.files), found.first.seq))
    first = found.first
    chain.begin_with(
        msgspec.structs.replace(chain.head, first_day=found.first_day, first=first.seq, first_prev=first.prev)
    )


def delete(found: TooOld) -> None:
    """Delete what the head no longer speaks of; another process may have done so.

    What a crash on the way leaves is found again the next time.

    Raises:
        AuditUnavailable: a file cannot be deleted.
    """
    try:
        for file in found.files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> AuditUnavailable:
    return AuditUnavailable(
        f"audit file {error.filename}: {error.strerror or error}", remedy="check the disk, the folder and its owner"
    )
