"""What the examination of a directory makes of a server's answers, which Samba and slapd would not all give."""

import uuid

import pytest

from dirsync.admin.security_descriptor import (
    ALLOW,
    ALLOW_OBJECT,
    DENY,
    DENY_OBJECT,
    Ace,
    AceFlag,
    Acl,
    SecurityDescriptor,
    write,
)
from dirsync.examination.confidential import may_read
from dirsync.examination.people import Sample, sample_users
from dirsync.examination.root import read_root
from dirsync.examination.subschema import Published, lacking, read_subschema, unknown
from dirsync.examination.writers import EVERYTHING, SETTINGS, writers_below
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.search import Page, converse
from schema.access import Right
from schema.attributes import ATTRIBUTES, BY_NAME, CLASSES, PROPERTY_SET_GUID
from schema.sid import Sid

SECRET = BY_NAME["dirfactorsecret"]
ME, GROUP, OTHER = (Sid(5, (21, number)) for number in (1, 2, 3))
BOTH = int(Right.READ_PROPERTY | Right.CONTROL_ACCESS)
BELOW = int(AceFlag.CONTAINER_INHERIT)


def ace(kind=ALLOW, mask=BOTH, sid=ME, flags=BELOW, of=None, heirs=None):
    return Ace(kind, flags, mask, sid, of, heirs)


READABLE = {
    "everything": [ace()],
    "this attribute": [ace(ALLOW_OBJECT, of=SECRET.guid)],
    "one right to all and one to this": [
        ace(mask=int(Right.READ_PROPERTY), sid=GROUP),
        ace(ALLOW_OBJECT, mask=int(Right.CONTROL_ACCESS), of=SECRET.guid),
    ],
    "a denial of another attribute": [ace(DENY_OBJECT, of=uuid.uuid5(SECRET.guid, "another")), ace()],
    "a denial to others": [ace(DENY, sid=OTHER), ace()],
}
HIDDEN = {
    "nothing": [],
    "reading alone, as everybody has it": [ace(mask=int(Right.READ_PROPERTY))],
    "control access alone": [ace(mask=int(Right.CONTROL_ACCESS))],
    "another attribute": [ace(ALLOW_OBJECT, of=uuid.uuid5(SECRET.guid, "another"))],
    "others": [ace(sid=OTHER)],
    "the base alone": [ace(flags=0)],
    "entries of one class": [ace(ALLOW_OBJECT, of=SECRET.guid, heirs=uuid.uuid5(SECRET.guid, "a class"))],
    "a denial": [ace(DENY_OBJECT, of=SECRET.guid), ace()],
}


@pytest.mark.parametrize("what", READABLE)
def test_who_has_both_rights_below_the_base_may_read_a_secret(what):
    assert may_read(Acl(4, tuple(READABLE[what])), {ME, GROUP}, SECRET)


@pytest.mark.parametrize("what", HIDDEN)
def test_who_lacks_one_of_them_or_has_it_elsewhere_may_not(what):
    assert not may_read(Acl(4, tuple(HIDDEN[what])), {ME, GROUP}, SECRET)


WRITE, USER = int(Right.WRITE_PROPERTY), uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
INHERITED = BELOW | int(AceFlag.INHERITED)
WRITERS = {
    "all properties": (ace(mask=WRITE), EVERYTHING),
    "the property set": (ace(ALLOW_OBJECT, mask=WRITE, of=PROPERTY_SET_GUID), SETTINGS),
    "one attribute of users": (ace(ALLOW_OBJECT, mask=WRITE, of=SECRET.guid, heirs=USER), SECRET.name),
    "the permissions themselves": (ace(mask=0x00040000), EVERYTHING),
    "the owner": (ace(mask=0x00080000), EVERYTHING),
    "what the base inherits": (ace(mask=WRITE, flags=INHERITED), EVERYTHING),
}
OTHERS = {
    "reading": ace(),
    "an attribute that is not ours": ace(ALLOW_OBJECT, mask=WRITE, of=uuid.uuid5(SECRET.guid, "another")),
    "the base alone": ace(mask=WRITE, flags=0),
    "entries of another class": ace(ALLOW_OBJECT, mask=WRITE, heirs=uuid.uuid5(SECRET.guid, "a class")),
    "a denial": ace(DENY, mask=WRITE),
}


def permissions(dn, *aces):
    """An entry as it is found, with this list."""
    return dn, {"nTSecurityDescriptor": [write(SecurityDescriptor(0, dacl=Acl(4, aces)))]}


def domain(base, *units, accounts=()):
    """Answers about the base, the units below it, and accounts."""
    pages = iter(([base], [base, *units], [("", entry) for entry in accounts]))
    return lambda _: Page(next(pages))


@pytest.mark.parametrize("right", WRITERS)
def test_who_may_write_our_attributes_below_the_base_is_told_with_what_and_where(right):
    granted, what = WRITERS[right]
    accounts = [{"objectSid": [ME.octets], "sAMAccountName": [b"helpdesk"]}]
    answers = domain(permissions("DC=lab", *OTHERS.values(), granted), accounts=accounts)
    (found,) = converse(writers_below("DC=lab", "DC=lab"), answers)
    assert (found.sid, found.name, list(found.what), list(found.where)) == (ME, "helpdesk", [what], ["DC=lab"])


