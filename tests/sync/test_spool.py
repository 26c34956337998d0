"""Changes go into the spool and come out as they were."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync import spool as module
from dirsync.change import Delete, LinkChange, LinkKind, Put
from dirsync.spool import Spool
from schema.errors import Fault

ids = st.binary(min_size=16, max_size=16)
links = st.builds(LinkChange, st.lists(ids).map(tuple), st.lists(ids).map(tuple), st.booleans())
puts = st.builds(
    Put,
    id=ids,
    dn=st.text(st.characters(exclude_categories=["Cs"])),
    parent=st.none() | ids,
    attributes=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.binary()).map(tuple)),
    links=st.dictionaries(st.sampled_from(LinkKind), links),
    whole=st.booleans(),
)
changes = st.lists(puts | st.builds(Delete, ids), max_size=8)


@given(changes, changes)
def test_what_goes_in_comes_out_and_what_was_cleared_does_not(before, after):
    spool = Spool()
    for change in before:
        spool.append(change)
    spool.clear()
    for change in after:
        spool.append(change)
    assert list(spool.take()) == after


def test_many_changes_go_to_a_file_and_come_out_in_order(monkeypatch):
    monkeypatch.setattr(module, "_IN_MEMORY", 1000)
    spool = Spool()
    sent = [Put(bytes(15) + bytes([n]), f"CN={n}", None, {"mail": (b"x" * 100,)}) for n in range(200)]
    for change in sent:
        spool.append(change)
    assert spool._file._rolled
    assert list(spool.take()) == sent


def test_a_spool_that_nobody_empties_leaves_nothing_behind(monkeypatch):
    # a file that is left open would be reported as a warning, and warnings are errors here
    monkeypatch.setattr(module, "_IN_MEMORY", 1)
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    for begun in (False, True):
        spool = Spool()
        spool.append(Delete(bytes(16)))
        spool.append(Delete(bytes(16)))
        taken = spool.take()
        if begun:
            next(taken)
        del spool, taken
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


def test_a_full_disk_is_a_fault_with_a_remedy():
    spool = Spool()
    with Path("/dev/full").open("r+b", buffering=0) as full:
        spool._file = full
        with pytest.raises(Fault, match="does not fit") as fault:
            spool.append(Delete(bytes(16)))
    assert "TMPDIR" in fault.value.remedy
