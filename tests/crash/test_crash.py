"""A few rounds of `make crash` in every run of the tests, of each kind one at least; and that its own laws can fail."""

import itertools
import random

import pytest

from crash.__main__ import alone, run
from crash.alone import EndedEarly, killed
from crash.moment import Seen
from crash.places import at_a_server, at_workers, in_a_file

SEED = 20261126


@pytest.mark.servers
async def test_what_was_told_before_kill_9_holds_after_it(tmp_path):
    seen = Seen()
    await run(in_a_file, tmp_path, random.Random(SEED), 12, seen, rehearsals=1)
    assert seen.wrong == []
    assert len(seen.tallies) == 6, "of each kind"
    assert sum(tally.within for tally in seen.tallies.values()) > 0
    assert min(seen.accepted, seen.shown_again, seen.edits) > 0
    assert (seen.accepted_twice, seen.lost) == (0, 0)


@pytest.mark.servers
async def test_what_was_told_holds_when_a_worker_or_whoever_began_the_workers_is_killed(tmp_path):
    seen = Seen()
    await run(at_workers, tmp_path, random.Random(SEED), 4, seen, rehearsals=1)
    assert seen.wrong == []
    assert len(seen.tallies) == 4, "of each kind"
    assert min(seen.accepted, seen.shown_again) > 0
    assert seen.accepted_twice == 0


@pytest.mark.servers
async def test_keys_that_are_rotated_while_kill_9_comes_still_open_everything(tmp_path):
    seen = Seen()
    await run(at_a_server, tmp_path, random.Random(SEED), 3, seen, rehearsals=1)
    assert seen.broken() == []
    assert min(seen.accepted, seen.shown_again) > 0


def test_audit_and_key_ring_are_whole_whenever_their_writer_is_killed(tmp_path):
    seen = Seen()
    alone(tmp_path, random.Random(SEED), 25, seen)
    assert seen.broken() == []


def test_a_child_that_was_not_killed_but_ended_is_no_round(capfd):
    def fails():
        yield "one"
        raise OSError("the disk is gone")

    for work in (lambda: iter(["one"]), fails):
        with pytest.raises(EndedEarly):
            killed(work, random.Random(1), 0.2)
    assert "the disk is gone" in capfd.readouterr().err


def test_a_child_is_killed_while_it_works():
    lines = killed(lambda: map(str, itertools.count()), random.Random(1), 0.01)
    assert lines == [str(number) for number in range(len(lines))]


def test_what_was_never_met_in_the_middle_is_told():
    seen = Seen()
    seen.killed("an edit", within=False)
    assert seen.broken() == ["no kill came in the middle of an edit"]
    seen.killed("an edit", within=True)
    assert seen.broken() == []
