"""A directory that is an LDIF file: what is read of it, what is refused, and what happens while it is saved."""

import base64
import contextlib
import hashlib
import io
import os
import tempfile
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ldif
from dirsync.change import LinkKind
from dirsync.errors import DirectoryUnavailable
from dirsync.ldif.file import read_whole, stamp
from dirsync.ldif.password import LdifPasswordCheck
from dirsync.ldif.rfc2849 import read_ldif
from dirsync.ldif.source import LdifSource
from dirsync.password import PasswordVerdict
from dirsync.replica import Applied, Replica, ReplicaWriter
from schema.dn import fold
from schema.ldif_lines import BrokenLdif

NOW = datetime(2036, 11, 24, 12, 0, tzinfo=UTC)  # long after any file was saved
MEMBER, POLICY, NODE_MEMBER = LinkKind.MEMBER, LinkKind.POLICY, LinkKind.NODE_MEMBER

LAB = """\
version: 1

# the domain
dn: dc=lab,dc=example
objectClass: domain
dc: lab

dn: ou=people,dc=lab,dc=example
objectClass: organizationalUnit
ou: people
dirfactorPolicy: cn=strict, DC=LAB,DC=example

dn: cn=strict,dc=lab,dc=example
objectClass: dirfactorSecurityPolicy
cn: strict
dirfactorPriority: 7

dn: uid=alice,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
uid: alice
cn:: QWxpY2UgTcO8bGxlcg==
mail: alice@lab.exa
 mple
mobile: +43 664 0000001
entryUUID: 11111111-2222-4333-8444-555555555555
userPassword: {CLEARTEXT}wonderland

dn: cn=vpn,dc=lab,dc=example
objectClass: groupOfNames
cn: vpn
member: uid=alice,ou=people,dc=lab,dc=example
member: uid=gone,ou=people,dc=lab,dc=example

dn: cn=gate,dc=lab,dc=example
objectClass: dirfactorAccessNode
cn: gate
dirfactorMember: cn=vpn,dc=lab,dc=example
"""
ALICE = uuid.UUID("11111111-2222-4333-8444-555555555555").bytes
VPN = "dn: cn=vpn,dc=lab,dc=example"
ALICE_DN = "uid=alice,ou=people,dc=lab,dc=example"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "directory.ldif"
    file.write_text(LAB)
    return file


@pytest.fixture
def source(file):
    return LdifSource(file)


@pytest.fixture
def writer(tmp_path):
    with contextlib.closing(ReplicaWriter(tmp_path / "replica")) as writer:
        yield writer


@pytest.fixture
def replica(writer, tmp_path):
    with contextlib.closing(Replica(tmp_path / "replica")) as replica:
        yield replica


def sync(source, writer, now=NOW) -> Applied:
    return writer.apply(source.changes(writer.cookie(source.identity), now), source.identity)


