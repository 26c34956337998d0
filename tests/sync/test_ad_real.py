"""A real domain controller: whatever an administrator does, the replica follows, and ends equal to a full read."""

import msgspec
import pytest

from dirsync.ad.cookie import AdCookie
from dirsync.ad.source import AdSource
from dirsync.change import Delete
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.settings import ChangeFeed
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from real_domain import PASSWORD, Follower, now, settings
from rig.process import run
from schema.secret import Secret
from small_directory import content
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers


@pytest.fixture
def follower(dc, lab, tmp_path):
    """A replica that follows by DirSync."""
    follower = Follower(tmp_path, settings(dc))
    yield follower
    follower.close()


@pytest.fixture(params=[ChangeFeed.DIRSYNC, ChangeFeed.USN])
def any_follower(dc, lab, tmp_path, request):
    """One that follows in each way in which a domain can be read."""
    follower = Follower(tmp_path, settings(dc, changes=request.param))
    yield follower
    follower.close()


def edits(lab, base):
    """What an administrator does in a day, one after the other."""
    modify = "dn: {}\nchangetype: modify\n{}\n"
    rename = "dn: {}\nchangetype: modrdn\nnewrdn: {}\ndeleteoldrdn: 1\n{}"
    alice, bob, carol, vpn, strict = (f"CN={name},{lab}" for name in ("alice", "bob", "carol", "vpn", "strict"))
    people = f"OU=People,{lab}"
    gate = f"CN=gate,{lab}"
    return {
        "add an attribute": modify.format(alice, "add: dirfactorToken\ndirfactorToken: sms\ndirfactorToken: vip"),
        "change attributes": modify.format(
            alice, "replace: mobile\nmobile: +43 664 0000002\n-\nreplace: dirfactorToken\ndirfactorToken: email"
        ),
        "remove an attribute": modify.format(alice, "delete: mobile"),
        "assign a policy": modify.format(alice, f"add: dirfactorPolicy\ndirfactorPolicy: {strict}"),
        "add a second policy": f"dn: CN=lax,{lab}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n",
        "assign the other policy": modify.format(alice, f"replace: dirfactorPolicy\ndirfactorPolicy: CN=lax,{lab}"),
        "assign a policy to the domain": modify.format(base, f"add: dirfactorPolicy\ndirfactorPolicy: {strict}"),
        "a node with members": f"dn: {gate}\nchangetype: add\nobjectClass: dirfactorAccessNode\n"
        f"dirfactorAddress: 192.0.2.7\ndirfactorMember: {vpn}\ndirfactorMember: {carol}\n",
        "a member less in the node": modify.format(
            f"CN=gate,{lab}", f"delete: dirfactorMember\ndirfactorMember: {carol}"
        ),
        "members come and go": modify.format(vpn, f"add: member\nmember: {carol}\n-\ndelete: member\nmember: {bob}"),
        "a group in a group": f"dn: CN=all,{lab}\nchangetype: add\nobjectClass: group\nsAMAccountName: all\n"
        f"member: {vpn}\n",
        "another primary group": modify.format(carol, "replace: primaryGroupID\nprimaryGroupID: VPN_RID"),
        "the primary group again": modify.format(carol, "replace: primaryGroupID\nprimaryGroupID: 513"),
        "an OU": f"dn: {people}\nchangetype: add\nobjectClass: organizationalUnit\n",
        "move a user": rename.format(alice, "CN=alice", f"newsuperior: {people}\n"),
        "rename a user": rename.format(f"CN=alice,{people}", "CN=Älice\\, A.", ""),
        "rename an OU": rename.format(people, "OU=Staff", ""),
        "move an OU": rename.format(f"OU=Staff,{lab}", "OU=Staff", f"newsuperior: {base}\n"),
        "disable a user": modify.format(bob, "replace: userAccountControl\nuserAccountControl: 514"),
        "no members at all": modify.format(vpn, "delete: member"),
        "add them again": modify.format(vpn, f"add: member\nmember: {bob}"),
        "delete a member": f"dn: {bob}\nchangetype: delete\n",
        "delete a policy": f"dn: CN=lax,{lab}\nchangetype: delete\n",
        "come and go": f"dn: CN=visitor,{lab}\nchangetype: add\nobjectClass: user\nsAMAccountName: visitor\n\n"
        f"dn: CN=visitor,{lab}\nchangetype: delete\n",
        "delete a group in a group": f"dn: {vpn}\nchangetype: delete\n",
    }


