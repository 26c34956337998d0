"""Roles on a real domain controller: what an account with one role can do, and what it cannot, by plain LDAP tools.

The domain is a hardened one: nobody is in Pre-Windows 2000 Compatible Access, so that an account reads of others'
entries what was granted to it and little else.
"""

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from dirsync.ad.source import AdSource
from dirsync.admin import delegation as delegation_admin
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.delegation import Add, Remove, TakeOwnership
from dirsync.admin.deleted_objects import deletions_hidden
from dirsync.admin.security import read_security, write_dacl
from dirsync.admin.security_descriptor import DENY, Ace, AceFlag
from dirsync.change import Delete
from dirsync.errors import DirectoryRefused
from dirsync.settings import DirectoryKind, DirectorySettings
from rig.ldaptools import LdapRefused
from rig.process import run
from schema.access import Right
from schema.delegation import DELETED_OBJECTS, Delegation, as_sddl
from schema.roles import ROLES
from schema.secret import Secret
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers

PASSWORD = "Copper-Ladder-63"
SECRETS = {"dirfactorPin", "dirfactorSecret", "dirfactorTemporaryResponse", "dirfactorSharedSecret"}
ROLE = {role.name: role for role in ROLES}


def administrator(dc):
    return AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)


def user(dc, sam):
    return replace(administrator(dc), bind_name=f"{sam}@{dc.domain}", password=Secret(PASSWORD))


def apply_schema(dc):
    access = administrator(dc)
    schema_admin.apply(access, schema_admin.plan(access), lambda _: None)


@pytest.fixture(scope="module")
def dc(samba_dc):
    samba_dc.become("dirfactor schema", apply_schema)
    samba_dc.ldapmodify(
        f"dn: CN=Pre-Windows 2000 Compatible Access,CN=Builtin,{samba_dc.base_dn}\nchangetype: modify\ndelete: member\n"
    )
    samba_dc.snapshot("hardened domain")
    return samba_dc


NUMBERS = itertools.count()


@pytest.fixture
def worker(dc):
    """The name of an account that has no right yet, in the group of the same name with a G."""
    name = f"worker{next(NUMBERS)}"
    dn = dc.add_user(name, PASSWORD)
    dc.ldapmodify(
        f"dn: CN={name}G,CN=Users,{dc.base_dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}G\n"
        f"member: {dn}\n"
    )
    return name


@pytest.fixture
def lab(dc):
    """DN of an OU with alice, a policy and an access node."""
    number = next(NUMBERS)
    lab = f"OU=Lab{number},{dc.base_dn}"
    dc.ldapmodify(
        f"dn: {lab}\nchangetype: add\nobjectClass: organizationalUnit\n\n"
        f"dn: CN=strict,{lab}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\ndirfactorCodeLength: 8\n\n"
        f"dn: CN=gate,{lab}\nchangetype: add\nobjectClass: dirfactorAccessNode\n"
        "dirfactorAddress: 192.0.2.7\ndirfactorSharedSecret: sealed\n"
    )
    dc.add_user(
        "alice",
        PASSWORD,
        parent=lab,
        sAMAccountName=f"alice{number}",
        userPrincipalName=f"alice{number}@{dc.domain}",
        mobile="+43 664 0000001",
        dirfactorToken="sms",
        dirfactorPhone="+43 664 0000002",
        dirfactorPin="pin",
        dirfactorSecret="seed",
        dirfactorTemporaryResponse="response",
        dirfactorPolicy=f"CN=strict,{lab}",
    )
    return lab


def give(dc, role, base, worker):
    """Gives a role, and returns the tools of the one who has it."""
    plan = delegation_admin.plan(administrator(dc), Delegation(ROLE[role], worker, base), Add)
    delegation_admin.apply(administrator(dc), plan, lambda _: None)
    return tools_of(dc, worker)


def tools_of(dc, worker):
    return dc.as_user(f"{worker}@{dc.domain}", PASSWORD)


def sees(tools, dn):
    """Our attributes that somebody sees in an entry."""
    found = tools.search(dn, scope="base")
    return {name for entry in found for name, values in entry.attributes.items() if name.startswith("dirfactor")}


def replaced(dn, attribute, *values):
    lines = "".join(f"{attribute}: {value}\n" for value in values)
    return f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{lines}"


def stored(dc, dn, attribute):
    (entry,) = dc.ldapsearch(dn, scope="base")
    return entry.texts(attribute)


def refuses(tools, *changes):
    for change in changes:
        with pytest.raises(LdapRefused) as refusal:
            tools.modify(change)
        assert refusal.value.code == 50, change  # insufficientAccessRights


