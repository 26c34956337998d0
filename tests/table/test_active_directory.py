"""The records of the schema extension say what the table says; the rules of Windows are the linter's (test_lint.py)."""

import base64
import io
import uuid

import pytest

import ldif
from schema.active_directory import FOREST_ROOT, Add, Extend, Reload, records, render
from schema.attributes import ATTRIBUTES, CLASSES, PROPERTY_SET_GUID

RECORDS = records()
ADDED = {record.dn: dict(record.attributes) for record in RECORDS if isinstance(record, Add)}
SCHEMA = f"CN=Schema,CN=Configuration,{FOREST_ROOT}"
TYPES = {dn: ours for dn, ours in ADDED.items() if ours["objectClass"] == ("attributeSchema",)}
OBJECT_CLASSES = {dn: ours for dn, ours in ADDED.items() if ours["objectClass"] == ("classSchema",)}

CONFIDENTIAL, NEVER_AUDIT, NOT_ON_RODC = 128, 256, 512
KEPT_IN_THE_TOMBSTONE, COPIED_WITH_THE_USER = 8, 16


def named(name):
    return ADDED[f"CN={name},{SCHEMA}"]


def one(ours, attribute):
    (value,) = ours[attribute]
    return value


def test_the_property_set_stands_first():
    assert RECORDS[0].dn == f"CN=dirfactor,CN=Extended-Rights,CN=Configuration,{FOREST_ROOT}"


def test_every_attribute_and_class_is_there_once():
    assert sorted(one(ours, "lDAPDisplayName") for ours in TYPES.values()) == sorted(item.name for item in ATTRIBUTES)
    assert sorted(one(ours, "lDAPDisplayName") for ours in OBJECT_CLASSES.values()) == sorted(c.name for c in CLASSES)
    assert len(ADDED) == len(ATTRIBUTES) + len(CLASSES) + 1
    assert len([record for record in RECORDS if isinstance(record, Add)]) == len(ADDED)


@pytest.mark.parametrize("dn", [*TYPES, *OBJECT_CLASSES])
def test_cn_name_and_dn_agree(dn):
    ours = ADDED[dn]
    assert dn == f"CN={one(ours, 'cn')},{SCHEMA}"
    assert ours["cn"] == ours["lDAPDisplayName"] == ours["adminDisplayName"]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda item: item.name)
def test_identity_and_property_set_are_those_of_the_table(attribute):
    ours = named(attribute.name)
    assert uuid.UUID(bytes_le=one(ours, "schemaIDGUID")) == attribute.guid
    assert uuid.UUID(bytes_le=one(ours, "attributeSecurityGUID")) == PROPERTY_SET_GUID
    assert one(ours, "attributeID") == attribute.oid
    assert one(ours, "isSingleValued") == str(attribute.single).upper()


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda item: item.name)
def test_secrets_are_confidential_and_neither_kept_nor_copied_nor_on_read_only_controllers(attribute):
    flags = int(one(named(attribute.name), "searchFlags"))
    assert not flags & (KEPT_IN_THE_TOMBSTONE | COPIED_WITH_THE_USER)
    secret = CONFIDENTIAL | NEVER_AUDIT | NOT_ON_RODC
    assert flags & secret == (secret if attribute.confidential else 0)
    assert flags & 1 == attribute.indexed


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda item: item.name)
def test_a_range_stands_where_the_table_has_one(attribute):
    ours = named(attribute.name)
    low, high = ours.get("rangeLower", (None,))[0], ours.get("rangeUpper", (None,))[0]
    assert (low, high) == tuple(None if bound is None else str(bound) for bound in (attribute.low, attribute.high))


def test_dn_attributes_are_linked_in_pairs_and_carry_their_object_class():
    """A back link names its forward link's OID; the controller gives both their numbers (MS-ADTS 3.1.1.2.3.1)."""
    linked = {dn: ours for dn, ours in TYPES.items() if one(ours, "attributeSyntax") == "2.5.5.1"}
    assert {dn for dn, ours in TYPES.items() if "linkID" in ours} == set(linked)
    for ours in linked.values():
        assert one(ours, "oMObjectClass") == b"\x2b\x0c\x02\x87\x73\x1c\x00\x85\x4a"
        assert one(ours, "oMSyntax") == "127"
    forward = {one(ours, "attributeID") for ours in linked.values() if one(ours, "linkID") == "1.2.840.113556.1.2.50"}
    back = [one(ours, "linkID") for ours in linked.values() if one(ours, "linkID") != "1.2.840.113556.1.2.50"]
    assert sorted(back) == sorted(forward)


