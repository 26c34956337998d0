"""The power goes: the replica is as it was after one of its batches, with that one's cookie, and the sync goes on."""

import random
import sqlite3
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import cache

import pytest

from dirsync.errors import ReplicaUnavailable
from dirsync.replica import Replica, ReplicaWriter
from power.cuts import OFTEN, after_cuts, brought_over, cuts_of
from power.replica_life import DIRECTORIES, NOON, batch, name_of, state
from power.watched import watched
from small_directory import content, refresh
from small_world import in_memory

pytestmark = pytest.mark.servers  # strace comes with them
BATCHES = 60
CUTS = 150
FEWEST_CHECKPOINTS = 5
FILE = "replica.sqlite"


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replica")
    program = ["-m", "power.replica_life", folder / FILE, folder / "told", str(BATCHES)]
    return folder, list(watched(program, folder, folder / "strace.log"))


def test_after_it_cookies_and_entries_are_those_of_one_batch_and_the_sync_loses_no_change(life):
    folder, steps = life
    dice = random.Random(20261128)
    cuts = cuts_of(steps, folder / FILE, CUTS, dice)
    over, found, told = brought_over(steps, folder / FILE, folder / "told"), [], 0
    for step, numbers, place in after_cuts(steps, folder / "told", cuts, dice):
        told = numbers[-1] if numbers else 0
        last = demand_one_batch(place / FILE)
        assert over[step] <= last <= told + 1
        found.append(last < told)
    assert cuts.total() > CUTS + FEWEST_CHECKPOINTS * OFTEN, "checkpoints are among what is cut off"
    assert numbers[-1] == BATCHES
    assert len(found) / 10 < sum(found) < len(found), "some cuts take batches that were told, and some do not"


def demand_one_batch(file):
    """The number of the batch that it is as of."""
    seen = look(file)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(closing(ReplicaWriter(file, (), name))) for name in DIRECTORIES}
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        cookies = {name: int(writer.cookie(name) or 0) for name, writer in writers.items()}
        last = max(cookies.values())
        assert cookies == cookies_after(last)
        assert content(writers["east"]) == content_after(last)
        assert seen in ({}, {name: NOON + timedelta(seconds=number) for name, number in cookies.items() if number})
        after = cookies_after(BATCHES)
        for name, writer in writers.items():
            writer.apply(batch(cookies[name], after[name]), name)
        assert content(writers["east"]) == content_after(BATCHES)
    assert look(file) == {name: NOON + timedelta(seconds=number) for name, number in after.items()}
    return last


def look(file):
    """As of when each directory is to whoever only reads; that there is no replica yet is said as what it is."""
    try:
        replica = Replica(file)
    except ReplicaUnavailable as fault:
        if not fault.problem.startswith("there is no replica"):
            raise
        return {}
    with closing(replica):
        known = {name: replica.freshness(name).as_of for name in DIRECTORIES}
        return {name: as_of for name, as_of in known.items() if as_of}


def cookies_after(last):
    """By directory: the number of its batch when the batch with this number is the last one."""
    return {name_of(number): max(number, 0) for number in (last - 1, last)}


@cache
def content_after(last):
    with in_memory() as whole:
        whole.apply(refresh({key: item for number in (last - 1, last) for key, item in state(number).items()}), "all")
        return content(whole)
