"""A few seconds of `make soak` in every run of the tests: outcomes are right, and nothing is left open."""

import random

from soak.__main__ import run
from soak.course import STATE_FILE, Seen
from soak.flat import MOST_MORE, more
from soak.traffic import GATEWAY, MAIL_SERVER

SECONDS = 20.0


async def test_under_mixed_traffic_with_faults_outcomes_are_right_and_nothing_stays_open(tmp_path):
    seen = Seen()
    await run(tmp_path, random.Random(20261126), SECONDS, 40.0, seen)
    assert seen.done.wrong == []
    assert [kind for kind, number in seen.done.requests.items() if not number] == []
    assert {spell.thing for spell in seen.spells.all} == {STATE_FILE, GATEWAY, MAIL_SERVER}
    assert min(seen.edits, seen.reloads) > 0
    # a pool has its first threads when it is first needed, connections are open while a fault holds them
    for name, usual in (("threads", MOST_MORE + 6), ("files", MOST_MORE + 20)):
        assert more([(sample.at, getattr(sample.standing, name)) for sample in seen.samples], SECONDS) <= usual
