"""The attribute syntaxes we use, each with its name in RFC 4517 and in Active Directory side by side."""

from enum import Enum


class Syntax(Enum):
    """One row per syntax: RFC 4517 OID, equality rule, AD attributeSyntax, AD oMSyntax (MS-ADTS 3.1.1.2.2.2)."""

    oid: str
    equality: str
    ad_syntax: str
    om_syntax: int

    def __init__(self, oid: str, equality: str, ad_syntax: str, om_syntax: int) -> None:
        self.oid = oid
        self.equality = equality
        self.ad_syntax = ad_syntax
        self.om_syntax = om_syntax

    STRING = ("1.3.6.1.4.1.1466.115.121.1.15", "caseIgnoreMatch", "2.5.5.12", 64)
    EXACT = ("1.3.6.1.4.1.1466.115.121.1.15", "caseExactMatch", "2.5.5.12", 64)
    INTEGER = ("1.3.6.1.4.1.1466.115.121.1.27", "integerMatch", "2.5.5.9", 2)
    BOOLEAN = ("1.3.6.1.4.1.1466.115.121.1.7", "booleanMatch", "2.5.5.8", 1)
    TIME = ("1.3.6.1.4.1.1466.115.121.1.24", "generalizedTimeMatch", "2.5.5.11", 24)
    DN = ("1.3.6.1.4.1.1466.115.121.1.12", "distinguishedNameMatch", "2.5.5.1", 127)
