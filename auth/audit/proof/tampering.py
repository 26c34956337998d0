"""What can be done to an audit, and what a proof of it says. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Tampering(StrEnum):
    """Something that was done. The value is its name; `meaning` is for people."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        """A name with what it means."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.meaning = meaning
        return member

    ALTERED = ("altered", "the line is not as it was written")
    REMOVED = ("removed", "lines are missing before this one")
    INSERTED = ("inserted", "the line was not written here by the service")
    REORDERED = ("reordered", "the line stood further down when it was written")
    CUT_AT_START = ("cut-at-start", "the audit began with earlier lines than this one")
    CUT_AT_END = ("cut-at-end", "lines that were written after this one are missing")
    SEGMENT_MISSING = ("segment-missing", "the segment that this one goes on from is missing")
    HEADER_FORGED = ("header-forged", "the segment's first line is not as it was written")
    CHECKPOINT_FORGED = ("checkpoint-forged", "the signature does not vouch for the lines since the last checkpoint")
    CHECKPOINT_MISSING = (
        "checkpoint-missing",
        "no checkpoint stands in more lines than the service ever leaves unsigned",
    )
    OTHER_KEY = ("other-key", "the segment was written with another key than the one it is proved with")
    HEAD_FORGED = ("head-forged", "audit.head was not sealed by the service")
    HEAD_MISSING = ("head-missing", "audit.head is or was missing, so that lines may have been cut at either end")
    OLDER_FILE = ("older-file-altered", "the file from before there were segments is not as it was taken over")


@dataclass(frozen=True, slots=True)
class Found:
    """The first thing that is not as it was written.

    Attributes:
        what: which kind.
        file: name of the file.
        line: number of the line in it, counted from 1; 0 for the file as a whole.
        seq: number that the line bears or should bear; 0 when it has none.
        detail: what was expected, for people.
    """

    what: Tampering
    file: str
    line: int
    seq: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was proved.

    Attributes:
        found: the first thing that is not as it was written; None when all is.
        lines: how many lines were looked at.
        first: number of the first of them; 0 when there is none.
        last: number of the last that is as it was written.
        signed: up to which line the last checkpoint vouches.
        torn: how many lines were broken off by a crash or a full disk, and closed.
        dropped: how many lines were recorded as not exported.
    """

    found: Found | None
    lines: int = 0
    first: int = 0
    last: int = 0
    signed: int = 0
    torn: int = 0
    dropped: int = 0
