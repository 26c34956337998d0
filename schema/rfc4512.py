"""The attribute table as the definitions of RFC 4512 section 4.1, which OpenLDAP and 389-ds have in common."""

from dataclasses import dataclass

from schema import ldif_text
from schema.attributes import AttributeType, ObjectClass
from schema.syntax import Syntax

_ORDERING = {Syntax.INTEGER: "integerOrderingMatch", Syntax.TIME: "generalizedTimeOrderingMatch"}
_SUBSTRINGS = {Syntax.STRING: "caseIgnoreSubstringsMatch"}


@dataclass(frozen=True, slots=True)
class Definitions:
    """The schema in one server's terms.

    Attributes:
        identifiers: macros for OIDs, each `name oid`, in the order in which they build on each other.
        attribute_types: one for each attribute type, over several lines.
        object_classes: one for each object class, over several lines.
    """

    identifiers: tuple[str, ...]
    attribute_types: tuple[str, ...]
    object_classes: tuple[str, ...]


def attribute_type(attribute: AttributeType, oid: str, extensions: str = "") -> str:
    """An AttributeTypeDescription over several lines.

    Args:
        attribute: the row of the table.
        oid: its OID, in numbers or as the server's macro.
        extensions: what follows the standard's terms, such as an X-ORIGIN.
    """
    rules = [f"EQUALITY {attribute.syntax.equality}"]
    if attribute.syntax in _ORDERING:
        rules.append(f"ORDERING {_ORDERING[attribute.syntax]}")
    if attribute.syntax in _SUBSTRINGS:
        rules.append(f"SUBSTR {_SUBSTRINGS[attribute.syntax]}")
    length = f"{{{attribute.high}}}" if attribute.syntax in {Syntax.STRING, Syntax.EXACT} and attribute.high else ""
    single = " SINGLE-VALUE" if attribute.single else ""
    return (
        f"( {oid} NAME '{attribute.name}'\n"
        f"  DESC '{attribute.description}'\n"
        f"  {' '.join(rules)}\n"
        f"  SYNTAX {attribute.syntax.oid}{length}{single}{_spaced(extensions)} )"
    )


def object_class(item: ObjectClass, oid: str, extensions: str = "") -> str:
    """An ObjectClassDescription over several lines.

    Args:
        item: the row of the table.
        oid: its OID, in numbers or as the server's macro.
        extensions: what follows the standard's terms, such as an X-ORIGIN.
    """
    names = [attribute.name for attribute in item.may]
    # An entry of a structural class needs a name; everything else may be absent, always.
    kind, must = ("STRUCTURAL", "  MUST cn\n") if item.structural else ("AUXILIARY", "")
    if item.structural:
        names.append("description")
    return (
        f"( {oid} NAME '{item.name}'\n"
        f"  DESC '{item.description}'\n"
        f"  SUP top {kind}\n{must}"
        "  MAY ( " + "\n    $ ".join(names) + f" ){_spaced(extensions)} )"
    )


def continued(attribute: str, definition: str) -> str:
    """A definition over several lines as one LDIF value (RFC 2849); without a newline at the end."""
    # a continuation line begins with one space, which is not part of the value
    first, *rest = definition.split("\n")
    return ldif_text.line(attribute, first) + "".join(f"\n {row}" for row in rest)


def _spaced(extensions: str) -> str:
    return f" {extensions}" if extensions else ""
