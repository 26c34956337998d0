"""How doctor treats a directory server: certificates have their days counted, and passwords are tried once."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from auth.clock import SYSTEM_CLOCK
from auth.doctor.catalogue import Check
from auth.doctor.directories import directory_examinations
from auth.doctor.runner import run
from dirsync.settings import DirectoryKind, DirectorySettings
from other_end import INVALID_CREDENTIALS, Answering, encrypting, listener
from rig.certificates import ServerFiles, issue
from schema.secret import Secret
from surroundings import SURROUNDINGS


def examined(port, ca_file, *checks, **given):
    standard = {
        "kind": DirectoryKind.AD,
        "url": (f"ldaps://127.0.0.1:{port}",),
        "base": "DC=lab,DC=example,DC=test",
        "bind_dn": "reader@lab.example.test",
        "bind_password": Secret("Copper-Ladder-63"),
        "ca_file": ca_file,
        "timeout_seconds": 2.0,
    }
    settings = DirectorySettings(**(standard | given))
    examinations = directory_examinations("", settings, SYSTEM_CLOCK, SURROUNDINGS)
    chosen = (each for each in examinations if not checks or each.check in checks)
    return {result.check: result.finding for result in run(chosen, lambda _: None)}


def certificate_of(folder, days) -> ServerFiles:
    """Files of a server whose certificate ends in so many days and an hour."""
    authority = trustme.CA()
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    server = authority.issue_cert("127.0.0.1", not_before=end - timedelta(days=400), not_after=end)
    files = ServerFiles(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(str(files.ca))
    server.cert_chain_pems[0].write_to_path(str(files.certificate))
    server.private_key_pem.write_to_path(str(files.key))
    return files


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [(-2, "failed", "certificate has expired"), (6, "failed", "6 days"), (29, "warning", "29 days"), (30, "ok", "30")],
)
def test_the_certificate_of_a_directory_server_has_its_days_counted(tmp_path, days, status, words):
    files = certificate_of(tmp_path, days)
    with listener(encrypting(files, lambda _: None)) as port:
        found = examined(port, files.ca, Check.SERVERS)[Check.SERVERS]
    assert (found.status, words in found.detail) == (status, True)
    assert ("new certificate" in found.remedy) == (status != "ok")


def test_the_certificate_that_we_show_to_a_directory_has_its_days_counted_as_well(tmp_path):
    (tmp_path / "ours").mkdir()
    files, ours = certificate_of(tmp_path, 90), certificate_of(tmp_path / "ours", 20)
    settings = DirectorySettings(
        kind=DirectoryKind.AD,
        url=("ldaps://127.0.0.1:1",),
        base="DC=lab,DC=example,DC=test",
        client_certificate=ours.certificate,
        client_key=ours.key,
        ca_file=files.ca,
        timeout_seconds=2.0,
    )
    examinations = directory_examinations("", settings, SYSTEM_CLOCK, SURROUNDINGS)
    chosen = (each for each in examinations if each.check is Check.SERVERS)
    own, _ = (result.finding for result in run(chosen, lambda _: None))
    assert own.status == "warning"
    assert own.detail.startswith(f"our certificate {ours.certificate} is good for 20 days")
    assert "let the directory know" in own.remedy


def test_a_wrong_password_is_tried_once_whatever_is_asked(tmp_path):
    files = issue(tmp_path, "127.0.0.1")
    refusing = Answering(code=INVALID_CREDENTIALS)
    with listener(encrypting(files, refusing.serve)) as port:
        found = examined(port, files.ca)
    assert len(refusing.binds) == 1
    assert found[Check.SIGN_IN].status == "failed"
    assert (found[Check.SCHEMA].status, found[Check.SCHEMA].detail) == ("skipped", "the account could not sign in")


def test_who_asks_for_one_thing_only_is_told_why_it_cannot_be_examined(tmp_path):
    files = issue(tmp_path, "127.0.0.1")
    with listener(encrypting(files, Answering(code=INVALID_CREDENTIALS).serve)) as port:
        found = examined(port, files.ca, Check.SCHEMA)[Check.SCHEMA]
    assert (found.status, "set bind_dn and bind_password" in found.remedy) == ("failed", True)


def test_servers_that_dns_should_name_and_does_not_are_said_with_the_record_that_is_missing():
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = f"127.0.0.1:{silent.getsockname()[1]}"
        found = examined(0, None, Check.NAMES, url=(), dns_servers=(resolver,), timeout_seconds=0.3)[Check.NAMES]
    assert (found.status, "_ldap._tcp.dc._msdcs.lab.example.test" in found.detail) == ("failed", True)
    assert "dns_servers" in found.remedy
