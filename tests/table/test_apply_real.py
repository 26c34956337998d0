"""The schema in a real domain controller (Samba): the command's steps and the file alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.admin.plan import Change, render
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from rig.ldaptools import LdapRefused
from rig.process import run
from schema.active_directory import Reload, records
from schema.attributes import ARC, ATTRIBUTES, CLASSES, PROPERTY_SET_GUID
from schema.secret import Secret

pytestmark = pytest.mark.servers

LDIF = Path(__file__).parents[2] / "ldif"
# the property set, and the four classes of AD's that ours are added to
CHANGES = len(ATTRIBUTES) + len(CLASSES) + 1 + 4


def administrator(dc):
    return AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)


def user(dc, sam, *groups):
    """The access of a fresh account that is a member of these groups."""
    dn = dc.add_user(sam, "Pw-1")
    for group in groups:
        dc.ldapmodify(f"dn: CN={group},CN=Users,{dc.base_dn}\nchangetype: modify\nadd: member\nmember: {dn}\n")
    return replace(administrator(dc), bind_name=f"{sam}@{dc.domain}", password=Secret("Pw-1"))


def install(access):
    seen = []
    plan = schema_admin.plan(access)
    applied = schema_admin.apply(access, plan, seen.append)
    return plan, applied, seen


def ours_in(dc):
    """DNs of whatever is named like ours in the forest's configuration."""
    return [
        entry.dn for entry in dc.ldapsearch(f"CN=Configuration,{dc.base_dn}", "(cn=dirfactor*)", attributes=["1.1"])
    ]


@pytest.fixture
def extended_dc(samba_dc):
    """The domain controller into which our file was loaded; shared by the tests, each with its own names."""
    text = (LDIF / "active-directory.ldif").read_text()
    samba_dc.become("active-directory.ldif", lambda dc: dc.ldapmodify(text.replace("DC=X", dc.base_dn)))
    return samba_dc


def test_the_schema_is_planned_applied_verified_and_applied_again_without_a_change(fresh_dc):
    access = administrator(fresh_dc)
    plan, applied, seen = install(access)
    assert plan.steps == records(fresh_dc.base_dn)
    assert len(plan.changes) == CHANGES
    assert applied.changes == plan.changes
    assert tuple(seen) == plan.steps

    again, applied, seen = install(access)
    assert again.done
    assert (applied.changes, seen) == ((), [])
    assert schema_admin.verify(access).done
    # the plan that was carried out already is nothing to do either
    assert schema_admin.apply(access, plan, seen.append).changes == ()

    schema = fresh_dc.ldapsearch(fresh_dc.schema_dn, "(lDAPDisplayName=dirfactor*)", scope="one")
    stored = {entry.texts("lDAPDisplayName")[0]: entry for entry in schema}
    assert set(stored) == {item.name for item in (*ATTRIBUTES, *CLASSES)}
    assert stored["dirfactorCodeLength"].texts("rangeUpper") == ["10"]
    assert stored["dirfactorSecret"].texts("searchFlags") == ["896"]
    forward, back = (int(stored[name].texts("linkID")[0]) for name in ("dirfactorPolicy", "dirfactorPolicySubjects"))
    assert (forward % 2, back) == (0, forward + 1)
    (person,) = fresh_dc.ldapsearch(f"CN=User,{fresh_dc.schema_dn}", scope="base")
    assert set(person.texts("auxiliaryClass")) >= {"dirfactorUser", "dirfactorSubject"}


def test_what_an_administrator_has_changed_is_shown_and_mended(extended_dc):
    access = administrator(extended_dc)
    extended_dc.ldapmodify(
        f"dn: CN=dirfactorCodeLength,{extended_dc.schema_dn}\nchangetype: modify\n"
        "replace: rangeUpper\nrangeUpper: 8\n-\ndelete: attributeSecurityGUID\n"
    )
    plan = schema_admin.verify(access)
    assert not plan.done
    assert "~ dirfactorCodeLength: rangeUpper 8 becomes 10" in render(plan).splitlines()
    assert [type(step) for step in plan.steps] == [Change, Change, Reload]
    schema_admin.apply(access, plan, lambda _: None)
    assert schema_admin.verify(access).done


