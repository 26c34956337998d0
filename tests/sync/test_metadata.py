"""When an attribute was changed, from the metadata of replication in each form in which they come."""

import struct
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.ad.metadata import changed_when, read_stored, read_xml
from dirsync.ad.source import AdSource
from dirsync.authorship import Authorship
from dirsync.settings import DirectorySettings
from dirsync.syncrepl.authorship import last_modified
from dirsync.syncrepl.server import OPENLDAP
from dirsync.syncrepl.source import SyncreplSource
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Page, converse
from real_domain import now, settings
from schema.secret import Secret
from surroundings import SURROUNDINGS

BASE = "DC=lab,DC=example,DC=test"
SETTINGS = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Berlin,CN=Sites,CN=Configuration,{BASE}"
DC1 = uuid.UUID("2a4853ce-a10f-4dc1-a434-f5142e1ac573")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# as Windows sends it: with a line feed and a NUL at its end
XML = """<DS_REPL_ATTR_META_DATA>
\t<pszAttributeName>{name}</pszAttributeName>
\t<dwVersion>3</dwVersion>
\t<ftimeLastOriginatingChange>{when}</ftimeLastOriginatingChange>
\t<uuidLastOriginatingDsaInvocationID>2a4853ce-a10f-4dc1-a434-f5142e1ac573</uuidLastOriginatingDsaInvocationID>
\t<usnOriginatingChange>12345</usnOriginatingChange>
\t<usnLocalChange>12345</usnLocalChange>
\t<pszLastOriginatingDsaDN>{server}</pszLastOriginatingDsaDN>
</DS_REPL_ATTR_META_DATA>
\0"""


def xml(name, when="2026-03-01T12:00:00Z", server=SETTINGS):
    return XML.format(name=name, when=when, server=server).encode()


def stored(*changes):
    """A replPropertyMetaData of (number, instant)."""
    epoch = datetime(1601, 1, 1, tzinfo=UTC)
    stamps = (
        struct.pack("<IIQ16sQQ", number, 1, int((when - epoch).total_seconds()), DC1.bytes_le, 7, 7)
        for number, when in changes
    )
    return struct.pack("<IIII", 1, 0, len(changes), 0) + b"".join(stamps)


def told(attribute, values, *answers):
    waiting = [Page(iter([("", values)])), *answers]
    result = converse(changed_when(bytes(16), attribute), lambda search: waiting.pop(0))
    assert not waiting
    return result


def test_windows_tells_the_time_and_the_server_of_each_attribute():
    values = {"msDS-ReplAttributeMetaData": [xml("mail", "2026-01-01T00:00:00Z"), xml("dirfactorToken")]}
    assert told("dirfactorToken", values) == Authorship(None, NOON, "DC1")


def test_of_a_link_the_last_change_of_any_value_counts():
    values = [xml("member", "2026-01-01T00:00:00Z"), xml("member"), xml("dirfactorPolicy", "2026-04-01T00:00:00Z")]
    assert told("member", {"msDS-ReplValueMetaData;range=0-2": values}) == Authorship(None, NOON, "DC1")


def root(name, dn):
    return Page(iter([("", {name: [dn.encode()]})]))


def test_where_only_the_stored_form_can_be_read_the_schema_gives_the_number():
    values = {"replPropertyMetaData": [stored((0x90001, NOON - timedelta(days=1)), (0x89617D7A, NOON))]}
    number = Page(iter([("", {"msDS-IntId": [b"-1990099590"]})]))
    answers = [root("schemaNamingContext", f"CN=Schema,{BASE}"), number]
    servers = [root("configurationNamingContext", f"CN=Configuration,{BASE}"), Page(iter([(SETTINGS, {})]))]
    assert told("dirfactorToken", values, *answers, *servers) == Authorship(None, NOON, "DC1")