USER_WRITES = {
    "dirfactorToken": "vip",
    "dirfactorVipCredential": "VSST12345678",
    "dirfactorPhone": "+43 664 0000003",
    "dirfactorMail": "alice@example.test",
    "dirfactorLoginName": "alice.archer",
    "dirfactorPin": "other",
    "dirfactorPinSetAt": "20261124120000.0Z",
    "dirfactorSecret": "other",
    "dirfactorTemporaryResponse": "other",
    "dirfactorUnlockedAt": "20261124120000.0Z",
    "dirfactorReplyAttribute": "Filter-Id=vpn",
    "mobile": "+43 664 0000004",
    "description": "x",
}
WRITABLE = {
    "sync": set(),
    "auditor": set(),
    "helpdesk": {"dirfactorUnlockedAt", "dirfactorTemporaryResponse"},
    "provisioning": {
        "dirfactorToken",
        "dirfactorVipCredential",
        "dirfactorPhone",
        "dirfactorMail",
        "dirfactorPin",
        "dirfactorPinSetAt",
        "dirfactorSecret",
    },
    "policy": {"dirfactorReplyAttribute"},
}


def test_without_a_role_an_account_neither_reads_nor_writes(dc, lab, worker):
    nobody = tools_of(dc, worker)
    alice = f"CN=alice,{lab}"
    assert sees(nobody, alice) == set()
    refuses(nobody, *(replaced(alice, name, value) for name, value in USER_WRITES.items()))


@pytest.mark.parametrize("role", WRITABLE)
def test_each_role_writes_what_is_its_own_of_a_user_and_nothing_else(dc, lab, worker, role):
    tools, alice = give(dc, role, lab, worker), f"CN=alice,{lab}"
    # Samba takes control access of an attribute for the right to write it; Windows does not (MS-ADTS 3.1.1.5.3.1.1)
    lenient = SECRETS if role == "sync" else set()
    for name, value in ((name, value) for name, value in USER_WRITES.items() if name not in lenient):
        change = replaced(alice, name, value)
        if name in WRITABLE[role]:
            tools.modify(change)
            assert stored(dc, alice, name) == [value]
            tools.modify(replaced(alice, name))
            assert stored(dc, alice, name) == []
        else:
            refuses(tools, change)


@pytest.mark.parametrize("role", ["helpdesk", "provisioning", "policy", "auditor"])
def test_whoever_is_no_sync_reads_settings_and_no_secret_not_even_one_just_written(dc, lab, worker, role):
    tools, alice = give(dc, role, lab, worker), f"CN=alice,{lab}"
    for name in WRITABLE[role]:
        tools.modify(replaced(alice, name, USER_WRITES[name]))
    assert {"dirfactorPolicy"} <= sees(tools, alice)
    assert not sees(tools, alice) & SECRETS
    assert sees(tools, f"CN=gate,{lab}") == {"dirfactorAddress"}
    assert sees(tools, f"CN=strict,{lab}") >= {"dirfactorCodeLength", "dirfactorPolicySubjects"}
    # nor by guessing: what may not be read matches nothing
    for attribute in SECRETS:
        assert tools.search(lab, f"({attribute}=*)") == []
    (entry,) = tools.search(alice, scope="base")
    assert "userAccountControl" not in entry.attributes


def test_the_helpdesk_unlocks_and_sets_a_temporary_response_and_assigns_no_token(dc, lab, worker):
    tools, alice = give(dc, "helpdesk", lab, worker), f"CN=alice,{lab}"
    tools.modify(replaced(alice, "dirfactorUnlockedAt", "20261124120000.0Z"))
    tools.modify(replaced(alice, "dirfactorTemporaryResponse", "digest"))
    assert stored(dc, alice, "dirfactorTemporaryResponse") == ["digest"]
    refuses(tools, replaced(alice, "dirfactorToken", "vip"), f"dn: {alice}\nchangetype: delete\n")


