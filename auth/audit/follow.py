"""Watches outcomes come, as they are written."""

from collections.abc import Callable, Iterator

from auth.audit.files import AuditFiles
from auth.audit.reader import Written, outcome_of

_PAUSE_SECONDS = 0.5


def following(files: AuditFiles, pause: Callable[[float], None]) -> Iterator[Written]:
    """Outcomes from now on, over midnight; ends only with the caller.

    Args:
        files: where the audit lies.
        pause: waits so many seconds.

    Raises:
        OSError: a segment cannot be read.
    """
    days = files.days()
    day = days[-1] if days else ""
    place = files.segment(day).stat().st_size if day else 0
    while True:
        if day:
            with files.segment(day).open("rb") as opened:
                opened.seek(place)
                for line in opened:
                    if not line.endswith(b"\n"):
                        break
                    place += len(line)
                    outcome = outcome_of(line)
                    if outcome is not None:
                        yield outcome
        later = [each for each in files.days() if each > day]
        if later:
            day, place = later[0], 0
        else:
            pause(_PAUSE_SECONDS)