def puts(text, **names):
    """What a source tells of a file with this text: the entries by the value of their first RDN."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "directory.ldif"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        told = list(LdifSource(file, **names).changes(None, NOW).changes)
    return {fold(put.dn).split(",")[0].split("=")[1]: put for put in told}


def test_the_whole_file_is_told_and_read_back(source, writer, replica):
    assert sync(source, writer) == Applied(6, 0, 0, 1)
    assert replica.find([("sam", "alice")]) == (ALICE,)
    person = replica.person(ALICE)
    assert person.user.display_name == "Alice Müller"
    assert person.user.mail == "alice@lab.example"
    assert [group.dn for group in person.groups] == ["cn=vpn,dc=lab,dc=example"]
    assert [ancestor.container.name for ancestor in person.ancestors] == ["people", "lab"]
    assert person.ancestors[0].policy.policy.priority == 7
    (gate,) = replica.nodes()
    assert gate.members == {person.groups[0].id}
    assert replica.freshness().as_of == NOW


def test_passwords_and_other_attributes_that_nobody_asked_for_stay_in_the_file(file, writer, tmp_path):
    file.write_text(LAB.replace("uid: alice\n", "uid: alice\nunicodePwd: secret-in-file\njpegPhoto:: AAAA\n"))
    sync(LdifSource(file), writer)
    stored = b"".join(part.read_bytes() for part in tmp_path.glob("replica*"))
    assert b"wonderland" not in stored
    assert b"secret-in-file" not in stored
    assert b"jpegphoto" not in stored


def test_extra_attributes_are_read_and_make_another_source(file):
    assert LdifSource(file, ["badge"]).identity != LdifSource(file).identity
    assert puts(LAB.replace("mobile:", "badge:"), extra_attributes=["Badge"])["alice"].attributes["badge"]


def test_an_unchanged_file_is_an_empty_increment_and_a_changed_one_a_refresh(source, file, writer):
    sync(source, writer)
    cookie = writer.cookie(source.identity)
    assert cookie == hashlib.sha256(LAB.encode()).digest()
    batch = source.changes(cookie, NOW)
    assert (batch.refresh, list(batch.changes), batch.cookie, batch.as_of) == (False, [], cookie, NOW)
    file.write_text(LAB.replace("+43 664 0000001", "+43 664 0000002"))
    assert source.changes(cookie, NOW).refresh
    assert sync(source, writer) == Applied(0, 1, 0, 2)


def test_a_file_that_was_touched_but_says_the_same_changes_nothing(source, file, writer):
    sync(source, writer)
    os.utime(file, (1, 1))
    assert not source.changes(writer.cookie(source.identity), NOW).refresh


def test_without_a_cookie_everything_is_told_again(source, writer):
    sync(source, writer)
    assert source.changes(None, NOW).refresh
    assert not writer.apply(source.changes(None, NOW), source.identity)


def test_an_edit_of_the_same_size_within_the_grain_of_the_time_stamp_is_seen(source, file, writer):
    times = (stamp(file).mtime_ns,) * 2
    just_now = datetime.fromtimestamp(times[0] / 1e9, tz=UTC) + timedelta(milliseconds=1)
    sync(source, writer, just_now)
    with file.open("r+") as opened:  # in place: the inode stays
        opened.write(LAB.replace("0000001", "0000002"))
    os.utime(file, ns=times)
    assert sync(source, writer, just_now).changed == 1


def test_an_entry_that_leaves_the_file_leaves_the_replica_and_takes_its_policy_along(source, file, writer, replica):
    """Whoever had the policy is refused: the link stays in the file and leads nowhere."""
    sync(source, writer)
    start, end = LAB.index("dn: cn=strict"), LAB.index("dn: uid=alice")
    file.write_text(LAB[:start] + LAB[end:])
    assert sync(source, writer).removed == 1
    link = replica.person(ALICE).ancestors[0].policy
    assert (link.policy, link.dn) == (None, None)


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        (LAB.replace("uid: alice\n", "uid alice\n"), "uid alice", "attribute: value"),
        (LAB.replace("cn:: QWxp", "cn:: QW????xp"), "cn:: ", "base64"),
        (LAB.replace("cn:: QWxp", "cn:< file:///etc/passwd\ncn: QWxp"), "cn:< ", "another file"),
        (LAB.replace("dn: cn=gate", "dn: gate"), "dn: gate", "DN"),
        (LAB.replace("dn: cn=gate", "dn: uid=ALICE,ou=people"), "dn: uid=ALICE", "that of line 18"),
        (LAB.replace("\ndn: cn=gate", "dn: cn=gate"), "dn: cn=gate", "empty line"),
        (LAB.replace("dn: cn=gate,dc=lab,dc=example\n", ""), "objectClass: dirfactorAccess", "begins with `dn: `"),
        (LAB.replace("cn: gate", f"entryUUID: {uuid.UUID(bytes=ALICE)}"), "dn: cn=gate", "that of line 18"),
        (LAB.replace("cn: gate", "entryUUID: 1"), "dn: cn=gate", "none"),
        (LAB.replace("cn: gate", "objectGUID:: AAAA"), "dn: cn=gate", "none"),
        (LAB.replace("version: 1", "version: 2"), "version", "version"),
        (LAB.replace("objectClass: dirfactorAccessNode", "changetype: delete"), "changetype", "changetype"),
        (LAB.replace("member: uid=gone", "member;range=0-1: uid=gone"), "dn: cn=vpn", "part"),
        (LAB.replace("# the domain\n", " continued\n"), " continued", "space"),
        (f"{LAB}\ndn: cn=new,dc=lab\nchangetype: modify\nadd: cn\ncn: a\n-\n", "dn: cn=new", "stand before"),
        (f"{LAB}\n{VPN}\nchangetype: modify\ndelete: member\n-\n", "delete: member", "add:"),
        (f"{LAB}\n{VPN}\nchangetype: modify\nadd: member\nsn: a\n-\n", "sn: a", "due"),
        ("", "", "no entry"),
        ("version: 1\n", "", "no entry"),
    ],
)
def test_a_wrong_line_refuses_the_whole_file_and_the_old_state_stays(source, file, writer, replica, text, where, part):
    sync(source, writer)
    before = replica.person(ALICE)
    file.write_text(text)
    with pytest.raises(DirectoryUnavailable) as caught:
        sync(source, writer)
    assert str(file) in caught.value.problem
    assert f"line {text[: text.index(where)].count(chr(10)) + 1}:" in caught.value.problem
    assert part in caught.value.problem
    assert "mend" in caught.value.remedy
    assert replica.person(ALICE) == before
    assert replica.freshness().version == 1
    file.write_text(LAB)
    assert not sync(source, writer)


def test_a_fault_never_shows_the_value_of_the_line(source, file):
    file.write_text(LAB.replace("userPassword: {CLEARTEXT}wonderland", "userPassword:: {CLEARTEXT}wonderland"))
    with pytest.raises(DirectoryUnavailable) as caught:
        source.changes(None, NOW)
    assert "wonderland" not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_byte_that_is_no_utf_8_is_refused_with_its_line(source, file):
    file.write_bytes(LAB.encode().replace(b"cn: gate", b"cn: g\xe4te"))
    with pytest.raises(DirectoryUnavailable, match="line 36: is not UTF-8"):
        source.changes(None, NOW)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("dn: this is\nno: LDIF\n\n: at all\n")])
def test_a_file_that_could_not_be_used_is_announced_once_it_is_another_one(source, file, spoil):
    """A sync that has failed for an hour would look again after a minute only."""
    source.changes(None, NOW)
    assert not source.wait(0.0)
    spoil(file)
    assert not source.wait(0.0), "what nobody has tried to read is no failure"
    with pytest.raises(DirectoryUnavailable):
        source.changes(None, NOW)
    assert not source.wait(0.0), "nothing has changed since"
    file.write_text(LAB)
    assert source.wait(0.0)
    source.changes(None, NOW)
    assert not source.wait(0.0)


def test_a_file_that_disappears_is_unavailable_and_comes_back(source, file, writer):
    sync(source, writer)
    file.unlink()
    for cookie in (None, writer.cookie(source.identity)):
        with pytest.raises(DirectoryUnavailable) as caught:
            source.changes(cookie, NOW)
        assert "LDIF" in caught.value.remedy
    file.write_text(LAB)
    assert not sync(source, writer)


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_as_windows_saves_them_are_read(encode):
    assert puts(LAB.replace("\n", "\r\n").encode(encode)).keys() == puts(LAB).keys()


def test_what_ldifde_exports_is_read():
    """Change records, objectGUID as octets, links in a record further down, long lists in pieces."""
    guid = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
    entries = puts(f"""\