def test_a_plan_that_is_no_longer_true_is_not_carried_out(extended_dc):
    access = administrator(extended_dc)
    name = f"dn: CN=dirfactorPriority,{extended_dc.schema_dn}\nchangetype: modify\nreplace: rangeUpper\nrangeUpper:"
    extended_dc.ldapmodify(f"{name} 8\n")
    plan = schema_admin.plan(access)
    extended_dc.ldapmodify(f"{name} 9\n")
    with pytest.raises(DirectoryRefused, match="changed since the plan was made"):
        schema_admin.apply(access, plan, lambda _: None)


@pytest.mark.parametrize(
    ("name", "oid", "problem"),
    [
        ("dirfactorToken", "9.1", f"! dirfactorToken: its attributeID is {ARC}.9.1, not {ARC}.1.1"),
        ("somebodyElses", "1.1", f"! dirfactorToken: its OID {ARC}.1.1 is taken by CN=somebodyElses,"),
    ],
    ids=["same name, other OID", "same OID, other name"],
)
def test_a_collision_is_refused_before_anything_is_written(fresh_dc, name, oid, problem):
    fresh_dc.ldapmodify(
        f"dn: CN={name},{fresh_dc.schema_dn}\nchangetype: add\nobjectClass: attributeSchema\nlDAPDisplayName: {name}\n"
        f"attributeID: {ARC}.{oid}\nattributeSyntax: 2.5.5.12\noMSyntax: 64\nisSingleValued: FALSE\n"
    )
    before = ours_in(fresh_dc)
    plan = schema_admin.plan(administrator(fresh_dc))
    assert render(plan).startswith(problem)
    with pytest.raises(DirectoryRefused, match="cannot be extended") as refusal:
        schema_admin.apply(administrator(fresh_dc), plan, lambda _: None)
    assert problem in refusal.value.problem
    assert ours_in(fresh_dc) == before


@pytest.mark.parametrize(
    "groups", [(), ("Enterprise Admins", "Domain Admins")], ids=["ordinary user", "enterprise, but not schema admin"]
)
def test_an_account_without_the_right_sees_the_plan_and_is_refused_before_anything_is_written(fresh_dc, groups):
    access = user(fresh_dc, "helpdesk", *groups)
    plan = schema_admin.plan(access)
    assert len(plan.changes) == CHANGES
    with pytest.raises(DirectoryRefused, match=r"helpdesk@.* may not write .*nothing was written") as refusal:
        schema_admin.apply(access, plan, lambda _: None)
    assert "Schema Admins and Enterprise Admins" in refusal.value.remedy
    assert ours_in(fresh_dc) == []


def test_a_server_that_permits_no_schema_changes_is_named_with_its_remedy(fresh_dc):
    configuration = fresh_dc.configuration
    permissive = configuration.read_text()
    configuration.write_text(permissive.replace("schema update allowed = yes", "schema update allowed = no"))
    try:
        fresh_dc.stop()
        fresh_dc.start()
        with pytest.raises(DirectoryRefused, match="permits no changes of its schema") as refusal:
            install(administrator(fresh_dc))
        assert "dsdb:schema update allowed = yes" in refusal.value.remedy
        assert "changes made before it: 1)" in refusal.value.problem
    finally:
        configuration.write_text(permissive)
        fresh_dc.stop()
        fresh_dc.start()
    # what was written stays, and the next run goes on from there
    plan = schema_admin.plan(administrator(fresh_dc))
    assert len(plan.changes) == CHANGES - 1
    assert plan.conflicts == ()


