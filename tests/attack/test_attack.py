"""The laws of `make attack` over the same day, by attackers who look at the clock less often."""

import logging

import pytest

from attack.outsiders import FLOODS, flooded
from attack.pumping import PUMPINGS, pumped
from attack.siege import LIMIT, besieged, besieged_at_nodes
from attack.strategies import AT_NODES, STRATEGIES
from attack.truth import CASES, weighed

SEED = 20_261_126


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
async def test_a_day_of_guesses_succeeds_less_than_once_in_ten_thousand_times(strategy, tmp_path):
    found = await besieged(strategy, tmp_path, hours=24, seed=SEED, patience=600)
    assert found.comparisons >= 9, "the attacker was let try"
    assert strategy.memorised or found.bound < LIMIT


@pytest.mark.servers
@pytest.mark.parametrize("strategy", AT_NODES, ids=lambda each: each.name)
async def test_at_two_nodes_that_share_a_valkey_guesses_succeed_no_oftener(strategy, tmp_path):
    found = await besieged_at_nodes(strategy, tmp_path, hours=12, seed=SEED, patience=600)
    assert found.comparisons >= 9, "the attacker was let try"
    assert found.bound < LIMIT


@pytest.mark.parametrize("case", range(len(CASES)), ids=[strategy.name for strategy, _, _ in CASES])
async def test_guesses_hit_as_often_as_the_meter_says_and_waiting_brings_nothing(case, tmp_path):
    number_of = 8 if "waits" in CASES[case][0].name else 20
    found = await weighed(case, tmp_path, number_of=number_of, seed=SEED)
    assert found.holds, found


@pytest.mark.parametrize("flood", FLOODS, ids=lambda each: each.name)
async def test_a_name_alone_locks_nobody_but_where_it_is_all_that_is_asked_for(flood, tmp_path):
    found = await flooded(flood, tmp_path, rounds=30, seed=SEED)
    assert found.holds, found
    assert found.comparisons if flood.lets else found.requests > 100


@pytest.mark.parametrize("pumping", PUMPINGS[:2], ids=lambda each: each.name)
async def test_no_more_texts_than_the_limits_say(pumping, tmp_path):
    found = await pumped(pumping, tmp_path, hours=0.4, seed=SEED)
    assert found.holds, found
