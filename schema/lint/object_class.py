"""The rules of a class that is added to the schema (MS-ADTS 3.1.1.2.4)."""

from collections.abc import Iterator, Mapping

from schema.lint import added
from schema.lint.changes import Addition
from schema.lint.rules import Finding, Rule
from schema.lint.security import is_sddl

STRUCTURAL, ABSTRACT, AUXILIARY = "1", "2", "3"

# Classes that every Active Directory has and an extension may build on, with their categories.
BASE_CLASSES: Mapping[str, str] = {
    "top": ABSTRACT,
    "leaf": ABSTRACT,
    "builtindomain": STRUCTURAL,
    "container": STRUCTURAL,
    "organizationalunit": STRUCTURAL,
    "domaindns": STRUCTURAL,
    "user": STRUCTURAL,
    "inetorgperson": STRUCTURAL,
    "group": STRUCTURAL,
    "computer": STRUCTURAL,
    "contact": STRUCTURAL,
    "securityprincipal": AUXILIARY,
    "mailrecipient": AUXILIARY,
}
# Attributes that it has and that an extension may name; those after which entries are named come first.
RDN_ATTRIBUTES = {"cn", "ou", "dc"}
BASE_ATTRIBUTES = RDN_ATTRIBUTES | {"description", "displayname", "mail", "managedby", "info"}

# From which categories a class may be derived.
_PARENTS = {
    STRUCTURAL: {STRUCTURAL, ABSTRACT},
    ABSTRACT: {ABSTRACT},
    AUXILIARY: {AUXILIARY, ABSTRACT},
}


def findings(item: Addition, arc: str, categories: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with a classSchema object.

    Args:
        item: the object.
        arc: the arc under which its number must stand.
        categories: the objectClassCategory of every class that is known, by its name in lower case.
    """
    yield from added.findings(item, "governsID", arc)
    yield from added.required(item, "governsID", "objectClassCategory", "subClassOf")
    category = item.text("objectClassCategory")
    if category and category not in _PARENTS:
        yield Finding(item.line_of("objectClassCategory"), Rule.CATEGORY, f"objectClassCategory is {category}")
    superior = item.text("subClassOf")
    if category in _PARENTS and categories.get(superior.lower(), ABSTRACT) not in _PARENTS[category]:
        problem = f"a class of category {category} is derived from {superior}"
        yield Finding(item.line_of("subClassOf"), Rule.INHERITANCE, problem)
    if item.values("rDNAttID") and item.text("rDNAttID").lower() not in RDN_ATTRIBUTES:
        yield Finding(item.line_of("rDNAttID"), Rule.RDN, f"rDNAttID is {item.text('rDNAttID')}")
    yield from _neighbours(item, categories)
    for value in item.values("defaultSecurityDescriptor"):
        if not is_sddl(value.text):
            yield Finding(value.line, Rule.SECURITY, "defaultSecurityDescriptor cannot be read")


def _neighbours(item: Addition, categories: Mapping[str, str]) -> Iterator[Finding]:
    """Under what its entries stand, and what else they are."""
    if item.text("objectClassCategory") == STRUCTURAL and not item.values("possSuperiors"):
        yield Finding(item.line, Rule.SUPERIORS, "entries of it could stand nowhere: it has no possSuperiors")
    for value in item.values("possSuperiors"):
        if categories.get(value.text.lower(), STRUCTURAL) != STRUCTURAL:
            yield Finding(value.line, Rule.SUPERIORS, f"no entry is made of {value.text}")
    for value in item.values("auxiliaryClass"):
        if categories.get(value.text.lower(), AUXILIARY) != AUXILIARY:
            yield Finding(value.line, Rule.ATTACHED, f"{value.text} is no auxiliary class")
