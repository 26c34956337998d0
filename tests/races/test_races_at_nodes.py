"""A few of the races of `make races` in every run of the tests."""

import random

import pytest

from races.__main__ import run
from races.race import CROWD, Seen

pytestmark = pytest.mark.servers


async def test_at_three_nodes_a_code_counts_once_a_state_once_and_wrong_codes_together(tmp_path):
    seen = Seen()
    await run(tmp_path, random.Random(20261126), 5_000, seen, states=6, locks=4, kill_every=0.6)
    assert seen.wrong == []
    assert seen.crowd == CROWD
    assert min(seen.kills, seen.met["State"], seen.met["lock"]) > 0
    assert seen.accepts >= seen.codes / 2
