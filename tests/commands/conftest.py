"""The directories of the command tests: one for each module, cleared after each test."""

import pytest

from commands.servers import Lab, apply_schema, options


@pytest.fixture(params=["ad", "openldap", "ds389"])
def lab(request):
    """Active Directory, OpenLDAP, 389 Directory Server."""
    lab = request.getfixturevalue(f"{request.param}_lab")
    yield lab
    lab.clear()


@pytest.fixture(scope="module")
def ad_lab(samba_dc, tmp_path_factory):
    samba_dc.become("dirfactor schema", apply_schema)
    place = f"OU=Lab,{samba_dc.base_dn}"
    samba_dc.ldapmodify(f"dn: {place}\nchangetype: add\nobjectClass: organizationalUnit\n")
    secret = tmp_path_factory.mktemp("ad") / "password"
    secret.write_text(samba_dc.admin_password)
    return Lab(
        kind="ad",
        tools=samba_dc.as_user(samba_dc.admin, samba_dc.admin_password),
        base=samba_dc.base_dn,
        place=place,
        options=options(samba_dc.ldaps, samba_dc.admin, secret, samba_dc.ca_file),
        naming="CN",
        person_class="user",
        name_attribute="sAMAccountName",
    )


@pytest.fixture(scope="module")
def openldap_lab(slapd, tmp_path_factory):
    slapd.reset()
    secret = tmp_path_factory.mktemp("openldap") / "password"
    secret.write_text(slapd.admin_password)
    return Lab(
        kind="openldap",
        tools=slapd.tools(),
        base=slapd.base_dn,
        place=f"ou=people,{slapd.base_dn}",
        options=options(slapd.ldaps, slapd.admin, secret, slapd.ca_file),
        naming="cn",
        person_class="inetOrgPerson",
        name_attribute="uid",
    )


@pytest.fixture(scope="module")
def ds389_lab(ds389, tmp_path_factory):
    ds389.reset()
    secret = tmp_path_factory.mktemp("ds389") / "password"
    secret.write_text(ds389.admin_password)
    place = f"ou=Lab,{ds389.base_dn}"
    ds389.tools().add(place, {"objectClass": "organizationalUnit", "ou": "Lab"})
    lab = Lab(
        kind="389ds",
        tools=ds389.tools(),
        base=ds389.base_dn,
        place=place,
        options=options(ds389.ldaps, ds389.admin, secret, ds389.ca_file),
        naming="cn",
        person_class="inetOrgPerson",
        name_attribute="uid",
    )
    yield lab
    lab.clear()
    ds389.tools().modify(f"dn: {place}\nchangetype: delete\n")
