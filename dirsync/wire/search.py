"""A question to a directory server and its answer, as values: what a dialogue yields and is sent back."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a request, always critical: a server that does not know it must not answer without it.

    Attributes:
        oid: its object identifier.
        value: its BER-encoded value.
    """

    oid: str
    value: bytes | None = None


# DN and attributes, as the server wrote them
RawEntry = tuple[str, Mapping[str, Sequence[bytes]]]


class Scope(StrEnum):
    """How far a search reaches (RFC 4511 section 4.5.1.2)."""

    BASE = "base"
    SUBTREE = "subtree"


@dataclass(frozen=True, slots=True)
class Search:
    """One search.

    Attributes:
        base: DN to search at; empty for the rootDSE.
        attributes: what to return.
        scope: how far to look.
        where: the filter; made of constants of ours, numbers and escaped octets, never of text from outside.
        controls: of the request.
    """

    base: str
    attributes: tuple[str, ...]
    scope: Scope = Scope.BASE
    where: str = "(objectClass=*)"
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one search.

    Attributes:
        entries: taken once, in the server's order; errors of the search come up while they are taken.
        controls: values of the response's controls by OID, there after the last entry.
    """

    entries: Iterable[RawEntry]
    controls: Mapping[str, bytes] = field(default_factory=dict)


def escaped(octets: bytes) -> str:
    """Any octets as the value in a filter (RFC 4515 section 3)."""
    return "".join(f"\\{octet:02x}" for octet in octets)


Result = TypeVar("Result")
Dialogue = Generator[Search, Page, Result]


def converse(dialogue: Dialogue[Result], ask: Callable[[Search], Page]) -> Result:
    """Have each question of a dialogue answered; its result.

    Args:
        dialogue: not yet begun.
        ask: answers one question.
    """
    try:
        search = next(dialogue)
        while True:
            search = dialogue.send(ask(search))
    except StopIteration as end:
        result: Result = end.value
        return result
