"""The running service stands fuzzed datagrams and answers none that it must not: `make fuzz` has more."""

import pytest

from clients.house import open_house
from fuzz.live import Flood, expect_no_fault, fuzzed

pytestmark = pytest.mark.servers


def test_nothing_is_answered_that_must_not_be_and_no_exception_gets_out(tmp_path):
    with open_house(tmp_path, packets_per_second=0) as house:
        flood = Flood(house)
        flood.send(fuzzed(2_000, seed=1))
        flood.settle()
        expect_no_fault(house)
    assert flood.answered > 100
