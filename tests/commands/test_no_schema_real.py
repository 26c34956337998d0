"""A directory that lacks our schema is told so, and not that somebody else was faster."""

import pytest

from dirsync.admin.connection import AdminAccess
from dirsync.admin.directory import open_directory
from dirsync.admin.edit import Edit, Values
from dirsync.errors import DirectoryRefused
from schema.secret import Secret

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
