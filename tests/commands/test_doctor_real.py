"""`dirfactor doctor` at real directories: what is wrong with the directory, the account or the way to it is found."""

import json
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from auth.doctor.catalogue import Check
from commands.servers import PASSWORD, apply_schema
from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.security import read_security, write_dacl
from dirsync.admin.security_descriptor import ALLOW_OBJECT, Ace, AceFlag, Control
from rig.certificates import issue
from rig.slapd import Slapd
from schema.attributes import PROPERTY_SET_GUID
from schema.secret import Secret
from schema.sid import Sid

pytestmark = pytest.mark.servers
OF_DIRECTORIES = {check.value for check in Check if check.startswith("directory-")} - {"directory-file"} | {"clock"}


def config(folder: Path, password: str, **settings: object) -> Path:
    """A config.ini with this [directory]."""
    secret = folder / "directory.password"
    secret.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    secret.write_text(password)
    section = {"bind_password": "file:directory.password", "timeout_seconds": 3} | settings
    lines = [f"{key} = {value}" for key, value in section.items() if key != "more"]
    file = folder / "config.ini"
    text = "\n".join(["[service]", "state_directory = state", "[directory]", *lines, str(settings.get("more", ""))])
    file.write_text(text)
    return file


def examined(file: Path, *only: str) -> Mapping[str, dict[str, Any]]:
    """The finding of each check of the directory."""
    names = [option for name in sorted(only or OF_DIRECTORIES) for option in ("--only", name)]
    result = CliRunner().invoke(app, ["doctor", "--config", str(file), "--json", *names])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout, result.stderr
    found = {each["check"]: each for each in json.loads(result.stdout) if each["check"] != "config"}
    assert result.exit_code == int(any(each["status"] in ("warning", "failed") for each in found.values()))
    return found


def statuses(found: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    return {check: each["status"] for check, each in found.items()}


def of_ad(dc, folder, who=None, password=None, **settings):
    standard = {"kind": "ad", "url": dc.ldaps, "base": dc.base_dn, "ca_file": dc.ca_file, "bind_dn": who or dc.admin}
    return config(folder, password or dc.admin_password, **standard | settings)


def of_slapd(slapd, folder, **settings):
    standard = {
        "kind": "openldap",
        "url": slapd.ldaps,
        "base": slapd.base_dn,
        "ca_file": slapd.ca_file,
        "bind_dn": slapd.sync,
    }
    return config(folder, slapd.sync_password, **standard | settings)


@pytest.fixture
def dc(samba_dc):
    samba_dc.become("dirfactor schema", apply_schema)
    return samba_dc


@pytest.fixture
def person(slapd):
    slapd.reset()
    dn = f"uid=alice,ou=people,{slapd.base_dn}"
    slapd.tools().add(dn, {"objectClass": "inetOrgPerson", "uid": "alice", "cn": "alice", "sn": "alice"})
    return dn


def test_a_sound_domain_is_well(dc, tmp_path):
    found = examined(of_ad(dc, tmp_path))
    skipped = {"directory-map", "directory-size-limit"}
    assert statuses(found) == dict.fromkeys(OF_DIRECTORIES, "ok") | dict.fromkeys(skipped, "skipped")
    assert found["directory-changes"]["detail"] == "DirSync, woken by highestCommittedUSN"
    assert "Domain Admins" in found["directory-writers"]["detail"]
    assert found["directory-writers"]["detail"].endswith("System: everything")


def test_who_may_write_our_attributes_is_told_and_that_everybody_may_is_a_warning(dc, tmp_path):
    unit = f"OU=Opened,{dc.base_dn}"
    dc.ldapmodify(f"dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n")
    dc.add_user("hanna", PASSWORD)
    secret = tmp_path / "administrator"
    secret.write_text(dc.admin_password)
    to = ["--to", f"hanna@{dc.domain}", "--base", unit, "--url", dc.ldaps, "--bind", dc.admin]
    how = ["--password-file", str(secret), "--ca-file", str(dc.ca_file)]
    result = CliRunner().invoke(app, ["delegate", "apply", "helpdesk", *to, *how])
    assert result.exit_code == 0, result.output
    found = examined(of_ad(dc, tmp_path), "directory-writers")["directory-writers"]
    assert found["status"] == "ok"
    assert "hanna: dirfactorUnlockedAt, dirfactorTemporaryResponse" in found["detail"]
    with connect(AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)) as connection:
        secured = read_security(connection, unit)
        themselves = Ace(ALLOW_OBJECT, int(AceFlag.CONTAINER_INHERIT), 0x20, Sid(5, (10,)), PROPERTY_SET_GUID)
        write_dacl(connection, secured, replace(secured.dacl, aces=(*secured.dacl.aces, themselves)))
    found = examined(of_ad(dc, tmp_path), "directory-writers")["directory-writers"]
    assert (found["status"], found["detail"]) == ("warning", f"Self may write all our attributes ({unit})")


