"""The rules of what becomes of objects that are in the schema already (MS-ADTS 3.1.1.2.5.1)."""

from collections.abc import Iterator, Mapping

from schema.active_directory import FIXED
from schema.lint.changes import Addition, Edit, Other
from schema.lint.object_class import AUXILIARY
from schema.lint.rules import Finding, Rule

LISTS = ("auxiliaryclass", "maycontain", "posssuperiors")

_FIXED = {name.lower() for name in (*FIXED, "linkID", "cn")}
_CONFIDENTIAL = 0x080


def findings(edit: Edit, categories: Mapping[str, str], classes: Mapping[str, Addition]) -> Iterator[Finding]:
    """What is wrong with a change of an object, whether it came with Windows or with this file.

    Args:
        edit: the change.
        categories: the objectClassCategory of every class that is known, by its name in lower case.
        classes: the classes that the file adds, by their names in lower case.
    """
    if edit.reloads:
        return
    what = f"{edit.attribute} of {edit.dn or 'the rootDSE'}"
    if edit.attribute in _FIXED:
        yield Finding(edit.line, Rule.FIXED, f"{edit.operation} of {what}")
    elif edit.attribute.startswith("system"):
        yield Finding(edit.line, Rule.SYSTEM, f"{edit.operation} of {what}")
    elif edit.attribute == "mustcontain":
        yield Finding(edit.line, Rule.DEMAND, f"{edit.operation} of {what}")
    elif edit.attribute == "searchflags" and any(_confidential(value.text) for value in edit.values):
        yield Finding(edit.line, Rule.CONFIDENTIAL, f"{what} becomes confidential after the fact")
    elif edit.operation != "add":
        yield Finding(edit.line, Rule.ONLY_ADDITIONS, f"{edit.operation} of {what}")
    elif edit.attribute not in LISTS:
        yield Finding(edit.line, Rule.EXTENSION, f"{edit.operation} of {what}")
    elif edit.attribute == "auxiliaryclass":
        yield from _attached(edit, categories, classes)


def refused(other: Other) -> Finding:
    """The finding for a record that deletes or renames."""
    return Finding(other.line, Rule.ONLY_ADDITIONS, f"{other.change} of {other.dn}")


def _attached(edit: Edit, categories: Mapping[str, str], classes: Mapping[str, Addition]) -> Iterator[Finding]:
    for value in edit.values:
        name = value.text.lower()
        if categories.get(name, AUXILIARY) != AUXILIARY:
            yield Finding(value.line, Rule.ATTACHED, f"{value.text} is no auxiliary class")
        if name in classes and classes[name].values("mustContain"):
            yield Finding(value.line, Rule.DEMAND, f"{value.text} has mustContain")


def _confidential(flags: str) -> bool:
    return flags.isdigit() and bool(int(flags) & _CONFIDENTIAL)
