"""What is too old is let go: recorded first, then left out of the head, then deleted."""

from datetime import datetime, timedelta

import msgspec

from auth.audit.chain import Chain
from auth.audit.files import AuditFiles, day_of
from auth.audit.rows import Kind, Retired, row_of


def retire(chain: Chain, files: AuditFiles, now: datetime, days: int) -> None:
    """Let go of the segments that are older than so many days, in our turn; the one that is written stays.

    Nothing goes on a day on which even the segment before would: the clock may have jumped.

    A crash on the way leaves files of which the head no longer speaks; the next time deletes them.

    Raises:
        OSError: a file cannot be read or deleted, or the line not written.
    """
    oldest = day_of(now - timedelta(days=days))
    present = files.days()
    before = max((day for day in present if day < chain.head.day), default=chain.head.day)
    if before < oldest:
        return
    kept = [day for day in present if day >= oldest or day >= chain.head.day]
    gone = [day for day in present if day not in kept]
    older = [files.base] if gone and files.base.is_file() else []
    if gone and kept and kept[0] > chain.head.first_day:
        with files.segment(kept[0]).open("rb") as opened:
            first = next((row for line in opened if (row := row_of(line)) is not None), None)
        if first is None:
            return
        names = tuple(file.name for file in (*older, *map(files.segment, gone)))
        chain.append(Kind.RETIRED, Retired(now, names, first.seq))
        head = msgspec.structs.replace(chain.head, first_day=kept[0], first=first.seq, first_prev=first.prev)
        chain.begin_with(head)
    for file in (*older, *map(files.segment, gone)):
        file.unlink()
