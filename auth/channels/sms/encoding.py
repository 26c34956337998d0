"""How a text travels: which alphabet it needs, and into how many parts the network cuts it. No I/O."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

# 3GPP TS 23.038 section 6.2.1: the position of a character is its septet; ESC stands for a table of its own.
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE: Final = 0x1B
# its section 6.2.1.1: what follows ESC, so that such a character takes two septets
_EXTENSION: Final = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_SEPTETS: Final = {
    **{character: bytes([septet]) for septet, character in enumerate(_BASIC) if septet != _ESCAPE},
    **{character: bytes([_ESCAPE, septet]) for character, septet in _EXTENSION.items()},
}


class Encoding(StrEnum):
    """The alphabet of a text; one character outside the first makes all of it the second."""

    GSM = "GSM 03.38"
    UCS2 = "UCS-2"

    @property
    def single(self) -> int:
        """How many septets or UTF-16 units fit into a text of one part."""
        return 160 if self is Encoding.GSM else 70

    @property
    def each(self) -> int:
        """How many fit into each of several parts, which carry a header (3GPP TS 23.040 section 9.2.3.24.1)."""
        return 153 if self is Encoding.GSM else 67


def encoding_of(text: str) -> Encoding:
    """The alphabet that a text needs."""
    return Encoding.GSM if _SEPTETS.keys() >= set(text) else Encoding.UCS2


def encoded(text: str, encoding: Encoding) -> bytes:
    """The text in an alphabet: one octet for each septet, or UTF-16 with the high octet first.

    Raises:
        ValueError: a character is not in the alphabet.
    """
    if encoding is Encoding.UCS2:
        return text.encode("utf-16-be", "surrogatepass")
    try:
        return b"".join(_SEPTETS[character] for character in text)
    except KeyError:
        raise ValueError("the text is not in the GSM alphabet") from None


def parts(text: str) -> tuple[str, ...]:
    """The text as the network cuts it; no character is cut in two.

    Returns:
        At least one part; concatenated they are the text.
    """
    encoding = encoding_of(text)
    size = _units(encoding)
    if sum(map(size, text)) <= encoding.single:
        return (text,)
    return tuple(_cut(text, encoding.each, size))


def _units(encoding: Encoding) -> Callable[[str], int]:
    """How many septets or UTF-16 units a character takes."""
    if encoding is Encoding.GSM:
        return lambda character: len(_SEPTETS[character])
    return lambda character: 1 if character <= "\uffff" else 2


def _cut(text: str, room: int, size: Callable[[str], int]) -> Iterator[str]:
    begin, used = 0, 0
    for position, character in enumerate(text):
        if used + size(character) > room:
            yield text[begin:position]
            begin, used = position, 0
        used += size(character)
    yield text[begin:]
