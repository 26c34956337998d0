"""`dirfactor doctor` at the company: all is well, and then one thing after the other is not."""

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from auth.clock import SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from auth.doctor.catalogue import Check
from dirsync.replica import ReplicaWriter
from scenarios.command_line import dirfactor
from scenarios.company import texted, with_vip
from scenarios.office import Office, open_office, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERYBODY = 12
# an LDIF site has none of these, plain HTTP no certificate, and this one no RadSec
ELSEWHERE = {"clock", "http-certificate", "radsec-certificate", "shared-state"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [texted(f"person{number:02}", number) for number in range(EVERYBODY)]
    async with open_office(tmp_path_factory.mktemp("doctor"), *people, with_vip("vera", "VSST10000001")) as running:
        yield running


async def examined(config: Path, *options: str) -> tuple[int | None, list[dict[str, Any]]]:
    ended = await dirfactor("doctor", "--config", str(config), "--json", *options)
    assert ended.out, ended.err
    return ended.status, json.loads(ended.out)


async def only(config: Path, check: str) -> dict[str, Any]:
    """The one thing that a check says."""
    status, results = await examined(config, "--only", check)
    (found,) = results
    assert found["check"] == check
    assert status == (1 if found["status"] in ("warning", "failed") else 0)
    return found


def variant(office: Office, name: str, *changes: tuple[str, str]) -> Path:
    """A config.ini beside the real one, with other texts in it."""
    text = office.service.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = office.site.folder / f"{name}.ini"
    file.write_text(text)
    return file


async def test_at_a_sound_company_all_is_well_and_every_check_is_made(office: Office):
    status, results = await examined(office.service.config)
    unwell = [each for each in results if each["status"] in ("warning", "failed")]
    assert (status, unwell) == (0, [])
    made = {each["check"] for each in results}
    assert made == {check.value for check in Check if not check.startswith("directory-")} - ELSEWHERE | {
        "directory-file"
    }
    info = {each["check"] for each in results if each["status"] == "info"}
    assert info == {"factors", "ports"}, "the service runs, and texts and mails are weak factors"


async def test_nothing_of_a_secret_is_shown(office: Office):
    files = (office.site.folder / name for name in ("sms.password", "radius.secret", "certificates/client.password"))
    secrets = [file.read_text() for file in files]
    file = variant(office, "open secrets", ("secret = file:radius.secret", "secret = file:short.secret"))
    short = office.site.folder / "short.secret"
    short.touch(mode=0o600)
    short.write_text("short-one")
    for options in ((), ("--json",)):
        ended = await dirfactor("doctor", "--config", str(file), *options)
        assert "9 characters" in ended.out
        assert not [secret for secret in (*secrets, "short-one") if secret in ended.out + ended.err]


async def test_a_gateway_that_is_stopped_fails_and_the_others_are_examined_all_the_same(office: Office):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        text = office.service.config.read_text()
        url = next(line for line in text.splitlines() if line.startswith("url = http://127.0.0.1:"))
        file = variant(office, "gone", (url, f"url = http://127.0.0.1:{nobody.getsockname()[1]}/messages"))
        status, results = await examined(file)
    (found,) = (each for each in results if each["status"] in ("warning", "failed"))
    assert (status, found["check"], found["subject"]) == (1, "sms-gateway", "[sms:gateway]")
    assert "Connection refused" in found["detail"]
    assert "see whether it runs" in found["remedy"]
    assert results[-1]["check"] == "ports"


async def test_a_mail_server_that_is_not_trusted_fails(office: Office):
    other = CertificateFolder(office.site.folder / "others")
    other.make(datetime.now(UTC), SYSTEM_ENTROPY)
    trust = "sender = logon@demo.example\nca_file = {}/ca.pem"
    file = variant(office, "mistrust", (trust.format("certificates"), trust.format("others")))
    found = await only(file, "mail-server")
    assert "its certificate was not accepted" in found["detail"]
    assert "set ca_file" in found["remedy"]


async def test_a_mail_server_without_the_login_that_is_configured_fails(office: Office):
    sender = "sender = logon@demo.example\n"
    file = variant(office, "login", (sender, f"{sender}username = demo\npassword = file:sms.password\n"))
    assert "does not offer AUTH" in (await only(file, "mail-server"))["detail"]


async def test_a_certificate_that_vip_does_not_know_fails_at_the_service_alone(office: Office):
    file = variant(office, "foreign", ("certificates/client.p12", "certificates/foreign-client.p12"))
    assert (await only(file, "vip-certificate"))["status"] == "ok"
    found = await only(file, "vip-service")
    assert found["status"] == "failed"
    assert "VIP account" in found["remedy"] or "certificate is not accepted" in found["remedy"]


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [(100, "failed", "expired at"), (85, "failed", "good for 4 days"), (70, "warning", "19 days"), (40, "info", "49")],
)
async def test_a_vip_certificate_has_its_days_counted(office: Office, days: int, status: str, words: str):
    old = CertificateFolder(office.site.folder / f"old{days}")
    old.make(datetime.now(UTC) - timedelta(days=days), SYSTEM_ENTROPY)
    wanted = ("certificate = certificates/client.p12", f"certificate = old{days}/client.p12")
    password = ("password = file:certificates/client.password", f"password = file:old{days}/client.password")
    found = await only(variant(office, f"old{days}", wanted, password), "vip-certificate")
    assert (found["status"], words in found["detail"]) == (status, True)
    assert "VIP Manager" in found["remedy"]


