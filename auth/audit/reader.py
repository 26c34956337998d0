"""Reads the outcomes back: forwards as they were written, or backwards, the newest first."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from auth.audit.backwards import lines_backwards
from auth.audit.files import AuditFiles
from auth.audit.line import AuditLine
from auth.audit.rows import Kind

_OUTCOME = f'"kind":"{Kind.OUTCOME}",'.encode()
_OLDER = b'{"at":'  # a line from before there were segments
_WHERE_THE_KIND_STANDS = 128


class Written(AuditLine, frozen=True, kw_only=True):
    """An outcome as it stands in the audit.

    Attributes:
        seq: its number; 0 in a file from before there were segments.
    """

    seq: int = 0


_decoder = msgspec.json.Decoder(Written)


def outcome_of(line: bytes) -> Written | None:
    """The outcome that a line records; None when it records something else, or is not whole."""
    if not (line.startswith(_OLDER) or _OUTCOME in line[:_WHERE_THE_KIND_STANDS]):
        return None
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def segments(files: AuditFiles) -> list[Path]:
    """All files with outcomes, oldest first, among them one from before there were segments. Raises OSError."""
    older = [files.base] if files.base.is_file() else []
    return older + [files.segment(day) for day in files.days()]


def outcomes(files: AuditFiles) -> Iterator[Written]:
    """Every outcome as they were written. Raises OSError."""
    for file in segments(files):
        with file.open("rb") as opened:
            yield from filter(None, map(outcome_of, opened))


def outcomes_backwards(files: AuditFiles, worthwhile: Callable[[bytes], bool] = bool) -> Iterator[Written]:
    """Every outcome, the newest first.

    Args:
        files: where the audit lies.
        worthwhile: whether any outcome in these octets can be wanted; what cannot be is not looked at closely.

    Raises:
        OSError: a file cannot be read.
    """
    for file in reversed(segments(files)):
        lines = (line for _, line in lines_backwards(file, worthwhile) if worthwhile(line))
        yield from filter(None, map(outcome_of, lines))