def edit(dc, lab, ldif):
    (vpn,) = dc.ldapsearch(lab, "(sAMAccountName=vpn)", attributes=["primaryGroupToken"]) or [None]
    dc.ldapmodify(ldif.replace("VPN_RID", vpn.texts("primaryGroupToken")[0]) if vpn else ldif)


def test_whatever_an_administrator_does_the_replica_ends_equal_to_a_full_read(dc, lab, any_follower):
    for what, ldif in edits(lab, dc.base_dn).items():
        edit(dc, lab, ldif)
        assert any_follower.changes(), what
        assert any_follower.follow() is False, what
        assert content(any_follower.writer) == any_follower.full_read(), what
        assert any_follower.changes() == [], what


def test_a_day_of_edits_in_one_batch_leads_to_the_same(dc, lab, any_follower):
    for ldif in edits(lab, dc.base_dn).values():
        edit(dc, lab, ldif)
    assert any_follower.follow() is False
    assert content(any_follower.writer) == any_follower.full_read()


def test_what_decides_about_a_person_arrives(dc, lab, any_follower):
    dc.ldapmodify(
        f"dn: CN=vpn,{lab}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=strict,{lab}\n\n"
        f"dn: CN=alice,{lab}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: sms\n"
    )
    any_follower.follow()
    alice = any_follower.person("alice")
    assert alice.user.tokens == ("sms",)
    assert alice.user.mail == "alice@example.test"
    groups = {membership.group.name: membership for membership in alice.groups}
    assert groups["vpn"].policy.dn == f"CN=strict,{lab}"
    assert "Domain Users" in groups  # the primary group, which does not have her as a member
    assert [ancestor.dn for ancestor in alice.ancestors] == [lab, dc.base_dn]
    assert any_follower.source.netbios_name() == dc.netbios


def test_only_the_values_of_a_link_that_changed_are_sent(dc, lab, follower):
    dc.ldapmodify(f"dn: CN=vpn,{lab}\nchangetype: modify\nadd: member\nmember: CN=carol,{lab}\n")
    (put,) = follower.changes()
    (links,) = put.links.values()
    assert (links.added, links.removed, links.whole) == ((follower.person("carol").id,), (), False)
    assert put.attributes == {}


def test_a_restored_user_comes_back_with_everything(dc, lab, any_follower):
    alice = any_follower.person("alice").id
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: delete\n")
    assert any_follower.changes() == [Delete(alice)]
    any_follower.follow()
    undelete(dc, "alice", f"CN=alice,{lab}")
    assert any_follower.follow() is True
    assert content(any_follower.writer) == any_follower.full_read()
    assert any_follower.person("alice").id == alice


def undelete(dc, name, dn):
    """MS-ADTS section 3.1.1.5.3.7: isDeleted goes and a DN comes, on a tombstone that a control makes visible."""
    shown = ["-e", "!1.2.840.113556.1.4.417"]
    where = f"(&(isDeleted=TRUE)(sAMAccountName={name}))"
    tools = dc.as_user(dc.admin, dc.admin_password)
    found = tools._run(["ldapsearch", "-LLL", "-o", "ldif-wrap=no", *shown, "-b", dc.base_dn, where, "1.1"])
    changes = f"delete: isDeleted\n-\nreplace: distinguishedName\ndistinguishedName: {dn}\n"
    tools._run(["ldapmodify", *shown], f"{found.splitlines()[0]}\nchangetype: modify\n{changes}")


