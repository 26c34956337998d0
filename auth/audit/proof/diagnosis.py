"""Names what was done to a chain of lines where it is broken. Pure: lines in, a name out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auth.audit.proof.tampering import Found, Tampering
from auth.audit.rows import Kind


@dataclass(frozen=True, slots=True)
class Seen:
    """A line as it stands, or one of the two ends of the chain, which stand in the head.

    Attributes:
        file: name of its file.
        line: its number there, counted from 1; 0 for an end of the chain.
        hash: SHA-256 of its octets.
        seq: the number that it bears; None when it is no line of an audit at all.
        prev: the hash that it names.
        kind: what it is of.
        sealed: whether its seal is right; None when the key to tell is not there.
        signed: whether its signature is right; None when it needs none.
        before: for a header whose segment before is missing, that segment's name.
    """

    file: str
    line: int
    hash: str
    seq: int | None = None
    prev: str = ""
    kind: str = ""
    sealed: bool | None = None
    signed: bool | None = None
    before: str = ""

    def follows(self, seq: int, hash_before: str) -> bool:
        """Whether it is, as far as can be told, the line after that one."""
        broken = self.sealed is False or self.signed is False
        return self.seq == seq + 1 and self.prev == hash_before and not broken

    @property
    def is_end(self) -> bool:
        """Whether it is one of the ends, and no line."""
        return self.line == 0


def diagnosed(lines: Sequence[Seen], place: int) -> Found:
    """What was done, where the line at a place does not follow the one before it.

    Of two lines that do not fit, that one is right which the key has sealed; without the key, that one whose hash a
    later line names: whoever changes a line without changing all after it leaves its successor as a witness.

    Args:
        lines: as they stand, as far as they may explain it, with the ends of the chain where they are within.
        place: of the first line that does not follow; at least 1.
    """
    last, here = lines[place - 1], lines[place]
    wanted = (last.seq or 0) + 1
    named = {line.prev for line in lines[place:] if line.seq is not None}

    def genuine(line: Seen) -> bool:
        if line.signed is False:
            return False
        return line.is_end or (line.hash in named if line.sealed is None else line.sealed)

    successor = next((each for each in lines[place + 1 :] if (each.seq, each.prev) == (wanted, last.hash)), None)
    if successor is not None and genuine(successor):
        return _out_of_place(lines, place, here, wanted, genuine)
    fits = (here.seq, here.prev) == (wanted, last.hash)
    if fits and here.signed is False and here.sealed is None:
        return _found(Tampering.CHECKPOINT_FORGED, here, wanted)
    return (
        _number_is_wrong(lines, place, genuine)
        or _earlier_line_is_wrong(lines, place, genuine)
        or _found(Tampering.ALTERED, here, wanted)
    )


def _out_of_place(lines: Sequence[Seen], place: int, here: Seen, wanted: int, genuine: Callable[[Seen], bool]) -> Found:
    """The line that belongs here comes later: what stands before it was moved here, or never belonged to the chain."""
    twice = any(each.seq == here.seq for each in lines[place + 1 :])
    if here.seq is not None and here.seq > wanted and genuine(here) and not twice:
        return _found(Tampering.REORDERED, here, here.seq, f"line {wanted} belongs here")
    return _found(Tampering.INSERTED, here, here.seq or wanted, f"line {wanted} comes later")


def _number_is_wrong(lines: Sequence[Seen], place: int, genuine: Callable[[Seen], bool]) -> Found | None:
    """The line bears another number than the next one: lines are missing, it came twice, or its number was changed."""
    last, here = lines[place - 1], lines[place]
    wanted = (last.seq or 0) + 1
    if here.seq is None or here.seq == wanted:
        return None
    follower = next((each for each in lines[place + 1 :] if each.seq is not None), None)
    if not genuine(here) and follower is not None and follower.seq == wanted + 1:
        return None
    if here.seq > wanted:
        return _gap(last, here, wanted)
    joined = next((number for number in range(place - 1) if lines[number].hash == here.prev), None)
    first = here if joined is None else lines[joined + 1]
    if first.hash != here.hash and genuine(here):
        return _found(Tampering.INSERTED, first, first.seq or wanted, f"line {here.seq} comes later")
    return _found(Tampering.INSERTED, here, here.seq, f"line {wanted} belongs here")


def _gap(last: Seen, here: Seen, wanted: int) -> Found:
    missing = f"line {wanted}" if here.seq == wanted + 1 else f"lines {wanted} to {(here.seq or 0) - 1}"
    if last.is_end:
        return _found(Tampering.CUT_AT_START, here, wanted, f"missing: {missing}")
    if here.is_end:
        return _found(Tampering.CUT_AT_END, last, last.seq or 0, f"missing: {missing}")
    if here.before:
        return _found(Tampering.SEGMENT_MISSING, here, wanted, f"missing: {here.before}, {missing}")
    return _found(Tampering.REMOVED, here, wanted, f"missing: {missing}")


def _earlier_line_is_wrong(lines: Sequence[Seen], place: int, genuine: Callable[[Seen], bool]) -> Found | None:
    """The line names another hash than that of the line before, and is right."""
    last, here = lines[place - 1], lines[place]
    if last.is_end or here.prev == last.hash or not genuine(here) or here.seq is None:
        return None
    return _found(Tampering.ALTERED, last, last.seq or 0)


def _found(what: Tampering, line: Seen, seq: int, detail: str = "") -> Found:
    """A header has a name of its own for being altered."""
    if what is Tampering.ALTERED and (line.kind == Kind.HEADER or line.line == 1):
        what = Tampering.HEADER_FORGED
    return Found(what, line.file, line.line, seq, detail)
