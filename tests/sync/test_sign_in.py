"""How the account that reads the directory is let in: by Kerberos, by a certificate, by the process's user."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dirsync.errors import DirectoryRefused
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectoryKind, DirectorySettings, SignIn
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from dirsync.wire.kerberos import first_principal, use
from dirsync.wire.search import Search
from rig.certificates import issue
from rig.proxy import Trouble, between
from schema.errors import Fault
from surroundings import SURROUNDINGS

servers = pytest.mark.servers
PASSWORD = "Copper-Ladder-63"

# Signs in in a process of its own, because Kerberos takes its settings from the process's environment, and reads what
# strangers may not.
SIGN_IN = """
import sys, time
import msgspec
from dirsync.wire.connector import Connector
from dirsync.wire.search import Search
from dirsync.settings import DirectorySettings
from dirsync.wire.surroundings import Surroundings
settings = msgspec.json.decode(sys.argv[1], type=DirectorySettings, dec_hook=lambda kind, text: kind(text))
connection = Connector(settings, Surroundings(time.monotonic, int)).sign_in()
[(name, _)] = connection.search(Search(settings.base, ("objectClass",))).entries
print(name)
"""


def read_as_told(settings, **environment):
    """(DN of the base as the server gives it, the last line of what went wrong)."""
    command = [sys.executable, "-c", SIGN_IN, msgspec.json.encode(settings, enc_hook=str).decode()]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("KRB5")}
    clean |= {"PYTHONPATH": str(Path(__file__).parents[2])} | environment
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip(), done.stderr.strip().rpartition("\n")[2]


@pytest.fixture(scope="module")
def kerberos(realm_dc):
    dc, realm = realm_dc
    dc.add_user("ticket", PASSWORD)
    return dc, realm, realm.keytab("ticket")


def settings(dc, keytab, **given):
    return DirectorySettings(
        **{
            "kind": DirectoryKind.AD,
            "url": (dc.ldap,),
            "base": dc.base_dn,
            "sign_in": SignIn.GSSAPI,
            "keytab": keytab,
            "ca_file": dc.ca_file,
        }
        | given
    )


@servers
@pytest.mark.parametrize("way", ["ldap", "ldaps", "start_tls"])
def test_a_keytab_signs_in_without_kinit_by_every_way(kerberos, way):
    dc, realm, keytab = kerberos
    given = settings(dc, keytab, url=(dc.ldaps if way == "ldaps" else dc.ldap,), start_tls=way == "start_tls")
    assert read_as_told(given, KRB5_CONFIG=str(realm.configuration)) == (dc.base_dn, "")


@servers
def test_kerberos_encrypts_what_tls_does_not(kerberos):
    dc, realm, keytab = kerberos
    trouble = Trouble()
    # the ticket is for ldap/ADDRESS, and the realm's file knows no other: this address stands for it
    conf = realm.configuration.with_name("proxied.conf")
    conf.write_text(realm.configuration.read_text() + f"    127.0.0.1 = {dc.domain.upper()}\n")
    dc.ldapmodify(
        f"dn: CN=DC1,OU=Domain Controllers,{dc.base_dn}\nchangetype: modify\n"
        "add: servicePrincipalName\nservicePrincipalName: ldap/127.0.0.1\n"
    )
    with between(dc.address, 389, trouble) as port:
        given = settings(dc, keytab, url=(f"ldap://127.0.0.1:{port}",))
        assert read_as_told(given, KRB5_CONFIG=str(conf)) == (dc.base_dn, "")
    assert b"GSSAPI" in trouble.heard
    assert b"objectClass" in trouble.heard, "the greeting, which anybody may read"
    assert dc.base_dn.encode() not in trouble.heard


@servers
@pytest.mark.parametrize(
    ("change", "words", "remedy"),
    [
        ("replace: unicodePwd\nunicodePwd:: {other}", "Preauthentication failed", "export the keytab again"),
        ("replace: userAccountControl\nuserAccountControl: 514", "have been revoked", "enable or unlock the account"),
    ],
    ids=["another password", "disabled"],
)
def test_an_account_that_kerberos_refuses_is_a_refusal_with_a_remedy(kerberos, change, words, remedy):
    dc, realm, _ = kerberos
    dn = dc.add_user(words[:8].strip(), PASSWORD)
    keytab = realm.keytab(words[:8].strip())
    other = base64.b64encode('"Other-63"'.encode("utf-16-le")).decode()
    dc.ldapmodify(f"dn: {dn}\nchangetype: modify\n{change.format(other=other)}\n")
    name, said = read_as_told(settings(dc, keytab), KRB5_CONFIG=str(realm.configuration))
    assert name == ""
    assert said.startswith("dirsync.errors.DirectoryRefused: Kerberos does not let us in")
    assert words in said
    assert remedy in said


@servers
@pytest.mark.parametrize(
    ("conf", "words", "remedy"),
    [
        (
            "[realms]\nLAB.EXAMPLE.TEST = {\nkdc = 127.0.0.1:1\n}\n",
            "Cannot contact any KDC",
            "that the realm's KDC runs",
        ),
        ("[libdefaults]\ndns_lookup_kdc = false\n", "Cannot find KDC", "let krb5.conf or DNS name the KDC"),
    ],
    ids=["a dead one", "none"],
)
def test_a_missing_kdc_is_waited_for_and_named(kerberos, tmp_path, conf, words, remedy):
    dc, _, keytab = kerberos
    (tmp_path / "krb5.conf").write_text(conf)
    name, said = read_as_told(settings(dc, keytab), KRB5_CONFIG=str(tmp_path / "krb5.conf"))
    assert name == ""
    assert said.startswith("dirsync.errors.DirectoryAway: Kerberos does not let us in")
    assert words in said
    assert remedy in said


@servers
def test_a_name_that_kerberos_does_not_know_is_to_be_written_as_the_ticket_has_it(kerberos):
    dc, realm, keytab = kerberos
    conf = realm.configuration.with_name("local.conf")
    conf.write_text(realm.configuration.read_text() + f"    localhost = {dc.domain.upper()}\n")
    with between(dc.address, 389, Trouble()) as port:
        name, said = read_as_told(settings(dc, keytab, url=(f"ldap://localhost:{port}",)), KRB5_CONFIG=str(conf))
    assert name == ""
    assert "the server's full DNS name" in said


@servers
def test_where_kerberos_encrypts_the_sync_passwords_of_people_go_over_tls_all_the_same(kerberos):
    dc, _, keytab = kerberos
    trouble = Trouble()
    dn = dc.add_user("person", "Silver-Fern-17")
    with between(dc.address, 389, trouble) as port:
        given = settings(dc, keytab, url=(f"ldap://{dc.address}", f"ldap://localhost:{port}"))
        certain = DirectorySettings(**{**msgspec.structs.asdict(given), "url": given.url[:1]})
        assert LdapPasswordCheck(certain, SURROUNDINGS).check(dn, "Silver-Fern-17") is PasswordVerdict.RIGHT
        # the certificate does not name the proxy, so nobody who only listens would be told the password
        astray = DirectorySettings(**{**msgspec.structs.asdict(given), "url": given.url[1:]})
        assert LdapPasswordCheck(astray, SURROUNDINGS).check(dn, "Silver-Fern-17") is PasswordVerdict.UNAVAILABLE
    assert b"1.3.6.1.4.1.1466.20037" in trouble.heard
    assert b"Silver-Fern-17" not in trouble.heard


@pytest.fixture
def trusting_slapd(fresh_slapd, tmp_path):
    """slapd that takes certificates of an authority of its own for clients, and one of these."""
    files = issue(tmp_path / "client", "reader.example.test")
    fresh_slapd.tools(fresh_slapd.config, fresh_slapd.config_password).modify(
        "dn: cn=config\nchangetype: modify\nreplace: olcTLSVerifyClient\nolcTLSVerifyClient: allow\n-\n"
        f"replace: olcTLSCACertificateFile\nolcTLSCACertificateFile: {files.ca}\n"
    )
    return fresh_slapd, files


def external(url, slapd, files=None):
    return DirectorySettings(
        url=(url,),
        base=slapd.base_dn,
        sign_in=SignIn.EXTERNAL,
        ca_file=slapd.ca_file,
        start_tls=url.startswith("ldap:"),
        client_certificate=files and files.certificate,
        client_key=files and files.key,
    )


def seen(given):
    connection = Connector(given, SURROUNDINGS).sign_in()
    try:
        return [dn for dn, _ in connection.search(Search(given.base, ("objectClass",))).entries]
    finally:
        connection.close()


@servers
@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_client_certificate_signs_in_over_tls(trusting_slapd, scheme):
    slapd, files = trusting_slapd
    given = external(getattr(slapd, scheme), slapd, files)
    assert seen(given) == [slapd.base_dn]
    with pytest.raises(DirectoryRefused) as fault:
        seen(msgspec.structs.replace(given, client_certificate=None, client_key=None))
    assert "client_certificate" in fault.value.remedy


@servers
def test_over_a_local_socket_the_process_is_its_own_proof(slapd):
    assert seen(external(slapd.ldapi, slapd)) == [slapd.base_dn]


def test_a_certificate_without_its_key_is_found_before_anything_is_sent(tmp_path):
    one, other = issue(tmp_path / "one", "a.example.test"), issue(tmp_path / "other", "b.example.test")
    given = DirectorySettings(
        url=("ldaps://127.0.0.1:1",),
        ca_file=one.ca,
        sign_in=SignIn.EXTERNAL,
        client_certificate=one.certificate,
        client_key=other.key,
    )
    with pytest.raises(Fault, match="is no pair") as fault:
        Connector(given, SURROUNDINGS).sign_in()
    assert "client_key" in fault.value.remedy


def entry(realm, *names, key=b"\x00\x12\x00\x20" + b"k" * 32):
    """An entry of a keytab, version 2."""
    parts = b"".join(len(part).to_bytes(2, "big") + part for part in (realm, *names))
    contents = len(names).to_bytes(2, "big") + parts + b"\0\0\0\1" + b"\0\0\0\0" + b"\1" + key
    return len(contents).to_bytes(4, "big") + contents


HOLE = (-6).to_bytes(4, "big", signed=True) + b"hole!!"
ALICE = entry(b"EXAMPLE.ORG", b"alice")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (ALICE + entry(b"EXAMPLE.ORG", b"bob"), "alice@EXAMPLE.ORG"),
        (HOLE + entry(b"EXAMPLE.ORG", b"ldap", b"dc1"), "ldap/dc1@EXAMPLE.ORG"),
        (b"", None),
        (HOLE, None),
        (b"\0\0\0\0", None),
        (ALICE[:12], None),
    ],
)
def test_a_keytab_belongs_to_its_first_entry(octets, expected):
    assert first_principal(b"\x05\x02" + octets) == expected
    assert first_principal(b"\x05\x01" + octets) is None


@pytest.fixture
def no_keytab_yet(monkeypatch):
    for name in ("KRB5_CLIENT_KTNAME", "KRB5CCNAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_process_has_one_keytab_and_says_so_of_a_second_one(no_keytab_yet, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for file in (first, second):
        file.write_bytes(b"\x05\x02" + ALICE)
    use(first, None)
    use(first, "alice")
    use(first, "alice@EXAMPLE.ORG")
    with pytest.raises(Fault, match="one keytab only"):
        use(second, None)
    assert os.environ["KRB5_CLIENT_KTNAME"] == f"FILE:{first}"
    assert os.environ["KRB5CCNAME"].startswith("MEMORY:")


@pytest.mark.parametrize(
    ("octets", "principal", "words"),
    [
        (None, None, "cannot be read"),
        (b"-----BEGIN", None, "is no keytab"),
        (b"\x05\x02", None, "is no keytab, or an empty one"),
        (b"\x05\x02" + ALICE, "bob@EXAMPLE.ORG", "is that of alice@EXAMPLE.ORG"),
    ],
)
def test_a_keytab_that_cannot_be_used_is_found_at_the_start(no_keytab_yet, tmp_path, octets, principal, words):
    file = tmp_path / "keytab"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(Fault, match=words) as fault:
        use(file, principal)
    assert fault.value.remedy
    assert "KRB5_CLIENT_KTNAME" not in os.environ