def test_another_server_than_the_schema_master_names_the_schema_master(fresh_dc):
    server = f"CN=DC2,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{fresh_dc.base_dn}"
    fresh_dc.ldapmodify(f"dn: {server}\nchangetype: add\nobjectClass: server\ndNSHostName: dc2.lab.example.test\n")
    fresh_dc.stop()
    # a domain controller that is not there: only the database itself can be told of it
    database = ["-H", str(fresh_dc._home / "data/private/sam.ldb"), f"--configfile={fresh_dc.configuration}"]
    run(["ldbadd", *database, "--relax"], text=f"dn: CN=NTDS Settings,{server}\nobjectClass: nTDSDSA\n")
    fresh_dc.start()
    fresh_dc.ldapmodify(
        f"dn: {fresh_dc.schema_dn}\nchangetype: modify\n"
        f"replace: fSMORoleOwner\nfSMORoleOwner: CN=NTDS Settings,{server}\n"
    )
    with pytest.raises(DirectoryRefused, match="is not the forest's schema master, dc2") as refusal:
        schema_admin.plan(administrator(fresh_dc))
    assert refusal.value.remedy == "use the URL ldaps://dc2.lab.example.test"


def test_the_file_that_plain_ldapmodify_has_loaded_is_what_apply_writes(extended_dc):
    assert schema_admin.verify(administrator(extended_dc)).done


def test_people_get_tokens_and_policies_by_plain_ldapmodify(extended_dc):
    alice = extended_dc.add_user("schema-alice", "Pw-1", dirfactorToken=["sms", "vip"])
    unit = f"OU=schema,{extended_dc.base_dn}"
    extended_dc.ldapmodify(
        f"dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n\n"
        f"dn: CN=strict,{unit}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\ndirfactorCodeLength: 8\n"
        "dirfactorSmsEnabled: TRUE\ndirfactorReplyAttribute: Filter-Id=vpn-staff\n\n"
        f"dn: CN=vpn,{unit}\nchangetype: add\nobjectClass: dirfactorAccessNode\ndirfactorAddress: 192.0.2.0/24\n"
        f"dirfactorMember: {alice}\ndirfactorPolicy: CN=strict,{unit}\n\n"
        f"dn: {alice}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=strict,{unit}\n-\n"
        "add: dirfactorUnlockedAt\ndirfactorUnlockedAt: 20261124120000.0Z\n\n"
        f"dn: {unit}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=strict,{unit}\n\n"
        f"dn: CN=Domain Users,CN=Users,{extended_dc.base_dn}\nchangetype: modify\nadd: dirfactorPolicy\n"
        f"dirfactorPolicy: CN=strict,{unit}\n\n"
        f"dn: {extended_dc.base_dn}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=strict,{unit}\n"
    )
    (person,) = extended_dc.ldapsearch(alice, scope="base")
    assert set(person.texts("dirfactorToken")) == {"sms", "vip"}
    assert person.texts("dirfactorMemberOfNode") == [f"CN=vpn,{unit}"]
    (policy,) = extended_dc.ldapsearch(f"CN=strict,{unit}", scope="base")
    domain_users = f"CN=Domain Users,CN=Users,{extended_dc.base_dn}"
    subjects = {alice, unit, domain_users, extended_dc.base_dn, f"CN=vpn,{unit}"}
    assert set(policy.texts("dirfactorPolicySubjects")) == subjects


@pytest.mark.parametrize(
    "attribute", [item for item in ATTRIBUTES if item.low is not None and item.syntax.name == "INTEGER"][:6]
)
def test_the_server_itself_refuses_numbers_out_of_range(extended_dc, attribute):
    dn = f"CN=range,CN=Users,{extended_dc.base_dn}"
    policy = f"dn: {dn}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n{attribute.name}:"
    for value in (attribute.low - 1, attribute.high + 1):
        with pytest.raises(LdapRefused, match=attribute.name):
            extended_dc.ldapmodify(f"{policy} {value}\n")
    for value in (attribute.low, attribute.high):
        extended_dc.ldapmodify(f"{policy} {value}\n\ndn: {dn}\nchangetype: delete\n")