dn: CN=Alice,DC=lab,DC=example
changetype: add
objectClass: top
objectClass: user
objectGUID:: {base64.b64encode(guid.bytes_le).decode()}
sAMAccountName: alice

dn: CN=Bob,DC=lab,DC=example
changetype: add
objectClass: user

dn: CN=VPN,DC=lab,DC=example
changetype: add
objectClass: group

dn: CN=Big,DC=lab,DC=example
changetype: add
objectClass: group
member;range=0-0: CN=Alice,DC=lab,DC=example
member;range=1-*: CN=Bob,DC=lab,DC=example

dn: CN=VPN,DC=lab,DC=example
changetype: modify
add: member
member: CN=Alice,DC=lab,DC=example
member: CN=Bob,DC=lab,DC=example
-

""")
    assert entries["alice"].id == guid.bytes
    for group in ("vpn", "big"):
        assert set(entries[group].links[MEMBER].added) == {guid.bytes, entries["bob"].id}


def test_what_slapcat_and_ldapsearch_export_is_read():
    entries = puts("""\
# extended LDIF
#
# LDAPv3 with a comment that goes
  on in the next line

dn: cn=staff,dc=lab
objectClass: posixGroup
objectClass: groupOfUniqueNames
memberUid: alice
memberUid: nobody
memberUid: ALICE
uniqueMember: uid=bob,dc=lab#'0101'B
cn;lang-de: Belegschaft
entryUUID: 11111111-2222-4333-8444-555555555555

