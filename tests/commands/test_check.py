"""`dirfactor check numbers` and `check values` over the replica of an LDIF file, as an operator types them."""

import json

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from scenarios.company import Company, person, policy, policy_dn, texted

PREMIUM, LETTERS, LANDLINE = "+43900123456", "1-800-FLOWERS", "+4315880000"
ENTRIES = (
    texted("alice", 1),
    person("premium", "sms", mobile=PREMIUM),
    person("flowers", "sms", mobile=LETTERS),
    person("desk", "sms", mobile=LANDLINE),
    person("nobody-to-text", "sms"),
    person("mailed", "email"),
    person("elsewhere", "sms", pager=PREMIUM, mobile="+43 664 0000005", dirfactorPolicy=policy_dn("paged")),
    policy("paged", dirfactorSmsPhoneAttribute="pager"),
)


@pytest.fixture
def dirfactor(tmp_path):
    """Runs commands on a synced replica of the company with these entries."""

    def made(*entries):
        (tmp_path / "directory.ldif").write_text(Company(entries).text())
        config = tmp_path / "config.ini"
        config.write_text("[service]\nstate_directory = state\n[directory]\nkind = ldif\nfile = directory.ldif\n")
        run(config, "sync")
        return lambda *arguments: run(config, *arguments)

    return made


def run(config, *arguments):
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_numbers_that_will_not_work_are_found_by_the_policy_that_governs(dirfactor):
    ended = dirfactor(*ENTRIES)("check", "numbers", "--json")
    data = json.loads(ended.stdout)
    found = {
        item["dn"].split(",")[0].removeprefix("uid="): (item["attribute"], item["certain"]) for item in data["findings"]
    }
    assert found == {
        "premium": ("mobile", True),
        "flowers": ("mobile", True),
        "desk": ("mobile", False),
        "nobody-to-text": ("mobile", True),
        "elsewhere": ("pager", True),
    }
    assert (ended.exit_code, data["users"]) == (1, 7)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_number_is_printed_whole(dirfactor, form):
    printed = dirfactor(*ENTRIES)("check", "numbers", *form).stdout
    assert "***" in printed
    for number in (PREMIUM, LETTERS, LANDLINE):
        assert number not in printed
        assert number[3:-2] not in printed


def test_good_numbers_are_no_finding(dirfactor):
    ended = dirfactor(texted("alice", 1))("check", "numbers")
    assert (ended.exit_code, ended.stdout) == (0, "1 users, 0 numbers that will not work\n")


def test_values_come_with_what_mends_them_ready_to_be_copied(dirfactor):
    command = dirfactor(texted("typist", 1, dirfactorToken=("sms", "pigeon")))
    data = json.loads(command("check", "values", "--json").stdout)
    assert "-Remove @{dirfactorToken='pigeon'}" in data[0]["powershell"]
    text = command("check", "values").stdout
    assert f"\nldapmodify <<'.'\n{data[0]['ldif']}.\n" in text
    assert "\ndelete: dirfactorToken\ndirfactorToken: pigeon\n-\n" in text


def test_a_secret_is_in_no_output(dirfactor):
    command = dirfactor(texted("alice", 1, dirfactorPin="\x01swordfish"))
    for form in ((), ("--json",)):
        ended = command("check", "values", *form)
        assert ended.exit_code == 1
        assert "swordfish" not in ended.stdout + ended.stderr
        assert "delete: dirfactorPin" in ended.stdout
