"""The disk that the power is cut off from loses what a disk may lose, and nothing else."""

import random
from pathlib import Path

from power.disk import SECTOR, Call, Disk, Step, What

FOLDER = Path("/folder")
FILE = FOLDER / "file"
OTHER = FOLDER / "other"


def disk_after(*calls):
    disk = Disk()
    for call in calls:
        disk.take(Step(call, ended=False))
        disk.take(Step(call, ended=True))
    return disk


def found_after(disk, times=200):
    """Everything that may be found of the file, in so many cuts."""
    return {disk.after_a_cut(random.Random(seed)).get(FILE) for seed in range(times)}


def test_what_was_synced_is_there():
    disk = disk_after(Call(What.CREATE, FILE), Call(What.WRITE, FILE, 0, b"kept"), Call(What.SYNC, FILE))
    assert found_after(disk) == {b"kept"}


def test_of_what_was_not_synced_any_sector_may_be_there_and_the_name_too():
    octets = b"a" * SECTOR + b"b" * SECTOR
    found = found_after(disk_after(Call(What.CREATE, FILE), Call(What.WRITE, FILE, 0, octets)))
    assert found == {None, b"", octets, octets[:SECTOR], bytes(SECTOR) + octets[SECTOR:]}


def test_a_later_write_may_be_there_without_an_earlier_one():
    first, second = Call(What.WRITE, FILE, 0, b"1"), Call(What.WRITE, FILE, 1, b"2")
    disk = disk_after(Call(What.CREATE, FILE), Call(What.SYNC, FILE), first, second)
    assert found_after(disk) == {b"", b"1", b"12", b"\0" + b"2"}


def test_what_is_written_at_the_end_stands_behind_what_was_written_before():
    append = [Call(What.WRITE, FILE, None, octets) for octets in (b"1", b"2")]
    assert found_after(disk_after(Call(What.CREATE, FILE), *append, Call(What.SYNC, FILE))) == {b"12"}


def test_a_sync_is_good_for_what_has_ended_when_it_begins_and_once_it_has_ended():
    disk = disk_after(Call(What.CREATE, FILE), Call(What.SYNC, FILE), Call(What.WRITE, FILE, 0, b"before"))
    sync, late = Call(What.SYNC, FILE), Call(What.WRITE, FILE, 6, b"!")
    disk.take(Step(sync, ended=False))
    disk.take(Step(late, ended=False))
    assert b"" in found_after(disk)
    disk.take(Step(sync, ended=True))
    assert found_after(disk) == {b"before", b"before!"}


def test_a_file_that_was_taken_away_may_come_back_until_its_folder_was_synced():
    calls = [Call(What.CREATE, FILE), Call(What.SYNC, FILE), Call(What.REMOVE, FILE)]
    assert found_after(disk_after(*calls)) == {None, b""}
    assert found_after(disk_after(*calls, Call(What.SYNC, FOLDER))) == {None}


def test_a_further_name_may_be_gone_until_the_folder_was_synced():
    calls = [Call(What.CREATE, OTHER), Call(What.WRITE, OTHER, 0, b"kept"), Call(What.SYNC, OTHER)]
    calls += [Call(What.LINK, FILE, source=OTHER), Call(What.REMOVE, OTHER)]
    assert found_after(disk_after(*calls)) == {None, b"kept"}
    assert found_after(disk_after(*calls, Call(What.SYNC, FOLDER))) == {b"kept"}


def test_the_sync_of_one_file_is_none_of_another():
    disk = disk_after(
        Call(What.CREATE, FILE),
        Call(What.SYNC, FILE),
        Call(What.CREATE, OTHER),
        Call(What.WRITE, FILE, 0, b"x"),
        Call(What.SYNC, OTHER),
    )
    assert found_after(disk) == {b"", b"x"}