dn:: dWlkPWFsaWNlLGRjPWxhYg==
objectClass: posixAccount
uid: alice

dn: uid=bob,dc=lab
objectClass: posixAccount
uid: bob


# search result
""")
    staff = entries["staff"]
    assert set(staff.links[MEMBER].added) == {entries["alice"].id, entries["bob"].id}
    assert "cn;lang-de" not in staff.attributes
    assert not staff.attributes.keys() & {"memberuid", "uniquemember", "entryuuid"}


def test_ids_are_those_of_the_entries_or_follow_from_their_dns():
    entries = puts("dn: CN=A , DC=lab\nobjectClass: user\n\ndn: cn=b,dc=lab\nobjectClass: user\n")
    again = puts("dn: cn=a,dc=LAB\nobjectClass: user\n\ndn: cn=c,dc=lab\nobjectClass: user\n")
    assert entries["a"].id == again["a"].id
    assert len({entries["a"].id, entries["b"].id, again["c"].id}) == 3


def test_a_dn_that_names_no_entry_gives_an_id_that_no_entry_has():
    entries = puts(LAB)
    ids = {put.id for put in entries.values()}
    (alice, gone) = entries["vpn"].links[MEMBER].added
    assert alice == ALICE
    assert gone not in ids
    broken = puts(LAB.replace("dirfactorPolicy: cn=strict,", "dirfactorPolicy: strict,"))
    (nowhere,) = broken["people"].links[POLICY].added
    assert nowhere not in ids


def test_parents_are_known_where_the_file_has_them():
    entries = puts(LAB)
    assert entries["alice"].parent == entries["people"].id
    assert entries["people"].parent == entries["lab"].id
    assert entries["lab"].parent is None
    assert all(put.whole for put in entries.values())


def test_a_file_saved_in_the_middle_of_reading_is_read_once_more(file):
    saved = [LAB.replace("0000001", "0000002"), None]

    def understand(octets):
        if text := saved.pop(0):
            file.write_text(text)
        return octets

    _, octets = read_whole(file, understand)
    assert b"0000002" in octets


def test_a_half_written_file_that_is_finished_meanwhile_is_no_fault(file):
    file.write_text(LAB[:-20] + "\nhalf")

    def understand(octets):
        if octets.endswith(b"half"):
            file.write_text(LAB)
        return list(read_ldif(octets))

    assert len(read_whole(file, understand)[1]) == 6


def test_a_file_that_does_not_come_to_rest_is_unavailable(file):
    def understand(octets):
        file.write_bytes(octets + b"\n")

    with pytest.raises(DirectoryUnavailable, match="being written"):
        read_whole(file, understand)


def test_editors_that_save_by_renaming_never_show_a_part_of_the_file(source, file, writer, replica):
    """And the other kind, saving in place, shows one of the two texts or is refused."""
    long = LAB + "".join(
        f"\ndn: uid=u{n},ou=people,dc=lab,dc=example\nobjectClass: account\nuid: u{n}\n" for n in range(300)
    )
    sync(source, writer)
    stop = threading.Event()

    def save():
        for text in (long, LAB) * 100:
            if stop.is_set():
                return
            fresh = file.with_suffix(".new")
            fresh.write_text(text)
            fresh.rename(file)

    saver = threading.Thread(target=save)
    saver.start()
    try:
        for _ in range(30):
            with contextlib.suppress(DirectoryUnavailable):
                sync(source, writer)
            assert len(replica.find([("sam", "alice"), ("sam", "u0"), ("sam", "u299")])) in {1, 3}
    finally:
        stop.set()
        saver.join()


# attribute values of every kind, as python-ldap writes them
VALUES = st.one_of(st.binary(min_size=1, max_size=200), st.text(min_size=1, max_size=100).map(str.encode))
ENTRIES = st.dictionaries(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,10}", fullmatch=True).filter(
        lambda name: name.lower() not in {"dn", "changetype", "control", "version"}
    ),
    st.lists(VALUES, min_size=1, max_size=3),
    min_size=1,
    max_size=5,
)


@given(st.lists(ENTRIES, min_size=1, max_size=4), st.integers(20, 100))
def test_what_python_ldap_writes_is_read_as_it_was(entries, columns):
    """python-ldap's writer is the foreign implementation: folds lines, encodes what RFC 2849 calls unsafe."""
    text = io.StringIO()
    for number, entry in enumerate(entries):
        ldif.LDIFWriter(text, cols=columns).unparse(f"cn=ü{number},dc=lab", entry)
    read = list(read_ldif(text.getvalue().encode()))
    assert [record.dn for record in read] == [f"cn=ü{number},dc=lab" for number in range(len(entries))]
    for record, entry in zip(read, entries, strict=True):
        expected = {}
        for name in sorted(entry):
            expected.setdefault(name.lower(), []).extend(entry[name])
        assert record.attributes == expected


