"""Parsing: whatever octets a directory holds, the result is an entry with its findings, never an exception."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schema.attributes import ATTRIBUTES, BY_NAME
from schema.entry import AccessNode, Container, Group, Policy, User
from schema.parse import ACCOUNT_ATTRIBUTES, ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES, names_of, parse_entry
from schema.words import SendMode, TokenKind

CLASSES = ["user", "inetOrgPerson", "group", "groupOfNames", "organizationalUnit", "domainDNS", "container"]
CLASSES += ["dirfactorSecurityPolicy", "dirfactorAccessNode", "computer", "top", "contact"]
NAMES = [
    name.lower()
    for name in (*BY_NAME, *DIRECTORY_ATTRIBUTES, *ACCOUNT_ATTRIBUTES, *ADDRESS_ATTRIBUTES)
    if name != "objectClass"
]
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
@example("domainDNS", {"lockoutduration": (b"-" + b"9" * 30,)})
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


_SID = bytes.fromhex("0105000000000005" + "15000000" + "01000000" + "02000000" + "03000000" + "50040000")


def test_the_primary_group_is_the_users_domain_and_its_own_number():
    """MS-DTYP 2.4.2.2: S-1-5-21-1-2-3-1104."""
    user = parse_entry(entries(objectClass=b"user", objectSid=_SID, primaryGroupID=b"513"))
    assert user.primary_group_sid == "S-1-5-21-1-2-3-513"
    assert names_of(parse_entry(entries(objectClass=b"group", cn=b"g", objectSid=_SID))) == (
        ("sid", "s-1-5-21-1-2-3-1104"),
    )


@pytest.mark.parametrize("sid", [b"", b"\1", b"\1\0" + b"\0" * 6, _SID[:-1], _SID[:-4], _SID + b"\0" * 4, b"\1" * 7])
def test_octets_that_are_no_sid_of_a_user_lead_to_no_primary_group(sid):
    user = parse_entry(entries(objectClass=b"user", objectSid=sid, primaryGroupID=b"513"))
    assert user.primary_group_sid is None


def findings(entry):
    return [finding.attribute for finding in entry.malformed]


@pytest.mark.parametrize(
    "octets", [b"9" * 26, b"-" + b"9" * 26, b"9223372036854775808", b"-9223372036854775809", b"1_0"]
)
@pytest.mark.parametrize("attribute", ["accountExpires", "lockoutTime", "userAccountControl", "primaryGroupID"])
def test_a_number_of_more_than_64_bits_is_malformed_on_a_user(attribute, octets):
    """Else an account would never expire, or not be locked, because of a value that nobody can read."""
    assert findings(parse_entry(entries(objectClass=b"inetOrgPerson", **{attribute: octets}))) == [attribute]


@pytest.mark.parametrize("octets", [b"-" + b"9" * 26, b"9223372036854775808", b"-9223372036854775809"])
def test_a_lockout_duration_of_more_than_64_bits_is_malformed(octets):
    domain = parse_entry(entries(objectClass=b"domainDNS", lockoutDuration=octets))
    assert (findings(domain), domain.lockout_seconds) == (["lockoutDuration"], None)


@pytest.mark.parametrize(
    ("octets", "seconds"),
    [
        (b"-18000000000", 1800),
        (b"0", 0),
        (b"-9223372036854775808", 0),
        (b"-9223372036854775807", 922337203685),
    ],
)
def test_a_lockout_duration_is_read_in_seconds(octets, seconds):
    """MS-ADTS 3.1.1.4.5: two values stand for ever, which is 0 here."""
    domain = parse_entry(entries(objectClass=b"domainDNS", lockoutDuration=octets))
    assert (findings(domain), domain.lockout_seconds) == ([], seconds)


LAST_TICK = 2650467743999999999  # 9999-12-31 23:59:59.9999999


@pytest.mark.parametrize(
    ("attribute", "octets", "field", "value"),
    [
        ("accountExpires", b"0", "expires_at", None),
        ("accountExpires", b"9223372036854775807", "expires_at", None),
        ("accountExpires", b"116444736000000000", "expires_at", datetime(1970, 1, 1, tzinfo=UTC)),
        ("lockoutTime", b"0", "locked_at", None),
        ("lockoutTime", b"1", "locked_at", datetime(1601, 1, 1, tzinfo=UTC)),
        ("lockoutTime", b"%d" % LAST_TICK, "locked_at", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_filetime_is_an_instant_or_stands_for_never(attribute, octets, field, value):
    user = parse_entry(entries(objectClass=b"inetOrgPerson", **{attribute: octets}))
    assert (findings(user), getattr(user, field)) == ([], value)


@pytest.mark.parametrize(
    ("attribute", "octets"),
    [
        ("accountExpires", b"9223372036854775806"),
        ("accountExpires", b"%d" % (LAST_TICK + 1)),
        ("accountExpires", b"-1"),
        ("lockoutTime", b"9223372036854775807"),
        ("lockoutTime", b"-1"),
    ],
)
def test_a_filetime_outside_the_calendar_is_malformed(attribute, octets):
    user = parse_entry(entries(objectClass=b"inetOrgPerson", **{attribute: octets}))
    assert (findings(user), user.expires_at, user.locked_at) == ([attribute], None, None)


@pytest.mark.parametrize("found_by", [{"sAMAccountName": b"alice"}, {"objectSid": b"\x01\0\0\0\0\0\0\5"}])
def test_a_user_of_ad_whose_account_control_cannot_be_read_is_malformed(found_by):
    """Whether the account is disabled is unknown then, and what is unknown permits nothing."""
    classes = (b"top", b"person", b"organizationalPerson", b"USER")
    blind = parse_entry(entries(objectClass=classes, **found_by))
    assert [str(finding) for finding in blind.malformed] == [
        "userAccountControl: 'no value', expected a value that the sync account may read"
    ]
    seen = parse_entry(entries(objectClass=classes, userAccountControl=b"512", **found_by))
    assert (findings(seen), seen.disabled) == ([], False)
    assert parse_entry(entries(objectClass=classes, userAccountControl=b"514", **found_by)).disabled


@pytest.mark.parametrize("object_class", [b"inetOrgPerson", b"posixAccount", b"account"])
def test_a_person_of_another_directory_needs_no_account_control(object_class):
    person = parse_entry(entries(objectClass=object_class, uid=b"alice"))
    assert (findings(person), person.disabled) == ([], False)


@pytest.mark.parametrize(
    ("attribute", "octets", "disabled"),
    [
        ("pwdAccountLockedTime", b"000001010000Z", True),
        ("pwdAccountLockedTime", b"20261124120000Z", False),  # ends by itself: the directory refuses the password
        ("nsAccountLock", b"TRUE", True),
        ("nsAccountLock", b"false", False),
        ("accountUnlockTime", b"19700101000000Z", True),
        ("accountUnlockTime", b"20261124120000Z", False),
    ],
)
def test_an_account_that_an_administrator_has_locked_is_disabled(attribute, octets, disabled):
    person = parse_entry(entries(objectClass=b"inetOrgPerson", uid=b"alice", **{attribute: octets}))
    assert (findings(person), person.disabled) == ([], disabled)


@pytest.mark.parametrize(
    ("octets", "expires_at", "malformed"),
    [
        (b"20454", datetime(2026, 1, 1, tzinfo=UTC), []),
        (b"0", datetime(1970, 1, 1, tzinfo=UTC), []),
        (b"-1", None, []),
        (b"soon", None, ["shadowExpire"]),
        (b"2932897", None, ["shadowExpire"]),
    ],
)
def test_rfc_2307_2_2_an_account_ends_with_the_day_that_shadow_expire_names(octets, expires_at, malformed):
    person = parse_entry(entries(objectClass=b"posixAccount", uid=b"alice", shadowExpire=octets))
    assert (person.expires_at, findings(person)) == (expires_at, malformed)


@pytest.mark.parametrize(("attribute", "field"), [("pwdStartTime", "starts_at"), ("pwdEndTime", "expires_at")])
@pytest.mark.parametrize(
    ("octets", "instant"),
    [
        (b"20261124120000Z", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        (b"20261124120000.5Z", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        (b"202611241300+0100", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        (b"000001010000Z", None),
        (b"20261324120000Z", None),
        (b"soon", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_draft_behera_5_3_11_and_12_an_account_begins_and_ends_with_instants(attribute, field, octets, instant):
    person = parse_entry(entries(objectClass=b"inetOrgPerson", uid=b"alice", **{attribute: octets}))
    assert (getattr(person, field), findings(person)) == (instant, [] if instant else [attribute])


@pytest.mark.parametrize(
    ("day", "end", "expires_at"),
    [
        (b"20454", b"20251231235959Z", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"20454", b"20260101000001Z", datetime(2026, 1, 1, tzinfo=UTC)),
        (b"-1", b"20260101000001Z", datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_the_first_of_two_ends_is_the_end(day, end, expires_at):
    person = parse_entry(entries(objectClass=b"posixAccount", uid=b"alice", shadowExpire=day, pwdEndTime=end))
    assert (person.expires_at, findings(person)) == (expires_at, [])


@pytest.mark.parametrize(
    "octets",
    [
        b"Foo-Bar=1",
        b"State=x",
        b"Filter-Id=" + b"x" * 254,
        b"Session-Timeout=soon",
        b"Session-Timeout=4294967296",
        b"Framed-IP-Address=vpn.example.com",
        b"Vendor-Specific.0.1=x",
        b"Vendor-Specific.9.256=x",
        b"Vendor-Specific.9.1=" + b"x" * 248,
    ],
)
@pytest.mark.parametrize(
    "object_class", [b"inetOrgPerson", b"group", b"organizationalUnit", b"dirfactorSecurityPolicy"]
)
def test_a_reply_attribute_that_no_packet_can_carry_is_malformed(object_class, octets):
    entry = parse_entry(entries(objectClass=object_class, cn=b"x", dirfactorReplyAttribute=(octets, b"Filter-Id=good")))
    assert findings(entry) == ["dirfactorReplyAttribute"]
    assert "Filter-Id" in entry.malformed[0].expected


def test_octets_that_are_no_utf_8_spoil_their_value_and_not_the_entry():
    user = parse_entry(
        entries(
            objectClass=b"user", sAMAccountName=b"M\xfcller", dirfactorToken=b"\xff", dirfactorPhone=b"+436640000001"
        )
    )
    assert isinstance(user, User)
    assert user.tokens == ()
    assert user.phone == "+436640000001"
    assert [(item.attribute, item.value) for item in user.malformed if item.attribute == "dirfactorToken"] == [
        ("dirfactorToken", "\\xff")
    ]
    assert names_of(user), "who is found by nothing would be nobody"