@pytest.mark.parametrize("right", OTHERS)
def test_other_rights_let_nobody_write_them(right):
    assert converse(writers_below("DC=lab", "DC=lab"), domain(permissions("DC=lab", OTHERS[right]))) == ()


def test_what_a_unit_grants_itself_is_told_and_what_it_inherits_once():
    handed_down, own = ace(mask=WRITE, flags=INHERITED), ace(mask=WRITE, sid=OTHER)
    answers = domain(permissions("DC=lab", ace(mask=WRITE)), permissions("OU=people,DC=lab", own, handed_down))
    found = converse(writers_below("DC=lab", "DC=lab"), answers)
    assert [(each.sid, list(each.where)) for each in found] == [(ME, ["DC=lab"]), (OTHER, ["OU=people,DC=lab"])]
    assert [each.name for each in found] == ["S-1-5-21-1", "S-1-5-21-3"], "nobody has an entry"


@pytest.mark.parametrize(
    ("sid", "everybody"),
    [
        (Sid(1, (0,)), True),
        (Sid(5, (10,)), True),
        (Sid(5, (11,)), True),
        (Sid(5, (32, 545)), True),
        (Sid(5, (21, 7, 7, 7, 513)), True),
        (Sid(5, (21, 7, 7, 7, 512)), False),
        (Sid(5, (18,)), False),
        (Sid(5, (32, 544)), False),
    ],
)
def test_everybody_is_known_by_every_name_for_all(sid, everybody):
    (found,) = converse(writers_below("DC=lab", "DC=lab"), domain(permissions("DC=lab", ace(mask=WRITE, sid=sid))))
    assert found.is_everybody is everybody


def test_who_may_not_read_the_permissions_cannot_tell():
    assert converse(writers_below("DC=lab", "DC=lab"), domain(("DC=lab", {}))) is None


def answering(*entries):
    return lambda _: Page([("", entry) for entry in entries])


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ({"supportedCapabilities": [b"1.2.840.113556.1.4.800", b"1.2.840.113556.1.4.1670"]}, "ad"),
        ({"vendorName": [b"389 Project"], "objectClass": [b"top"]}, "389ds"),
        ({"objectClass": [b"top", b"OpenLDAProotDSE"]}, "openldap"),
        ({"vendorName": [b"Samba Team"]}, None),
        ({"vendorName": [b"Somebody else"]}, None),
        ({}, None),
    ],
)
def test_a_server_is_known_by_what_only_its_kind_says(says, kind):
    assert converse(read_root(), answering(says)).kind == kind


@pytest.mark.parametrize("text", [b"", b"yesterday", b"20261325000000.0Z"])
def test_a_time_that_makes_no_sense_is_no_time(text):
    assert converse(read_root(), answering({"currentTime": [text]})).time is None


def test_definitions_are_read_in_every_form_that_servers_write():
    types = [
        b"( 2.5.4.3 NAME 'cn' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' )",
        b"(1.2.3 NAME ( 'mobile'  'mobileTelephoneNumber' ) DESC 'NAME 'x'' )",
        b"( 2.5.4.4\n NAME 'sn'\n )",
        b"( nsUniqueId-oid NAME 'nsUniqueId' )",
        b"no definition",
    ]
    found = converse(read_subschema("cn=x"), answering({"attributeTypes": types, "objectclasses": types[:1]}))
    assert found.types == {
        "cn": "2.5.4.3",
        "mobile": "1.2.3",
        "mobiletelephonenumber": "1.2.3",
        "sn": "2.5.4.4",
        "nsuniqueid": "nsUniqueId-oid",
    }
    assert found.classes == {"cn": "2.5.4.3"}
    assert unknown(("Mobile", "employeeMobile"), found) == ("employeeMobile",)


TYPES = {item.name.lower(): item.oid for item in ATTRIBUTES}
OBJECTS = {item.name.lower(): item.oid for item in CLASSES}


def test_a_schema_that_has_all_of_ours_lacks_nothing():
    assert lacking(Published(TYPES | {"cn": "2.5.4.3"}, OBJECTS)) is None


@pytest.mark.parametrize(
    ("types", "classes", "words"),
    [
        ({}, {}, "nothing of our schema"),
        ({name: oid for name, oid in TYPES.items() if name != "dirfactortoken"}, OBJECTS, "lacks dirfactorToken"),
        (TYPES, {}, "lacks dirfactorUser, dirfactorSubject"),
        (TYPES | {"dirfactortoken": "1.2.3"}, OBJECTS, "means something else by dirfactorToken"),
    ],
)
def test_what_it_lacks_or_means_by_our_names_is_said_with_the_command_that_shows_more(types, classes, words):
    fault = lacking(Published(types, classes))
    assert words in fault.problem
    assert "dirfactor schema plan" in fault.remedy


def test_an_entry_without_what_a_logon_depends_on_cannot_be_read():
    settings = DirectorySettings(kind=DirectoryKind.AD, base="DC=x")
    sample = converse(sample_users(settings), answering({"userAccountControl": [b"512"]}, {}, {}))
    assert sample == Sample(seen=3, readable=1)
