"""What stands behind the last line that the head knows: another writer's lines, or what a crash has left. Pure."""

from dataclasses import dataclass

import msgspec

from auth.audit.head import Head
from auth.audit.keys import AuditKey
from auth.audit.rows import Kind, hash_of, row_of, sealed_part


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was found.

    Attributes:
        head: the head, moved on over the lines that are ours and follow each other, and over all others.
        ours: how many lines of ours the head did not know.
        foreign: whether there were whole lines that are none of ours.
        torn: octets of a last line without its newline, which are not counted in the head's `end`.
        unended: whether only the newline is missing of the last line of ours.
    """

    head: Head
    ours: int
    foreign: bool
    torn: bytes
    unended: bool


def beyond(octets: bytes, head: Head, key: AuditKey) -> Beyond:
    """What the octets are that stand behind the head's `end`.

    A line is ours when it carries our seal, and follows when it has the next number and names the last line's hash:
    whoever copies an old line of ours behind the last one deceives nobody.
    """
    *lines, rest = octets.split(b"\n")
    ours, foreign = 0, False
    for line in lines:
        moved = _follows(line + b"\n", head, key)
        ours += moved is not None
        foreign |= moved is None
        head = moved or msgspec.structs.replace(head, end=head.end + len(line) + 1)
    whole = _follows(rest + b"\n", head, key)
    if whole is not None:
        return Beyond(whole, ours + 1, foreign, b"", unended=True)
    return Beyond(head, ours, foreign, rest, unended=False)


def _follows(line: bytes, head: Head, key: AuditKey) -> Head | None:
    """The head after the line; None when the line is not the next one of ours."""
    row = row_of(line)
    if row is None or (row.seq, row.prev) != (head.seq + 1, head.hash) or not key.has_sealed(*sealed_part(line)):
        return None
    checkpoint = row.seq if row.kind == Kind.CHECKPOINT else head.checkpoint
    return msgspec.structs.replace(
        head, end=head.end + len(line), seq=row.seq, hash=hash_of(line), checkpoint=checkpoint
    )