def test_helpdesk_and_provisioning_set_with_our_commands_what_they_can_never_read(dc, lab, worker, tmp_path):
    alice = f"CN=alice,{lab}"
    dc.ldapmodify(replaced(f"CN=strict,{lab}", "dirfactorTemporaryResponseAllowed", "TRUE"))
    (tmp_path / "directory.ldif").write_text("dn: dc=x\nobjectClass: domain\ndc: x\n")
    (tmp_path / "config.ini").write_text("[service]\nstate_directory = .\n[directory]\nfile = directory.ldif\n")
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "pin").write_text("2580")
    who = ["--url", dc.ldaps, "--bind", f"{worker}@{dc.domain}", "--password-file", str(tmp_path / "password")]
    options = [*who, "--ca-file", str(dc.ca_file), "--config", str(tmp_path / "config.ini")]

    def ran(*command):
        return CliRunner().invoke(app, [*command, *options]).exit_code

    response = ("user", "temporary-response", alice)
    pin = ("user", "pin", alice, "--pin-file", str(tmp_path / "pin"))
    seed = ("token", "assign", alice, "hotp", "--no-confirm")
    assert (ran(*response), ran(*pin)) == (2, 3), "without a role alice is not found by policy, nor written"
    give(dc, "helpdesk", lab, worker)
    assert (ran(*response), ran(*pin), ran(*seed)) == (0, 3, 3)
    assert stored(dc, alice, "dirfactorTemporaryResponse")[0].startswith("df1:response:")
    assert (ran(*response), ran(*response, "--clear")) == (0, 0)
    assert stored(dc, alice, "dirfactorTemporaryResponse") == []
    give(dc, "provisioning", lab, worker)
    # 1: of a user whose userAccountControl they may not read nobody can say that a logon would succeed
    assert (ran(*pin), ran(*pin), ran(*seed)) == (0, 0, 1)
    assert stored(dc, alice, "dirfactorPin")[0].startswith("df1:pin:")
    assert len(stored(dc, alice, "dirfactorSecret")) == 2
    assert ran("token", "remove", alice, "hotp") == 1, "nothing is left to log on with"
    assert stored(dc, alice, "dirfactorSecret") == []


def test_the_auditor_reads_tokens_and_policies_and_writes_nothing(dc, lab, worker):
    tools = give(dc, "auditor", lab, worker)
    assert sees(tools, f"CN=alice,{lab}") == {"dirfactorToken", "dirfactorPhone", "dirfactorPolicy"}
    refuses(
        tools,
        replaced(f"CN=strict,{lab}", "dirfactorCodeLength", "6"),
        f"dn: CN=new,{lab}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n",
        f"dn: CN=strict,{lab}\nchangetype: delete\n",
    )


def test_the_policy_administrator_makes_changes_assigns_and_deletes_policies_and_nodes(dc, lab, worker):
    tools, alice = give(dc, "policy", lab, worker), f"CN=alice,{lab}"
    tools.modify(
        f"dn: CN=lax,{lab}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\ndirfactorCodeLength: 6\n\n"
        f"dn: CN=door,{lab}\nchangetype: add\nobjectClass: dirfactorAccessNode\ndirfactorAddress: 192.0.2.8\n"
    )
    # those of others as well
    tools.modify(replaced(f"CN=strict,{lab}", "dirfactorCodeLength", "7"))
    tools.modify(replaced(f"CN=gate,{lab}", "dirfactorSharedSecret", "sealed anew"))
    tools.modify(replaced(f"CN=gate,{lab}", "dirfactorMember", alice))
    for subject in (alice, lab, f"CN=gate,{lab}"):
        tools.modify(replaced(subject, "dirfactorPolicy", f"CN=lax,{lab}"))
        assert stored(dc, subject, "dirfactorPolicy") == [f"CN=lax,{lab}"]
    assert "dirfactorSharedSecret" not in sees(tools, f"CN=gate,{lab}")
    for name in ("lax", "door", "strict", "gate"):
        tools.modify(f"dn: CN={name},{lab}\nchangetype: delete\n")
    refuses(
        tools,
        f"dn: {alice}\nchangetype: delete\n",
        f"dn: CN=bob,{lab}\nchangetype: add\nobjectClass: user\nsAMAccountName: bob\n",
        f"dn: CN=lax,CN=Users,{dc.base_dn}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n",
    )


@pytest.mark.parametrize("role", ROLE)
def test_a_role_for_a_unit_says_nothing_of_the_rest_of_the_domain(dc, lab, worker, role):
    other = dc.add_user(f"bob-{role}", PASSWORD, dirfactorToken="sms", dirfactorPin="pin")
    tools = give(dc, role, lab, worker)
    assert sees(tools, other) == set()
    refuses(tools, *(replaced(other, name, value) for name, value in USER_WRITES.items()))


