"""The chain: appends one line to a day's segment under the lock, and keeps the head in step. All octets go out here."""

import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType

import msgspec

from auth.audit.files import AuditFiles, day_of
from auth.audit.head import OCTETS, Head, head_octets, head_of, is_ours
from auth.audit.keys import AuditKey
from auth.audit.line import AuditUnavailable
from auth.audit.origin import head_anew, header
from auth.audit.recovery import beyond
from auth.audit.rows import Checkpoint, Kind, Notice, NoticeOf, Torn, hash_of, line_of

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_OVER = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_MODE = 0o640  # an auditor's group may read the audit
_LOCK_MODE = 0o600  # and must not be able to hold it up
_encoder = msgspec.json.Encoder()


class Chain:
    """The end of the chain, which several processes may hold; whoever writes has its turn.

    Args:
        files: where the audit lies.
        key: signs and seals.

    Raises:
        AuditUnavailable: the files cannot be opened.
    """

    def __init__(self, files: AuditFiles, key: AuditKey) -> None:
        self._files = files
        self._key = key
        self._head = Head()
        self._head_octets = b""
        self._segment = -1
        self._segment_day = ""
        self._behind: list[int] = []  # the segment before, until it is synced; another thread may take it
        self._at = files.head
        try:
            self._lock = os.open(files.lock, _OVER, _LOCK_MODE)
            self._head_file = os.open(files.head, _OVER, _MODE)
        except OSError as error:
            raise self._unavailable(error) from error

    @property
    def head(self) -> Head:
        """Where the chain stood at the end of our last turn."""
        return self._head

    def turn(self, now: datetime) -> "Turn":
        """Our turn to write: what others have written since is known, and the day's segment is open.

        Raises:
            AuditUnavailable: it cannot be; whatever was written in part is taken back.
        """
        return Turn(self, now)

    def begin_turn(self, now: datetime) -> None:
        """Wait for the lock, and catch up. Raises AuditUnavailable."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._catch_up(now)
        except BaseException as error:
            self.end_turn(error)
            raise

    def end_turn(self, error: BaseException | None) -> None:
        """Let go of the lock; after an error nothing is taken for known. An OSError is told as AuditUnavailable."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        if error is not None:
            self._forget()
        if isinstance(error, OSError):
            raise self._unavailable(error) from error

    def append(self, kind: Kind, body: msgspec.Struct) -> bytes:
        """Append a line in our turn, and return it. Raises OSError when it is not written whole."""
        return self.append_all(kind, (body,))[0]

    def append_all(self, kind: Kind, bodies: Sequence[msgspec.Struct]) -> list[bytes]:
        """Append lines in our turn, and return them. Raises OSError when they are not all written whole."""
        head = self._head
        seq, previous, signed, lines = head.seq, head.hash, head.checkpoint, []
        sign = self._key.sign if kind is Kind.CHECKPOINT else None
        for body in bodies:
            seq += 1
            line = line_of(seq, previous, kind, _encoder.encode(body), self._key.seal, sign)
            previous = hash_of(line)
            lines.append(line)
            signed = seq if sign is not None else signed
        octets = b"".join(lines)
        moved = Head(
            head.first_day, head.first, head.first_prev, head.day, head.end + len(octets), seq, previous, signed
        )
        self._write(octets)
        try:
            self._keep(moved)
        except OSError:
            os.ftruncate(self._segment, head.end)  # what the head does not know was not answered either
            raise
        return lines

    def checkpoint(self, now: datetime) -> bytes | None:
        """Sign the chain as it stands; None when nothing has come since the last checkpoint. Raises OSError."""
        if self._head.seq == self._head.checkpoint:
            return None
        return self.append(Kind.CHECKPOINT, Checkpoint(now, self._head.first, self._key.public.id))

    def begin_with(self, head: Head) -> None:
        """Have the audit begin later, in our turn. Raises OSError."""
        self._keep(head)

    def sync(self) -> None:
        """Have what is written brought to the disk, as another thread may do. Raises AuditUnavailable."""
        behind = self._behind.copy()
        try:
            for file in (*behind, self._segment, self._head_file):
                if file >= 0:
                    self._sync(file)
        except OSError as error:
            if error.errno != errno.EBADF:  # closed meanwhile: there is another segment, to be synced the next time
                raise self._unavailable(error) from error
        else:
            self._let_go(behind)

    @staticmethod
    def _sync(file: int) -> None:
        copy = os.dup(file)  # our own may be closed meanwhile
        try:
            os.fdatasync(copy)
        finally:
            os.close(copy)

    def close(self) -> None:
        """Close the files."""
        self._forget_segment()
        self._let_go(self._behind.copy())
        os.close(self._head_file)
        os.close(self._lock)

    def _catch_up(self, now: datetime) -> None:
        octets = os.pread(self._head_file, OCTETS + 1, 0)
        notices: list[NoticeOf] = []
        if octets != self._head_octets or not octets:
            head = head_of(octets)
            if head is None or not is_ours(octets, self._key):
                head = head_anew(self._files)
                # at most the first header, and no head yet: a first start broke off, and nothing was told
                notices += [NoticeOf.HEAD_MISSING] if octets or head.seq > 1 else []
            self._head, self._head_octets = head, octets
        today = max(day_of(now), self._head.day)  # a clock that was set back opens no older segment
        if self._head.day:
            notices += self._mend(self._head.day, now)
        if today != self._head.day:
            notices += self._rotate(today, now)
        for what in notices:
            self.append(Kind.NOTICE, Notice(now, what))

    def _rotate(self, today: str, now: datetime) -> list[NoticeOf]:
        """Close the segment with a checkpoint, and begin that of the day, if a crash has not come after its header."""
        before = self._head.day
        if before:
            self.checkpoint(now)
        closed = self._head.seq
        self._head = msgspec.structs.replace(self._head, first_day=self._head.first_day or today, day=today, end=0)
        notices = self._mend(today, now)
        if self._head.seq == closed:
            self.append(Kind.HEADER, header(self._files, today, before, self._key.public.id, now))
        return notices

    def _mend(self, day: str, now: datetime) -> list[NoticeOf]:
        """Open the segment that the head ends in, and take in what it has beyond the head."""
        size = self._open(day)
        if size == self._head.end:
            return []
        if size < self._head.end:
            self._keep(msgspec.structs.replace(self._head, end=size))
            return [NoticeOf.SHORTER]
        found = beyond(os.pread(self._segment, size - self._head.end, self._head.end), self._head, self._key)
        if found.unended or found.torn:
            self._write(b"\n")
        torn = found.torn + b"\n" if found.torn else b""
        self._keep(msgspec.structs.replace(found.head, end=found.head.end + len(torn)))
        if torn:
            self.append(Kind.TORN, Torn(now, len(torn), hash_of(torn)))
        return [NoticeOf.FOREIGN] if found.foreign else []

    def _open(self, day: str) -> int:
        """Have the day's segment open, and tell its size."""
        if self._segment >= 0 and day == self._segment_day:
            found = os.fstat(self._segment)
            if found.st_nlink:  # nobody has removed it under our hands
                return found.st_size
        if self._segment >= 0 and day != self._segment_day:
            self._let_go(self._behind.copy())
            self._behind.append(self._segment)
            self._segment = -1
        self._forget_segment()
        self._at = self._files.segment(day)
        self._segment, self._segment_day = os.open(self._at, _APPEND, _MODE), day
        return os.fstat(self._segment).st_size

    def _write(self, octets: bytes) -> None:
        written = os.write(self._segment, octets)
        if written != len(octets):
            with suppress(OSError):
                os.ftruncate(self._segment, os.fstat(self._segment).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _keep(self, head: Head) -> None:
        octets = head_octets(head, self._key)
        if os.pwrite(self._head_file, octets, 0) != len(octets):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._head, self._head_octets = head, octets

    def _forget(self) -> None:
        """After a failure nothing is known: the next turn reads it all again."""
        self._head_octets = b""
        self._forget_segment()

    def _forget_segment(self) -> None:
        _close(self._segment)
        self._segment = -1

    def _let_go(self, behind: Sequence[int]) -> None:
        for file in behind:
            with suppress(ValueError):  # another thread has
                self._behind.remove(file)
                _close(file)

    def _unavailable(self, error: OSError) -> AuditUnavailable:
        return AuditUnavailable(
            f"audit file {self._at}: {error.strerror or error}", remedy="check the disk, the folder and its owner"
        )


def _close(file: int) -> None:
    if file >= 0:
        os.close(file)


class Turn:
    """A context in which its owner alone writes. A class, for a generator would cost every outcome twice as much."""

    __slots__ = ("_chain", "_now")

    def __init__(self, chain: Chain, now: datetime) -> None:
        self._chain, self._now = chain, now

    def __enter__(self) -> None:
        self._chain.begin_turn(self._now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._chain.end_turn(error)
