"""The interpreter takes nothing that it does not understand, and reads what it takes as PowerShell does."""

from pathlib import Path

import pytest

from docs.powershell import PowerShell
from docs.powershell_text import Scalar, UnknownForm, read
from rig.ldaptools import LdapTools

NOBODY = PowerShell(LdapTools("ldap://127.0.0.1:1", Path("none"), "", ""), "DC=x", Path(), "")


@pytest.mark.parametrize(
    "script",
    [
        "Remove-ADUser alice",
        "Set-ADUser alice -Description x",
        "Set-ADUser alice bob -Clear info",
        "Set-ADUser alice -Clear @{info='x'}",
        "Set-ADUser alice -Replace info",
        "Get-ADUser -Filter *",
        "Get-ADUser alice | Where-Object { $_.Enabled }",
        "Get-ADUser alice | Format-Table",
        "$user = Get-ADUser alice",
        'Set-ADUser alice -Replace @{info="$name"}',
        "Set-ADUser alice -Replace @{info=$null}",
        "Set-ADUser alice -Replace @{info=}",
        "if ($true) { }",
        "Set-ADOrganizationalUnit People -Clear info",
    ],
)
def test_what_is_not_understood_is_refused_before_anything_is_sent(script):
    with pytest.raises(UnknownForm):
        NOBODY.run(script)


def test_arguments_lists_hashes_and_continued_lines_are_read():
    ((command,),) = read(
        "Set-ADUser 'O''Hara' `\n    -Replace @{\n  a = 'x','y'\n  b=$true; c=\"z\" } -Clear d, e # end\n"
    )
    assert command.name == "Set-ADUser"
    assert command.values == [Scalar("text", "O'Hara")]
    assert command.options == {
        "Replace": {
            "a": [Scalar("text", "x"), Scalar("text", "y")],
            "b": [Scalar("constant", "$true")],
            "c": [Scalar("text", "z")],
        },
        "Clear": [Scalar("word", "d"), Scalar("word", "e")],
    }


def test_a_pipeline_may_go_on_in_the_next_line_and_run_commands_in_braces():
    ((first, second),) = read(
        "Import-Csv x.csv |\n  ForEach-Object { Set-ADUser $_.user -Replace @{t=$_.t -split ' '} }"
    )
    assert (first.name, second.name) == ("Import-Csv", "ForEach-Object")
    (inner,) = second.inner
    assert inner.values == [Scalar("field", "user")]
    assert inner.options == {"Replace": {"t": [Scalar("field", "t", "-split", " ")]}}


def test_what_was_not_asked_for_is_no_empty_property(tmp_path):
    session = PowerShell(NOBODY.tools, "DC=x", tmp_path, "")
    (tmp_path / "in.csv").write_text("user,token\nalice,sms\n")
    assert session.run("Import-Csv in.csv | Select-Object user, token") == "alice sms\n"
    with pytest.raises(UnknownForm, match="phone"):
        session.run("Import-Csv in.csv | Select-Object user, phone")
    with pytest.raises(UnknownForm, match="NoTypeInformation"):
        session.run("Import-Csv in.csv | Export-Csv out.csv")
