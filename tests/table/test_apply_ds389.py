"""The schema in a real 389 Directory Server: the command's steps and the file alike."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.admin.plan import Redefine
from dirsync.errors import DirectoryRefused
from rig.ds389 import DirectoryServer389
from rig.fixtures import need, need_root, running
from rig.ldaptools import LdapRefused
from schema import ds389 as schema
from schema.active_directory import Extend
from schema.attributes import ATTRIBUTES
from schema.secret import Secret

pytestmark = pytest.mark.servers

FILE = Path(__file__).parents[2] / "ldif" / "389-ds.ldif"

ENTRIES = """\
dn: uid=carol,ou=people,{base}
changetype: add
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
changetype: add
objectClass: dirfactorSecurityPolicy
description: for everybody
dirfactorCodeLength: 8
dirfactorSmsEnabled: TRUE
dirfactorReplyAttribute: Filter-Id=vpn-staff

dn: cn=vpn,ou=policies,{base}
changetype: add
objectClass: dirfactorAccessNode
dirfactorAddress: 192.0.2.0/24
dirfactorMember: uid=carol,ou=people,{base}
dirfactorPolicy: cn=strict,ou=policies,{base}
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    need("ns-slapd", "certutil", "ldapmodify")
    need_root()
    with running(DirectoryServer389(tmp_path_factory.mktemp("bare389"))) as server:
        yield server


@pytest.fixture
def bare_server(bare):
    """A 389 Directory Server without our schema."""
    bare.reset()
    return bare


def administrator(server):
    return AdminAccess((server.ldaps,), server.admin, Secret(server.admin_password), server.ca_file)


def install(access):
    plan = schema_admin.plan(access)
    return plan, schema_admin.apply(access, plan, lambda _: None)


def takes_entries(server):
    server.tools().modify(ENTRIES.format(base=server.base_dn))
    found = server.tools().search(server.base_dn, "(dirfactorCodeLength>=7)", attributes=["dirfactorCodeLength"])
    assert [entry.texts("dirfactorCodeLength") for entry in found] == [["8"]]
    with pytest.raises(LdapRefused, match="multiple values"):
        server.tools().modify(
            f"dn: cn=strict,ou=policies,{server.base_dn}\nchangetype: modify\nadd: dirfactorCodeLength\n"
            "dirfactorCodeLength: 9\n"
        )
    return True


def test_the_server_starts_with_the_file_in_its_folder_and_an_entry_of_each_class_fits(ds389):
    """The rig puts ldif/389-ds.ldif into the schema folder."""
    assert takes_entries(ds389)
    assert schema_admin.verify(administrator(ds389)).done


def test_the_file_is_loaded_online_by_the_recipe_in_its_header(bare_server):
    recipe = re.search(r"sed .*?\|\n", FILE.read_text(), re.DOTALL)[0].removesuffix("|\n").replace("\n#", "\n")
    changes = subprocess.run(["bash", "-c", recipe], cwd=FILE.parent, capture_output=True, text=True, check=True).stdout
    bare_server.tools().modify(changes)
    assert takes_entries(bare_server)
    assert schema_admin.verify(administrator(bare_server)).done


def test_the_schema_is_planned_applied_and_applied_again_without_a_change(bare_server):
    access = administrator(bare_server)
    plan, applied = install(access)
    assert [type(step) for step in plan.steps] == [Extend, Extend]
    assert applied.changes == plan.steps
    assert install(access)[1].changes == ()
    assert schema_admin.verify(access).done
    assert takes_entries(bare_server)
    bare_server.stop()
    bare_server.start()
    assert schema_admin.verify(access).done


