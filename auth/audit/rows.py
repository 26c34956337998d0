"""The form of the audit's lines: what is hashed, sealed and signed is the octets as they stand in the file. Pure.

A line is one JSON object with its newline. It begins with its number and the SHA-256 of the whole line before it:

    {"seq":7,"prev":"<64 hex>","kind":"outcome", ... ,"seal":"<32 hex>"}

so that `sed -n 6p FILE | sha256sum` gives what stands in line 7. The seal is over all octets before `,"seal":`; the
signature of a checkpoint, which stands before the seal, over all before `,"signature":`.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

NOTHING = "0" * 64
"""What the first line of all names as the hash of the one before."""
_SEAL = b',"seal":"'
_SIGNATURE = b',"signature":"'
_END = b'"}\n'


class Kind(StrEnum):
    """What a line is of."""

    OUTCOME = "outcome"
    HEADER = "header"
    CHECKPOINT = "checkpoint"
    TORN = "torn"
    NOTICE = "notice"
    DROPPED = "dropped"
    RETIRED = "retired"


class TakenOver(msgspec.Struct, frozen=True):
    """A file from before there were segments, as it was when they began: `file`, its length and its SHA-256."""

    file: str
    octets: int
    sha256: str


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a segment.

    Attributes:
        at: when the segment was begun.
        segment: name of the segment's file.
        key: id of the key that signs.
        before: name of the segment before, whose last line the header's `prev` is of.
        takes_over: the older file, in the first header of all.
    """

    at: datetime
    segment: str
    key: str
    before: str = ""
    takes_over: TakenOver | None = None


class Checkpoint(msgspec.Struct, frozen=True):
    """What a checkpoint signs besides the chain up to it.

    Attributes:
        at: when it was signed.
        first: number of the line that the audit began with then.
        key: which key has signed: the first 16 hexadecimal digits of the SHA-256 of its 32 octets.
    """

    at: datetime
    first: int
    key: str


class Torn(msgspec.Struct, frozen=True):
    """The line before was broken off by a crash or a full disk: its length and SHA-256, newline included."""

    at: datetime
    octets: int
    sha256: str


class NoticeOf(StrEnum):
    """What a writer found that no writer can have left."""

    HEAD_MISSING = "head-missing"  # or unusable; it was made anew from what was there
    SHORTER = "shorter"  # the head speaks of lines that are no longer there
    FOREIGN = "foreign"  # lines behind the last one that are none of ours


class Notice(msgspec.Struct, frozen=True):
    """Something was not as the last writer left it."""

    at: datetime
    what: NoticeOf


class Dropped(msgspec.Struct, frozen=True):
    """So many lines were not exported, because the receiver was away for too long."""

    at: datetime
    lines: int


class Retired(msgspec.Struct, frozen=True):
    """Segments that were too old and are no longer kept; the audit begins with line `first` from now on."""

    at: datetime
    segments: tuple[str, ...]
    first: int


class Row(msgspec.Struct, frozen=True):
    """What links a line to its neighbours."""

    seq: int
    prev: str
    kind: str


Seal = Callable[[bytes], str]
Sign = Callable[[bytes], str]
_row_decoder = msgspec.json.Decoder(Row)


def line_of(seq: int, prev: str, kind: Kind, body: bytes, seal: Seal, sign: Sign | None = None) -> bytes:
    """A whole line with its newline.

    Args:
        seq: its number.
        prev: hash of the line before.
        kind: what it is of.
        body: the rest as a JSON object that is not empty.
        seal: seals what stands before the seal.
        sign: signs what stands before the signature, if there is to be one.
    """
    octets = b'{"seq":%d,"prev":"%b","kind":"%b",%b' % (seq, prev.encode(), kind.encode(), body[1:-1])
    if sign is not None:
        octets += _SIGNATURE + sign(octets).encode() + b'"'
    return octets + _SEAL + seal(octets).encode() + _END


def hash_of(line: bytes) -> str:
    """What the next line says of this one."""
    return hashlib.sha256(line).hexdigest()


def row_of(line: bytes) -> Row | None:
    """The links of a line; None when it is none of ours, or not whole."""
    if not (line.startswith(b'{"seq":') and line.endswith(_END)):
        return None
    try:
        return _row_decoder.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def sealed_part(line: bytes) -> tuple[bytes, str]:
    """What a seal is over, and the seal; both empty for a line without one."""
    octets, found, seal = line.removesuffix(_END).rpartition(_SEAL)
    return (octets, seal.decode(errors="replace")) if found else (b"", "")


def signed_part(line: bytes) -> tuple[bytes, str]:
    """What a signature is over, and the signature; both empty for a line without one."""
    octets, found, signature = sealed_part(line)[0].removesuffix(b'"').rpartition(_SIGNATURE)
    return (octets, signature.decode(errors="replace")) if found else (b"", "")
