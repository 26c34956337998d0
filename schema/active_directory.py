"""The attribute table as Active Directory's schema: records first, then the LDIF that ldifde and ldapmodify import.

Rules of a schema extension: MS-ADTS 3.1.1.2 (schema), 3.1.1.2.3.1 (linkID), 5.1.3.2.1 (property sets).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from schema import ldif_text
from schema.attributes import ATTRIBUTES, CLASSES, PROPERTY_SET_GUID, AttributeType, ObjectClass
from schema.syntax import Syntax

# Stands for the DN of the forest root domain until `ldifde -c` replaces it.
FOREST_ROOT = "DC=X"

PROPERTY_SET = "dirfactor"
PROPERTY_SET_TITLE = "dirfactor second factor settings"
# Asks the domain controller for a pair of linkIDs; the back link then names the forward link's attributeID.
LINK_ID_ON_REQUEST = "1.2.840.113556.1.2.50"

# Never to be changed once they are there (MS-ADTS 3.1.1.3.1.1.2); Samba would let some of it pass.
FIXED = (
    "attributeID",
    "governsID",
    "lDAPDisplayName",
    "schemaIDGUID",
    "attributeSyntax",
    "oMSyntax",
    "oMObjectClass",
    "isSingleValued",
    "objectClassCategory",
    "subClassOf",
    "rDNAttID",
    "rightsGuid",
)

_INDEX = 0x001
_CONFIDENTIAL = 0x080
_NEVER_AUDIT_VALUE = 0x100
_RODC_FILTERED = 0x200

# DS-DN's object class in BER; oMSyntax 127 is told apart by it (MS-ADTS 3.1.1.2.2.2).
_DN_OBJECT_CLASS = bytes.fromhex("2b0c0287731c00854a")
# Full control for Domain Admins and SYSTEM, read for everybody who has logged on: as AD's own classes have it.
# Confidential attributes are not read by that: they take the right to control access.
_DEFAULT_SECURITY = (
    "D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)"  # MS-DTYP 2.5.1.1
)
# schemaIDGUIDs of user, inetOrgPerson, group, organizationalUnit and domainDNS (MS-ADSC).
_WIDENED_CLASSES = (
    "bf967aba-0de6-11d0-a285-00aa003049e2",
    "4828cc14-1437-45bc-9b07-ad6f015e5f28",
    "bf967a9c-0de6-11d0-a285-00aa003049e2",
    "bf967aa5-0de6-11d0-a285-00aa003049e2",
    "19195a5b-6da0-11d0-afd3-00c04fd930c9",
)
_READ_AND_WRITE = 0x10 | 0x20

Value = str | bytes


@dataclass(frozen=True, slots=True)
class Add:
    """Adds an object.

    Attributes:
        dn: its DN.
        attributes: names and values, objectClass first.
    """

    dn: str
    attributes: tuple[tuple[str, tuple[Value, ...]], ...]


@dataclass(frozen=True, slots=True)
class Reload:
    """Has the domain controller reload its schema cache, so that what follows may name what was added."""


@dataclass(frozen=True, slots=True)
class Extend:
    """Adds values to an attribute of an object that is there.

    Attributes:
        dn: the object's DN.
        attribute: the attribute.
        values: what is added.
    """

    dn: str
    attribute: str
    values: tuple[Value, ...]


Record = Add | Reload | Extend


def records(forest_root: str = FOREST_ROOT) -> tuple[Record, ...]:
    """All of the schema extension, in the order in which a domain controller accepts it.

    Args:
        forest_root: DN of the forest root domain.
    """
    schema = f"CN=Schema,CN=Configuration,{forest_root}"
    plain = [attribute for attribute in ATTRIBUTES if not attribute.forward_link]
    back_links = [attribute for attribute in ATTRIBUTES if attribute.forward_link]
    return (
        _property_set(forest_root),
        *(_attribute(attribute, schema) for attribute in plain),
        Reload(),
        *(_attribute(attribute, schema) for attribute in back_links),
        Reload(),
        *(_class(item, schema) for item in CLASSES),
        Reload(),
        *_extensions(schema),
        Reload(),
    )


def render(items: Iterable[Record]) -> str:
    """The records as LDIF that `ldifde -i` and ldapmodify read, with a header that says how to import it."""
    return ldif_text.comment(_HEADER) + "".join("\n" + render_record(item) for item in items)


def render_record(record: Record) -> str:
    """A record as LDIF, with a newline after its last line."""
    if isinstance(record, Reload):
        return "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n"
    head = ldif_text.line("dn", record.dn)
    if isinstance(record, Extend):
        values = "".join(ldif_text.line(record.attribute, value) + "\n" for value in record.values)
        return f"{head}\nchangetype: modify\nadd: {record.attribute}\n{values}-\n"
    lines = (ldif_text.line(name, value) for name, values in record.attributes for value in values)
    return "\n".join([head, "changetype: add", *lines]) + "\n"


def search_flags(attribute: AttributeType) -> int:
    """The attribute's searchFlags (MS-ADTS 2.2.9).

    Never 8, which would keep a secret in the tombstone, and never 16, which would copy it with the user.
    """
    if attribute.confidential:
        return _CONFIDENTIAL | _NEVER_AUDIT_VALUE | _RODC_FILTERED
    return _INDEX if attribute.indexed else 0


def _property_set(forest_root: str) -> Add:
    applies_to = (*_WIDENED_CLASSES, *(str(item.guid) for item in CLASSES))
    return Add(
        f"CN={PROPERTY_SET},CN=Extended-Rights,CN=Configuration,{forest_root}",
        (
            ("objectClass", ("controlAccessRight",)),
            ("cn", (PROPERTY_SET,)),
            ("displayName", (PROPERTY_SET_TITLE,)),
            ("rightsGuid", (str(PROPERTY_SET_GUID),)),
            ("appliesTo", applies_to),
            ("validAccesses", (str(_READ_AND_WRITE),)),
        ),
    )


def _attribute(attribute: AttributeType, schema: str) -> Add:
    return Add(
        f"CN={attribute.name},{schema}",
        (
            *_named("attributeSchema", attribute),
            ("attributeID", (attribute.oid,)),
            ("attributeSyntax", (attribute.syntax.ad_syntax,)),
            ("oMSyntax", (str(attribute.syntax.om_syntax),)),
            *((("oMObjectClass", (_DN_OBJECT_CLASS,)),) if attribute.syntax is Syntax.DN else ()),
            *_link(attribute),
            ("isSingleValued", (_boolean(value=attribute.single),)),
            ("searchFlags", (str(search_flags(attribute)),)),
            *((("rangeLower", (str(attribute.low),)),) if attribute.low is not None else ()),
            *((("rangeUpper", (str(attribute.high),)),) if attribute.high is not None else ()),
            ("attributeSecurityGUID", (PROPERTY_SET_GUID.bytes_le,)),
        ),
    )


def _link(attribute: AttributeType) -> Iterator[tuple[str, tuple[Value, ...]]]:
    if attribute.back_link:
        yield "linkID", (LINK_ID_ON_REQUEST,)
    if attribute.forward_link:
        forward = next(item for item in ATTRIBUTES if item.name == attribute.forward_link)
        yield "linkID", (forward.oid,)


def _class(item: ObjectClass, schema: str) -> Add:
    dn = f"CN={item.name},{schema}"
    return Add(
        dn,
        (
            *_named("classSchema", item),
            ("governsID", (item.oid,)),
            ("objectClassCategory", ("1" if item.structural else "3",)),
            ("subClassOf", ("top",)),
            ("rDNAttID", ("cn",)),
            *((("possSuperiors", item.superiors),) if item.structural else ()),
            ("mayContain", tuple(attribute.name for attribute in item.may)),
            ("defaultObjectCategory", (dn,)),
            *((("defaultSecurityDescriptor", (_DEFAULT_SECURITY,)),) if item.structural else ()),
            ("defaultHidingValue", (_boolean(value=False),)),
        ),
    )


def _named(object_class: str, item: AttributeType | ObjectClass) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    return (
        ("objectClass", (object_class,)),
        ("cn", (item.name,)),
        ("lDAPDisplayName", (item.name,)),
        ("adminDisplayName", (item.name,)),
        ("adminDescription", (item.description,)),
        ("schemaIDGUID", (item.guid.bytes_le,)),
        ("systemOnly", (_boolean(value=False),)),
        ("showInAdvancedViewOnly", (_boolean(value=True),)),
    )


def _extensions(schema: str) -> Iterator[Extend]:
    widened = dict.fromkeys(chain.from_iterable(item.attach for item in CLASSES))
    for name in widened:
        auxiliary = tuple(item.name for item in CLASSES if name in item.attach)
        yield Extend(f"CN={name},{schema}", "auxiliaryClass", auxiliary)


def _boolean(*, value: bool) -> str:
    return str(value).upper()


_HEADER = """\
The schema of dirfactor for Active Directory. Generated by `python -m schema` from schema/attributes.py; do not edit.

A schema extension cannot be undone: Active Directory can switch attributes and classes off, never remove them.
Try it in a copy of the forest first. What is here only adds: nothing of Microsoft's is changed, but that user, group,
organizationalUnit and domainDNS may carry our attributes.

`dirfactor schema apply` does the same, shows what it will do first, and may be run again. To import by hand, on
the domain controller that is schema master, as a member of Schema Admins and Enterprise Admins, with the DN of
YOUR forest root domain:

    ldifde -i -f active-directory.ldif -c "DC=X" "DC=corp,DC=example"

All attributes are in one property set, dirfactor second factor settings: one access control entry delegates
reading, or reading and writing, all of them. Those that hold secrets are confidential: to read them takes the
right to control access as well.
"""
