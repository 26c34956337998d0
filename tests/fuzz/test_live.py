"""The running service stands fuzzed datagrams and answers none that it must not: `make fuzz` has more."""

import pytest

from clients.house import open_house
from fuzz.live import expect_no_fault, flood

pytestmark = pytest.mark.servers


def test_nothing_is_answered_that_must_not_be_and_no_exception_gets_out(tmp_path):
    with open_house(tmp_path) as house:
        sent = flood(house, 2_000, seed=1)
        expect_no_fault(house)
    assert sent.answered > 100
