"""The schema of 389 Directory Server: OpenLDAP's definitions under their numbers, in a file that its server reads."""

import io

import pytest
from ldap.schema.models import AttributeType, ObjectClass

import ldif
from schema import openldap
from schema.attributes import ARC, ATTRIBUTES, CLASSES
from schema.ds389 import definitions, render

OURS = definitions()
THEIRS = openldap.definitions()


def in_numbers(definition):
    return definition.replace("dirfactorAttribute:", f"{ARC}.1.").replace("dirfactorClass:", f"{ARC}.2.")


@pytest.mark.parametrize("kind", ["attribute_types", "object_classes"])
def test_the_definitions_are_openldaps_with_oids_in_numbers_and_an_origin(kind):
    theirs = [f"{in_numbers(item).removesuffix(')')}X-ORIGIN 'dirfactor' )" for item in getattr(THEIRS, kind)]
    assert list(getattr(OURS, kind)) == theirs


def test_a_foreign_reader_finds_every_definition_in_the_one_entry():
    parsed = ldif.LDIFRecordList(io.StringIO(render(OURS)))
    parsed.parse()
    ((dn, entry),) = parsed.all_records
    assert dn == "cn=schema"
    types = [AttributeType(value.decode()) for value in entry["attributeTypes"]]
    classes = [ObjectClass(value.decode()) for value in entry["objectClasses"]]
    assert [(item.oid, item.names) for item in types] == [(item.oid, (item.name,)) for item in ATTRIBUTES]
    assert [(item.oid, item.names) for item in classes] == [(item.oid, (item.name,)) for item in CLASSES]
    assert {item.x_origin for item in (*types, *classes)} == {("dirfactor",)}


def test_no_empty_line_stands_in_the_file():
    """The server takes comments in front of an empty line for an entry without a name, and does not start."""
    assert "\n\n" not in render(OURS)


def test_the_header_has_an_access_control_for_every_secret():
    (rule,) = [line for line in render(OURS).splitlines() if "targetattr" in line]
    secrets = {item.name for item in ATTRIBUTES if item.confidential}
    assert set(rule.partition('"')[2].partition('"')[0].split(" || ")) == secrets