@pytest.mark.parametrize("where", ["online", "from a file"])
def test_an_older_schema_in_use_is_extended_without_touching_the_entries(bare_server, where):
    ours = schema.definitions()
    newest = "dirfactorSmsEnabled"
    older = replace(
        ours,
        attribute_types=tuple(
            item.replace("phone number for SMS", "number") for item in ours.attribute_types if newest not in item
        ),
        object_classes=tuple(item.replace(f"$ {newest}\n    ", "") for item in ours.object_classes),
    )
    if where == "online":
        for kind, values in (("attributeTypes", older.attribute_types), ("objectClasses", older.object_classes)):
            lines = "".join(f"{kind}: {' '.join(value.split())}\n" for value in values)
            bare_server.tools().modify(f"dn: cn=schema\nchangetype: modify\nadd: {kind}\n{lines}")
    else:
        bare_server.stop()
        (bare_server.schema_folder / "98dirfactor.ldif").write_text(schema.render(older))
        bare_server.start()
    entries = ENTRIES.format(base=bare_server.base_dn)
    bare_server.tools().modify(entries.replace("dirfactorSmsEnabled: TRUE\n", ""))
    access = administrator(bare_server)
    plan, applied = install(access)
    assert [type(step) for step in plan.steps] == [Extend, Redefine, Redefine]
    assert applied.changes == plan.steps
    assert schema_admin.verify(access).done
    strict = f"cn=strict,ou=policies,{bare_server.base_dn}"
    bare_server.tools().modify(f"dn: {strict}\nchangetype: modify\nadd: {newest}\n{newest}: TRUE\n")
    bare_server.stop()
    bare_server.start()
    assert schema_admin.verify(access).done
    assert bare_server.tools().search(strict, scope="base")[0].texts("dirfactorCodeLength") == ["8"]


def test_a_definition_that_is_in_the_way_is_named_and_nothing_is_written(bare_server):
    theirs = f"( {ATTRIBUTES[0].oid} NAME 'somebodyElses' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"
    bare_server.tools().modify(f"dn: cn=schema\nchangetype: modify\nadd: attributeTypes\nattributeTypes: {theirs}\n")
    access = administrator(bare_server)
    plan = schema_admin.plan(access)
    assert [item.name for item in plan.conflicts] == ["dirfactorToken"]
    with pytest.raises(DirectoryRefused, match="somebodyElses has OID"):
        schema_admin.apply(access, plan, lambda _: None)
    (entry,) = bare_server.tools().search("cn=schema", scope="base", attributes=["objectClasses"])
    assert not [text for text in entry.texts("objectClasses") if "dirfactor" in text]


def test_root_needs_no_password_over_the_local_socket(bare_server):
    access = AdminAccess((bare_server.ldapi,))
    assert len(install(access)[1].changes) == 2
    assert schema_admin.verify(access).done


def test_an_account_without_the_right_sees_the_plan_and_is_told_whom_to_be(bare_server):
    access = replace(administrator(bare_server), bind_name=bare_server.sync, password=Secret(bare_server.sync_password))
    plan = schema_admin.plan(access)
    assert len(plan.changes) == 2
    with pytest.raises(DirectoryRefused, match=r"cn=sync,.* may not change the schema: .*before it: 0") as refusal:
        schema_admin.apply(access, plan, lambda _: None)
    assert "cn=Directory Manager" in refusal.value.remedy


def test_the_access_control_in_the_header_keeps_the_secrets_from_everybody_but_the_sync(ds389):
    lines = [line.removeprefix("#").strip() for line in FILE.read_text().splitlines()]
    begin = next(number for number, line in enumerate(lines) if line.startswith("aci: "))
    aci = " ".join(lines[begin : begin + 3]).replace("cn=dirfactor,ou=services,dc=example,dc=com", ds389.sync)
    unit = f"ou=guarded,{ds389.base_dn}"
    ds389.tools().modify(
        f"dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n{aci}\n\n"
        f"dn: uid=dave,{unit}\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: dirfactorUser\n"
        f"cn: Dave\nsn: D\nuserPassword: Pw-12345\ndirfactorPin: digest\ndirfactorToken: sms\n"
    )

    def sees(who, password):
        (entry,) = ds389.tools(who, password).search(
            f"uid=dave,{unit}", scope="base", attributes=["dirfactorPin", "dirfactorToken"]
        )
        return set(entry.attributes)

    assert sees(f"uid=dave,{unit}", "Pw-12345") == {"dirfactorToken"}
    assert sees(ds389.sync, ds389.sync_password) == {"dirfactorPin", "dirfactorToken"}
