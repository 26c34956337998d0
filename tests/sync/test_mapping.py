"""No-schema mode: attributes that stand in for ours say the same, through the same parser, to the same decision."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dirsync.change import LinkChange, LinkKind, Put
from dirsync.directory import source
from dirsync.mapping import in_our_words, policy_id, translated
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.view import PolicyLink
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind
from surroundings import SURROUNDINGS

MAPPING = {"dirfactortoken": "employeetype", "dirfactorphone": "pager", "dirfactorpolicy": "division"}
STAFF = PolicyLink(policy_id("staff"), "[policy:staff]", Policy(name="staff"))
LDIF = """\
dn: dc=lab,dc=example
objectClass: domain
dc: lab

dn: uid=alice,dc=lab,dc=example
objectClass: inetOrgPerson
uid: alice
employeeType: sms, VIP
pager: +43 664 0000001

dn: uid=bob,dc=lab,dc=example
objectClass: inetOrgPerson
uid: bob
employeeType: pigeon

dn: cn=vpn,dc=lab,dc=example
objectClass: groupOfNames
cn: vpn
division: Staff
member: uid=alice,dc=lab,dc=example
"""


def put(*, whole=True, **attributes):
    return Put(b"x" * 16, "CN=x", None, attributes, whole=whole)


def test_what_stands_in_is_read_as_ours_and_stays_what_it_is():
    found = in_our_words({"employeetype": (b"sms, vip",), "pager": (b"1,2",), "cn": (b"x",)}, MAPPING)
    assert found == {
        "cn": (b"x",),
        "employeetype": (b"sms, vip",),
        "dirfactortoken": (b"sms", b"vip"),
        "pager": (b"1,2",),
        "dirfactorphone": (b"1,2",),
    }


def test_ours_is_not_listened_to_where_something_stands_in_for_it():
    assert "dirfactortoken" not in in_our_words({"dirfactortoken": (b"sms",)}, MAPPING)
    links = {LinkKind.POLICY: LinkChange((b"p" * 16,)), LinkKind.MEMBER: LinkChange((b"m" * 16,))}
    for told in ({}, {"division": ()}):
        heard = translated(replace(put(**told), links=links), MAPPING).links
        assert heard[LinkKind.MEMBER] == links[LinkKind.MEMBER]
        assert not heard.get(LinkKind.POLICY, LinkChange()).added


def test_what_is_gone_is_gone_in_our_words_and_what_is_not_named_is_as_it_was():
    assert in_our_words({"employeetype": ()}, MAPPING)["dirfactortoken"] == ()
    partial = translated(put(whole=False, division=()), MAPPING)
    assert partial.links[LinkKind.POLICY].added == ()
    assert LinkKind.POLICY not in translated(put(whole=False, cn=(b"x",)), MAPPING).links


def test_a_policy_is_named_in_any_case():
    assert translated(put(division=(b" Staff",)), MAPPING).links[LinkKind.POLICY].added == (policy_id("staff"),)


@pytest.fixture
def mapped(tmp_path):
    """The replica of a directory in a file that knows nothing of our schema."""
    file = tmp_path / "directory.ldif"
    file.write_text(LDIF)
    settings = DirectorySettings(
        kind=DirectoryKind.LDIF,
        file=file,
        mapping={"dirfactorToken": "employeeType", "dirfactorPhone": "pager", "dirfactorPolicy": "division"},
    )
    following = source(settings, SURROUNDINGS)
    with contextlib.closing(ReplicaWriter(tmp_path / "r")) as writer:
        writer.apply(following.changes(None, datetime.now(UTC)), following.identity)
        with contextlib.closing(Replica(tmp_path / "r", named={STAFF.id: STAFF})) as replica:
            yield replica


def person(replica, uid):
    (user,) = replica.find([("sam", uid)])
    return replica.person(user)


def test_a_directory_without_our_schema_has_tokens_and_policies(mapped):
    alice = person(mapped, "alice")
    assert alice.user.tokens == (TokenKind.SMS, TokenKind.VIP)
    assert alice.user.phone == "+43 664 0000001"
    assert [group.policy for group in alice.groups] == [STAFF]


def test_a_wrong_value_is_malformed_in_our_words(mapped):
    (finding,) = person(mapped, "bob").user.malformed
    assert (finding.attribute, finding.value) == ("dirfactorToken", "pigeon")


def test_a_policy_that_config_ini_does_not_have_is_missing_and_not_passed_over(tmp_path, mapped):
    with contextlib.closing(Replica(tmp_path / "r")) as replica:
        (group,) = person(replica, "alice").groups
        assert group.policy == PolicyLink(policy_id("staff"), None, None)


def test_another_mapping_is_another_question(tmp_path):
    one, other, none = (
        source(DirectorySettings(file=tmp_path / "x", mapping=mapping), SURROUNDINGS).identity
        for mapping in ({"dirfactorToken": "a"}, {"dirfactorToken": "b"}, {})
    )
    assert len({one, other, none}) == 3


@pytest.mark.servers
def test_a_domain_whose_schema_was_never_extended_can_be_followed(fresh_dc, tmp_path):
    """The attributes and classes that the question names beside what is there do not keep a server from answering."""
    dn = fresh_dc.add_user("alice", "Copper-Ladder-63", employeeType="sms", division="staff", mobile="+43 664 0000001")
    settings = DirectorySettings(
        kind=DirectoryKind.AD,
        url=(fresh_dc.ldaps,),
        base=fresh_dc.base_dn,
        bind_dn=fresh_dc.admin,
        bind_password=Secret(fresh_dc.admin_password),
        ca_file=fresh_dc.ca_file,
        mapping={"dirfactorToken": "employeeType", "dirfactorPolicy": "division"},
    )
    with (
        contextlib.closing(source(settings, SURROUNDINGS)) as following,
        contextlib.closing(ReplicaWriter(tmp_path / "r")) as writer,
    ):
        writer.apply(following.changes(None, datetime.now(UTC)), following.identity)
        with contextlib.closing(Replica(tmp_path / "r", named={STAFF.id: STAFF})) as replica:
            assert person(replica, "alice").policy == STAFF
            changes = (
                f"dn: {dn}\nchangetype: modify\nreplace: employeeType\nemployeeType: vip,email\n-\ndelete: division\n"
            )
            fresh_dc.ldapmodify(changes)
            cookie = writer.cookie(following.identity)
            batch = following.changes(cookie, datetime.now(UTC))
            assert not batch.refresh
            writer.apply(batch, following.identity)
            alice = person(replica, "alice")
            assert (alice.user.tokens, alice.policy) == ((TokenKind.VIP, TokenKind.EMAIL), None)
