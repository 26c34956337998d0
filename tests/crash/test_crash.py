"""A few rounds of `make crash` in every run of the tests."""

import random

from crash.__main__ import run
from crash.alone import rounds
from crash.office_rounds import Seen

ROUNDS = 10


async def test_what_was_told_before_kill_9_holds_after_it(tmp_path):
    seen = Seen()
    await run(tmp_path, random.Random(20261126), ROUNDS, seen)
    assert seen.wrong == []
    assert sum(seen.rounds.values()) == ROUNDS
    assert len(seen.rounds) >= 4, "of several kinds"


def test_audit_and_key_ring_are_whole_whenever_their_writer_is_killed(tmp_path):
    for kind in rounds(tmp_path, random.Random(20261126)):
        assert [wrong for _ in range(25) for wrong in kind.round()] == []
