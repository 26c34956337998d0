"""Reads LDIF (RFC 2849): from the lines of a file to its entries, with the line of whatever is wrong. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schema.ldif_lines import BrokenLdif, Line, read_blocks


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
    return map(_record, read_blocks(octets))


def _record(block: list[Line]) -> Record:
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


def _added(lines: list[Line]) -> Iterator[Line]:
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


def _attributes(lines: Iterable[Line]) -> dict[str, list[bytes]]:
    attributes: dict[str, list[bytes]] = {}
    for name, number, value in lines:
        if name in {"dn", "changetype", "control", "-"}:
            raise BrokenLdif(number, f"`{name}` cannot stand here; an empty line separates entries")
        attributes.setdefault(name, []).append(value)
    return attributes
