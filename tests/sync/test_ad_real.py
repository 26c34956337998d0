"""A real domain controller: whatever an administrator does, the replica follows, and ends equal to a full read."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dirsync.ad.cookie import AdCookie
from dirsync.ad.source import AdSource
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.bind import LdapPasswordCheck
from dirsync.change import Delete
from dirsync.connector import Connector
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from rig.process import run
from schema.secret import Secret
from small_directory import content
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers

PASSWORD = "Copper-Ladder-63"


def now():
    return datetime.now(UTC)


def apply_schema(dc):
    access = AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)
    schema_admin.apply(access, schema_admin.plan(access), lambda step: None)


@pytest.fixture(scope="module")
def schema_dc(samba_dc):
    """The domain controller with our schema; work in an OU of your own."""
    samba_dc.become("dirfactor schema", apply_schema)
    return samba_dc


@pytest.fixture
def dc(schema_dc):
    """The same, with nothing but the schema."""
    schema_dc.become("dirfactor schema", apply_schema)
    return schema_dc


@pytest.fixture
def lab(dc):
    """DN of an OU with alice, bob and carol, a policy, and the group `vpn` of alice and bob."""
    lab = f"OU=Lab,{dc.base_dn}"
    dc.ldapmodify(f"dn: {lab}\nchangetype: add\nobjectClass: organizationalUnit\n")
    for name in ("alice", "bob", "carol"):
        dc.add_user(name, PASSWORD, parent=lab, mail=f"{name}@example.test", mobile="+43 664 0000001")
    dc.ldapmodify(
        f"dn: CN=strict,{lab}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n\n"
        f"dn: CN=vpn,{lab}\nchangetype: add\nobjectClass: group\nsAMAccountName: vpn\n"
        f"member: CN=alice,{lab}\nmember: CN=bob,{lab}\n"
    )
    return lab


def settings(dc, **given):
    return DirectorySettings(
        **{
            "kind": DirectoryKind.AD,
            "url": (dc.ldaps,),
            "base": dc.base_dn,
            "bind_dn": dc.admin,
            "bind_password": Secret(dc.admin_password),
            "ca_file": dc.ca_file,
        }
        | given
    )


class Follower:
    """A replica that follows the domain."""

    def __init__(self, folder: Path, settings: DirectorySettings) -> None:
        self._folder = folder
        self._settings = settings
        self.source = AdSource(settings, SURROUNDINGS)
        self.writer = ReplicaWriter(folder / "replica.sqlite")
        self.replica = Replica(folder / "replica.sqlite")
        self._reads = 0
        assert self.follow() is True

    @property
    def cookie(self):
        return self.writer.cookie(self.source.identity)

    def follow(self, cookie=None):
        """Takes in what has changed; whether that was everything."""
        batch = self.source.changes(cookie or self.cookie, now())
        self.writer.apply(batch, self.source.identity)
        return batch.refresh

    def changes(self):
        """What has changed, without taking it in."""
        batch = self.source.changes(self.cookie, now())
        assert not batch.refresh
        return list(batch.changes)

    def full_read(self):
        """What somebody has who begins now."""
        self._reads += 1
        writer = ReplicaWriter(self._folder / f"full{self._reads}.sqlite")
        source = AdSource(self._settings, SURROUNDINGS)
        try:
            writer.apply(source.changes(None, now()), source.identity)
            return content(writer)
        finally:
            source.close()
            writer.close()

    def person(self, sam):
        (user,) = self.replica.find([("sam", sam)])
        return self.replica.person(user)

    def close(self):
        self.source.close()
        self.replica.close()
        self.writer.close()


@pytest.fixture
def follower(dc, lab, tmp_path):
    follower = Follower(tmp_path, settings(dc))
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


def test_whatever_an_administrator_does_the_replica_ends_equal_to_a_full_read(dc, lab, follower):
    for what, ldif in edits(lab, dc.base_dn).items():
        edit(dc, lab, ldif)
        assert follower.changes(), what
        assert follower.follow() is False, what
        assert content(follower.writer) == follower.full_read(), what
        assert follower.changes() == [], what


def test_a_day_of_edits_in_one_batch_leads_to_the_same(dc, lab, follower):
    for ldif in edits(lab, dc.base_dn).values():
        edit(dc, lab, ldif)
    assert follower.follow() is False
    assert content(follower.writer) == follower.full_read()


def test_what_decides_about_a_person_arrives(dc, lab, follower):
    dc.ldapmodify(
        f"dn: CN=vpn,{lab}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=strict,{lab}\n\n"
        f"dn: CN=alice,{lab}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: sms\n"
    )
    follower.follow()
    alice = follower.person("alice")
    assert alice.user.tokens == ("sms",)
    assert alice.user.mail == "alice@example.test"
    groups = {membership.group.name: membership for membership in alice.groups}
    assert groups["vpn"].policy.dn == f"CN=strict,{lab}"
    assert "Domain Users" in groups  # the primary group, which does not have her as a member
    assert [ancestor.dn for ancestor in alice.ancestors] == [lab, dc.base_dn]
    assert follower.source.netbios_name() == dc.netbios


def test_only_the_values_of_a_link_that_changed_are_sent(dc, lab, follower):
    dc.ldapmodify(f"dn: CN=vpn,{lab}\nchangetype: modify\nadd: member\nmember: CN=carol,{lab}\n")
    (put,) = follower.changes()
    (links,) = put.links.values()
    assert (links.added, links.removed, links.whole) == ((follower.person("carol").id,), (), False)
    assert put.attributes == {}


def test_a_restored_user_comes_back_with_everything(dc, lab, follower):
    alice = follower.person("alice").id
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: delete\n")
    assert follower.changes() == [Delete(alice)]
    follower.follow()
    undelete(dc, "alice", f"CN=alice,{lab}")
    assert follower.follow() is True
    assert content(follower.writer) == follower.full_read()
    assert follower.person("alice").id == alice


def undelete(dc, name, dn):
    """MS-ADTS section 3.1.1.5.3.7: isDeleted goes and a DN comes, on a tombstone that a control makes visible."""
    shown = ["-e", "!1.2.840.113556.1.4.417"]
    where = f"(&(isDeleted=TRUE)(sAMAccountName={name}))"
    tools = dc.as_user(dc.admin, dc.admin_password)
    found = tools._run(["ldapsearch", "-LLL", "-o", "ldif-wrap=no", *shown, "-b", dc.base_dn, where, "1.1"])
    changes = f"delete: isDeleted\n-\nreplace: distinguishedName\ndistinguishedName: {dn}\n"
    tools._run(["ldapmodify", *shown], f"{found.splitlines()[0]}\nchangetype: modify\n{changes}")


def test_a_restart_of_the_domain_controller_loses_nothing(dc, lab, follower):
    dc.stop()
    with pytest.raises(DirectoryUnavailable):
        follower.changes()
    dc.start()
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n")
    assert follower.follow() is False
    assert follower.person("alice").user.mail == "new@example.test"
    # the kept connection dies unnoticed
    dc.stop()
    dc.start()
    assert follower.follow() is False


@pytest.mark.parametrize("raw", [b"garbage", b"", b"MSDS"])
def test_a_cookie_that_the_server_cannot_read_leads_to_a_full_read(dc, lab, follower, raw):
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n")
    spoilt = msgspec.structs.replace(AdCookie.decode(follower.cookie), raw=raw)
    follower.follow(spoilt.encode())
    assert content(follower.writer) == follower.full_read()


def test_a_domain_controller_that_went_back_in_time_is_read_anew(dc, lab, follower):
    dc.snapshot("then")
    dc.ldapmodify(f"dn: CN=alice,{lab}\nchangetype: delete\n")
    follower.follow()
    assert follower.replica.find([("sam", "alice")]) == ()
    dc.restore("then")
    # DirSync itself accepts the cookie and says that nothing has changed
    assert follower.follow() is True
    assert content(follower.writer) == follower.full_read()
    assert follower.person("alice")


def test_a_service_account_without_any_rights_follows_changes_but_not_deletions(dc, lab, tmp_path):
    dc.add_user("reader", PASSWORD)
    follower = Follower(tmp_path, settings(dc, bind_dn="reader@lab.example.test", bind_password=Secret(PASSWORD)))
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


@pytest.mark.parametrize("base", ["OU=Lab,{}", "CN=Configuration,{}", "DC=no,DC=test"])
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
        ["ldbmodify", "-H", str(database), f"--configfile={dc._configuration}"],
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
