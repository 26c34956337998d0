"""The head: where the audit begins and ends. It stands beside the lines, so that a cut at either end shows. Pure."""

import msgspec

from auth.audit.keys import AuditKey
from auth.audit.rows import NOTHING

OCTETS = 512
"""The head always has this length: it is written over the last one with one write."""
_SEAL = b',"seal":"'
_END = b'"}'


class Head(msgspec.Struct, frozen=True):
    """Where the audit stands.

    Attributes:
        first_day: day of the segment that it begins with.
        first: number of its first line.
        first_prev: hash of the line before that one.
        day: day of the segment that is written now; empty before there is one.
        end: how many octets it has.
        seq: number of its last line.
        hash: hash of its last line.
        checkpoint: number of the last checkpoint.
    """

    first_day: str = ""
    first: int = 1
    first_prev: str = NOTHING
    day: str = ""
    end: int = 0
    seq: int = 0
    hash: str = NOTHING
    checkpoint: int = 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Head)


def head_octets(head: Head, key: AuditKey) -> bytes:
    """The head as it stands in its file: JSON with a seal, filled up with spaces."""
    octets = _encoder.encode(head)[:-1]
    return (octets + _SEAL + key.seal(octets).encode() + _END).ljust(OCTETS - 1) + b"\n"


def head_of(octets: bytes) -> Head | None:
    """The head that the octets are, whoever sealed it; None when they are none."""
    try:
        return _decoder.decode(octets) if len(octets) == OCTETS else None
    except msgspec.DecodeError:
        return None


def is_ours(octets: bytes, key: AuditKey) -> bool:
    """Whether this key has sealed the head."""
    sealed, found, seal = octets.rstrip().removesuffix(_END).rpartition(_SEAL)
    return bool(found) and key.has_sealed(sealed, seal.decode(errors="replace"))
