"""Domains for the tests of the sync."""

import pytest

from real_domain import PASSWORD, apply_schema


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
