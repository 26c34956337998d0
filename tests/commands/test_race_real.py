"""Of two administrators who change one entry at the same time, the second is told, and overwrites nothing."""

from pathlib import Path

import pytest

from dirsync.admin.connection import AdminAccess
from dirsync.admin.directory import open_directory
from dirsync.admin.edit import Edit, Values, replaced
from dirsync.errors import DirectoryRefused
from schema.secret import Secret

pytestmark = pytest.mark.servers


@pytest.fixture
def directory(lab):
    _, url, _, who, _, password, _, ca = lab.options
    access = AdminAccess((url,), who, Secret(Path(password).read_text()), Path(ca))
    with open_directory(access, lab.base) as opened:
        yield opened


@pytest.mark.parametrize("before", [b"", b"+436640000001"], ids=["nothing was there", "a value was there"])
def test_whoever_was_faster_stays(lab, directory, before):
    dn = lab.add_person("alice")
    found = directory.read(dn)
    directory.write(Edit(dn, (*directory.classes(found, "dirfactorUser"), Values("dirfactorToken", (), (b"sms",)))))
    if before:
        directory.write(Edit(dn, replaced(directory.read(dn), "dirfactorPhone", before)))
    mine, theirs = (directory.read(dn) for _ in range(2))
    directory.write(Edit(dn, replaced(theirs, "dirfactorPhone", b"+436640000002")))
    with pytest.raises(DirectoryRefused, match="somebody else has changed the entry meanwhile"):
        directory.write(Edit(dn, replaced(mine, "dirfactorPhone", b"+436640000003")))
    assert lab.texts(dn, "dirfactorPhone") == ["+436640000002"]


def test_a_value_that_both_add_is_there_once_and_the_second_is_told(lab, directory):
    dn = lab.add_person("alice")
    found = directory.read(dn)
    edit = Edit(dn, (*directory.classes(found, "dirfactorUser"), Values("dirfactorToken", (), (b"sms",))))
    directory.write(edit)
    with pytest.raises(DirectoryRefused, match="somebody else"):
        directory.write(edit)
    assert lab.texts(dn, "dirfactorToken") == ["sms"]
