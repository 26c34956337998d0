"""Reads the changes that an LDIF file would make (RFC 2849, and as ldifde writes them), with their lines. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from schema.ldif_lines import BrokenLdif, Line, read_blocks

TREE_DELETE = "1.2.840.113556.1.4.805"  # LDAP_SERVER_TREE_DELETE_OID, MS-ADTS section 3.1.1.3.4.1.15


class Operation(StrEnum):
    """What a modification does with the values that it names."""

    ADD = "add"
    DELETE = "delete"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Modification:
    """Changes one attribute.

    Attributes:
        line: where it begins.
        operation: what it does.
        attribute: attribute description in lower case.
        values: what is added, deleted, or put in the place of all others; none deletes all.
    """

    line: int
    operation: Operation
    attribute: str
    values: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Add:
    """A new entry, with attribute descriptions in lower case."""

    line: int
    dn: str
    attributes: dict[str, tuple[bytes, ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Modify:
    """An entry is changed."""

    line: int
    dn: str
    modifications: tuple[Modification, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """An entry is deleted; `tree`: with all that is below it."""

    line: int
    dn: str
    tree: bool


@dataclass(frozen=True, slots=True)
class Rename:
    """An entry gets another RDN, or another entry above it.

    Attributes:
        line: where the record begins.
        dn: its DN before.
        rdn: its RDN afterwards.
        keep_old: the value of the old RDN stays a value of its attribute.
        superior: DN of the entry above it afterwards; None: the same as before.
    """

    line: int
    dn: str
    rdn: str
    keep_old: bool
    superior: str | None


Record = Add | Modify | Delete | Rename


def read_changes(octets: bytes) -> Iterator[Record]:
    """The changes in the order of the file. A record without `changetype` is an entry to add, as for ldifde.

    Beyond RFC 2849 the `-` after the last modification of a record may be missing, as ldapmodify permits.

    Raises:
        BrokenLdif: while iterating: what stands there is no change, or none that is understood.
    """
    return map(_record, read_blocks(octets))


def _record(block: list[Line]) -> Record:
    name, line, value = block[0]
    if name != "dn" or not value:
        raise BrokenLdif(line, "a record begins with `dn: ` and the DN of its entry")
    dn = _text(value, line)
    rest = block[1:]
    controls = {_control(*rest.pop(0)[1:]) for _ in range(_leading(rest, "control"))}
    kind = _text(rest.pop(0)[2], line).strip().lower() if _leading(rest, "changetype") else "add"
    match kind:
        case "add":
            return Add(line, dn, _attributes(rest))
        case "modify":
            return Modify(line, dn, tuple(_modifications(rest)))
        case "delete":
            _nothing_more(rest)
            return Delete(line, dn, TREE_DELETE in controls)
        case "modrdn" | "moddn":
            return _rename(line, dn, rest)
        case _:
            raise BrokenLdif(line + 1, f"`changetype: {kind}` is not add, modify, delete, modrdn or moddn")


def _leading(lines: list[Line], name: str) -> int:
    """How many lines of this name come first."""
    count = 0
    while count < len(lines) and lines[count][0] == name:
        count += 1
    return count


def _control(line: int, value: bytes) -> str:
    """The OID of a control; what a critical one does has to be known (RFC 4511 section 4.1.11)."""
    oid, _, criticality = _text(value, line).partition(":")[0].strip().partition(" ")
    if criticality.strip().lower() == "true" and oid != TREE_DELETE:
        raise BrokenLdif(line, f"the control {oid} is critical, and what it does is not known here")
    return oid


def _attributes(lines: list[Line]) -> dict[str, tuple[bytes, ...]]:
    attributes: dict[str, tuple[bytes, ...]] = {}
    for name, number, value in lines:
        if name in {"dn", "changetype", "control", "-"}:
            raise BrokenLdif(number, f"`{name}` cannot stand here; an empty line separates records")
        attributes[name] = (*attributes.get(name, ()), value)
    return attributes


def _modifications(lines: list[Line]) -> Iterator[Modification]:
    rest = iter(lines)
    for name, number, value in rest:
        if name not in set(Operation):
            raise BrokenLdif(number, "`add: `, `delete: ` or `replace: ` with the name of an attribute is due")
        attribute = _text(value, number).strip().lower()
        values = []
        for found, at, octets in rest:
            if found == "-":
                break
            if found != attribute:
                raise BrokenLdif(at, f"a value of {attribute} or `-` is due")
            values.append(octets)
        if name == Operation.ADD and not values:
            raise BrokenLdif(number, f"nothing is added to {attribute}")
        yield Modification(number, Operation(name), attribute, tuple(values))


def _rename(line: int, dn: str, lines: list[Line]) -> Rename:
    said = {name: (number, _text(value, number).strip()) for name, number, value in lines}
    for name, (number, _) in said.items():
        if name not in {"newrdn", "deleteoldrdn", "newsuperior"}:
            raise BrokenLdif(number, f"`{name}` cannot stand here")
    if "newrdn" not in said or said.get("deleteoldrdn", (0, "1"))[1] not in {"0", "1"}:
        raise BrokenLdif(line, "a renaming needs `newrdn: ` and `deleteoldrdn: 0` or `1`")
    superior = said.get("newsuperior")
    return Rename(
        line, dn, said["newrdn"][1], said.get("deleteoldrdn", (0, "1"))[1] == "0", superior[1] if superior else None
    )


def _nothing_more(lines: list[Line]) -> None:
    for name, number, _ in lines:
        raise BrokenLdif(number, f"`{name}` cannot stand in a record that deletes")


def _text(value: bytes, line: int) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BrokenLdif(line, "is not UTF-8") from error
