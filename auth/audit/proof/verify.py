"""Goes through an audit from its beginning to its end, and says whether all of it is as it was written."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from auth.audit.files import AuditFiles
from auth.audit.head import Head, head_of, is_ours
from auth.audit.head_file import stable_octets
from auth.audit.proof.diagnosis import Seen, diagnosed
from auth.audit.proof.lines import Keys, Read, last_line, read_lines
from auth.audit.proof.tampering import Found, Tampering, Verdict
from auth.audit.rows import Kind, NoticeOf, TakenOver
from auth.audit.trail import CHECKPOINT_LINES

_BEFORE, _AFTER = 2_000, 100_000  # lines around a break that may explain it
_UNSIGNED = CHECKPOINT_LINES + 10  # headers, notices and closed lines come on top
Watch = Callable[[Iterable[Read], int], Iterable[Read]]


def verify(files: AuditFiles, keys: Keys, watch: Watch, since: str = "") -> Verdict:
    """What an audit proves; the first line that is not as it was written is named.

    What a running service appends meanwhile belongs to the next proof, and is no tampering.

    Args:
        files: where the audit lies.
        keys: what it was signed with.
        watch: passes the lines on, and is told how many there will be.
        since: a day; of older segments only the last line of all is looked at, which the first one from then on must
            follow.

    Raises:
        OSError: a file cannot be read.
    """
    head = _head(files)
    if head is None:
        verdict = _Walk(files, keys, None, since).go(watch)
        return verdict if verdict.found else replace(verdict, found=_of_head(files, Tampering.HEAD_MISSING))
    if keys.own is not None and not is_ours(stable_octets(files.head), keys.own):
        return Verdict(_of_head(files, Tampering.HEAD_FORGED))
    return _Walk(files, keys, head, since).go(watch)


class _Walk:
    """One way through the lines."""

    def __init__(self, files: AuditFiles, keys: Keys, head: Head | None, since: str) -> None:
        self._files, self._keys, self._head = files, keys, head
        first_day, days = head.first_day if head else "", files.days()
        begin = max(since, first_day)
        self._since = since
        self._days = [day for day in days if day >= begin]
        self._older = [day for day in days if first_day <= day < begin]
        self._is_whole = head is not None and begin == first_day
        self._is_met = head is None or head.seq == 0 or head.day < since
        self._behind: deque[Seen] = deque(maxlen=_BEFORE)
        self._lines = self._first = self._signed = self._torn = self._dropped = 0
        self._claimed = 0  # the first line, as a checkpoint or what was retired after it has it
        self._suspect: Found | None = (
            None  # a header of another key, if the next line says that it is as it was written
        )
        self._noticed: Found | None = None

    def go(self, watch: Watch) -> Verdict:
        total = self._head.seq - self._head.first + 1 if self._head else 0
        lines = iter(watch(read_lines(self._files, self._days, self._keys), total))
        for read in lines:
            last = self._last_before(read.seen)
            if self._is_met and not read.is_ended:
                break  # what a crash has left behind all that was told, or what is being written just now
            if not read.seen.follows(last.seq or 0, last.hash):
                return self._broken(read.seen, lines)
            if self._suspect:
                break
            self._behind.append(read.seen)
            found = self._beheaded(read, last) or self._took(read)
            if found:
                return self._verdict(found)
        if self._suspect:
            return self._verdict(self._suspect)
        if not self._is_met and self._head is not None:
            end = Seen(self._files.head.name, 0, "", self._head.seq + 1, self._head.hash)
            self._last_before(end)
            return self._broken(end, iter(()))
        return self._verdict(self._noticed or self._missing_start())

    def _last_before(self, first: Seen) -> Seen:
        """The line before; before the first of all what is known of it."""
        if not self._behind:
            self._behind.append(self._before_all(first))
        return self._behind[-1]

    def _before_all(self, first: Seen) -> Seen:
        """The last of the older lines, or what the head says of it; where neither counts, what the first line says."""
        last = last_line(self._files, self._older, self._keys)
        if last is not None:
            return last
        if self._head is not None and (self._is_whole or first.is_end):
            return Seen(self._files.head.name, 0, self._head.first_prev, self._head.first - 1)
        return Seen(self._files.head.name, 0, first.prev, (first.seq or 1) - 1)

    def _beheaded(self, read: Read, last: Seen) -> Found | None:
        """What is missing before the first line of all, of which nothing is known but what it says itself."""
        seen, before = read.seen, read.body.before
        if self._lines or self._is_whole or not self._since or not last.is_end:
            return None
        if seen.kind != Kind.HEADER or seen.line != 1:
            return Found(Tampering.REMOVED, seen.file, seen.line, seen.seq or 0, "missing: the segment's header")
        if self._files.day_named(before) >= self._since:
            return Found(Tampering.SEGMENT_MISSING, seen.file, seen.line, seen.seq or 0, f"missing: {before}")
        return None

    def _broken(self, here: Seen, rest: Iterator[Read]) -> Verdict:
        if self._is_met:
            detail = "nothing was written after line " + str(self._behind[-1].seq)
            return self._verdict(Found(Tampering.INSERTED, here.file, here.line, here.seq or 0, detail))
        after = [read.seen for read in islice(rest, _AFTER)]
        lines = [*self._behind, here, *after]
        if self._head is not None and not here.is_end and len(after) < _AFTER:
            lines.append(Seen(self._files.head.name, 0, "", self._head.seq + 1, self._head.hash))
        return self._verdict(diagnosed(lines, len(self._behind)))

    def _verdict(self, found: Found | None) -> Verdict:
        last = self._behind[-1].seq or 0 if self._behind else 0
        return Verdict(found, self._lines, self._first, last, self._signed, self._torn, self._dropped)

    def _took(self, read: Read) -> Found | None:
        """Count the line, and look into what it says; what is wrong with that."""
        seen, seq = read.seen, read.seen.seq or 0
        if not self._lines:
            self._first, self._signed = seq, seq - 1
        self._lines += 1
        self._torn += read.torn
        head = self._head
        self._is_met = self._is_met or (head is not None and seq == head.seq and seen.hash == head.hash)
        if seen.kind != Kind.OUTCOME:
            return self._said(read)
        if seq - self._signed > _UNSIGNED:
            return Found(Tampering.CHECKPOINT_MISSING, seen.file, seen.line, seq, f"the last was line {self._signed}")
        return None

    def _said(self, read: Read) -> Found | None:
        seen, body, seq = read.seen, read.body, read.seen.seq or 0
        match seen.kind:
            case Kind.HEADER if body.key != self._keys.public.id:
                self._suspect = Found(Tampering.OTHER_KEY, seen.file, seen.line, seq, f"key {body.key}")
            case Kind.HEADER if body.takes_over is not None and not _is_as_taken_over(self._files, body.takes_over):
                return Found(Tampering.OLDER_FILE, self._files.base.name, 0, 0, f"taken over by {seen.file}")
            case Kind.CHECKPOINT:
                self._signed = seq
                self._claimed = body.first
            case Kind.RETIRED:
                self._claimed = body.first
            case Kind.TORN if not read.torn:
                return Found(
                    Tampering.REMOVED, seen.file, seen.line, seq, "missing: the broken-off line that it closes"
                )
            case Kind.DROPPED:
                self._dropped += body.lines
            case Kind.NOTICE if body.what == NoticeOf.HEAD_MISSING and self._noticed is None:
                self._noticed = Found(Tampering.HEAD_MISSING, seen.file, seen.line, seq, "noticed here")
        return None

    def _missing_start(self) -> Found | None:
        """Signed lines know where the audit began, whatever the head says."""
        if not (self._is_whole and 0 < self._claimed < self._first):
            return None
        first = self._files.segment(self._days[0]).name
        return Found(Tampering.CUT_AT_START, first, 1, self._first, f"the audit began with line {self._claimed}")


def _head(files: AuditFiles) -> Head | None:
    try:
        return head_of(stable_octets(files.head))
    except FileNotFoundError:
        return None


def _of_head(files: AuditFiles, what: Tampering) -> Found:
    return Found(what, files.head.name, 0, 0)


def _is_as_taken_over(files: AuditFiles, taken: TakenOver) -> bool:
    """Whether the older file still begins with what was there when segments began."""
    try:
        with files.base.open("rb") as opened:
            return hashlib.sha256(opened.read(taken.octets)).hexdigest() == taken.sha256
    except FileNotFoundError:
        return False
