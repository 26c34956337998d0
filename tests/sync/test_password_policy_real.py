"""A real OpenLDAP with the overlay ppolicy, and 389-ds: what they say of accounts and passwords decides."""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec import structs

from dirsync.password import PasswordVerdict
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.syncrepl.server import OPENLDAP
from dirsync.syncrepl.source import SyncreplSource
from dirsync.wire.bind import LdapPasswordCheck
from rig.fixtures import OPENLDAP_SCHEMA, need, running
from rig.slapd import Slapd
from schema.secret import Secret
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers

PASSWORD = "Copper-Ladder-63"
OVERLAY = """\
dn: cn=module{{0}},cn=config
changetype: modify
add: olcModuleLoad
olcModuleLoad: ppolicy

dn: olcOverlay=ppolicy,olcDatabase={{1}}mdb,cn=config
changetype: add
objectClass: olcOverlayConfig
objectClass: olcPPolicyConfig
olcOverlay: ppolicy
olcPPolicyDefault: cn=passwords,ou=policies,{base}
"""
POLICY = """\
dn: cn=passwords,ou=policies,{base}
changetype: add
objectClass: device
objectClass: pwdPolicy
cn: passwords
pwdAttribute: userPassword
pwdMustChange: TRUE

dn: cn=grace,ou=policies,{base}
changetype: add
objectClass: device
objectClass: pwdPolicy
cn: grace
pwdAttribute: userPassword
pwdMaxAge: 1
pwdGraceAuthNLimit: 3
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """OpenLDAP with a password policy for everybody."""
    need("slapd", "ldapmodify")
    with running(Slapd(tmp_path_factory.mktemp("ppolicy"), OPENLDAP_SCHEMA)) as server:
        server.tools(server.config, server.config_password).modify(OVERLAY.format(base=server.base_dn))
        server.tools().modify(POLICY.format(base=server.base_dn))
        yield server


def settings(server):
    return DirectorySettings(
        kind=DirectoryKind.OPENLDAP,
        url=(server.ldaps,),
        base=server.base_dn,
        bind_dn=server.sync,
        bind_password=Secret(server.sync_password),
        ca_file=server.ca_file,
    )


def add_person(server, name, **values):
    """Somebody with this password, and what an administrator sets of the policy's attributes; their DN."""
    dn = f"uid={name},ou=people,{server.base_dn}"
    given = {"objectClass": "inetOrgPerson", "uid": name, "cn": name, "sn": name, "userPassword": PASSWORD}
    server.tools().add(dn, given)
    for attribute, value in values.items():
        server.tools().modify(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")
    return dn


def test_when_an_account_begins_and_ends_arrives(server, tmp_path):
    add_person(server, "temp", pwdStartTime="20260101080000Z", pwdEndTime="20260331180000Z")
    with (
        closing(SyncreplSource(settings(server), OPENLDAP, SURROUNDINGS)) as source,
        closing(ReplicaWriter(tmp_path / "replica.sqlite")) as writer,
        closing(Replica(tmp_path / "replica.sqlite")) as replica,
    ):
        writer.apply(source.changes(None, datetime.now(UTC)), source.identity)
        (found,) = replica.find([("sam", "temp")])
        user = replica.person(found).user
    assert (user.starts_at, user.expires_at) == (
        datetime(2026, 1, 1, 8, tzinfo=UTC),
        datetime(2026, 3, 31, 18, tzinfo=UTC),
    )


def test_a_password_that_must_be_changed_first_is_not_right(server):
    new, old = add_person(server, "new", pwdReset="TRUE"), add_person(server, "old")
    with closing(LdapPasswordCheck(settings(server), SURROUNDINGS)) as check:
        assert check.check(new, PASSWORD) is PasswordVerdict.MUST_CHANGE
        assert check.check(new, "wrong") is PasswordVerdict.WRONG
        # the server holds the connection to a change of the password, until somebody else binds
        assert check.check(old, PASSWORD) is PasswordVerdict.RIGHT
        assert check.check(old, "wrong") is PasswordVerdict.WRONG


def test_a_password_in_its_grace_has_expired(server):
    # when a password was set is written down from when on it has an end
    late = add_person(server, "late", pwdPolicySubentry=f"cn=grace,ou=policies,{server.base_dn}", userPassword=PASSWORD)
    time.sleep(2.1)  # times are whole seconds there
    with closing(LdapPasswordCheck(settings(server), SURROUNDINGS)) as check:
        verdicts = [check.check(late, PASSWORD) for _ in range(4)]
    # after the third it is as wrong as any other
    assert verdicts == [PasswordVerdict.EXPIRED] * 3 + [PasswordVerdict.WRONG]


def test_389_directory_server_says_as_well_that_a_password_must_be_changed_first(ds389):
    ds389.reset()
    rule = "dn: cn=config\nchangetype: modify\nreplace: passwordMustChange\npasswordMustChange: {}\n"
    given = structs.replace(settings(ds389), kind=DirectoryKind.DS389)
    old = add_person(ds389, "old")
    ds389.tools().modify(rule.format("on"))
    try:
        new = add_person(ds389, "new")
        with closing(LdapPasswordCheck(given, SURROUNDINGS)) as check:
            assert check.check(new, PASSWORD) is PasswordVerdict.MUST_CHANGE
            assert check.check(new, "wrong") is PasswordVerdict.WRONG
            assert check.check(old, PASSWORD) is PasswordVerdict.RIGHT
    finally:
        ds389.tools().modify(rule.format("off"))
        ds389.reset()
