"""The schema in a real OpenLDAP server: the command's steps and both files alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.errors import DirectoryRefused
from rig.fixtures import need, running
from rig.ldaptools import LdapRefused
from rig.process import run
from rig.slapd import DEBIAN_SCHEMA, Slapd
from schema import openldap
from schema.active_directory import Add
from schema.secret import Secret

pytestmark = pytest.mark.servers

LDIF = Path(__file__).parents[2] / "ldif"

ENTRIES = """\
dn: uid=carol,ou=people,{base}
objectClass: inetOrgPerson
objectClass: dirfactorUser
objectClass: dirfactorSubject
cn: Carol
sn: C
dirfactorToken: sms
dirfactorPin: digest
dirfactorUnlockedAt: 20261124120000Z
dirfactorPolicy: cn=strict,ou=policies,{base}

dn: cn=strict,ou=policies,{base}
objectClass: dirfactorSecurityPolicy
description: for everybody
dirfactorCodeLength: 8
dirfactorSmsEnabled: TRUE
dirfactorReplyAttribute: Filter-Id=vpn-staff

dn: cn=vpn,ou=policies,{base}
objectClass: dirfactorAccessNode
dirfactorAddress: 192.0.2.0/24
dirfactorMember: uid=carol,ou=people,{base}
dirfactorPolicy: cn=strict,ou=policies,{base}
"""


def as_changes(ldif):
    return "".join(
        line + ("changetype: add\n" if line.startswith("dn: ") else "") for line in ldif.splitlines(keepends=True)
    )


@pytest.fixture
def bare_slapd(tmp_path):
    """An OpenLDAP server without our schema."""
    need("slapd", "ldapmodify")
    with running(Slapd(tmp_path / "slapd")) as server:
        yield server


def configurator(slapd):
    return AdminAccess((slapd.ldaps,), slapd.config, Secret(slapd.config_password), slapd.ca_file)


def install(access):
    plan = schema_admin.plan(access)
    return plan, schema_admin.apply(access, plan, lambda _: None)


def takes_entries(slapd):
    slapd.tools().modify(as_changes(ENTRIES.format(base=slapd.base_dn)))
    found = slapd.tools().search(slapd.base_dn, "(dirfactorCodeLength>=7)", attributes=["dirfactorCodeLength"])
    assert [entry.texts("dirfactorCodeLength") for entry in found] == [["8"]]
    with pytest.raises(LdapRefused, match="multiple values"):
        slapd.tools().modify(
            f"dn: cn=strict,ou=policies,{slapd.base_dn}\nchangetype: modify\nadd: dirfactorCodeLength\n"
            "dirfactorCodeLength: 9\n"
        )
    return True


def test_the_file_is_loaded_by_slapadd_and_an_entry_of_each_class_fits(fresh_slapd):
    """The rig loads ldif/openldap.ldif with slapadd -n0."""
    assert takes_entries(fresh_slapd)
    assert schema_admin.verify(configurator(fresh_slapd)).done


def test_the_file_is_loaded_by_ldapadd_into_a_running_server(bare_slapd):
    bare_slapd.tools(bare_slapd.config).modify(as_changes((LDIF / "openldap.ldif").read_text()))
    assert takes_entries(bare_slapd)
    assert schema_admin.verify(configurator(bare_slapd)).done


def test_the_classic_file_is_included_by_slapd_conf_and_is_the_same_schema(tmp_path, bare_slapd):
    need("slapd")
    files = [DEBIAN_SCHEMA / f"{name}.schema" for name in ("core", "cosine", "inetorgperson")]
    classic = tmp_path / "slapd.conf"
    classic.write_text("".join(f"include {file}\n" for file in (*files, LDIF / "openldap.schema")))
    (tmp_path / "converted").mkdir()
    run([bare_slapd._program, "-Ttest", "-f", str(classic), "-F", str(tmp_path / "converted")])
    (converted,) = (tmp_path / "converted/cn=config/cn=schema").glob("*openldap.ldif")
    entry = converted.read_text().split("structuralObjectClass:")[0]
    bare_slapd.tools(bare_slapd.config).modify(
        as_changes(entry.replace("dn: cn={3}openldap", "dn: cn={3}openldap,cn=schema,cn=config"))
    )
    assert schema_admin.verify(configurator(bare_slapd)).done
    assert takes_entries(bare_slapd)


def test_openldap_is_planned_applied_and_applied_again_without_a_change(bare_slapd):
    access = configurator(bare_slapd)
    plan, applied = install(access)
    assert [type(step) for step in applied.changes] == [Add]
    assert applied.changes == plan.steps
    assert install(access)[1].changes == ()
    assert schema_admin.verify(access).done
    assert takes_entries(bare_slapd)
    bare_slapd.stop()
    bare_slapd.start()
    assert schema_admin.verify(access).done


def test_an_older_schema_in_use_is_extended_without_touching_the_entries(bare_slapd):
    ours = openldap.definitions()
    newest = "dirfactorSmsEnabled"
    older = replace(
        ours,
        attribute_types=tuple(item.replace("{64}", "{32}") for item in ours.attribute_types if newest not in item),
        object_classes=tuple(item.replace(f"$ {newest}\n    ", "") for item in ours.object_classes),
    )
    bare_slapd.tools(bare_slapd.config).modify(as_changes(openldap.render_config(older)))
    entries = ENTRIES.format(base=bare_slapd.base_dn)
    bare_slapd.tools().modify(as_changes(entries.replace("dirfactorSmsEnabled: TRUE\n", "")))
    access = configurator(bare_slapd)
    plan, applied = install(access)
    assert applied.changes == plan.steps
    assert len(plan.steps) > 3
    assert schema_admin.verify(access).done
    strict = f"cn=strict,ou=policies,{bare_slapd.base_dn}"
    bare_slapd.tools().modify(f"dn: {strict}\nchangetype: modify\nadd: {newest}\n{newest}: TRUE\n")
    bare_slapd.stop()
    bare_slapd.start()
    assert bare_slapd.tools().search(strict, scope="base")[0].texts("dirfactorCodeLength") == ["8"]


def test_root_needs_no_password_over_the_local_socket(bare_slapd):
    root = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"
    bare_slapd.tools(bare_slapd.config).modify(
        "dn: olcDatabase={0}config,cn=config\nchangetype: modify\nadd: olcAccess\n"
        f"olcAccess: to * by dn.exact={root} manage by * none\n"
    )
    access = AdminAccess((bare_slapd.ldapi,))
    assert len(install(access)[1].changes) == 1
    assert schema_admin.verify(access).done


def test_a_name_over_the_local_socket_is_refused_for_nobody_would_be_asked_for_its_password(bare_slapd):
    access = AdminAccess((bare_slapd.ldapi,), bare_slapd.config, Secret("wrong"))
    with pytest.raises(DirectoryRefused, match="takes no name such as cn=config"):
        schema_admin.plan(access)


def test_openldaps_data_administrator_is_told_whom_to_be(bare_slapd):
    access = replace(configurator(bare_slapd), bind_name=bare_slapd.admin)
    with pytest.raises(DirectoryRefused, match=r"cn=admin,.* may not read cn=schema,cn=config") as refusal:
        schema_admin.plan(access)
    assert "administrator of cn=config" in refusal.value.remedy