def test_a_restart_of_the_domain_controller_loses_nothing(dc, lab, any_follower):
    dc.stop()
    with pytest.raises(DirectoryUnavailable):
        any_follower.changes()
    dc.start()
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n")
    assert any_follower.follow() is False
    assert any_follower.person("alice").user.mail == "new@example.test"
    # the kept connection dies unnoticed
    dc.stop()
    dc.start()
    assert any_follower.follow() is False


@pytest.mark.parametrize("raw", [b"garbage", b"", b"MSDS"])
def test_a_cookie_that_the_server_cannot_read_leads_to_a_full_read(dc, lab, follower, raw):
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n")
    spoilt = msgspec.structs.replace(AdCookie.decode(follower.cookie), raw=raw)
    follower.follow(spoilt.encode())
    assert content(follower.writer) == follower.full_read()


def test_a_domain_controller_that_went_back_in_time_is_read_anew(dc, lab, any_follower):
    dc.snapshot("then")
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: delete\n")
    any_follower.follow()
    assert any_follower.replica.find([("sam", "alice")]) == ()
    dc.restore("then")
    # DirSync itself accepts the cookie and says that nothing has changed
    assert any_follower.follow() is True
    assert content(any_follower.writer) == any_follower.full_read()
    assert any_follower.person("alice")


@pytest.mark.parametrize(
    "redone",
    ["", "carol", "carol alice", "alice", "carol carol carol", "vpn carol"],
    ids=lambda redone: redone or "nothing",
)
def test_a_domain_controller_that_was_restored_and_changed_again_loses_nothing(dc, lab, any_follower, redone):
    change = f"dn: CN={{}},{lab}\nchangetype: modify\nreplace: description\ndescription: {{}}\n\n"
    dc.snapshot("then")
    dc.ldapmodify(change.format("alice", "lost") + f"dn: CN=bob,{lab}\nchangetype: delete\n")
    any_follower.follow()
    dc.restore("then")
    dc.ldapmodify("".join(change.format(name, number) for number, name in enumerate(redone.split())) or "\n")
    assert any_follower.follow() is True
    assert content(any_follower.writer) == any_follower.full_read()


def test_part_of_a_domain_is_followed_too(dc, lab, tmp_path):
    follower = Follower(tmp_path, settings(dc, base=lab))
    try:
        for what, ldif in edits(lab, dc.base_dn).items():
            edit(dc, lab, ldif)
            follower.follow()
            assert content(follower.writer) == follower.full_read(), what
        dc.ldapmodify(f"dn: CN=carol,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n")
        assert follower.follow() is False
        assert follower.person("carol").user.mail == "new@example.test"
    finally:
        follower.close()


def test_a_service_account_without_any_rights_follows_changes_but_not_deletions(dc, lab, tmp_path):
    dc.add_user("reader", PASSWORD)
    follower = Follower(tmp_path, settings(dc, bind_dn="reader@lab.example.test", bind_password=Secret(PASSWORD)))
    # who was among the last to be changed is missed when it is gone
    again = f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: {{}}@example.test\n\n"
    dc.ldapmodify("".join(again.format(number) for number in range(40)))
    follower.follow()
    try:
        dc.ldapmodify(
            f"dn: CN=bob,{lab}\nchangetype: delete\n\n"
            f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n"
        )
        assert follower.follow() is False
        assert follower.person("alice").user.mail == "new@example.test"
        assert follower.person("bob")
        follower.writer.apply(follower.source.changes(None, now()), follower.source.identity)
        assert follower.replica.find([("sam", "bob")]) == ()
    finally:
        follower.close()


def test_start_tls_is_as_good(dc, lab):
    source = AdSource(settings(dc, url=(dc.ldap,), start_tls=True), SURROUNDINGS)
    assert list(source.changes(None, now()).changes)
    source.close()


def test_a_wrong_service_password_is_refused_once_and_not_tried_elsewhere(dc):
    wrong = settings(dc, url=(dc.ldaps, dc.ldaps.upper().lower()), bind_password=Secret("wrong"))
    with pytest.raises(DirectoryRefused) as fault:
        Connector(wrong, SURROUNDINGS).sign_in()
    assert "bind_password" in fault.value.remedy
    assert "wrong" not in str(fault.value).replace("Wrong", "")


