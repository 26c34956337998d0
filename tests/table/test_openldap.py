"""OpenLDAP's schema, read by python-ldap's parser of RFC 4512 definitions: it says what the table says."""

import io
import re

import pytest
from ldap.schema.models import AttributeType, ObjectClass

import ldif
from schema.attributes import ARC, ATTRIBUTES, CLASSES
from schema.openldap import definitions, render_classic, render_config
from schema.syntax import Syntax

DEFINITIONS = definitions()


def in_numbers(definition):
    """The definition with its macro replaced, as slapd does it."""
    return definition.replace("dirfactorAttribute:", f"{ARC}.1.").replace("dirfactorClass:", f"{ARC}.2.")


TYPES = {parsed.names[0]: parsed for parsed in (AttributeType(in_numbers(d)) for d in DEFINITIONS.attribute_types)}
OBJECT_CLASSES = {
    parsed.names[0]: parsed for parsed in (ObjectClass(in_numbers(d)) for d in DEFINITIONS.object_classes)
}


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda item: item.name)
def test_an_attribute_type_says_what_the_table_says(attribute):
    parsed = TYPES[attribute.name]
    assert parsed.oid == attribute.oid
    assert parsed.syntax == attribute.syntax.oid
    assert parsed.single_value == attribute.single
    assert parsed.equality == attribute.syntax.equality
    assert parsed.desc == attribute.description
    ordering = {Syntax.INTEGER: "integerOrderingMatch", Syntax.TIME: "generalizedTimeOrderingMatch"}
    assert parsed.ordering == ordering.get(attribute.syntax)
    strings = attribute.syntax in {Syntax.STRING, Syntax.EXACT}
    assert parsed.syntax_len == (attribute.high if strings else None)
    assert not parsed.no_user_mod


@pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.name)
def test_a_class_says_what_the_table_says_and_demands_nothing_but_a_name(item):
    parsed = OBJECT_CLASSES[item.name]
    allowed = tuple(attribute.name for attribute in item.may)
    assert parsed.oid == item.oid
    assert parsed.sup == ("top",)
    assert parsed.kind == (0 if item.structural else 2)
    assert parsed.must == (("cn",) if item.structural else ())
    assert parsed.may == (*allowed, *(("description",) if item.structural else ()))


def test_everything_is_defined_once():
    assert (len(TYPES), len(OBJECT_CLASSES)) == (len(ATTRIBUTES), len(CLASSES))
    assert len(DEFINITIONS.attribute_types) == len(ATTRIBUTES)


def test_a_foreign_reader_finds_the_definitions_in_the_configuration():
    parsed = ldif.LDIFRecordList(io.StringIO(render_config(DEFINITIONS)))
    parsed.parse()
    ((dn, entry),) = parsed.all_records
    assert dn == "cn=dirfactor,cn=schema,cn=config"

    def plain(definition):
        return re.sub(r"\s+", " ", definition)

    assert [plain(value.decode()) for value in entry["olcAttributeTypes"]] == list(
        map(plain, DEFINITIONS.attribute_types)
    )
    assert [plain(value.decode()) for value in entry["olcObjectClasses"]] == list(
        map(plain, DEFINITIONS.object_classes)
    )
    assert [value.decode() for value in entry["olcObjectIdentifier"]] == list(DEFINITIONS.identifiers)


def test_the_classic_file_has_the_same_definitions():
    text = render_classic(DEFINITIONS)
    blocks = re.split(r"\n(?=attributetype |objectclass |objectidentifier )", text)[1:]
    assert [block.strip().partition(" ")[::2] for block in blocks] == [
        *(("objectidentifier", macro) for macro in DEFINITIONS.identifiers),
        *(("attributetype", definition) for definition in DEFINITIONS.attribute_types),
        *(("objectclass", definition) for definition in DEFINITIONS.object_classes),
    ]


@pytest.mark.parametrize("render", [render_config, render_classic])
def test_the_header_has_an_access_rule_for_every_secret(render):
    header = render(DEFINITIONS).split("\n\n", 1)[0]
    rule = next(line for line in header.splitlines() if "to attrs=" in line)
    assert set(rule.partition("attrs=")[2].split(",")) == {item.name for item in ATTRIBUTES if item.confidential}
    assert "by * none" in header
