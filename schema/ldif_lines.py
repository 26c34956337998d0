"""Splits LDIF (RFC 2849) into records of lines that know their numbers; what a record means is its reader's. Pure."""

import binascii
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

_DESCRIPTION: Final = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9=*_-]+)*")
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_UTF_16_MARK: Final = b"\xff\xfe"

# Attribute description in lower case (or `-`), the number of its line, its value.
Line = tuple[str, int, bytes]


class BrokenLdif(ValueError):
    """The octets are no LDIF that describes entries.

    Args:
        line: number of the line, from 1.
        problem: what is wrong with it; never the value that stands there.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def read_blocks(octets: bytes) -> Iterator[list[Line]]:
    """The lines of one record after the other; comments, folds, base64 and the version line are dealt with.

    Beyond RFC 2849, text may be plain UTF-8, and a file in UTF-16 is read as ldifde -u writes it.

    Raises:
        BrokenLdif: while iterating; what came before is then worth nothing.
    """
    first = True
    for block in _blocks(_lines(_utf_8(octets))):
        if first and block[0][0] == "version":
            _check_version(block.pop(0))
        first = False
        if block:
            yield block


def _utf_8(octets: bytes) -> bytes:
    if octets.startswith(_UTF_16_MARK):
        try:
            return octets.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise BrokenLdif(1, "begins as UTF-16 and does not go on as such") from error
    octets = octets.removeprefix(_UTF_8_MARK)
    try:
        if not octets.isascii():
            octets.decode()
    except UnicodeDecodeError as error:
        raise BrokenLdif(octets[: error.start].count(b"\n") + 1, "is not UTF-8") from error
    return octets


def _lines(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Unfolded lines without comments; an empty one for a separator."""
    number = 0
    held: list[bytes] = []
    for count, physical in enumerate(io.BytesIO(octets), start=1):
        line = physical.rstrip(b"\r\n")
        if line[:1] == b" ":
            if held in ([], [b""]):
                raise BrokenLdif(count, "begins with a space, as a continued line does, but follows none")
            held.append(line[1:])
            continue
        if held and held[0][:1] != b"#":
            yield number, b"".join(held) if len(held) > 1 else held[0]
        number, held = count, [line]
    if held and held[0][:1] != b"#":
        yield number, b"".join(held)


def _blocks(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[Line]]:
    """The lines of one record after the other."""
    names: dict[bytes, str] = {}
    block: list[Line] = []
    for number, line in lines:
        if line:
            block.append(_parts(number, line, names))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _parts(number: int, line: bytes, names: dict[bytes, str]) -> Line:
    description, colon, value = line.partition(b":")
    name = names.get(description)
    if name is None:
        if line == b"-":
            return "-", number, b""
        if not colon or not _DESCRIPTION.fullmatch(description):
            raise BrokenLdif(number, "is not of the form `attribute: value`")
        name = names[description] = description.decode().lower()
    mark = value[:1]
    if mark == b":":
        try:
            return name, number, binascii.a2b_base64(value[1:].strip(b" "), strict_mode=True)
        except binascii.Error as error:
            raise BrokenLdif(number, f"the value of {name} is not base64") from error
    if mark == b"<":
        raise BrokenLdif(number, f"{name} refers to another file; values must stand in this one")
    return name, number, value.lstrip(b" ")


def _check_version(line: Line) -> None:
    _, number, value = line
    if value.strip() != b"1":
        raise BrokenLdif(number, "only version 1 of LDIF is known")
