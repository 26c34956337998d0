"""Security identifiers, by which Active Directory knows accounts: as text and as octets (MS-DTYP section 2.4.2)."""

import re
import struct
from dataclasses import dataclass
from typing import Final

_TEXT: Final = re.compile(r"S-1-(0x[0-9A-Fa-f]{12}|[0-9]{1,10})((?:-[0-9]{1,10}){1,15})", re.IGNORECASE)
_HEAD: Final = 8
_AUTHORITY_MAX: Final = 2**48
_DECIMAL_AUTHORITY: Final = 2**32
_PART_MAX: Final = 2**32
_PARTS_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Sid:
    """A security identifier.

    Attributes:
        authority: who issued it, 48 bits; 5 is Windows itself.
        parts: 1 to 15 numbers of 32 bits; the last tells the accounts of one domain apart.

    Raises:
        ValueError: a number does not fit, or there are too few or too many.
    """

    authority: int
    parts: tuple[int, ...]

    def __post_init__(self) -> None:
        fits = 0 <= self.authority < _AUTHORITY_MAX and all(0 <= part < _PART_MAX for part in self.parts)
        if not fits or not 1 <= len(self.parts) <= _PARTS_MAX:
            msg = "no SID has such numbers"
            raise ValueError(msg)

    def __str__(self) -> str:
        authority = str(self.authority) if self.authority < _DECIMAL_AUTHORITY else f"0x{self.authority:012X}"
        return "-".join(("S-1", authority, *map(str, self.parts)))

    @property
    def octets(self) -> bytes:
        """The SID as an objectSid has it."""
        head = struct.pack("BB", 1, len(self.parts)) + self.authority.to_bytes(6, "big")
        return head + struct.pack(f"<{len(self.parts)}I", *self.parts)

    def account(self, number: int) -> "Sid":
        """The account with this number in the domain whose SID this is, such as 512 for its Domain Admins."""
        return Sid(self.authority, (*self.parts, number))


def read_sid(octets: bytes) -> Sid:
    """A SID from its octets.

    Raises:
        ValueError: these octets are none, or others follow it.
    """
    sid, size = read_sid_at(octets, 0)
    if size != len(octets):
        msg = "octets follow the SID"
        raise ValueError(msg)
    return sid


def read_sid_at(octets: bytes, start: int) -> tuple[Sid, int]:
    """The SID that begins at a position, and the position after it.

    Raises:
        ValueError: none begins there.
    """
    head = octets[start : start + _HEAD]
    end = start + _HEAD + 4 * head[1] if len(head) == _HEAD else len(octets) + 1
    if end > len(octets) or head[0] != 1:
        msg = "these octets are no SID"
        raise ValueError(msg)
    parts = struct.unpack_from(f"<{head[1]}I", octets, start + _HEAD)
    return Sid(int.from_bytes(head[2:], "big"), parts), end


def parse_sid(text: str) -> Sid | None:
    """A SID from its text, `S-1-5-21-...`; None when the text is none.

    Raises:
        ValueError: it looks like one, and a number in it is too large.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    authority = int(match[1], 16 if match[1].lower().startswith("0x") else 10)
    return Sid(authority, tuple(int(part) for part in match[2].split("-")[1:]))
