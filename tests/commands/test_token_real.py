"""`dirfactor token` as an administrator types it; the directory is then looked at with ldapsearch."""

import pytest

from commands.servers import ODD, ODD_RDN
from rig.ldaptools import LdapRefused
from schema.ldif_text import line

pytestmark = pytest.mark.servers


@pytest.fixture
def alice(lab):
    """Alice, governed by a policy that allows texts and mails and wants VIP, texts, mails in this order."""
    lab.add_policy("staff", dirfactorTokenOrder="vip, sms, email")
    dn = lab.add_person("alice")
    assert lab.run("policy", "assign", "staff", "alice").status == 0
    return dn


def test_an_assigned_token_stands_in_the_directory_and_the_user_is_to_be_told(lab, alice):
    ended = lab.run("token", "assign", "ALICE", "sms")
    assert lab.texts(alice, "dirfactorToken") == ["sms"]
    assert ended.status == 0, ended
    assert "alice gets a text to +43***01 at the next logon\n" in ended.out
    assert "!" not in ended.out
    again = lab.run("token", "assign", "alice", "SMS", "--json").data
    assert (again["written"], again["ldif"]) == (False, "")
    assert again["tell"] == "alice gets a text to +43***01 at the next logon"


def test_a_token_that_will_not_work_is_written_and_warned_of(lab, alice):
    ended = lab.run("token", "assign", "alice", "vip")
    assert lab.texts(alice, "dirfactorToken") == ["vip"]
    assert ended.status == 1
    assert "! the vip token will not work: the user has no credential in dirfactorVipCredential" in ended.out
    assert "! a logon of alice is refused: no-token" in ended.out
    lab.tools.modify(f"dn: {alice}\nchangetype: modify\ndelete: mobile\n")
    ended = lab.run("token", "assign", "alice", "sms")
    assert ended.status == 1
    assert "! the sms token will not work: the user has no phone number in mobile" in ended.out


def test_credentials_phone_and_mail_go_where_the_logon_reads_them(lab, alice):
    ended = lab.run("token", "assign", "alice", "vip", "--credential", "vsst 1234-5678", "--credential", "VSMT99990000")
    assert lab.texts(alice, "dirfactorVipCredential") == ["VSMT99990000", "VSST12345678"]
    assert "alice is asked for the security code of VIP credential VSMT99990000 or VSST12345678" in ended.out
    ended = lab.run("token", "assign", "alice", "sms", "--phone", "+43 664 0000077")
    assert lab.texts(alice, "dirfactorPhone") == ["+436640000077"]
    assert "has vip asked for before sms (dirfactorTokenOrder)" in ended.out
    lab.run("token", "assign", "alice", "sms", "--phone", "+43 664 0000088")
    assert lab.texts(alice, "dirfactorPhone") == ["+436640000088"]
    lab.run("token", "assign", "alice", "email", "--mail", "a@example.org")
    assert lab.texts(alice, "dirfactorMail") == ["a@example.org"]
    assert lab.texts(alice, "dirfactorToken") == ["email", "sms", "vip"]


def test_a_removed_token_is_gone_and_what_is_left_is_told(lab, alice):
    lab.run("token", "assign", "alice", "sms")
    lab.run("token", "assign", "alice", "vip", "--credential", "VSST12345678", "--credential", "VSMT99990000")
    ended = lab.run("token", "remove", "alice", "vip", "--credential", "VSMT99990000")
    assert lab.texts(alice, "dirfactorVipCredential") == ["VSST12345678"]
    assert lab.texts(alice, "dirfactorToken") == ["sms", "vip"]
    ended = lab.run("token", "remove", "alice", "vip", "--credential", "VSST12345678")
    assert lab.texts(alice, "dirfactorToken") == ["sms"]
    assert lab.texts(alice, "dirfactorVipCredential") == []
    assert (ended.status, "alice gets a text to" in ended.out) == (0, True)
    ended = lab.run("token", "remove", "alice", "sms")
    assert lab.texts(alice, "dirfactorToken") == []
    assert ended.status == 1
    assert "! a logon of alice is refused: no-token" in ended.out


def test_a_dry_run_prints_the_ldif_and_the_directory_takes_it(lab, alice):
    before = lab.entry(alice).attributes
    ended = lab.run("token", "assign", "alice", "vip", "--credential", "VSST12345678", "--dry-run")
    assert lab.entry(alice).attributes == before
    ldif = ended.out.split("alice is asked for")[0]
    lab.tools.modify(ldif)
    assert lab.texts(alice, "dirfactorToken") == ["vip"]
    assert lab.run("token", "assign", "alice", "vip", "--credential", "VSST12345678", "--json").data["ldif"] == ""


