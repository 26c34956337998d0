"""A directory that lacks our schema is told so; one where something stands in for ours is read, and not written."""

import pytest

from dirsync.admin.connection import AdminAccess
from dirsync.admin.directory import open_directory
from dirsync.admin.edit import Edit, Values
from dirsync.errors import DirectoryRefused
from schema.entry import User
from schema.secret import Secret
from schema.words import TokenKind

pytestmark = pytest.mark.servers


def test_a_directory_without_our_schema_is_told_from_a_race(fresh_dc, tmp_path):
    dn = fresh_dc.add_user("alice", "Copper-Ladder-63")
    access = AdminAccess((fresh_dc.ldaps,), fresh_dc.admin, Secret(fresh_dc.admin_password), fresh_dc.ca_file)
    with (
        open_directory(access) as directory,
        pytest.raises(DirectoryRefused) as refusal,
    ):
        directory.write(Edit(dn, (Values("dirfactorToken", (), (b"sms",)),)))
    assert "dirfactor schema plan" in refusal.value.remedy


def test_what_stands_in_for_ours_is_read_as_ours_and_left_to_the_directorys_tools(fresh_dc, tmp_path):
    dn = fresh_dc.add_user("alice", "Copper-Ladder-63", employeeType="sms,email")
    access = AdminAccess((fresh_dc.ldaps,), fresh_dc.admin, Secret(fresh_dc.admin_password), fresh_dc.ca_file)
    with open_directory(access, mapping={"dirfactorToken": "employeeType"}) as directory:
        alice = directory.parsed(directory.read(dn))
        assert isinstance(alice, User)
        assert alice.tokens == (TokenKind.SMS, TokenKind.EMAIL)
        with pytest.raises(DirectoryRefused, match="employeeType stand in for dirfactorToken") as refusal:
            directory.write(Edit(dn, (Values("dirfactorToken", (), (b"vip",)),)))
        assert f"set employeeType of {dn}" in refusal.value.remedy
