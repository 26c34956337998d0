"""Commands reach the directory of config.ini: reading as the service's account, writing only in somebody's name."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.servers


@pytest.fixture
def configured(lab, tmp_path):
    """Options that name a config.ini whose only directory is the lab's."""
    _, url, _, who, _, password, _, ca = lab.options
    (tmp_path / "password").write_text(Path(password).read_text())
    (tmp_path / "password").chmod(0o600)
    config = tmp_path / "config.ini"
    config.write_text(
        "[service]\nstate_directory = state\nregion = AT\n"
        f"[directory]\nkind = {lab.kind}\nurl = {url}\nbase = {lab.base}\nbind_dn = {who}\n"
        f"bind_password = file:password\nca_file = {ca}\n"
        "[sms:kannel]\nurl = https://sms.example.org/?to={phone}&text={text}\nsuccess_status = 202\n"
    )
    return ("--config", str(config))


def test_reading_needs_no_name_and_writing_does(lab, configured):
    lab.add_policy("staff")
    dn = lab.add_person("alice")
    nameless = lab.run_as(configured, "token", "assign", "alice", "sms")
    assert nameless.status == 2
    assert "--bind" in nameless.err
    assert lab.texts(dn, "dirfactorToken") == []
    named = (*configured, "--bind", lab.options[3], "--password-file", lab.options[5])
    assert lab.run_as(named, "policy", "assign", "staff", "alice").status == 0
    # the region of config.ini makes a national number one that can be dialled
    ended = lab.run_as(named, "token", "assign", "alice", "sms", "--phone", "0664 0000077")
    assert (ended.status, lab.texts(dn, "dirfactorPhone")) == (0, ["+436640000077"])
    shown = lab.run_as(configured, "token", "show", "alice", "--json").data
    assert shown["tell"] == "alice gets a text to +43***77 at the next logon"


def test_what_config_ini_lacks_for_a_token_is_warned_of(lab, configured):
    lab.add_policy("staff")
    lab.add_person("alice")
    named = (*configured, "--bind", lab.options[3], "--password-file", lab.options[5])
    lab.run_as(named, "policy", "assign", "staff", "alice")
    ended = lab.run_as(named, "token", "assign", "alice", "email")
    assert ended.status == 1
    assert "! the email token will not work: config.ini has no [email:...] section" in ended.out
    assert lab.run("token", "assign", "alice", "email").status == 0, "without a config.ini nobody knows that"


def test_a_wrong_password_is_said_once_and_is_in_no_output(lab, tmp_path):
    secret = tmp_path / "wrong"
    secret.write_text("swordfish")
    options = (*lab.options[:5], str(secret), *lab.options[6:])
    ended = lab.run_as(options, "token", "list")
    assert ended.status == 3
    assert "does not accept the name" in ended.err
    assert "swordfish" not in ended.out + ended.err