@pytest.mark.parametrize("role", ROLE)
def test_giving_a_role_twice_changes_nothing_and_taking_it_away_leaves_what_was_before(dc, lab, worker, role):
    access, delegation = administrator(dc), Delegation(ROLE[role], f"LAB\\{worker}G", lab)

    def lists():
        with connect(access) as connection:
            return [read_security(connection, dn).dacl for dn in (lab, f"CN=alice,{lab}")]

    before = lists()
    plan = delegation_admin.plan(access, delegation, Add)
    assert not plan.done
    steps = []
    delegation_admin.apply(access, plan, steps.append)
    assert tuple(steps) == plan.steps
    given = lists()
    inherited = [bool(ace.flags & AceFlag.INHERITED) for ace in given[0].aces]
    assert inherited == sorted(inherited)
    # members of the group have the role
    assert "dirfactorToken" in sees(tools_of(dc, worker), f"CN=alice,{lab}")

    assert delegation_admin.plan(access, delegation, Add).done
    delegation_admin.apply(access, plan, steps.append)
    assert (lists(), len(steps)) == (given, len(plan.steps))

    delegation_admin.apply(access, delegation_admin.plan(access, delegation, Remove), steps.append)
    assert lists() == before
    assert delegation_admin.plan(access, delegation, Remove).done


@pytest.mark.parametrize("role", [name for name, role in ROLE.items() if not role.deleted_objects])
def test_what_sambas_own_reader_makes_of_the_sddl_is_the_role(dc, lab, worker, role):
    sid = delegation_admin.plan(administrator(dc), Delegation(ROLE[role], worker, lab), Add).sid
    line = as_sddl(Delegation(ROLE[role], str(sid), lab)).strip()
    database = ["-s", str(dc.configuration), "-H", str(dc._home / "data/private/sam.ldb")]
    for entry in re.findall(r"\(.*?\)", line.partition("\t")[2]):
        run(["samba-tool", "dsacl", "set", f"--objectdn={lab}", f"--sddl={entry}", *database])
    assert delegation_admin.plan(administrator(dc), Delegation(ROLE[role], worker, lab), Add).done


def test_a_denial_stays_in_front_of_what_a_role_adds(dc, lab, worker):
    access = administrator(dc)
    sid = delegation_admin.plan(access, Delegation(ROLE["auditor"], worker, lab), Add).sid
    with connect(access) as connection:
        secured = read_security(connection, lab)
        denial = Ace(DENY, AceFlag.CONTAINER_INHERIT, Right.WRITE_PROPERTY, sid)
        write_dacl(connection, secured, replace(secured.dacl, aces=(denial, *secured.dacl.aces)))
    tools = give(dc, "helpdesk", lab, worker)
    with connect(access) as connection:
        kinds = [ace.kind for ace in read_security(connection, lab).dacl.aces if not ace.flags & AceFlag.INHERITED]
    assert kinds[0] == DENY
    assert DENY not in kinds[1:]
    refuses(tools, replaced(f"CN=alice,{lab}", "dirfactorUnlockedAt", "20261124120000.0Z"))


def test_somebody_without_the_right_is_refused_before_anything_is_written(dc, lab, worker):
    delegation = Delegation(ROLE["provisioning"], worker, lab)
    plan = delegation_admin.plan(administrator(dc), delegation, Add)
    with pytest.raises(DirectoryRefused, match="permissions of") as refusal:
        delegation_admin.apply(user(dc, worker), plan, lambda _: None)
    assert "Domain Admins" in refusal.value.remedy
    assert delegation_admin.plan(administrator(dc), delegation, Add) == plan


@pytest.mark.parametrize(
    "account", ["nobody", "nobody@lab.example.test", "LAB\\nobody", "*", "CN=nobody,DC=lab,DC=example,DC=test", "a=,b"]
)
def test_an_account_that_is_not_there_is_refused(dc, lab, account):
    with pytest.raises(DirectoryRefused, match="account"):
        delegation_admin.plan(administrator(dc), Delegation(ROLE["auditor"], account, lab), Add)


def test_an_account_is_found_by_each_of_its_names(dc, lab, worker):
    names = (worker, f"LAB\\{worker}", f"{worker}@{dc.domain}", f"CN={worker},CN=Users,{dc.base_dn}")
    plans = [delegation_admin.plan(administrator(dc), Delegation(ROLE["auditor"], name, lab), Add) for name in names]
    assert len({plan.sid for plan in plans}) == 1
    assert delegation_admin.plan(administrator(dc), Delegation(ROLE["auditor"], str(plans[0].sid), lab), Add).sid == (
        plans[0].sid
    )


# the service account


@pytest.fixture
def fresh(dc):
    """The domain in which nobody has taken ownership of anything; named before those that work in it."""
    dc.restore("hardened domain")
    return dc


