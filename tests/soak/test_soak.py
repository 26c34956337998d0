"""A few seconds of `make soak` in every run of the tests: outcomes are right, and nothing is left open."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.__main__ import run
from soak.course import Seen
from soak.flat import growth, trend

SECONDS = 15.0


async def test_under_mixed_traffic_with_faults_outcomes_are_right_and_nothing_stays_open(tmp_path):
    seen = Seen()
    await run(tmp_path, random.Random(20261126), SECONDS, 40.0, seen)
    assert seen.wrong == []
    assert all(seen.done.values())
    counted = seen.samples[2:]
    assert max(sample.threads for sample in counted) <= min(sample.threads for sample in counted) + 6
    assert counted[-1].files <= max(sample.files for sample in counted[:3]) + 20


@given(st.lists(st.floats(1.0, 1e6), min_size=10, max_size=60), st.floats(0.01, 0.5))
def test_what_grows_steadily_is_found_and_what_stays_is_flat(values, part):
    flat = [values[0]] * len(values)
    assert growth(flat) == trend(flat) == 0.0
    rising = [values[0] * (1 + part * number / (len(values) - 1)) for number in range(len(values))]
    assert growth(rising) > part / 2
    assert trend(rising) == pytest.approx(part / (1 + part / 2), rel=0.01)
