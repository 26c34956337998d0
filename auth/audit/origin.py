"""Where an audit begins: its first header, and a head made anew from the lines when there is none to be used."""

import hashlib
from datetime import datetime

from auth.audit.backwards import lines_backwards
from auth.audit.files import AuditFiles
from auth.audit.head import Head
from auth.audit.rows import Header, TakenOver, hash_of, row_of


def header(files: AuditFiles, day: str, before: str, key: str, now: datetime) -> Header:
    """What the first line of a day's segment says.

    Args:
        files: where the audit lies.
        day: the segment's.
        before: that of the segment before; empty for the first of all, which names the older file if there is one.
        key: id of the key that signs.
        now: when the segment is begun.

    Raises:
        OSError: the older file cannot be read.
    """
    name = files.segment(day).name
    if before:
        return Header(now, name, key, files.segment(before).name)
    return Header(now, name, key, takes_over=_taken_over(files))


def head_anew(files: AuditFiles) -> Head:
    """The head as the lines themselves have it; an empty one when there are none. Raises OSError."""
    days = files.days()
    if not days:
        return Head()
    with files.segment(days[0]).open("rb") as opened:
        first = next((row for line in opened if (row := row_of(line)) is not None), None)
    for day in reversed(days):
        for place, line in lines_backwards(files.segment(day)):
            last = row_of(line)
            if first is not None and last is not None:
                end = place + len(line)
                return Head(days[0], first.seq, first.prev, day=day, end=end, seq=last.seq, hash=hash_of(line))
    return Head()


def _taken_over(files: AuditFiles) -> TakenOver | None:
    if not files.base.is_file():
        return None
    with files.base.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return TakenOver(files.base.name, opened.tell(), digest)
