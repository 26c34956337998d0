"""The roles: what each may touch, and that dsacls, PowerShell and SDDL are told the same."""

import re
from collections import Counter
from itertools import combinations

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from schema.access import Reach, Right
from schema.active_directory import PROPERTY_SET_TITLE
from schema.attributes import ATTRIBUTES, CLASSES, PROPERTY_SET_GUID
from schema.delegation import Delegation, as_dsacls, as_powershell, as_sddl, deleted_objects
from schema.errors import Fault
from schema.roles import ROLES, RoleName

SID = "S-1-5-21-1-2-3-1104"
BASE = "OU=People,DC=example,DC=org"
ROLE = {role.name: role for role in ROLES}
CONFIDENTIAL = {item.guid for item in ATTRIBUTES if item.confidential}
GUIDS = {item.name: str(item.guid) for item in (*ATTRIBUTES, *CLASSES)} | {PROPERTY_SET_TITLE: str(PROPERTY_SET_GUID)}


def pairs(text):
    return frozenset(re.findall("..", text))


# What each tool makes of its text, as (DN, reach, rights in SDDL's letters, target, heirs); read as the tools' manuals
# say, and not by the product's own tables.

DSACLS = re.compile(r"""dsacls (["'])(.+?)\1( /I:[TSP])? /G \1(.+?):([A-Z]+)(?:;([^;]*);([^;]*))?\1""")
DSACLS_REACH = {None: "", " /I:T": "CI", " /I:S": "CIIO"}


def dsacls_entries(text):
    for line in text.splitlines():
        if not line.startswith("dsacls ") or line.endswith("/takeownership"):
            continue
        _, dn, reach, account, rights, target, heirs = DSACLS.fullmatch(line).groups()
        assert account == SID
        letters = {"CA": "CR", "WS": "SW"}
        found = frozenset(letters.get(pair, pair) for pair in pairs(rights))
        yield dn, DSACLS_REACH[reach], found, GUIDS[target] if target else "", GUIDS[heirs] if heirs else ""


SDDL = re.compile(r"\((O?A);([A-Z]*);([A-Z]+);([0-9a-f-]*);([0-9a-f-]*);([^)]+)\)")


def sddl_entries(text):
    for line in text.splitlines():
        dn, entries = line.split("\t")
        assert SDDL.sub("", entries) == ""
        for kind, reach, rights, target, heirs, account in SDDL.findall(entries):
            assert account == SID
            assert (kind == "OA") == bool(target or heirs)
            yield dn, reach, pairs(rights), target, heirs


RULE = re.compile(
    r"\$entry\.psbase\.ObjectSecurity\.AddAccessRule\(\[System\.DirectoryServices\.ActiveDirectoryAccessRule\]::new\("
    r"\$account, '([A-Za-z, ]+)', 'Allow', \[guid\](\S+), '(\w+)', \[guid\](\S+)\)\)"
)
DOTNET = {
    "CreateChild": "CC",
    "DeleteChild": "DC",
    "ListChildren": "LC",
    "ReadProperty": "RP",
    "WriteProperty": "WP",
    "ExtendedRight": "CR",
    "Delete": "SD",
}
DOTNET_REACH = {"None": "", "All": "CI", "Descendents": "CIIO"}


def powershell_entries(text):
    first, second, *rest = text.splitlines()
    assert first == f"$account = [System.Security.Principal.SecurityIdentifier]'{SID}'"
    dn = re.fullmatch(r"\$entry = \[ADSI\]'LDAP://(.+)'", second)[1]
    assert "$entry.psbase.CommitChanges()" in rest
    for rights, target, reach, heirs in RULE.findall(text):
        found = frozenset(DOTNET[word] for word in rights.split(", "))
        guids = ["" if guid == "::Empty" else guid.strip("'") for guid in (target, heirs)]
        yield dn, DOTNET_REACH[reach], found, *guids
    yield from dsacls_entries(text)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_dsacls_powershell_and_sddl_are_told_the_same(role):
    delegation = Delegation(role, SID, BASE)
    told = Counter(sddl_entries(as_sddl(delegation)))
    assert sum(told.values()) == len(delegation.grants)
    assert Counter(dsacls_entries(as_dsacls(delegation))) == told
    assert Counter(powershell_entries(as_powershell(delegation))) == told


def test_ownership_of_the_deleted_entries_is_taken_before_anything_is_granted_there():
    for text in (as_dsacls, as_powershell):
        lines = [
            line for line in text(Delegation(ROLE["sync"], SID, BASE)).splitlines() if "CN=Deleted Objects" in line
        ]
        assert [line.split()[-1].strip("\"'") for line in lines] == ["/takeownership", f"{SID}:LCRP"]


