"""Reads LDIF (RFC 2849): from the octets of a file to its entries, with the line of whatever is wrong. Pure."""

import binascii
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

_DESCRIPTION: Final = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9=*_-]+)*")
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_UTF_16_MARK: Final = b"\xff\xfe"
# attribute description, where it stands, its value
_Line = tuple[str, int, bytes]


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


@dataclass(frozen=True, slots=True)
class Record:
    """An entry.

    Attributes:
        line: where it begins.
        dn: its DN as it is written.
        attributes: attribute descriptions in lower case, each with all its values.
    """

    line: int
    dn: str
    attributes: dict[str, list[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Addition(Record):
    """Values that are added to an entry which stands before it: `changetype: modify` with nothing but `add:`.

    This is how ldifde writes links to entries that may only follow.
    """


def read_ldif(octets: bytes) -> Iterator[Record]:
    """The entries of an LDIF file, as hand-written or exported by ldifde, slapcat or ldapsearch, one by one.

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
            yield _record(block)


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


def _blocks(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[_Line]]:
    """The lines of one record after the other."""
    names: dict[bytes, str] = {}
    block: list[_Line] = []
    for number, line in lines:
        if line:
            block.append(_parts(number, line, names))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _parts(number: int, line: bytes, names: dict[bytes, str]) -> _Line:
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


def _check_version(line: _Line) -> None:
    _, number, value = line
    if value.strip() != b"1":
        raise BrokenLdif(number, "only version 1 of LDIF is known")


def _record(block: list[_Line]) -> Record:
    name, line, value = block[0]
    if name != "dn" or not value:
        raise BrokenLdif(line, "a record begins with `dn: ` and the DN of its entry")
    try:
        dn = value.decode()
    except UnicodeDecodeError as error:
        raise BrokenLdif(line, "the DN is not UTF-8") from error
    rest = block[1:]
    change = rest.pop(0)[2].strip().lower() if rest and rest[0][0] == "changetype" else b"add"
    if change == b"add":
        return Record(line, dn, _attributes(rest))
    if change == b"modify":
        return Addition(line, dn, _attributes(_added(rest)))
    raise BrokenLdif(line + 1, "the only changes understood are `changetype: add` and `modify` with `add:`")


def _added(lines: list[_Line]) -> Iterator[_Line]:
    """The values of a modify record; each `add: NAME` is followed by values of NAME and `-`."""
    adding: str | None = None
    for name, number, value in lines:
        if adding is None:
            if name != "add":
                raise BrokenLdif(number, "a `changetype: modify` here may only `add:` values")
            adding = value.strip().decode(errors="replace").lower()
        elif name == "-":
            adding = None
        elif name == adding:
            yield name, number, value
        else:
            raise BrokenLdif(number, f"a value of {adding} or `-` is due")


def _attributes(lines: Iterable[_Line]) -> dict[str, list[bytes]]:
    attributes: dict[str, list[bytes]] = {}
    for name, number, value in lines:
        if name in {"dn", "changetype", "control", "-"}:
            raise BrokenLdif(number, f"`{name}` cannot stand here; an empty line separates entries")
        attributes.setdefault(name, []).append(value)
    return attributes
