"""The rules of a schema extension, each with the section of MS-ADTS that has it, and what a broken one looks like."""

from dataclasses import dataclass
from enum import Enum


class Rule(Enum):
    """One rule: where it stands in MS-ADTS, unless another document is named, and how to keep it."""

    section: str
    remedy: str

    def __init__(self, section: str, remedy: str) -> None:
        self.section = section
        self.remedy = remedy

    LDIF = ("RFC 2849", "write the line as LDIF")
    KIND = ("3.1.1.2.1", "add attributes and classes to the schema, property sets to the Extended-Rights, nothing else")
    ONLY_ADDITIONS = (
        "3.1.1.2.5.1.2",
        "add objects, and values to lists of classes; delete, rename and replace nothing",
    )
    FIXED = ("3.1.1.5.3.2", "leave it: it is fixed when the object is made; a new attribute needs a new name and OID")
    SYSTEM = ("3.1.1.5.2.2", "use the attribute without `system` in front; what else only the system sets, leave out")
    EXTENSION = (
        "3.1.1.2.5.1.2",
        "classes that are there may only be given auxiliaryClass, mayContain and possSuperiors",
    )
    DEMAND = ("3.1.1.2.5.1.2", "put it into mayContain: entries that exist already lack it")
    RELOAD = ("3.1.1.3.3.13", "put a record that adds schemaUpdateNow to the rootDSE in between")
    UNDEFINED = ("3.1.1.2.5.1.1", "add it before, or correct the name")
    UNIQUE = ("3.1.1.2.5.1.1", "give it another")
    REQUIRED = ("3.1.1.2.3 and 3.1.1.2.4.8", "add the attribute with one value")
    OID = ("3.1.1.2.6", "write numbers under the arc that is ours; 2.25 does not fit into what the directory stores")
    GUID = ("3.1.1.2.3 and 3.1.1.2.4.8", "write its 16 octets in base64: each forest would draw another")
    NAME = ("3.1.1.2.5.1.1", "use letters, digits and hyphens, a letter first, and the same name in cn and DN")
    SYNTAX = ("3.1.1.2.2.2", "take attributeSyntax, oMSyntax and oMObjectClass from one row of the table")
    BOOLEAN = ("3.1.1.2.2.2", "write TRUE or FALSE")
    RANGE = ("3.1.1.2.5.1.1", "write whole numbers, the lower first, for strings and numbers only")
    SEARCH_FLAGS = ("2.2.9", "use flags that exist; 4 (ANR) takes 1 (index) and a string")
    CONFIDENTIAL = ("2.2.9", "keep 128 to attributes of our own, without 8 (tombstone) and 16 (copy)")
    LINK = (
        "3.1.1.2.3.1",
        "linkID 1.2.840.113556.1.2.50 for the forward link, its attributeID for the back link; DNs both",
    )
    GLOBAL_CATALOG = ("3.1.1.2.3", "leave isMemberOfPartialAttributeSet out: every global catalog would replicate it")
    PROPERTY_SET = ("3.1.1.2.3.3", "name the rightsGuid of a property set, its octets in the order of a GUID")
    CATEGORY = ("3.1.1.2.4.1", "1 structural, 2 abstract or 3 auxiliary")
    INHERITANCE = (
        "3.1.1.2.4.2",
        "derive auxiliary classes from auxiliary or abstract ones, structural from structural ones",
    )
    SUPERIORS = ("3.1.1.2.4.4", "name structural classes, and at least one for a class that entries are made of")
    RDN = ("3.1.1.2.4.7", "name one attribute that is a single Unicode string, such as cn")
    ATTACHED = ("3.1.1.2.4.6", "only auxiliary classes are attached to others")
    SECURITY = ("MS-DTYP 2.5.1.1", "write a security descriptor in SDDL, such as D:(A;;RPLCLORC;;;AU)")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken.

    Attributes:
        line: where, from 1.
        rule: the rule.
        problem: what is wrong there.
    """

    line: int
    rule: Rule
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem} [{self.rule.section}] ({self.rule.remedy})"