async def test_an_http_door_with_an_old_certificate_warns(office: Office):
    old = CertificateFolder(office.site.folder / "old-door")
    old.make(datetime.now(UTC) - timedelta(days=80), SYSTEM_ENTROPY)
    file = variant(office, "old-door", ("[http]\n", "[http]\ncertificate = old-door/server.pem\n"))
    found = await only(file, "http-certificate")
    assert (found["status"], "good for 9 days" in found["detail"]) == ("warning", True)


async def test_the_authorities_of_clients_are_looked_at_as_well(office: Office):
    old = CertificateFolder(office.site.folder / "old-clients")
    old.make(datetime.now(UTC) - timedelta(days=80), SYSTEM_ENTROPY)
    lines = "[http]\ncertificate = certificates/server.pem\nclient_ca_file = old-clients/ca.pem\n"
    _, results = await examined(variant(office, "old-clients", ("[http]\n", lines)), "--only", "http-certificate")
    found = [(each["status"], each["detail"]) for each in results if each["check"] == "http-certificate"]
    assert [status for status, _ in found] == ["ok", "warning"]
    assert "old-clients/ca.pem is good for 9 days" in found[1][1]


async def test_a_secret_that_others_may_read_keeps_the_service_from_starting(office: Office):
    file = variant(office, "open", ("secret = file:radius.secret", "secret = file:open.secret"))
    opened = office.site.folder / "open.secret"
    opened.write_text("a secret of many characters")
    opened.chmod(0o644)
    status, results = await examined(file)
    unwell = {each["check"]: each for each in results if each["status"] in ("warning", "failed")}
    assert (status, unwell.keys()) == (2, {"config", "secret-files"})
    assert "[node:vpn] secret" in unwell["config"]["detail"]
    assert unwell["secret-files"]["remedy"] == f"chmod 600 {opened}"


async def test_a_config_of_which_nothing_can_be_understood_ends_the_examination(office: Office):
    file = office.site.folder / "nothing.ini"
    file.write_text("nothing\n")
    ended = await dirfactor("doctor", "--config", str(file))
    assert (ended.status, ended.out) == (2, "")
    assert f"{file}:1: syntax" in ended.err


async def test_a_check_that_does_not_exist_is_said_and_those_that_do(office: Office):
    ended = await dirfactor("doctor", "--only", "teeth", "--config", str(office.service.config))
    assert ended.status == 2
    assert "there is no check teeth" in ended.err
    assert all(check in ended.err for check in Check)


async def test_a_replica_that_nobody_keeps_is_stale_and_one_that_is_not_there_says_so(office: Office):
    folder = office.site.folder / "stale"
    folder.mkdir(mode=0o700)
    file = variant(office, "stale", ("state_directory = state", "state_directory = stale"))
    assert "run `dirfactor sync`" in (await only(file, "replica"))["remedy"]
    assert (await dirfactor("sync", "--config", str(file))).status == 0
    assert (await only(file, "replica"))["status"] == "ok"
    writer = ReplicaWriter(folder / "replica.sqlite")
    hours_ago = datetime.now(UTC) - timedelta(hours=30)
    writer._db.execute("UPDATE directory SET as_of = ?", (hours_ago.isoformat(),))
    writer.close()
    found = await only(file, "replica")
    assert (found["status"], "logons are refused from 86400 s on" in found["detail"]) == ("failed", True)


async def test_changes_that_are_held_and_values_that_are_malformed_wait_for_somebody(office: Office):
    for number in range(EVERYBODY):
        office.company[f"uid=person{number:02}"].attributes["dirfactorToken"] = "pigeon" if number == 0 else None
    office.site.save(office.company.text())  # once, so that no sync comes in between

    async def is_held() -> bool:
        return (await only(office.service.config, "replica-held"))["status"] == "failed"

    await until(is_held)
    found = await only(office.service.config, "replica-held")
    assert f"from {EVERYBODY} users" in found["detail"]
    assert "dirfactor sync release" in found["remedy"]
    assert (await dirfactor("sync", "release", "--config", str(office.service.config))).status == 0

    async def is_known() -> bool:
        return (await only(office.service.config, "replica-values"))["status"] == "warning"

    await until(is_known)
    found = await only(office.service.config, "replica-values")
    assert (found["detail"], "check values" in found["remedy"]) == ("1 malformed values", True)