def test_a_domain_without_our_schema_is_sent_to_schema_plan(fresh_dc, tmp_path):
    found = examined(of_ad(fresh_dc, tmp_path), "directory-schema")["directory-schema"]
    assert (found["status"], found["detail"]) == ("failed", "the directory has nothing of our schema")
    assert "`dirfactor schema plan`" in found["remedy"]


def test_without_our_schema_a_map_will_do_if_its_attributes_exist(fresh_dc, tmp_path):
    checks = ("directory-schema", "directory-map")
    right = of_ad(fresh_dc, tmp_path, more="[map]\ndirfactorToken = extensionName\n")
    assert statuses(examined(right, *checks)) == {"directory-schema": "skipped", "directory-map": "ok"}
    wrong = of_ad(fresh_dc, tmp_path, more="[map]\ndirfactorToken = extensionAttribut7\n")
    found = examined(wrong, *checks)["directory-map"]
    assert (found["status"], "extensionAttribut7" in found["detail"]) == ("failed", True)


def test_an_account_without_rights_is_given_the_command_that_grants_them(dc, tmp_path):
    dc.add_user("reader", PASSWORD)
    dc.ldapmodify(
        f"dn: CN=Pre-Windows 2000 Compatible Access,CN=Builtin,{dc.base_dn}\nchangetype: modify\ndelete: member\n"
    )
    who = f"reader@{dc.domain}"
    file = of_ad(dc, tmp_path, who, PASSWORD)
    checks = ("directory-sign-in", "directory-users", "directory-secrets", "directory-deletions")
    found = examined(file, *checks)
    assert statuses(found) == {
        "directory-sign-in": "ok",
        "directory-users": "failed",
        "directory-secrets": "warning",
        "directory-deletions": "warning",
    }
    command = f'dirfactor delegate apply sync --to "{who}" --base "{dc.base_dn}" --url {dc.ldaps} --bind ADMINISTRATOR'
    assert all(command in found[check]["remedy"] for check in checks[1:])

    secret = tmp_path / "administrator"
    secret.write_text(dc.admin_password)
    more = ["--password-file", str(secret), "--ca-file", str(dc.ca_file)]
    granted = command.replace('"', "").replace("ADMINISTRATOR", dc.admin).split()[1:] + more
    result = CliRunner().invoke(app, granted)
    assert result.exit_code == 0, result.output
    found = examined(file, *checks)
    assert statuses(found) == dict.fromkeys(checks, "ok")

    # a unit that inherits nothing: its people are there, and cannot be read
    unit = f"OU=Apart,{dc.base_dn}"
    dc.ldapmodify(f"dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n")
    dc.add_user("hermit", PASSWORD, parent=unit)
    with connect(AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)) as connection:
        secured = read_security(connection, f"CN=hermit,{unit}")
        own = tuple(ace for ace in secured.dacl.aces if not ace.flags & AceFlag.INHERITED)
        apart = replace(secured, control=secured.control | Control.DACL_PROTECTED)
        write_dacl(connection, apart, replace(secured.dacl, aces=own))
    found = examined(file, "directory-users")["directory-users"]
    assert (found["status"], "docs/least-privilege.md" in found["remedy"]) == ("warning", True)


def test_a_wrong_password_is_tried_once_and_what_depends_on_it_is_skipped(dc, tmp_path):
    found = examined(of_ad(dc, tmp_path, password="wrong"))
    dependent = OF_DIRECTORIES - {"directory-names", "directory-servers", "directory-sign-in", "clock"}
    assert found["directory-sign-in"]["status"] == "failed"
    assert "set bind_dn and bind_password" in found["directory-sign-in"]["remedy"]
    assert {found[check]["status"] for check in dependent} == {"skipped"}
    assert (found["directory-servers"]["status"], found["clock"]["status"]) == ("ok", "ok")


def test_a_base_of_another_domain_is_told_from_a_base_that_is_not_there(dc, tmp_path):
    elsewhere = examined(of_ad(dc, tmp_path, base="DC=elsewhere,DC=test"), "directory-base")["directory-base"]
    assert f"set base = {dc.base_dn}" in elsewhere["remedy"]
    nowhere = examined(of_ad(dc, tmp_path, base=f"OU=Nowhere,{dc.base_dn}"), "directory-base")["directory-base"]
    assert "OU=Nowhere" in nowhere["detail"] + nowhere["remedy"]