def settings(dc, name, password):
    return DirectorySettings(
        kind=DirectoryKind.AD,
        url=(dc.ldaps,),
        base=dc.base_dn,
        bind_dn=name,
        bind_password=Secret(password),
        ca_file=dc.ca_file,
    )


def deletions_seen(dc, lab, worker):
    """Whether the account's sync hears of a deletion."""
    dc.add_user("visitor", PASSWORD, parent=lab)
    following = AdSource(settings(dc, f"{worker}@{dc.domain}", PASSWORD), SURROUNDINGS)
    try:
        cookie = following.changes(None, datetime.now(UTC)).cookie
        dc.ldapmodify(f"dn: CN=visitor,{lab}\nchangetype: delete\n")
        return any(isinstance(change, Delete) for change in following.changes(cookie, datetime.now(UTC)).changes)
    finally:
        following.close()


def test_the_service_account_reads_secrets_and_hears_of_deletions_by_its_role_alone(fresh, lab, worker):
    dc = fresh
    assert not deletions_seen(dc, lab, worker)
    hidden = deletions_hidden(user(dc, worker), dc.base_dn)
    assert "delegate apply sync" in hidden.remedy

    plan = delegation_admin.plan(administrator(dc), Delegation(ROLE["sync"], worker, dc.base_dn), Add)
    container = f"{DELETED_OBJECTS},{dc.base_dn}"
    assert [(type(step), step.dn) for step in plan.steps] == [
        (Add, dc.base_dn),
        (TakeOwnership, container),
        (Add, container),
    ]
    delegation_admin.apply(administrator(dc), plan, lambda _: None)
    assert delegation_admin.plan(administrator(dc), plan.delegation, Add).done
    assert deletions_hidden(user(dc, worker), dc.base_dn) is None
    assert deletions_seen(dc, lab, worker)

    tools = tools_of(dc, worker)
    assert sees(tools, f"CN=alice,{lab}") >= {"dirfactorPin", "dirfactorSecret", "dirfactorTemporaryResponse"}
    assert "dirfactorSharedSecret" in sees(tools, f"CN=gate,{lab}")

    delegation_admin.apply(
        administrator(dc), delegation_admin.plan(administrator(dc), plan.delegation, Remove), lambda _: None
    )
    assert sees(tools, f"CN=alice,{lab}") == set()
    assert deletions_hidden(user(dc, worker), dc.base_dn)


def test_the_sync_of_the_service_account_reads_what_the_administrators_own_reads(dc, lab, worker):
    """Its role lacks nothing that the sync makes use of, be the domain as hardened as this one."""
    give(dc, "sync", dc.base_dn, worker)
    as_service, as_administrator = (
        AdSource(settings(dc, f"{worker}@{dc.domain}", PASSWORD), SURROUNDINGS),
        AdSource(settings(dc, dc.admin, dc.admin_password), SURROUNDINGS),
    )
    try:
        batches = [side.changes(None, datetime.now(UTC)) for side in (as_service, as_administrator)]
        mine, theirs = ([repr(change) for change in batch.changes if lab in repr(change)] for batch in batches)
    finally:
        as_service.close()
        as_administrator.close()
    assert len(mine) == 4
    assert mine == theirs


def test_the_commands_say_what_they_would_do_do_it_and_undo_it(dc, lab, worker, tmp_path):
    password = tmp_path / "password"
    password.write_text(dc.admin_password)
    access = ["--url", dc.ldaps, "--bind", dc.admin, "--password-file", str(password), "--ca-file", str(dc.ca_file)]

    def dirfactor(verb, *more):
        ended = CliRunner().invoke(
            app, ["delegate", verb, "helpdesk", "--to", f"LAB\\{worker}G", "--base", lab, *access, *more]
        )
        return ended.exit_code, ended.output

    code, text = dirfactor("plan")
    assert code == 1
    assert f"+ {lab}: write property of dirfactorUnlockedAt: the entry and everything below it" in text.splitlines()
    assert dirfactor("apply", "--dry-run") == (1, text)
    assert dirfactor("apply") == (0, text)
    assert dirfactor("apply") == dirfactor("plan") == (0, "nothing to do\n")
    code, text = dirfactor("remove", "--json", "--dry-run")
    (step,) = json.loads(text)["steps"]
    assert (code, step["dn"], len(step["remove"])) == (1, lab, 3)
    assert dirfactor("remove")[0] == 0
    assert dirfactor("remove") == (0, "nothing to do\n")
