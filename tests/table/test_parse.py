"""Parsing: whatever octets a directory holds, the result is an entry with its findings, never an exception."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schema.attributes import ATTRIBUTES, BY_NAME
from schema.entry import AccessNode, Container, Group, Policy, User
from schema.parse import ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES, names_of, parse_entry
from schema.words import SendMode, TokenKind

CLASSES = ["user", "inetOrgPerson", "group", "groupOfNames", "organizationalUnit", "domainDNS", "container"]
CLASSES += ["dirfactorSecurityPolicy", "dirfactorAccessNode", "computer", "top", "contact"]
NAMES = [name.lower() for name in (*BY_NAME, *DIRECTORY_ATTRIBUTES, *ADDRESS_ATTRIBUTES) if name != "objectClass"]
# Near enough to a good value to get past the first check.
ALMOST = [b"", b" ", b"TRUE", b"sms", b"SMS,email", b"6", b"-1", b"9" * 20, b"00010101000000+01", b"99991231235959-01"]
ALMOST += [b"Mon 07:00-19:00; Europe", b"Mon-Sun 00:00-24:00", b"{code}", b"Filter-Id=x", b"192.0.2.0/24", b"fe80::1%1"]
OCTETS = st.one_of(st.sampled_from(ALMOST), st.binary(max_size=40), st.text(max_size=20).map(str.encode))
VALUES = st.lists(OCTETS, max_size=3).map(tuple)


def entries(**attributes):
    return {name.lower(): (value if isinstance(value, tuple) else (value,)) for name, value in attributes.items()}


@settings(max_examples=500)
@given(st.sampled_from(CLASSES), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
@example("user", {"objectsid": (b"",), "primarygroupid": (b"513",)})
@example("group", {"objectsid": (b"",)})
@example("group", {"objectsid": (b"\x01\x0f\0\0",)})
@example("user", {"dirfactorunlockedat": (b"00010101000000+01",)})
@example("user", {"accountexpires": (b"9223372036854775806",), "lockouttime": (b"-1",)})
@example("user", {"logonhours": (b"",), "useraccountcontrol": (b"",)})
def test_no_octets_are_an_exception(object_class, attributes):
    entry = parse_entry({"objectclass": (object_class.encode(),), **attributes}, ("extensionAttribute15", "x"))
    if entry is not None:
        names_of(entry)
        for finding in entry.malformed:
            assert str(finding)
            assert hash(finding) == hash(finding)


@given(
    st.dictionaries(
        st.sampled_from([item.name.lower() for item in ATTRIBUTES if item.confidential]), VALUES, min_size=1
    )
)
def test_a_finding_never_shows_a_secret(attributes):
    for object_class in (b"user", b"dirfactorAccessNode"):
        entry = parse_entry({"objectclass": (object_class,), **attributes})
        for finding in entry.malformed:
            assert finding.value in {"***", "two or more values"}


@given(st.sampled_from([item for item in ATTRIBUTES if item.name.startswith("dirfactorSms")]), OCTETS)
def test_a_value_is_either_read_or_found_malformed(attribute, octets):
    entry = parse_entry({"objectclass": (b"dirfactorSecurityPolicy",), attribute.name.lower(): (octets,)})
    try:
        value = attribute.grammar.read(octets.decode().strip())
    except ValueError:
        value = None
    if value is None or (attribute.name == "dirfactorSmsTemplate" and "{code}" not in value):
        assert [finding.attribute for finding in entry.malformed] == [attribute.name]
        assert getattr(entry, attribute.field) == getattr(Policy(name="x"), attribute.field)
    else:
        assert entry.malformed == ()
        assert getattr(entry, attribute.field) == value


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        ((b"top", b"person", b"organizationalPerson", b"user"), User),
        ((b"top", b"person", b"inetOrgPerson", b"dirfactorUser"), User),
        ((b"top", b"person", b"organizationalPerson", b"user", b"computer"), type(None)),
        ((b"top", b"person", b"contact"), type(None)),
        ((b"top", b"group"), Group),
        ((b"groupOfNames",), Group),
        ((b"top", b"domain", b"domainDNS"), Container),
        ((b"top", b"organizationalUnit", b"dirfactorSubject"), Container),
        ((b"DIRFACTORSECURITYPOLICY",), Policy),
        ((b"dirfactorAccessNode",), AccessNode),
        ((b"\xff",), type(None)),
    ],
)
def test_an_entry_is_what_its_classes_say(classes, kind):
    assert type(parse_entry({"objectclass": classes, "cn": (b"x",)})) is kind


def test_two_values_of_a_single_valued_attribute_are_none():
    entry = parse_entry(entries(objectClass=b"dirfactorSecurityPolicy", dirfactorSmsMode=(b"onLogon", b"ahead")))
    assert entry.sms_mode is SendMode.ON_LOGON
    assert [str(finding) for finding in entry.malformed] == [
        "dirfactorSmsMode: 'two or more values', expected one value"
    ]


def test_one_wrong_token_does_not_take_the_right_ones_away():
    entry = parse_entry(entries(objectClass=b"user", dirfactorToken=(b"SMS", b"fax", b" sms ", b"Vip")))
    assert entry.tokens == (TokenKind.SMS, TokenKind.VIP)
    assert [finding.value for finding in entry.malformed] == ["fax"]


def test_the_primary_group_is_the_users_domain_and_its_own_number():
    """MS-DTYP 2.4.2.2: S-1-5-21-1-2-3-1104."""
    sid = bytes.fromhex("0105000000000005" + "15000000" + "01000000" + "02000000" + "03000000" + "50040000")
    user = parse_entry(entries(objectClass=b"user", objectSid=sid, primaryGroupID=b"513"))
    assert user.primary_group_sid == "S-1-5-21-1-2-3-513"
    assert names_of(parse_entry(entries(objectClass=b"group", cn=b"g", objectSid=sid))) == (
        ("sid", "s-1-5-21-1-2-3-1104"),
    )