def test_everybody_with_a_token_is_listed_and_counted(lab, alice):
    lab.run("token", "assign", "alice", "sms")
    lab.add_person("bob")
    lab.run("token", "assign", "bob", "email")
    lab.run("token", "assign", "bob", "sms")
    lab.add_person("carol")
    data = lab.run("token", "list", "--json").data
    assert [(row["name"], sorted(row["tokens"])) for row in data["users"]] == [
        ("alice", ["sms"]),
        ("bob", ["email", "sms"]),
    ]
    assert data["counts"] == {"sms": 2, "email": 1}
    assert lab.run("token", "list").out.endswith("2 users: sms 2, email 1\n")
    only = lab.run("token", "list", "--kind", "email", "--base", lab.place, "--json").data
    assert [row["name"] for row in only["users"]] == ["bob"]


def test_show_says_of_each_token_whether_it_can_be_used(lab, alice):
    lab.run("token", "assign", "alice", "sms")
    lab.run("token", "assign", "alice", "vip")
    data = lab.run("token", "show", "alice", "--json").data
    tokens = {row["kind"]: (row["usable"], row["about"]) for row in data["tokens"]}
    assert tokens == {
        "sms": (True, "+43***01"),
        "vip": (False, "the user has no credential in dirfactorVipCredential"),
    }
    assert data["tell"] == "alice gets a text to +43***01 at the next logon"


@pytest.mark.parametrize("name", ["*", "alice*", "a)(uid=*", "(&", "\\2a", "alice\x00", "", "o'hara, (max)\\ *"])
def test_no_name_that_is_typed_becomes_a_filter(lab, alice, name):
    ended = lab.run("token", "assign", name, "sms")
    assert ended.status == 2, ended
    assert "there is no user" in ended.err
    assert lab.texts(alice, "dirfactorToken") == []


def test_a_name_that_several_have_is_not_guessed(lab, alice):
    other = lab.add_person("other", mail="alice@example.test")
    ended = lab.run("token", "assign", "alice@example.test", "sms")
    assert ended.status == 2
    assert alice.lower() in ended.err.lower()
    assert other.lower() in ended.err.lower()
    assert lab.texts(alice, "dirfactorToken") == lab.texts(other, "dirfactorToken") == []


def test_names_and_dns_with_special_characters_are_found_and_written(lab):
    dn = lab.add_person("o'hara", ODD_RDN, displayName=ODD)
    assert lab.run("token", "assign", "O'HARA", "sms").status == 1, "no policy allows it yet"
    assert lab.texts(dn, "dirfactorToken") == ["sms"]
    assert lab.run("token", "remove", dn, "sms").status == 1
    assert lab.texts(dn, "dirfactorToken") == []
    umlaut = lab.add_person("jg", "Jürgen Groß")
    auxiliary = "" if lab.kind == "ad" else "add: objectClass\nobjectClass: dirfactorUser\n-\n"
    name = line("dirfactorLoginName", "jürgen.groß")
    lab.tools.modify(f"{line('dn', umlaut)}\nchangetype: modify\n{auxiliary}add: dirfactorLoginName\n{name}\n")
    lab.run("token", "assign", "JÜRGEN.GROß", "sms")
    assert lab.texts(umlaut, "dirfactorToken") == ["sms"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("totp",), "where the key ring is"),
        (("sms", "--phone", "1-800-FLOWERS"), "is no number that can be dialled"),
        (("sms", "--phone", "0664 0000001"), "is no number that can be dialled"),
        (("email", "--mail", "a@example.org, b@example.org"), "not one plain mail address"),
        (("vip", "--credential", "VS$T"), "no VIP credential id"),
        (("sms", "--credential", "VSST12345678"), "--credential says nothing about sms"),
    ],
)
def test_what_no_logon_could_use_is_refused_before_anything_is_written(lab, alice, arguments, problem):
    ended = lab.run("token", "assign", "alice", *arguments)
    assert ended.status == 2
    assert problem in ended.err
    assert lab.texts(alice, "dirfactorToken") == []


def test_somebody_who_was_faster_is_not_overwritten(lab, alice):
    """The LDIF of a dry run is what is sent: old values are named, so it is refused when they are others by then."""
    lab.run("token", "assign", "alice", "sms", "--phone", "+43 664 0000002")
    ended = lab.run("token", "assign", "alice", "sms", "--phone", "+43 664 0000003", "--dry-run")
    lab.run("token", "assign", "alice", "sms", "--phone", "+43 664 0000004")
    with pytest.raises(LdapRefused) as refusal:
        lab.tools.modify(ended.out.split("alice gets")[0])
    assert refusal.value.code == 16
    assert lab.texts(alice, "dirfactorPhone") == ["+436640000004"]


def test_without_a_name_nothing_is_written(lab, alice):
    ended = lab.run_as((), "token", "assign", "alice", "sms", "--url", lab.options[1])
    assert ended.status == 2
    assert "--bind" in ended.err
