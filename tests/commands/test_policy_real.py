"""`dirfactor policy` as an administrator types it; the directory is then looked at with ldapsearch."""

import pytest

from commands.servers import ODD, ODD_RDN
from rig.ldaptools import LdapRefused

pytestmark = pytest.mark.servers


def test_a_created_policy_has_what_was_set_and_stands_beside_the_others(lab):
    first = lab.run(
        "policy", "create", "staff", "--base", lab.place, "--set", "dirfactorsmsenabled=yes",
        "--set", "dirfactorCodeLength=8", "--set", "dirfactorTokenOrder=VIP, sms",
        "--set", "dirfactorReplyAttribute=Filter-Id=a", "--set", "dirfactorReplyAttribute=Filter-Id=b",
    )  # fmt: skip
    dn = lab.dn("staff")
    assert first.status == 0, first
    assert lab.texts(dn, "dirfactorSmsEnabled") == ["TRUE"]
    assert lab.texts(dn, "dirfactorCodeLength") == ["8"]
    assert lab.texts(dn, "dirfactorReplyAttribute") == ["Filter-Id=a", "Filter-Id=b"]
    second = lab.run("policy", "create", ODD)
    assert second.status == 0, second
    assert lab.entry(lab.dn(ODD_RDN)).texts("cn") == [ODD]
    rows = {row["name"]: row for row in lab.run("policy", "list", "--json").data}
    assert set(rows) == {"staff", ODD}
    assert (rows["staff"]["priority"], rows["staff"]["assigned"], rows["staff"]["malformed"]) == (1000, 0, 0)


def test_the_first_policy_has_to_be_told_its_place(lab):
    ended = lab.run("policy", "create", "staff")
    assert ended.status == 3
    assert "--base" in ended.err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("dirfactorCodeLength=5", "expected is a whole number from 6 to 10"),
        ("dirfactorSmsEnabeld=yes", "did you mean dirfactorSmsEnabled?"),
        ("smsEnabled=yes", "did you mean dirfactorSmsEnabled?"),
        ("dirfactorSmsTemplate=hello", "{code} in the text"),
        ("dirfactorLogonHours=always", "expected is hours such as"),
        ("dirfactorToken=sms", "a policy has no 'dirfactorToken'"),
        ("dirfactorCodeLength", "attribute=value"),
    ],
)
def test_what_no_policy_can_have_is_refused_before_anything_is_written(lab, setting, said):
    dn = lab.add_policy("staff")
    before = lab.entry(dn).attributes
    for command in (("policy", "set", "staff", setting), ("policy", "create", "other", "--set", setting)):
        ended = lab.run(*command)
        assert ended.status == 2, ended
        assert said in ended.err
    assert lab.entry(dn).attributes == before
    assert len(lab.run("policy", "list", "--json").data) == 1


def test_a_setting_is_changed_and_cleared(lab):
    dn = lab.add_policy("staff", dirfactorCodeLength="8")
    assert lab.run("policy", "set", "STAFF", "dirfactorCodeLength=7", "dirfactorSmsEnabled=no").status == 0
    assert lab.texts(dn, "dirfactorCodeLength") == ["7"]
    assert lab.texts(dn, "dirfactorSmsEnabled") == ["FALSE"]
    assert lab.run("policy", "set", dn, "dirfactorCodeLength=").status == 0
    assert lab.texts(dn, "dirfactorCodeLength") == []
    assert "nothing to change" in lab.run("policy", "set", dn, "dirfactorCodeLength=").out


def test_show_prints_every_setting_and_marks_defaults_and_names_the_subjects(lab):
    dn = lab.add_policy("staff", dirfactorCodeLength="8")
    alice = lab.add_person("alice")
    lab.run("policy", "assign", "staff", "alice")
    data = lab.run("policy", "show", "staff", "--json").data
    settings = {row["attribute"]: (row["values"], row["default"]) for row in data["settings"]}
    assert settings["dirfactorCodeLength"] == (["8"], False)
    assert settings["dirfactorCodeLifetime"] == (["300"], True)
    assert settings["dirfactorTokenOrder"] == (["sms, email, vip, totp, hotp"], True)
    assert settings["dirfactorVipEnabled"] == (["TRUE"], True)
    assert data["assigned"] == [alice]
    text = lab.run("policy", "show", dn).out
    assert "dirfactorCodeLifetime                    300  (default)\n" in text
    assert f"assigned to 1\n  {alice}\n" in text


def test_a_policy_is_assigned_to_users_groups_and_units_and_taken_away(lab):
    staff, strict = lab.add_policy("staff"), lab.add_policy("strict")
    alice = lab.add_person("alice", ODD_RDN)
    group = lab.dn("vpn")
    kind = {"objectClass": "group", "sAMAccountName": "vpn"} if lab.kind == "ad" else {"objectClass": "groupOfNames"}
    lab.tools.add(group, kind | {"cn": "vpn", "member": alice})
    unit = f"ou=Außen,{lab.place}"
    lab.tools.add(unit, {"objectClass": "organizationalUnit", "ou": "Außen"})
    for subject, dn in (("alice", alice), ("vpn", group), ("außen", unit), (lab.base, lab.base)):
        ended = lab.run("policy", "assign", "staff", subject)
        assert ended.status == 0, ended
        assert lab.texts(dn, "dirfactorPolicy") == [staff]
    ended = lab.run("policy", "assign", "strict", "vpn")
    assert f"assigned {strict}, in the place of {staff}" in ended.out
    assert lab.texts(group, "dirfactorPolicy") == [strict]
    assert "nothing to change" in lab.run("policy", "assign", "staff", "vpn", "--remove").out
    for policy, subject, dn in (("staff", alice, alice), ("strict", "vpn", group), ("staff", lab.base, lab.base)):
        assert lab.run("policy", "assign", policy, subject, "--remove").status == 0
        assert lab.texts(dn, "dirfactorPolicy") == []


def test_two_who_assign_at_the_same_time_do_not_overwrite_each_other(lab):
    lab.add_policy("staff")
    strict = lab.add_policy("strict")
    alice = lab.add_person("alice")
    lab.run("policy", "assign", "staff", "alice")
    mine = lab.run("policy", "assign", "strict", "alice", "--dry-run").out
    lab.tools.modify(mine)
    with pytest.raises(LdapRefused):
        lab.tools.modify(mine)
    assert lab.texts(alice, "dirfactorPolicy") == [strict]


def test_a_subject_that_is_nobody_or_several_is_not_guessed(lab):
    lab.add_policy("staff")
    lab.add_person("vpn", "person")
    kind = {"objectClass": "group"} if lab.kind == "ad" else {"objectClass": "groupOfNames", "member": lab.place}
    lab.tools.add(lab.dn("vpn"), kind | {"cn": "vpn"})
    several = lab.run("policy", "assign", "staff", "vpn")
    assert several.status == 2
    assert lab.dn("vpn").lower() in several.err.lower()
    assert lab.dn("person").lower() in several.err.lower()
    for name in ("nobody", "*", "v*"):
        assert "there is no user, group or" in lab.run("policy", "assign", "staff", name).err
    for name in ("*", "st*"):
        assert "there is no policy" in lab.run("policy", "assign", name, "vpn").err


def test_what_cannot_have_a_policy_is_said(ad_lab):
    ad_lab.add_policy("staff")
    ended = ad_lab.run("policy", "assign", "staff", f"CN=Users,{ad_lab.base}")
    ad_lab.clear()
    assert ended.status == 3
    assert "no policy can be assigned to CN=Users" in ended.err
