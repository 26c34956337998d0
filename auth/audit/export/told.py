"""What of a line of the audit is told outside. Pure."""

import msgspec

from auth.audit.reader import Written, outcome_of


class Signed(msgspec.Struct, frozen=True):
    """A checkpoint: whoever keeps it elsewhere can tell later whether the chain up to it was changed.

    Attributes:
        seq: its number.
        prev: SHA-256 of the line before, and with it of the whole chain.
        at: when it was signed (ISO 8601).
        key: which key has signed.
        signature: the signature.
    """

    seq: int
    prev: str
    at: str
    key: str
    signature: str


_signed_decoder = msgspec.json.Decoder(Signed)


def told(line: bytes) -> Written | Signed:
    """A line as it was offered.

    Raises:
        msgspec.DecodeError: it is neither an outcome nor a checkpoint.
    """
    return outcome_of(line) or _signed_decoder.decode(line)


def fields(each: Written | Signed) -> dict[str, str]:
    """What is known of it, without what is empty, by the names that the audit has for it."""
    known = msgspec.to_builtins(each)
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in known.items() if value}