@pytest.mark.parametrize("base", ["CN=Configuration,{}", "DC=no,DC=test"])
def test_a_base_that_is_no_domain_is_refused_and_the_right_one_is_named(dc, lab, base):
    source = AdSource(settings(dc, base=base.format(dc.base_dn)), SURROUNDINGS)
    with pytest.raises(DirectoryRefused) as fault:
        source.changes(None, now())
    source.close()
    assert f"base = {dc.base_dn}" in fault.value.remedy


def verdicts(dc, *asked):
    check = LdapPasswordCheck(settings(dc), SURROUNDINGS)
    try:
        return [check.check(f"CN={name},{parent}", password) for name, parent, password in asked]
    finally:
        check.close()


def test_each_state_of_an_account_has_its_verdict(dc, lab):
    dc.add_user("disabled", PASSWORD, parent=lab, userAccountControl=514)
    dc.add_user("ended", PASSWORD, parent=lab, accountExpires=131000000000000000)
    dc.add_user("new", PASSWORD, parent=lab, pwdLastSet=0)
    dc.add_user("night", PASSWORD, parent=lab, logonHours=bytes(21))
    dc.add_user("desk", PASSWORD, parent=lab, userWorkstations="PC1")
    names = ("alice", "nobody", "disabled", "ended", "new", "night", "desk")
    assert verdicts(dc, *((name, lab, PASSWORD) for name in names)) == [
        PasswordVerdict.RIGHT,
        PasswordVerdict.WRONG,
        PasswordVerdict.DISABLED,
        PasswordVerdict.ACCOUNT_EXPIRED,
        PasswordVerdict.MUST_CHANGE,
        PasswordVerdict.HOURS,
        PasswordVerdict.WORKSTATION,
    ]
    # who does not know the password learns nothing about the account
    assert verdicts(dc, *((name, lab, "wrong") for name in names)) == [PasswordVerdict.WRONG] * len(names)


def test_an_expired_password_is_expired_only_if_it_is_right(dc, lab):
    # Samba lets no password expire within a day, and none be set in the past but by the back door
    dc.ldapmodify(f"dn: {dc.base_dn}\nchangetype: modify\nreplace: maxPwdAge\nmaxPwdAge: -8640000000000\n")
    dc.stop()
    database = dc._home / "data/private/sam.ldb.d" / f"{dc.base_dn.upper()}.ldb"
    long_ago = "replace: pwdLastSet\npwdLastSet: 131000000000000000\n"
    run(
        ["ldbmodify", "-H", str(database), f"--configfile={dc.configuration}"],
        text=f"dn: CN=alice,{lab}\nchangetype: modify\n{long_ago}",
    )
    dc.start()
    assert verdicts(dc, ("alice", lab, PASSWORD), ("alice", lab, "wrong")) == [
        PasswordVerdict.EXPIRED,
        PasswordVerdict.WRONG,
    ]


def test_one_wrong_password_counts_once_and_the_third_locks(dc, lab):
    dc.ldapmodify(
        f"dn: {dc.base_dn}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 3\n-\n"
        "replace: lockoutDuration\nlockoutDuration: -18000000000\n-\n"
        "replace: lockOutObservationWindow\nlockOutObservationWindow: -18000000000\n"
    )

    def bad_count():
        (alice,) = dc.ldapsearch(f"CN=alice,{lab}", scope="base", attributes=["badPwdCount"])
        return int(alice.texts("badPwdCount")[0])

    assert verdicts(dc, ("alice", lab, ""), ("alice", lab, "wrong")) == [PasswordVerdict.WRONG] * 2
    assert bad_count() == 1
    assert verdicts(dc, ("alice", lab, PASSWORD)) == [PasswordVerdict.RIGHT]
    verdicts(dc, *[("alice", lab, "wrong")] * 3)
    assert verdicts(dc, ("alice", lab, PASSWORD)) == [PasswordVerdict.LOCKED]