def test_one_access_control_entry_delegates_all_of_it_and_secrets_take_one_right_more(extended_dc):
    """The property set's purpose; and what confidential means (MS-ADTS 3.1.1.4.4)."""
    unit = f"OU=delegated,{extended_dc.base_dn}"
    extended_dc.ldapmodify(f"dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n")
    bob = extended_dc.add_user("schema-bob", "Pw-1", parent=unit, dirfactorPin="digest", dirfactorPhone="+12025550100")
    extended_dc.add_user("schema-helpdesk", "Pw-1")
    helpdesk = extended_dc.as_user(f"schema-helpdesk@{extended_dc.domain}", "Pw-1")
    sddl = run(
        ["samba-tool", "user", "show", "schema-helpdesk", "--attributes=objectSid", *server(extended_dc)]
    ).partition("objectSid: ")[2]

    def delegate(rights):
        entry = f"(OA;CI;{rights};{PROPERTY_SET_GUID};;{sddl.strip()})"
        run(["samba-tool", "dsacl", "set", f"--objectdn={unit}", f"--sddl={entry}", *server(extended_dc)])

    def sees():
        (found,) = helpdesk.search(bob, scope="base", attributes=["dirfactorPin", "dirfactorToken"])
        return set(found.attributes)

    write = f"dn: {bob}\nchangetype: modify\nreplace: {{0}}\n{{0}}: {{1}}\n"
    with pytest.raises(LdapRefused, match="access"):
        helpdesk.modify(write.format("dirfactorToken", "sms"))
    delegate("RPWP")
    helpdesk.modify(write.format("dirfactorToken", "sms"))
    assert sees() == {"dirfactorToken"}
    with pytest.raises(LdapRefused, match="access"):
        helpdesk.modify(write.format("description", "x"))
    delegate("CR")
    assert sees() == {"dirfactorToken", "dirfactorPin"}


def server(dc):
    return ["-s", str(dc.configuration), "-H", str(dc._home / "data/private/sam.ldb")]


def test_a_server_is_only_trusted_with_its_name_and_its_authority(samba_dc, slapd):
    access = administrator(samba_dc)
    with pytest.raises(DirectoryUnavailable, match="certificate is not trusted: unable to get local issuer"):
        schema_admin.plan(replace(access, ca_file=slapd.ca_file))
    with pytest.raises(DirectoryUnavailable, match="certificate is not trusted: unable to get local issuer"):
        schema_admin.plan(replace(access, ca_file=None))
    # the same host by a name that is not in the certificate: 127.0.10 is 127.0.0.10 to the resolver
    network, _, host = samba_dc.address.rpartition(".")
    alias = f"{network.removesuffix('.0')}.{host}"
    for urls, start_tls in (((f"ldaps://{alias}",), False), ((f"ldap://{alias}",), True)):
        with pytest.raises(DirectoryUnavailable, match="not trusted: Hostname mismatch"):
            schema_admin.plan(replace(access, urls=urls, start_tls=start_tls))
    assert schema_admin.plan(replace(access, urls=(samba_dc.ldap,), start_tls=True))


def test_a_server_that_is_down_makes_way_and_a_wrong_password_does_not(samba_dc):
    access = administrator(samba_dc)
    down = f"ldaps://{samba_dc.address}:1"
    assert schema_admin.plan(replace(access, urls=(down, samba_dc.ldaps)))
    with pytest.raises(DirectoryUnavailable, match=r"no server answers: .*refused"):
        schema_admin.plan(replace(access, urls=(down,)))
    with pytest.raises(DirectoryRefused, match="does not accept the name administrator") as refusal:
        schema_admin.plan(replace(access, password=Secret("Wrong-1"), urls=(samba_dc.ldaps, down)))
    assert "Wrong-1" not in str(refusal.value)


def test_a_password_is_never_sent_in_clear_text_and_never_empty(samba_dc):
    access = administrator(samba_dc)
    with pytest.raises(DirectoryRefused, match="in clear text"):
        schema_admin.plan(replace(access, urls=(samba_dc.ldap,)))
    for nobody in (replace(access, password=Secret("")), replace(access, password=None), replace(access, bind_name="")):
        with pytest.raises(DirectoryRefused, match="name and a password are needed"):
            schema_admin.plan(nobody)
    assert "Passw0rd" not in repr(access)