@given(st.one_of(st.binary(max_size=200), st.text("dn: cn=a\n -:<#vreiso1;", max_size=80).map(str.encode)))
def test_any_octets_are_entries_or_broken_at_a_line(octets):
    lines = octets.count(b"\n") + 1
    try:
        found = [record.line for record in read_ldif(octets)]
    except BrokenLdif as error:
        found = [error.line]
    assert all(1 <= line <= lines for line in found)
    assert found == sorted(found)


def hashed(scheme, algorithm, password, salt=b""):
    octets = hashlib.new(algorithm, password.encode() + salt).digest() + salt
    return f"{{{scheme}}}{base64.b64encode(octets).decode()}"


@pytest.mark.parametrize(
    "stored",
    [
        "{CLEARTEXT}wonderland",
        hashed("SHA", "sha1", "wonderland"),
        hashed("SSHA", "sha1", "wonderland", b"salt"),
        hashed("ssha", "sha1", "wonderland", b"eight by"),
        hashed("SHA256", "sha256", "wonderland"),
        hashed("SSHA256", "sha256", "wonderland", b"12345678"),
        hashed("SSHA384", "sha384", "wonderland", b"12345678"),
        hashed("SHA512", "sha512", "wonderland"),
        hashed("SSHA512", "sha512", "wonderland", b"12345678"),
        # as OpenLDAP's slappasswd makes them
        "{SSHA}LXCrBh9Wt7d+fTrP7N5hRbqKrBiXEZNW",
        "{SSHA256}6SroEu76TzS+6cPKl3xYxGUVsk9ee53dLpZFGQJ8urZt7ZsUtcjomg==",
        "{SSHA512}41dCkcjGjh6nJS+xUn4r5ITW1Q4B0IduLT7EpuXdT9T13oqOjlNY0/2rsdOI2l12V+AWR9vcUuAR40x2mRkVWEUMimMdQ7Mv",
        "{SHA512}ku0fDfoQrWtagdEFYHEbjQ9c9VgiIcfBTHy9WUlYxzC0akkZeapved5X1TI3/zY9iEZNFBBxylKvMcYzgvbHpg==",
    ],
)
def test_the_right_password_is_right_and_any_other_wrong(file, stored):
    file.write_text(LAB.replace("{CLEARTEXT}wonderland", stored))
    check = LdifPasswordCheck(file).check
    assert check(ALICE_DN.upper(), "wonderland") is PasswordVerdict.RIGHT
    for wrong in ("Wonderland", "wonderlan", "wonderland ", "", "\udcff", stored):
        assert check(ALICE_DN, wrong) is PasswordVerdict.WRONG