def test_a_server_that_was_removed_has_no_name_and_the_time_stays():
    assert told(
        "mail",
        {"msDS-ReplAttributeMetaData": [xml("mail", server="")]},
        root("configurationNamingContext", f"CN=Configuration,{BASE}"),
        Page(iter([])),
    ) == Authorship(None, NOON, None)


def test_what_is_not_told_is_none():
    assert told("mail", {}, root("schemaNamingContext", "CN=Schema"), Page(iter([]))) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"<a/>",
        xml("mail", "yesterday"),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml("mail"),
        xml("mail").replace(b"2a4853ce", b"zz"),
    ],
)
def test_other_xml_is_a_fault(value):
    with pytest.raises(MalformedAnswer):
        read_xml(value)


@pytest.mark.parametrize("value", [b"", stored()[:-1], stored((1, NOON))[:-1], stored((1, NOON)) + b"x", bytes(16)])
def test_other_octets_are_a_fault(value):
    with pytest.raises(MalformedAnswer):
        read_stored(value)


@given(st.binary(max_size=200))
def test_any_octets_are_metadata_or_a_fault(octets):
    for read in (read_xml, read_stored):
        try:
            read(octets)
        except MalformedAnswer:
            continue


@given(st.integers(0, 2**64 - 1))
def test_any_number_of_seconds_is_an_instant_or_nothing(seconds):
    octets = struct.pack("<IIII", 1, 0, 1, 0) + struct.pack("<IIQ16sQQ", 1, 1, seconds, bytes(16), 1, 1)
    assert len(read_stored(octets)) <= 1


def modified(attributes):
    return converse(last_modified(OPENLDAP, "dc=example", bytes(16)), lambda search: Page(iter(attributes)))


def test_openldap_tells_who_changed_the_entry():
    found = {"modifiersName": [b"cn=admin"], "modifyTimestamp": [b"20260301120000Z"]}
    assert modified([("uid=alice", found)]) == Authorship("cn=admin", NOON, None)
    assert modified([("uid=alice", {"MODIFYTIMESTAMP": [b"20260301120000Z"]})]) == Authorship(None, NOON, None)
    assert modified([("uid=alice", {})]) is modified([]) is None
    with pytest.raises(MalformedAnswer):
        modified([("uid=alice", {"modifyTimestamp": [b"yesterday"]})])


@pytest.mark.servers
def test_a_real_openldap_tells_who_changed_an_entry(fresh_slapd):
    before = now().replace(microsecond=0)
    tools = fresh_slapd.tools()
    people = f"ou=people,{fresh_slapd.base_dn}"
    tools.modify(f"dn: {people}\nchangetype: modify\nreplace: description\ndescription: new\n")
    (found,) = tools.search(people, scope="base", attributes=["entryUUID"])
    source = SyncreplSource(
        DirectorySettings(
            url=(fresh_slapd.ldaps,),
            base=fresh_slapd.base_dn,
            bind_dn=fresh_slapd.sync,
            bind_password=Secret(fresh_slapd.sync_password),
            ca_file=fresh_slapd.ca_file,
        ),
        OPENLDAP,
        SURROUNDINGS,
    )
    try:
        change = source.changed_when(uuid.UUID(found.texts("entryUUID")[0]).bytes, "description")
        assert (change.who, change.where) == (fresh_slapd.admin, None)
        assert before <= change.when <= now()
    finally:
        source.close()


@pytest.mark.servers
def test_a_domain_controller_tells_when_and_where_a_token_was_changed(dc, lab):
    before = now().replace(microsecond=0)
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: sms\n")
    source = AdSource(settings(dc), SURROUNDINGS)
    try:
        changes = source.changes(None, now()).changes
        alice = next(put for put in changes if put.attributes.get("samaccountname") == (b"alice",))
        change = source.changed_when(alice.id, "dirfactorToken")
        assert (change.who, change.where) == (None, "DC1")
        assert before <= change.when <= now()
        assert source.changed_when(alice.id, "dirfactorPin") is None
    finally:
        source.close()
