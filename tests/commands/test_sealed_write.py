"""What the commands that set a sealed or digested value say of it is so: a dry run claims nothing as done."""

import json

import pytest

from auth.cli.sealed.write import write
from dirsync.admin.edit import Replacement
from dirsync.admin.found import Found

ALICE = Found("cn=alice", {})
GONE = (Replacement("dirfactorPin"),)


class Directory:
    """Takes what is written."""

    def __init__(self):
        self.written = []

    def write(self, edit):
        self.written.append(edit)


@pytest.fixture
def directory():
    return Directory()


def test_a_dry_run_prints_ldif_alone_and_says_apart_from_it_that_nothing_was_written(directory, capsys):
    write(directory, ALICE, GONE, "the PIN is taken away", {}, dry_run=True, json=False)
    told = capsys.readouterr()
    assert directory.written == []
    assert told.out.startswith("dn: cn=alice\n")
    assert "taken away" not in told.out
    assert told.err == "cn=alice: nothing was written; this is what would be: the PIN is taken away\n"


def test_what_was_written_is_said_to_be_done(directory, capsys):
    write(directory, ALICE, GONE, "the PIN is taken away", {}, dry_run=False, json=False)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("cn=alice: the PIN is taken away\n", "")
    assert len(directory.written) == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_program_is_told_whether_it_was_written(directory, capsys, dry_run):
    write(directory, ALICE, GONE, "the PIN is taken away", {"pin": "2580"}, dry_run=dry_run, json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["written"], told["pin"]) == (not dry_run, "2580")
    assert len(directory.written) == (not dry_run)
