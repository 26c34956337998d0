"""Which directory a command works at is never guessed."""

import pytest
from typer.testing import CliRunner

from auth.cli.main import app

AD = """\
kind = ad
url = ldaps://dc.{name}.example.test
base = DC={name},DC=example,DC=test
bind_dn = svc
bind_password = env:DIRFACTOR_TEST_PASSWORD
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """How `policy list` ends with a config.ini that has these sections."""
    monkeypatch.setenv("DIRFACTOR_TEST_PASSWORD", "x")

    def ask(sections, *options):
        config = tmp_path / "config.ini"
        config.write_text("[service]\nstate_directory = state\n" + sections)
        return CliRunner().invoke(app, ["policy", "list", "--config", str(config), *options])

    return ask


def test_one_of_several_directories_has_to_be_named(asked):
    both = "".join(f"[directory:{name}]\n{AD.format(name=name)}" for name in ("north", "south"))
    ended = asked(both)
    assert ended.exit_code == 2
    assert "add --directory: [directory:north], [directory:south]" in ended.stderr
    ended = asked(both, "--directory", "west")
    assert ended.exit_code == 2
    assert "no directory west" in ended.stderr


def test_a_file_is_edited_and_not_written_to(asked):
    ended = asked("[directory]\nkind = ldif\nfile = directory.ldif\n")
    assert ended.exit_code == 2
    assert "edit it and save it" in ended.stderr


def test_a_wrong_config_is_told_as_check_config_tells_it(asked):
    ended = asked("[directory]\nkind = nds\n")
    assert ended.exit_code == 2
    assert "config.ini:4: [directory] kind" in ended.stderr