def written(role):
    return {grant.target.name for grant in role.grants if Right.WRITE_PROPERTY in grant.rights and grant.target}


def test_every_role_is_there_once_and_grants_nothing_twice():
    assert [role.name for role in ROLES] == list(RoleName)
    assert all(max(Counter(role.grants).values()) == 1 for role in ROLES)


def test_only_the_sync_gets_at_secrets_and_it_gets_at_all_of_them():
    reads = {
        role.name: {grant.target.guid for grant in role.grants if Right.CONTROL_ACCESS in grant.rights}
        for role in ROLES
    }
    assert reads.pop("sync") == CONFIDENTIAL
    assert set().union(*reads.values()) == set()


def test_control_access_is_never_granted_to_all_of_an_entry():
    """It would be every extended right there is, resetting passwords among them (MS-ADTS 5.1.3.2)."""
    for role in ROLES:
        assert all(grant.target for grant in role.grants if Right.CONTROL_ACCESS in grant.rights), role.name


def test_writing_is_never_granted_to_all_of_an_entry_that_is_not_ours():
    for role in ROLES:
        for grant in role.grants:
            if Right.WRITE_PROPERTY in grant.rights and not grant.target:
                assert grant.heirs.name in {"dirfactorSecurityPolicy", "dirfactorAccessNode"}
            if grant.rights & (Right.CREATE_CHILD | Right.DELETE_CHILD):
                assert grant.target.name in {"dirfactorSecurityPolicy", "dirfactorAccessNode"}
            assert (grant.reach is Reach.BELOW) == bool(grant.heirs)


def test_sync_and_auditor_write_nothing_and_no_two_roles_write_the_same():
    assert written(ROLE["sync"]) == written(ROLE["auditor"]) == set()
    for one, other in combinations(ROLES, 2):
        assert not written(one) & written(other)


@pytest.mark.parametrize(
    ("base", "container"),
    [
        ("DC=example,DC=org", "CN=Deleted Objects,DC=example,DC=org"),
        ("OU=a\\,DC=b,OU=People,dc=Example,DC=org", "CN=Deleted Objects,dc=Example,DC=org"),
    ],
)
def test_deleted_entries_are_in_the_domain_of_the_base(base, container):
    assert deleted_objects(base) == container


@pytest.mark.parametrize("base", ["", "OU=People", "example.org", "OU=,,DC=x"])
def test_a_base_in_no_domain_is_refused_where_the_domain_matters(base):
    for text in (as_dsacls, as_powershell, as_sddl):
        with pytest.raises(Fault, match="no DN"):
            text(Delegation(ROLE["sync"], SID, base))


def test_powershell_reads_a_name_with_any_quotation_mark_as_it_is():
    text = as_powershell(Delegation(ROLE["auditor"], "EXAMPLE\\O'Hara\u2019s", "OU=R/D 'x',DC=example,DC=org"))
    first, second, *_ = text.splitlines()
    assert first == "$account = [System.Security.Principal.NTAccount]'EXAMPLE\\O''Hara\u2019\u2019s'"
    assert second == "$entry = [ADSI]'LDAP://OU=R\\/D ''x'',DC=example,DC=org'"


@pytest.mark.parametrize(("account", "base"), [('a"b', BASE), ("%a%", BASE), ("a\nb", BASE), ("a", 'OU=a\\"b,DC=x')])
def test_what_cmd_would_not_pass_on_is_refused(account, base):
    with pytest.raises(Fault, match="cmd does not pass"):
        as_dsacls(Delegation(ROLE["auditor"], account, base))


@pytest.mark.parametrize("account", ["EXAMPLE\\alice", "alice@example.org", "S-1-5-21-99999999999"])
def test_sddl_is_refused_for_what_is_no_sid(account):
    with pytest.raises(Fault) as fault:
        as_sddl(Delegation(ROLE["auditor"], account, BASE))
    assert "S-1-5-21-" in fault.value.remedy


def test_the_command_prints_what_each_tool_is_told_and_a_name_that_will_not_do_is_a_usage_fault():
    def show(account, text_format):
        given = ["helpdesk", "--to", account, "--base", BASE, "--format", text_format]
        ended = CliRunner().invoke(app, ["delegate", "show", *given])
        return ended.exit_code, ended.stdout

    delegation = Delegation(ROLE["helpdesk"], SID, BASE)
    for text_format, text in (("dsacls", as_dsacls), ("powershell", as_powershell), ("sddl", as_sddl)):
        assert show(SID, text_format) == (0, text(delegation))
    assert show("EXAMPLE\\alice", "sddl") == (2, "")
