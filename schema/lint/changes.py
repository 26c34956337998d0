"""What an LDIF file does to a schema: its change records (RFC 2849), each value with the line on which it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schema.ldif_lines import BrokenLdif, Line, read_blocks


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Attributes:
        line: where it stands.
        octets: the value.
    """

    line: int
    octets: bytes

    @property
    def text(self) -> str:
        """The value as text."""
        return self.octets.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Addition:
    """Adds an object.

    Attributes:
        line: where the record begins.
        dn: the object's DN.
        attributes: names in lower case -> values.
    """

    line: int
    dn: str
    attributes: Mapping[str, tuple[Value, ...]]

    def values(self, attribute: str) -> tuple[Value, ...]:
        """The values of an attribute."""
        return self.attributes.get(attribute.lower(), ())

    def text(self, attribute: str) -> str:
        """The first value of an attribute as text; empty when it has none."""
        return next((value.text for value in self.values(attribute)), "")

    def line_of(self, attribute: str) -> int:
        """Where the first value of an attribute stands, or else the record."""
        return next((value.line for value in self.values(attribute)), self.line)

    def is_a(self, object_class: str) -> bool:
        """Whether the object is of a class."""
        return object_class.lower() in {value.text.lower() for value in self.values("objectClass")}


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes one attribute of an object that is there.

    Attributes:
        line: where the change begins.
        dn: the object's DN; empty for the rootDSE.
        operation: `add`, `delete` or `replace`.
        attribute: its name in lower case.
        values: what is added, deleted or put in the place of all others.
    """

    line: int
    dn: str
    operation: str
    attribute: str
    values: tuple[Value, ...]

    @property
    def reloads(self) -> bool:
        """Whether it has the domain controller reload its schema cache (MS-ADTS 3.1.1.3.3.13)."""
        return not self.dn and self.attribute == "schemaupdatenow"


@dataclass(frozen=True, slots=True)
class Other:
    """Deletes or renames an object.

    Attributes:
        line: where the record begins.
        dn: the object's DN.
        change: its changetype.
    """

    line: int
    dn: str
    change: str


Change = Addition | Edit | Other


def read_changes(octets: bytes) -> Iterator[Change]:
    """The changes in the order of the file; a record that changes several attributes is an `Edit` for each.

    Raises:
        BrokenLdif: while iterating: it is no LDIF.
    """
    for block in read_blocks(octets):
        name, line, value = block.pop(0)
        if name != "dn":
            raise BrokenLdif(line, "a record begins with `dn:`")
        dn = value.decode(errors="backslashreplace")
        change = "add"
        if block and block[0][0] == "changetype":
            change = block.pop(0)[2].decode(errors="backslashreplace").strip().lower()
        if change == "add":
            yield Addition(line, dn, _attributes(block))
        elif change == "modify":
            yield from _edits(dn, block)
        else:
            yield Other(line, dn, change)


def _attributes(block: list[Line]) -> dict[str, tuple[Value, ...]]:
    attributes: dict[str, tuple[Value, ...]] = {}
    for name, line, value in block:
        attributes[name] = (*attributes.get(name, ()), Value(line, value))
    return attributes


def _edits(dn: str, block: list[Line]) -> Iterator[Edit]:
    lines = iter(block)
    for operation, line, attribute in lines:
        name = attribute.decode(errors="backslashreplace").strip().lower()
        values: list[Value] = []
        for found, number, value in lines:
            if found == "-":
                break
            if found != name:
                raise BrokenLdif(number, f"a value of {name} or `-` is due")
            values.append(Value(number, value))
        yield Edit(line, dn, operation, name, tuple(values))
