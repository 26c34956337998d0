"""`dirfactor email test`: what it prints, how it ends, and that it shows no secret."""

import json

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from channels.peers import PASSWORD
from microsoft.running import CLIENT_ID, MAILBOX, SECRET, TENANT

TO = "alice@example.test"


@pytest.fixture
def config(tmp_path, mail_program, ca_file, password_file, microsoft):
    """config.ini with a server that takes mails, one that is not there, and Graph."""
    password_file.chmod(0o600)
    (tmp_path / "graph.secret").touch(mode=0o600)
    (tmp_path / "graph.secret").write_text(SECRET)
    (tmp_path / "directory.ldif").touch()
    file = tmp_path / "config.ini"
    file.write_text(f"""\
[directory]
kind = ldif
file = directory.ldif

[email:relay]
host = localhost
port = {mail_program.port}
sender = {MAILBOX}
ca_file = {ca_file}
username = us
password = file:{password_file}

[email:gone]
host = localhost
port = 1
sender = {MAILBOX}
security = none

[email:office]
driver = graph
tenant = {TENANT}
client_id = {CLIENT_ID}
client_secret = file:graph.secret
sender = {MAILBOX}
login_url = {microsoft.url}
graph_url = {microsoft.url}
ca_file = {microsoft.ca_file}
""")
    return file


def run(config, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["email", "test", *arguments, "--config", str(config)])
    assert PASSWORD not in done.output
    assert SECRET not in done.output
    return done.exit_code, done.output


def test_a_mail_goes_the_way_of_codes_and_its_passage_is_told(config, mail_program):
    status, said = run(config, TO, "--server", "relay", "--json")
    (told,) = json.loads(said)
    seen = mail_program.next("mail")
    assert (status, seen["to"], seen["id"]) == (0, TO, f"<{told['message_id']}>")
    assert told["authentication"] == "PLAIN as us"
    assert told["tls"].startswith("TLSv1.")
    assert (told["taken"], told["problem"]) == (True, None)


def test_text_says_the_same_to_people(config, mail_program):
    status, said = run(config, TO, "--server", "relay")
    mail_program.next("mail")
    assert status == 0
    assert f"[email:relay] has taken the mail for {TO}" in said
    assert "PLAIN as us" in said


def test_graph_is_tried_in_the_same_way(config, microsoft):
    status, said = run(config, TO, "--server", "office")
    assert status == 0, said
    assert f"OAuth as application {CLIENT_ID}" in said
    assert [event["event"] for event in microsoft.events()] == ["token", "mail"]


def test_a_dry_run_sends_nothing(config, mail_program, microsoft):
    status, said = run(config, TO, "--dry-run", "--json")
    told = {each["name"]: each for each in json.loads(said)}
    assert status == 3
    assert {name: each["problem"] is None for name, each in told.items()} == {
        "relay": True,
        "gone": False,
        "office": True,
    }
    assert not any(each["taken"] for each in told.values())
    assert mail_program.events.empty()
    assert "mail" not in [event["event"] for event in microsoft.events()]


def test_every_server_is_tried_though_one_fails_and_the_failure_has_a_remedy(config, mail_program, microsoft):
    status, said = run(config, TO)
    mail_program.next("mail")
    assert status == 3
    assert said.index("[email:relay] has taken") < said.index("[email:gone]: broke off") < said.index("[email:office]")
    assert "check host, port and security" in said


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (["alice"], "'alice' is no mail address", "you@example.org"),
        (["a@example.test, b@example.test"], "no mail address", "you@example.org"),
        (["a@example.test\r\nBcc: eve@example.test"], "no mail address", "you@example.org"),
        ([TO, "--server", "relais"], "there is no [email:relais]", "relay, gone, office"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_refused(config, arguments, problem, remedy):
    status, said = run(config, *arguments)
    assert status == 2
    assert problem in said
    assert remedy in said


def test_a_configuration_without_a_mail_server_says_what_to_add(tmp_path):
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "config.ini").write_text("[directory]\nkind = ldif\nfile = directory.ldif\n")
    status, said = run(tmp_path / "config.ini", TO)
    assert status == 3
    assert "[email:NAME]" in said


def test_check_config_knows_the_drivers(tmp_path):
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "config.ini").write_text("""\
[directory]
kind = ldif
file = directory.ldif
[email:a]
driver = grap
host = mail.example.org
sender = logon@example.org
[email:b]
driver = graph
host = mail.example.org
tenant = example.org
client_id = x
sender = logon@example.org
""")
    done = CliRunner().invoke(app, ["check", "config", "--config", str(tmp_path / "config.ini")])
    assert done.exit_code == 2
    assert "[email:a] driver: not one of the words\n    give one of smtp, graph" in done.output
    assert "[email:b] host: unknown key" in done.output


def doctor(config, check: str) -> list[tuple[str, str, str]]:
    done = CliRunner().invoke(app, ["doctor", "--only", check, "--json", "--config", str(config)])
    return [
        (each["subject"], each["status"], each["detail"]) for each in json.loads(done.output) if each["check"] == check
    ]


def test_doctor_reaches_every_driver_and_counts_the_days_of_our_own_certificate(config, microsoft):
    text = config.read_text().replace(
        "client_secret = file:graph.secret",
        f"assertion_certificate = {microsoft.certificate}\nassertion_key = {microsoft.key}",
    )
    config.write_text(text)
    found = doctor(config, "mail-server")
    assert [(subject, status) for subject, status, _ in found] == [
        ("[email:relay]", "ok"),
        ("[email:gone]", "failed"),
        ("[email:office]", "ok"),
        ("[email:office]", "ok"),
    ]
    assert "our certificate" in found[2][2]
    assert "99 days" in found[2][2]
    assert [event["event"] for event in microsoft.events()] == ["token"], "a token, and no mail"


def test_doctor_looks_after_the_key_of_our_certificate_as_after_any_secret(config, microsoft, tmp_path):
    key = tmp_path / "application.key"
    key.write_bytes(microsoft.key.read_bytes())
    key.chmod(0o644)
    text = config.read_text().replace(
        "client_secret = file:graph.secret", f"assertion_certificate = {microsoft.certificate}\nassertion_key = {key}"
    )
    config.write_text(text)
    assert [detail for _, status, detail in doctor(config, "secret-files") if status == "failed"] == [
        f"others may use {key}: its mode is 644"
    ]
