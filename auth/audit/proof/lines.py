"""The lines of an audit as a proof sees them, read from its segments one after the other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from auth.audit.files import AuditFiles
from auth.audit.keys import AuditKey, PublicKey
from auth.audit.proof.diagnosis import Seen
from auth.audit.rows import Kind, TakenOver, hash_of, row_of, sealed_part, signed_part


@dataclass(frozen=True, slots=True)
class Keys:
    """What a proof is made with.

    Attributes:
        public: tells whether checkpoints are signed by the audit's key.
        own: the key itself, which also tells each line's seal; None where it cannot be read.
    """

    public: PublicKey
    own: AuditKey | None = None


class Body(msgspec.Struct, frozen=True):
    """What a proof reads of a line that is no outcome."""

    key: str = ""
    before: str = ""
    first: int = 0
    what: str = ""
    lines: int = 0
    octets: int = 0
    sha256: str = ""
    takes_over: TakenOver | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A line and what else is known of it.

    Attributes:
        seen: its links.
        body: what it says, where it is no outcome.
        is_ended: whether it has its newline.
        torn: how many lines before it were broken off and are closed by it.
    """

    seen: Seen
    body: Body
    is_ended: bool = True
    torn: int = 0


_decoder = msgspec.json.Decoder(Body)
_NOTHING = Body()
_TAIL = 100  # lines at a segment's end among which is its last whole one, unless others have written there


def read_lines(files: AuditFiles, days: list[str], keys: Keys) -> Iterator[Read]:
    """Every line of these days in their order; a line that was broken off comes with the one that closes it.

    Raises:
        OSError: a segment cannot be read.
    """
    waiting: Read | None = None
    for day in days:
        file = files.segment(day)
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                read = _read(file.name, number, line, files, keys)
                if waiting is not None and read.seen.kind == Kind.TORN and read.body.sha256 == waiting.seen.hash:
                    read = replace(read, torn=1)
                elif waiting is not None:
                    yield waiting
                waiting = read
    if waiting is not None:
        yield waiting


def last_line(files: AuditFiles, days: list[str], keys: Keys) -> Seen | None:
    """The last line of these days, whatever was broken off after it; None when there is none.

    A day whose segment was opened and never written has none, so that the day before tells.

    Raises:
        OSError: a segment cannot be read.
    """
    for day in reversed(days):
        file = files.segment(day)
        with file.open("rb") as opened:
            tail = deque(enumerate(opened, 1), maxlen=_TAIL)
        for number, line in reversed(tail):
            if row_of(line) is not None:
                return _read(file.name, number, line, files, keys).seen
    return None


def _read(file: str, number: int, line: bytes, files: AuditFiles, keys: Keys) -> Read:
    row = row_of(line)
    if row is None:
        return Read(Seen(file, number, hash_of(line)), _NOTHING, is_ended=line.endswith(b"\n"))
    sealed = keys.own.has_sealed(*sealed_part(line)) if keys.own else None
    if row.kind == Kind.OUTCOME:
        return Read(Seen(file, number, hash_of(line), row.seq, row.prev, row.kind, sealed), _NOTHING)
    signed = keys.public.has_signed(*signed_part(line)) if row.kind == Kind.CHECKPOINT else None
    try:
        body = _decoder.decode(line)
    except (msgspec.DecodeError, RecursionError):
        body = _NOTHING
    is_gone = row.kind == Kind.HEADER and body.before and not files.base.with_name(body.before).is_file()
    before = body.before if is_gone else ""
    return Read(Seen(file, number, hash_of(line), row.seq, row.prev, row.kind, sealed, signed, before), body)
