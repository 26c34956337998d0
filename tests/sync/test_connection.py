"""Connections that must not come about, or must not hang: seen from the socket at the other end."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from dirsync.ad.source import AdSource
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connection import Connection
from dirsync.wire.connector import Connector
from other_end import encrypting, listener
from rig.certificates import issue
from schema.errors import Fault
from schema.secret import Secret
from surroundings import SURROUNDINGS

PASSWORD = "Copper-Ladder-63"


def settings(**given):
    defaults = {
        "kind": DirectoryKind.AD,
        "url": ("ldaps://127.0.0.1:1",),
        "base": "DC=lab,DC=example,DC=test",
        "bind_dn": "reader@lab.example.test",
        "bind_password": Secret(PASSWORD),
        "timeout_seconds": 0.5,
    }
    return DirectorySettings(**(defaults | given))


@pytest.fixture
def certificates(tmp_path):
    return issue(tmp_path / "right", "127.0.0.1")


def handshake_of(files):
    heard = []
    return encrypting(files, lambda connection: heard.append(connection.recv(4096))), heard


OPEN = """
import sys, time
from pathlib import Path
from dirsync.wire.surroundings import Surroundings
from dirsync.wire.connector import Connector
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectorySettings
url, ca_file = sys.argv[1:]
settings = DirectorySettings(url=(url,), ca_file=Path(ca_file), start_tls=True, timeout_seconds=0.5)
Connector(settings, Surroundings(time.monotonic, int)).open()
"""


# A newer libldap is not asked to connect asynchronously, so that its socket waits in reads (ITS#8047).
WAITING_IN_READS = "import dirsync.wire.handle\ndirsync.wire.handle._CONNECT_ASYNC = 0\n" + OPEN


def open_apart(url, ca_file, code=OPEN, **environment):
    """Opens a connection in a process of its own, which can be killed when it hangs; what it said."""
    command = [sys.executable, "-c", code, url, str(ca_file)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=10).stderr


@pytest.mark.parametrize("make", [AdSource, LdapPasswordCheck])
@pytest.mark.parametrize(
    ("url", "named"),
    [
        (("ldap://dc1.lab.example.test",), "clear text"),
        (("ldaps://dc1.lab.example.test", "ldap://dc2.lab.example.test"), "ldap://dc2.lab.example.test"),
        (("ldapi://%2Frun%2Fldapi",), "no server"),
        (("dc1.lab.example.test",), "no server"),
        (("ldaps://",), "no server"),
    ],
)
def test_only_encrypted_connections_are_configured(make, url, named):
    with pytest.raises(Fault, match=named) as fault:
        make(settings(url=url), SURROUNDINGS)
    assert fault.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"bind_dn": ""},
        {"bind_dn": " "},
        {"bind_password": None},
        {"bind_password": Secret("")},
        {"base": ""},
        {"base": "lab.example.test"},
        {"ca_file": Path("/nonexistent/ca.pem")},
    ],
    ids=repr,
)
def test_what_is_missing_is_said_before_anything_is_sent(wrong):
    with pytest.raises(Fault) as fault:
        AdSource(settings(**wrong), SURROUNDINGS)
    assert fault.value.remedy


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_server_that_accepts_and_says_nothing_is_left_in_time(certificates, scheme):
    with listener() as port:
        assert "DirectoryAway" in open_apart(f"{scheme}://127.0.0.1:{port}", certificates.ca)


@pytest.mark.parametrize("code", [OPEN, WAITING_IN_READS], ids=["as it is", "waiting in reads"])
def test_a_server_that_does_not_end_its_answer_to_start_tls_is_left_in_time(certificates, code):
    def serve(connection):
        connection.recv(4096)
        connection.sendall(bytes.fromhex("30 0C 02 01"))
        connection.recv(4096)  # until the other end hangs up

    with listener(serve) as port:
        assert "DirectoryAway" in open_apart(f"ldap://127.0.0.1:{port}", certificates.ca, code)


@pytest.mark.parametrize(("name", "hears"), [("127.0.0.1", True), ("dc1.lab.example.test", False)])
def test_start_tls_proves_the_name_in_the_url(tmp_path, name, hears):
    files = issue(tmp_path / "server", name)
    encrypted, heard = handshake_of(files)

    def serve(connection):
        connection.recv(4096)
        connection.sendall(bytes.fromhex("30 0C 02 01 01 78 07 0A 01 00 04 00 04 00"))
        encrypted(connection)

    with listener(serve) as port, pytest.raises(DirectoryUnavailable):
        Connector(settings(url=(f"ldap://127.0.0.1:{port}",), start_tls=True, ca_file=files.ca), SURROUNDINGS).open()
    assert any(heard) == hears


@pytest.mark.parametrize("spoil", [Path.unlink, lambda ca_file: ca_file.write_text("no certificate")])
def test_without_certificate_authorities_nobody_is_trusted(certificates, spoil):
    serve, heard = handshake_of(certificates)
    with listener(serve) as port:
        given = settings(url=(f"ldaps://127.0.0.1:{port}",), ca_file=certificates.ca)
        connector, check = Connector(given, SURROUNDINGS), LdapPasswordCheck(given, SURROUNDINGS)
        spoil(certificates.ca)
        with pytest.raises(DirectoryUnavailable) as fault:
            connector.open()
        assert check.check("CN=alice", PASSWORD) is PasswordVerdict.UNAVAILABLE
    assert str(certificates.ca) in str(fault.value)
    assert b"".join(heard) == b""


@pytest.mark.parametrize("trouble", ["another authority", "another name"])
def test_a_server_that_cannot_prove_its_name_hears_nothing(tmp_path, trouble):
    if trouble == "another authority":
        files, ca_file = issue(tmp_path / "a", "127.0.0.1"), issue(tmp_path / "b", "127.0.0.1").ca
    else:
        files = issue(tmp_path / "a", "dc1.lab.example.test")
        ca_file = files.ca
    serve, heard = handshake_of(files)
    with listener(serve) as port, pytest.raises(DirectoryUnavailable) as fault:
        Connector(settings(url=(f"ldaps://127.0.0.1:{port}",), ca_file=ca_file), SURROUNDINGS).sign_in()
    assert b"".join(heard) == b""
    # to libldap, a failed verification looks like a server that is down
    problem, remedy = {
        "another authority": ("unable to get local issuer certificate", str(ca_file)),
        "another name": ("not valid for '127.0.0.1'", "a name that the certificate bears"),
    }[trouble]
    assert problem in fault.value.problem
    assert remedy in fault.value.remedy


@pytest.mark.parametrize("start", [AdSource, LdapPasswordCheck])
def test_without_a_url_a_base_without_dns_name_names_no_server(start):
    with pytest.raises(Fault, match="no server"):
        start(settings(url=(), base="O=Example"), SURROUNDINGS)


def test_a_server_that_can_prove_its_name_hears_a_question(certificates):
    serve, heard = handshake_of(certificates)
    with listener(serve) as port, pytest.raises(DirectoryUnavailable):
        Connector(settings(url=(f"ldaps://127.0.0.1:{port}",), ca_file=certificates.ca), SURROUNDINGS).open()
    assert heard[0].startswith(b"0")


def test_nothing_in_the_environment_switches_verification_off(tmp_path):
    serve, heard = handshake_of(issue(tmp_path / "a", "127.0.0.1"))
    with listener(serve) as port:
        said = open_apart(f"ldaps://127.0.0.1:{port}", issue(tmp_path / "b", "127.0.0.1").ca, LDAPTLS_REQCERT="never")
    assert "DirectoryAway" in said
    assert b"".join(heard) == b""


def test_start_tls_that_is_refused_is_not_done_without(certificates):
    heard = []

    def serve(connection):
        heard.append(connection.recv(4096))
        # ExtendedResponse, protocolError (RFC 4511 section 4.12)
        connection.sendall(bytes.fromhex("30 0C 02 01 01 78 07 0A 01 02 04 00 04 00"))
        heard.append(connection.recv(4096))

    with listener(serve) as port, pytest.raises(DirectoryUnavailable):
        Connector(
            settings(url=(f"ldap://127.0.0.1:{port}",), start_tls=True, ca_file=certificates.ca), SURROUNDINGS
        ).sign_in()
    assert b"1.3.6.1.4.1.1466.20037" in heard[0]
    assert PASSWORD.encode() not in b"".join(heard)


def test_no_fault_has_the_password_in_it(certificates):
    with listener(lambda connection: connection.close()) as port:
        urls = (f"ldaps://127.0.0.1:{port}", "ldaps://127.0.0.1:1")
        with pytest.raises(DirectoryUnavailable) as fault:
            AdSource(settings(url=urls, ca_file=certificates.ca), SURROUNDINGS).netbios_name()
    assert PASSWORD not in repr(fault.value) + str(fault.value)
    assert all(url in fault.value.problem for url in urls)


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), (" ", PASSWORD), ("CN=alice", "")])
def test_a_bind_that_proves_nothing_is_not_sent(name, password):
    with pytest.raises(DirectoryRefused, match="proves nothing"):
        Connection(None, "ldaps://127.0.0.1", settings(), Event()).bind(name, password)
