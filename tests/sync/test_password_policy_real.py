"""A real OpenLDAP with the overlay ppolicy: what it says of accounts decides."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.syncrepl.server import OPENLDAP
from dirsync.syncrepl.source import SyncreplSource
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
