"""Held changes on real servers: what would be lost, by which edit, made when, where, and by whom if that is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from real_domain import PASSWORD

pytestmark = pytest.mark.servers

PEOPLE = [f"user{number}" for number in range(8)]


@pytest.fixture
def run(tmp_path):
    """dirfactor with a config.ini of its own."""
    (tmp_path / "password").touch(mode=0o600)
    config = tmp_path / "config.ini"

    def running(*arguments):
        ended = CliRunner().invoke(app, [*arguments, "--config", str(config)])
        return ended.exit_code, ended.stdout, ended.stderr

    running.config, running.password = config, tmp_path / "password"
    return running


def configure(run, password, text):
    run.password.write_text(password)
    directory = f"[directory]\nbind_password = file:{run.password.name}\n{text}"
    run.config.write_text(f"[service]\nstate_directory = state\n{directory}[sync]\ntripwire_users = 5\n")


def test_ad_says_when_and_where_a_policy_was_weakened_and_who_is_in_its_event_log(dc, run):
    base = f"OU=Lab,{dc.base_dn}"
    policy = f"CN=both,{base}"
    dc.ldapmodify(f"dn: {base}\nchangetype: add\nobjectClass: organizationalUnit\n")
    dc.ldapmodify(
        f"dn: {policy}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n"
        "dirfactorFirstMethod: password\ndirfactorSecondMethod: token\n"
    )
    dc.ldapmodify(f"dn: {base}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: {policy}\n")
    for name in PEOPLE:
        dc.add_user(name, PASSWORD, parent=base, dirfactorToken="sms")
    text = f"kind = ad\nurl = {dc.ldaps}\nbase = {dc.base_dn}\nbind_dn = {dc.admin}\nca_file = {dc.ca_file}\n"
    configure(run, dc.admin_password, text)
    assert run("sync")[0] == 0
    assert run("sync", "held") == (0, "nothing is held\n", "")
    dc.ldapmodify(f"dn: {policy}\nchangetype: modify\nreplace: dirfactorSecondMethod\ndirfactorSecondMethod: none\n")
    assert run("sync")[0] == 3
    status, out, _ = run("sync", "held")
    assert status == 1
    assert f"CN=user0,{base}: is no longer asked for token" in out
    assert f"  by dirfactorSecondMethod of {policy}: 8 users, changed 20" in out
    assert "DC1" in out.splitlines()[-1]
    assert "event 5136" in out.splitlines()[-1]
    ((batch,),) = [json.loads(run("sync", "held", "--json")[1])]
    (author,) = batch["authors"]
    assert datetime.now(UTC) - datetime.fromisoformat(author["when"]) < timedelta(minutes=10)
    assert author["who"] is None
    assert run("sync", "release")[0] == 0
    assert run("sync")[0] == 0
    assert run("sync", "held")[0] == 0


def test_openldap_says_who_changed_a_user(fresh_slapd, run):
    base = f"ou=people,{fresh_slapd.base_dn}"
    for name in PEOPLE:
        fresh_slapd.tools().modify(
            f"dn: uid={name},{base}\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: dirfactorUser\n"
            f"uid: {name}\ncn: {name}\nsn: {name}\ndirfactorToken: sms\n"
        )
    text = (
        f"kind = openldap\nurl = {fresh_slapd.ldaps}\nbase = {fresh_slapd.base_dn}\n"
        f"bind_dn = {fresh_slapd.admin}\nca_file = {fresh_slapd.ca_file}\n"
    )
    configure(run, fresh_slapd.admin_password, text)
    assert run("sync")[0] == 0
    for name in PEOPLE:
        fresh_slapd.tools().modify(f"dn: uid={name},{base}\nchangetype: modify\ndelete: dirfactorToken\n")
    assert run("sync")[0] == 3
    _, out, _ = run("sync", "held")
    assert f"  by dirfactorToken of uid=user0,{base}: 1 users, changed 20" in out
    assert f" by {fresh_slapd.admin}\n" in out
    assert "  and by 3 more changes" in out
