"""Whether everything that a record names is there when its turn comes (MS-ADTS 3.1.1.2.5.1.1, 3.1.1.3.3.13)."""

from collections.abc import Iterable, Iterator, Sequence

from schema.active_directory import LINK_ID_ON_REQUEST
from schema.lint.changes import Addition, Change, Edit, Value
from schema.lint.edits import LISTS
from schema.lint.object_class import BASE_ATTRIBUTES, BASE_CLASSES
from schema.lint.rules import Finding, Rule

_NAMED = ("mayContain", "mustContain", "auxiliaryClass", "possSuperiors", "subClassOf")


def findings(changes: Sequence[Change]) -> Iterator[Finding]:
    """Names that nothing stands for, and names that the domain controller does not know yet for want of a reload."""
    defined = {name for change in changes for name in _defined(change)}
    loaded = {*BASE_CLASSES, *BASE_ATTRIBUTES}
    waiting: set[str] = set()
    last = None
    for change in changes:
        if isinstance(change, Edit) and change.reloads:
            loaded |= waiting
            waiting, last = set(), None
            continue
        for value in _needed(change):
            name = value.text.lower()
            if name in loaded:
                continue
            if name in defined:
                yield Finding(value.line, Rule.RELOAD, f"{value.text} is not loaded yet")
            else:
                yield Finding(value.line, Rule.UNDEFINED, f"{value.text} is not defined")
        waiting |= set(_defined(change))
        last = change
    if last is not None:
        yield Finding(last.line, Rule.RELOAD, "no reload follows the last change")


def _defined(change: Change) -> Iterable[str]:
    if isinstance(change, Addition):
        return [value.text.lower() for name in ("lDAPDisplayName", "attributeID") for value in change.values(name)]
    return []


def _needed(change: Change) -> Iterator[Value]:
    if isinstance(change, Addition):
        for name in _NAMED:
            yield from change.values(name)
        yield from (value for value in change.values("linkID") if not _given(value.text))
    elif isinstance(change, Edit) and change.operation == "add" and change.attribute in LISTS:
        yield from change.values


def _given(link: str) -> bool:
    """Whether a linkID names no other attribute: it is on request, or a number."""
    return link == LINK_ID_ON_REQUEST or link.isdigit()
