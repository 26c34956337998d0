"""The generated files are what the table says."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from schema.__main__ import files, main, out_of_date, write

ROOT = Path(__file__).parents[2]
LDIF = [name for name in files() if name.startswith("ldif/")]


def test_the_files_in_the_repository_are_what_the_table_says():
    assert out_of_date(ROOT) == [], "run python -m schema"


def test_what_is_written_is_up_to_date(tmp_path, capsys):
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    assert capsys.readouterr().err == ""
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(files())


@pytest.mark.parametrize("name", files())
def test_a_file_that_was_edited_or_is_missing_is_named_and_not_mended_by_a_check(tmp_path, capsys, name):
    write(tmp_path)
    edited = tmp_path / name
    edited.write_text(edited.read_text() + "\n")
    assert main(["--check"], tmp_path) == 1
    edited.unlink()
    assert main(["--check"], tmp_path) == 1
    assert not edited.exists()
    assert capsys.readouterr().err.count(f"{edited} is out of date") == 2


@pytest.mark.parametrize("name", LDIF)
def test_the_files_are_ascii_with_unix_line_ends_and_say_how_to_import_them(name):
    text = files()[name]
    assert text.isascii()
    assert "\r" not in text
    assert text.endswith("\n")
    header = list(takewhile(lambda line: line.startswith("#"), text.splitlines()))
    assert any(tool in line for tool in ("ldifde -i", "ldapadd", "include", "ldapmodify") for line in header)


def test_the_import_into_active_directory_is_said_to_be_for_ever():
    header = files()["ldif/active-directory.ldif"].split("\n\n", 1)[0]
    assert "cannot be undone" in header
    assert '-c "DC=X" "DC=corp,DC=example"' in header


def test_a_check_also_says_what_windows_would_refuse(tmp_path, capsys):
    write(tmp_path)
    extension = tmp_path / "ldif" / "active-directory.ldif"
    extension.write_text(extension.read_text().replace("oMSyntax: 64", "oMSyntax: 20", 1))
    assert main(["--check"], tmp_path) == 1
    stale, refused = capsys.readouterr().err.splitlines()
    assert stale == f"{extension} is out of date: run python -m schema"
    assert re.match(rf"{extension}: line \d+: there is no syntax attributeSyntax 2.5.5.12, oMSyntax 20", refused)