def test_a_server_of_another_kind_is_named(slapd, dc, tmp_path):
    at_slapd = examined(of_slapd(slapd, tmp_path, kind="389ds"), "directory-kind")["directory-kind"]
    assert (at_slapd["status"], at_slapd["remedy"]) == ("failed", "set kind = openldap in [directory]")
    at_ad = examined(of_ad(dc, tmp_path, kind="openldap"), "directory-kind")["directory-kind"]
    assert (at_ad["status"], at_ad["remedy"]) == ("failed", "set kind = ad in [directory]")


def test_a_sound_openldap_is_well(slapd, person, tmp_path):
    found = examined(of_slapd(slapd, tmp_path))
    unasked = {"directory-secrets", "directory-writers", "directory-deletions", "directory-map", "clock"}
    assert statuses(found) == dict.fromkeys(OF_DIRECTORIES, "ok") | dict.fromkeys(unasked, "skipped")


def test_a_sound_389_is_well(ds389, tmp_path):
    ds389.reset()
    dn = f"uid=alice,ou=people,{ds389.base_dn}"
    ds389.tools().add(dn, {"objectClass": "inetOrgPerson", "uid": "alice", "cn": "alice", "sn": "alice"})
    found = examined(of_slapd(ds389, tmp_path, kind="389ds"))
    unasked = {"directory-secrets", "directory-writers", "directory-deletions", "directory-map", "clock"}
    assert statuses(found) == dict.fromkeys(OF_DIRECTORIES, "ok") | dict.fromkeys(unasked, "skipped")


def test_an_openldap_without_syncprov_is_told_to_load_it(slapd, person, tmp_path):
    slapd.tools(slapd.config, slapd.config_password).modify(
        "dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config\nchangetype: delete\n"
    )
    found = examined(of_slapd(slapd, tmp_path), "directory-changes")["directory-changes"]
    assert (found["status"], "load the overlay syncprov" in found["remedy"]) == ("failed", True)
    slapd.reset()


def test_an_account_with_a_size_limit_is_told_to_have_it_lifted(slapd, person, tmp_path):
    slapd.tools(slapd.config, slapd.config_password).modify(
        "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcLimits\n"
        f'olcLimits: {{0}}dn.exact="{slapd.sync}" size=2\n'
    )
    found = examined(of_slapd(slapd, tmp_path), "directory-size-limit")["directory-size-limit"]
    assert (found["status"], "size=unlimited" in found["remedy"]) == ("failed", True)
    slapd.reset()


def test_a_name_that_dns_does_not_know_and_a_server_that_is_not_trusted_are_said(slapd, tmp_path):
    unknown = of_slapd(slapd, tmp_path, url="ldaps://nowhere.invalid")
    found = examined(unknown, "directory-names", "directory-servers")
    assert statuses(found) == {"directory-names": "failed", "directory-servers": "failed"}
    assert "nowhere.invalid is not known" in found["directory-names"]["detail"]
    stranger = issue(tmp_path / "stranger", "localhost").ca
    found = examined(of_slapd(slapd, tmp_path, ca_file=stranger), "directory-servers")["directory-servers"]
    assert (found["status"], "ca_file" in found["remedy"]) == ("failed", True)


def test_without_anybody_to_see_the_account_or_the_base_is_wrong(slapd, tmp_path):
    slapd.reset()
    found = examined(of_slapd(slapd, tmp_path), "directory-users")["directory-users"]
    assert (found["status"], "sees no user" in found["detail"]) == ("failed", True)
    assert slapd.sync in found["remedy"]


def test_a_schema_without_some_of_ours_is_older(tmp_path, slapd_of_yesterday):
    found = examined(of_slapd(slapd_of_yesterday, tmp_path), "directory-schema")["directory-schema"]
    assert found["detail"] == "the directory's schema is older than this version: it lacks dirfactorAddress"


@pytest.fixture
def slapd_of_yesterday(tmp_path):
    """An OpenLDAP whose schema has everything but one attribute."""
    text = (Path(__file__).parents[2] / "ldif" / "openldap.ldif").read_text()
    kept = []
    for line in text.replace("\n ", "\n\0").split("\n"):
        if line.startswith("\0") and kept:
            kept[-1] += "\n " + line[1:]
        else:
            kept.append(line)
    without = [each for each in kept if "NAME 'dirfactorAddress'" not in each]
    assert len(without) == len(kept) - 1
    schema = tmp_path / "yesterday.ldif"
    schema.write_text(
        "\n".join(without).replace("$ dirfactorAddress\n", "\n").replace("( dirfactorAddress\n    $", "(")
    )
    server = Slapd(tmp_path / "slapd", schema)
    server.start()
    yield server
    server.stop()
