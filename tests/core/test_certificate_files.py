"""The certificate files that config.ini names are looked after while the service runs, whatever section names them."""

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificate_files import CertificateFilesWatch, certificate_files
from auth.clock import Clock
from auth.config import read_config
from auth.demo.certificates import Authority

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BASIS = """\
[service]
state_directory = state

[directory]
kind = openldap
url = ldaps://ldap.example.org
base = dc=example,dc=org
sign_in = external
client_certificate = account.pem
client_key = account.key
ca_file = directory-ca.pem
"""
ALL = (
    BASIS
    + """
[directory:branch]
kind = openldap
url = ldaps://ldap.branch.example.org
base = dc=branch,dc=example,dc=org
sign_in = external
client_certificate = branch.pem
client_key = branch.key

[http]
certificate = http.pem
client_ca_file = clients.pem

[radsec]
certificate = radsec.pem
client_ca_file = clients.pem

[state]
servers = valkey.example.org:6379
certificate = state.pem
ca_file = state-ca.pem

[audit]
syslog = tls://siem.example.org
syslog_ca_file = siem-ca.pem

[vip]
certificate = vip.p12
next_certificate = next.p12
password = file:vip.password
ca_file = vip-ca.pem

[sms:a]
url = https://sms.example.org/?to={phone}&text={text}
success_status = 200
ca_file = sms-ca.pem

[email:relay]
host = mail.example.org
sender = logon@example.org
username = logon@example.org
token_url = https://login.example.org/token
client_id = dirfactor
scope = mail
client_certificate = relay.pem
assertion_certificate = tokens.pem

[email:graph]
driver = graph
tenant = example.org
client_id = dirfactor
sender = logon@example.org
assertion_certificate = graph.pem
"""
)


@pytest.fixture
def named(tmp_path):
    """What config.ini says, read."""

    def read(text):
        file = tmp_path / "config.ini"
        file.write_text(text)
        secret = tmp_path / "vip.password"
        secret.touch(mode=0o600)
        secret.write_text("of the test")
        return read_config(file)

    return read


def test_every_certificate_that_no_other_watch_has_is_looked_after(named):
    """Those of the doors and VIP's own have one; what a section may name later counts by its key's name."""
    own_watch = {"http.pem", "radsec.pem", "clients.pem", "vip.p12", "next.p12"}
    mentioned = set(re.findall(r"(?m)^\w*(?:certificate|ca_file) = (\S+)$", ALL))
    found = list(certificate_files(named(ALL)))
    assert {each.path.name for each in found} == mentioned - own_watch
    assert len(found) == len(mentioned - own_watch) == 11
    shown = {f"{each.section} {each.key}" for each in found if "ca" not in each.key.split("_")}
    assert shown == {
        "[directory] client_certificate",
        "[directory:branch] client_certificate",
        "[state] certificate",
        "[email:relay] client_certificate",
        "[email:relay] assertion_certificate",
        "[email:graph] assertion_certificate",
    }


@pytest.fixture
def rings(named, tmp_path, caplog):
    """What is said of the account's certificate when so many days are left, one look after the other."""
    ends = NOW + timedelta(days=90)
    (tmp_path / "account.pem").write_bytes(Authority.make("Accounts", NOW).client("reader", ends).pem())

    async def look(*lefts: float) -> list[list[tuple[int, str]]]:
        now = NOW
        watch = CertificateFilesWatch(named(BASIS), Clock(lambda: now, lambda: 0.0))
        found = []
        for left in lefts:
            now = ends - timedelta(days=left)
            caplog.clear()
            await watch.look()
            found.append([(record.levelno, record.getMessage()) for record in caplog.records])
        return found

    return look


async def test_the_last_days_of_a_directory_s_client_certificate_are_told_from_30_on(rings, tmp_path):
    said = await rings(31, 29.9, 20, 6.9, 6.5, 5.8, -0.5)
    warning, error = logging.WARNING, logging.ERROR
    assert [[level for level, _ in lines] for lines in said] == [[], [warning], [], [error], [], [error], [error]]
    what = f"certificate of [directory] client_certificate: {tmp_path / 'account.pem'}"
    remedy = "put a new one in its place, then: systemctl reload dirfactor"
    assert said[1] == [(warning, f"{what} is good for 29 more days ({remedy})")]
    assert said[-1] == [(error, f"{what} ended on 2026-08-30 ({remedy})")]


async def test_authorities_are_told_when_the_last_of_their_file_ends(named, tmp_path, caplog):
    old, new = (Authority.make("Theirs", NOW - timedelta(days=days)) for days in (100, 1))  # live 90 days
    file = tmp_path / "directory-ca.pem"
    watch = CertificateFilesWatch(named(BASIS), Clock(lambda: NOW, lambda: 0.0))
    file.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in (old, new)))
    await watch.look()
    assert caplog.text == ""
    file.write_bytes(old.certificate.public_bytes(Encoding.PEM))
    await watch.look()
    assert "[directory] ca_file" in caplog.text
    assert " ended on " in caplog.text


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("no PEM")], ids=["gone", "no PEM"])
async def test_a_file_that_cannot_be_read_is_told_where_it_is_needed(named, tmp_path, caplog, spoil):
    file = tmp_path / "account.pem"
    file.touch()
    spoil(file)
    await CertificateFilesWatch(named(BASIS), Clock(lambda: NOW, lambda: 0.0)).look()
    assert caplog.text == ""
