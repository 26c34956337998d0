"""A few of the races of `make races` in every run of the tests."""

import random

import pytest

from races.__main__ import run
from races.crowd import CROWD, open_crowd
from races.race import Seen

pytestmark = pytest.mark.servers


async def test_at_three_nodes_a_code_counts_once_a_state_once_and_wrong_codes_together(tmp_path):
    seen = Seen()
    await run(tmp_path, random.Random(20261126), 5_000, seen, states=6, locks=4, kill_every=0.6)
    assert seen.wrong == []
    assert seen.crowd == CROWD
    assert min(seen.kills, seen.met["State"], seen.met["lock"]) > 0
    assert seen.accepts >= seen.codes / 2


async def test_at_two_workers_of_one_node_each_of_a_crowd_has_the_answers_to_requests_of_their_own(tmp_path):
    async with open_crowd(tmp_path, random.Random(20261126), workers=2) as crowd:
        await crowd.log_on()
    assert crowd.wrong == []
