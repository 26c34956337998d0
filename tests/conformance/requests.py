"""What an administrator's tool asks of a directory: requests as values, and the LDIF that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schema.dn import join

Values = tuple[str, ...]


class How(StrEnum):
    """What a modification does to an attribute (RFC 4511 section 4.6)."""

    ADD = "add"
    DELETE = "delete"
    REPLACE = "replace"


@dataclass(frozen=True)
class Add:
    """A new entry."""

    dn: str
    attributes: Mapping[str, Values]

    def ldif(self) -> str:
        return _record(
            self.dn, "add", *(f"{name}: {value}" for name, held in self.attributes.items() for value in held)
        )


@dataclass(frozen=True)
class Modify:
    """Other values."""

    dn: str
    changes: Sequence[tuple[How, str, Values]]

    def ldif(self) -> str:
        lines: list[str] = []
        for how, name, values in self.changes:
            lines += [f"{how}: {name}", *(f"{name}: {value}" for value in values), "-"]
        return _record(self.dn, "modify", *lines)


@dataclass(frozen=True)
class Rename:
    """Another name, another place, or both; what stands below moves along."""

    dn: str
    rdn: str
    above: str

    @property
    def new_dn(self) -> str:
        return join(self.rdn, self.above)

    def ldif(self) -> str:
        return _record(self.dn, "modrdn", f"newrdn: {self.rdn}", "deleteoldrdn: 1", f"newsuperior: {self.above}")


@dataclass(frozen=True)
class Remove:
    """An entry is gone; with `tree` also all below it, in one request."""

    dn: str
    tree: bool = False

    def ldif(self) -> str:
        return ("control: 1.2.840.113556.1.4.805\n" if self.tree else "") + _record(self.dn, "delete")


Request = Add | Modify | Rename | Remove


def _record(dn: str, kind: str, *lines: str) -> str:
    return "\n".join((f"dn: {dn}", f"changetype: {kind}", *lines)) + "\n"
