"""`dirfactor token assign … vip ID`: VIP is asked first, and what it refuses does not come into the directory."""

import json
from contextlib import closing
from datetime import UTC, datetime

import pyotp
import pytest

from auth.clock import SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from vip.conftest import start

pytestmark = pytest.mark.servers
STATES = {"VSST10000001": "NEW", "VSST10000002": "ENABLED", "VSST10000003": "LOCKED"}
CONFIG = """\
[directory]
kind = ldif
file = none.ldif

[vip]
certificate = client.p12
password = file:client.password
ca_file = ca.pem
url = {url}
"""


@pytest.fixture
def vip(tmp_path):
    certificates = CertificateFolder(tmp_path)
    certificates.make(datetime.now(UTC), SYSTEM_ENTROPY)
    entries = [{"id": name, "seed": pyotp.random_base32(), "status": status} for name, status in STATES.items()]
    with closing(start(tmp_path, certificates, entries)) as running:
        simulator = next(running)
        (tmp_path / "config.ini").write_text(CONFIG.format(url=simulator.url))
        yield simulator


@pytest.fixture
def assign(openldap_lab, vip, tmp_path):
    """Assign to alice; how the command ends, and which credentials the directory has then."""
    lab = openldap_lab
    lab.add_policy("staff", dirfactorTokenOrder="vip")
    alice = lab.add_person("alice")
    assert lab.run("policy", "assign", "staff", "alice").status == 0

    def run(*arguments: str):
        command = ("token", "assign", "alice", "vip", *arguments, "--config", str(tmp_path / "config.ini"))
        return lab.run(*command), lab.texts(alice, "dirfactorVipCredential")

    yield run
    lab.clear()


def test_a_new_credential_is_activated_with_its_code_and_written(assign, vip):
    ended, written = assign("vsst 1000-0001", "--code", vip.wrong_code("VSST10000001").text)
    assert (ended.status, written) == (2, [])
    assert "49B5" in ended.err
    ended, written = assign("VSST10000001", "--code", vip.code("VSST10000001").text, "--dry-run")
    assert (ended.status, written) == (1, [])
    assert "was never activated" in ended.out
    ended, written = assign("VSST10000001", "--code", vip.code("VSST10000001").text, "--json")
    assert (ended.status, written) == (0, ["VSST10000001"]), ended
    assert json.loads(ended.out)["vip"] == [
        {"credential": "VSST10000001", "status": "ENABLED", "told": "VSST10000001 was activated at VIP"}
    ]


def test_what_is_not_in_this_account_is_not_written_and_what_is_locked_is_warned_of(assign, vip):
    ended, written = assign("VSST99999999")
    assert (ended.status, written) == (2, [])
    assert "4E03" in ended.err
    assert "dirfactorVipCredential" in ended.err
    ended, written = assign("VSST10000003")
    assert (ended.status, written) == (1, ["VSST10000003"])
    assert "! VSST10000003 is locked" in ended.out
    vip.process.terminate()
    vip.process.wait()
    ended, written = assign("VSST10000002")
    assert (ended.status, written) == (3, ["VSST10000003"]), "VIP could not be asked"
    ended, written = assign("VSST10000002", "--unchecked")
    assert (ended.status, written) == (0, ["VSST10000002", "VSST10000003"])


@pytest.mark.parametrize(
    "options", [("--code", "123456"), ("VSST10000002", "--code2", "123456"), ("VSST10000002", "--code", "12345")]
)
def test_options_that_make_no_sense_are_a_wrong_command_line(assign, options):
    ended, written = assign(*options)
    assert (ended.status, written) == (2, [])
