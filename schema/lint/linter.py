"""Judges a file: every rule on every change of it."""

from collections.abc import Iterator

from schema.dn import parent, split
from schema.ldif_lines import BrokenLdif
from schema.lint import attribute, edits, object_class, order, together
from schema.lint.changes import Addition, Change, Edit, Other, read_changes
from schema.lint.rules import Finding, Rule


def lint(octets: bytes, arc: str) -> tuple[Finding, ...]:
    """All that a Windows domain controller would refuse, or that would do harm for ever, by line.

    Args:
        octets: the LDIF file as administrators import it.
        arc: the arc under which its OIDs must stand.
    """
    try:
        changes = tuple(read_changes(octets))
    except BrokenLdif as broken:
        return (Finding(broken.line, Rule.LDIF, broken.problem),)
    items = tuple(change for change in changes if isinstance(change, Addition))
    classes = {item.text("lDAPDisplayName").lower(): item for item in items if item.is_a("classSchema")}
    categories = {name: item.text("objectClassCategory") for name, item in classes.items()}
    categories |= object_class.BASE_CLASSES
    found = [finding for change in changes for finding in _alone(change, arc, categories, classes)]
    found += [*order.findings(changes), *together.findings(items)]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule.name)))


def _alone(change: Change, arc: str, categories: dict[str, str], classes: dict[str, Addition]) -> Iterator[Finding]:
    match change:
        case Other():
            yield edits.refused(change)
        case Edit():
            yield from edits.findings(change, categories, classes)
        case Addition() if change.is_a("attributeSchema"):
            yield from attribute.findings(change, arc)
        case Addition() if change.is_a("classSchema"):
            yield from object_class.findings(change, arc, categories)
        case Addition():
            place = split(parent(change.dn))[0].lower()
            if not change.is_a("controlAccessRight") or place != "cn=extended-rights":
                yield Finding(change.line, Rule.KIND, f"{change.dn} is none of ours to add")