@pytest.mark.parametrize(
    "stored",
    [
        "wonderland",
        "{MD5}pnYBl9fgmDRMx1SCXsB5bw==",
        "{CRYPT}wonderland",
        "{SSHA}wonderland",
        "{SSHA}",
        "{SHA}",
        "{}wonderland",
        "CLEARTEXT}wonderland",
        hashed("SHA", "sha1", "wonderland", b"salt"),
        hashed("SSHA", "sha1", "wonderland"),
    ],
)
def test_a_scheme_that_is_not_known_is_wrong(file, stored):
    file.write_text(LAB.replace("{CLEARTEXT}wonderland", stored))
    assert LdifPasswordCheck(file).check(ALICE_DN, "wonderland") is PasswordVerdict.WRONG


@pytest.mark.parametrize("stored", ["{CLEARTEXT}", hashed("SSHA", "sha1", "", b"salt")])
def test_rfc4513_5_1_2_an_empty_password_is_wrong_whatever_is_stored(file, stored):
    file.write_text(LAB.replace("{CLEARTEXT}wonderland", stored))
    assert LdifPasswordCheck(file).check(ALICE_DN, "") is PasswordVerdict.WRONG


def test_nobody_without_a_password_or_an_entry_gets_in(file):
    check = LdifPasswordCheck(file).check
    for dn in ("uid=gone,dc=lab,dc=example", "ou=people,dc=lab,dc=example", "alice", ""):
        assert check(dn, "wonderland") is PasswordVerdict.WRONG


@pytest.mark.parametrize("control", ["514", "66050", "broken"])
def test_a_disabled_account_is_told_only_to_who_has_the_password(file, control):
    file.write_text(LAB.replace("uid: alice\n", f"uid: alice\nuserAccountControl: {control}\n"))
    check = LdifPasswordCheck(file).check
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.DISABLED
    assert check(ALICE_DN, "other") is PasswordVerdict.WRONG


def test_a_new_password_counts_from_the_moment_the_file_is_saved(file):
    check = LdifPasswordCheck(file).check
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.RIGHT
    file.write_text(LAB.replace("wonderland", "looking-glass"))
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.WRONG
    assert check(ALICE_DN, "looking-glass") is PasswordVerdict.RIGHT


def test_while_the_file_is_broken_or_gone_nobody_can_say(file):
    check = LdifPasswordCheck(file).check
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.RIGHT
    file.write_text(LAB + "broken\n")
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.UNAVAILABLE
    file.unlink()
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.UNAVAILABLE
    file.write_text(LAB)
    assert check(ALICE_DN, "wonderland") is PasswordVerdict.RIGHT


def test_what_is_read_of_the_file_shows_no_password(file):
    check = LdifPasswordCheck(file)
    check.check(ALICE_DN, "wonderland")
    assert "wonderland" not in repr(vars(check))
    assert "wonderland" not in repr(list(read_ldif(LAB.encode())))