def test_auxiliary_classes_demand_nothing_and_structural_ones_can_be_created():
    for item in CLASSES:
        ours = named(item.name)
        assert one(ours, "governsID") == item.oid
        assert one(ours, "objectClassCategory") == ("1" if item.structural else "3")
        assert one(ours, "defaultHidingValue") == "FALSE"
        assert one(ours, "defaultObjectCategory") == f"CN={item.name},{SCHEMA}"
        assert set(ours.get("possSuperiors", ())) == (set(item.superiors) if item.structural else set())
        if item.structural:
            security = one(ours, "defaultSecurityDescriptor")
            assert "WD)" not in security.split(";AU)")[0], "everybody who logs on may read, nobody else may anything"
            assert "(A;;RPLCLORC;;;AU)" in security


def test_our_auxiliary_classes_are_attached_where_the_table_says():
    attached = {
        (record.dn.split(",")[0].removeprefix("CN="), value)
        for record in RECORDS
        if isinstance(record, Extend)
        for value in record.values
    }
    assert attached == {(name, item.name) for item in CLASSES for name in item.attach}
    assert all(record.attribute == "auxiliaryClass" for record in RECORDS if isinstance(record, Extend))


def test_the_property_set_can_be_delegated_wherever_our_attributes_can_be():
    ours = dict(RECORDS[0].attributes)
    # MS-ADSC: user, inetOrgPerson, group, organizationalUnit, domainDNS
    widened = {
        "bf967aba-0de6-11d0-a285-00aa003049e2",
        "4828cc14-1437-45bc-9b07-ad6f015e5f28",
        "bf967a9c-0de6-11d0-a285-00aa003049e2",
        "bf967aa5-0de6-11d0-a285-00aa003049e2",
        "19195a5b-6da0-11d0-afd3-00c04fd930c9",
    }
    assert set(ours["appliesTo"]) == widened | {str(item.guid) for item in CLASSES}
    assert one(ours, "rightsGuid") == str(PROPERTY_SET_GUID)
    assert one(ours, "validAccesses") == "48"  # read property, write property


class Everything(ldif.LDIFParser):
    """python-ldap's reader of LDIF, a foreign one."""

    def __init__(self, text):
        super().__init__(io.StringIO(text))
        self.changes = []

    def handle(self, dn, entry):
        self.changes.append((dn, entry))

    def handle_modify(self, dn, modops, controls=None):
        self.changes.append((dn, modops))


def test_a_foreign_reader_reads_the_ldif_as_the_records():
    def octets(values):
        return [value.encode() if isinstance(value, str) else value for value in values]

    reader = Everything(render(RECORDS))
    reader.parse_change_records()
    modifications = [change for change in reader.changes if isinstance(change[1], list)]
    extensions = [
        ("", [(0, "schemaUpdateNow", [b"1"])])
        if isinstance(record, Reload)
        else (record.dn, [(0, record.attribute, octets(record.values))])
        for record in RECORDS
        if not isinstance(record, Add)
    ]
    assert modifications == extensions

    parts = [part for part in render(RECORDS).split("\n\n") if "changetype: add" in part]
    additions = io.StringIO("\n\n".join(parts).replace("changetype: add\n", ""))
    parsed = ldif.LDIFRecordList(additions)
    parsed.parse()
    wanted = [
        (record.dn, {name: octets(values) for name, values in record.attributes})
        for record in RECORDS
        if isinstance(record, Add)
    ]
    assert parsed.all_records == wanted


def test_the_forest_root_is_found_by_a_plain_replacement():
    """What ldifde -c does, and sed can do as well: no DN is folded or hidden in base64."""
    replaced = render(RECORDS).replace("DC=X", "DC=corp,DC=example")
    assert replaced.split("\n\n", 1)[1] == render(records("DC=corp,DC=example")).split("\n\n", 1)[1]
    encoded = [line.split(":: ")[1] for line in replaced.splitlines() if ":: " in line]
    assert encoded
    assert not any(b"DC=" in base64.b64decode(value) for value in encoded)
