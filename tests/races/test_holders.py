"""Who shows the codes of `make races`."""

from hypothesis import given
from hypothesis import strategies as st

from races.race import CODES_EACH, HOLDERS_AT_ONCE, SUBMISSIONS, holders


@given(st.integers(1, 20_000))
def test_each_turn_has_the_holders_that_its_share_of_the_codes_needs(submissions):
    each_turn, more = divmod(len(holders(submissions)), HOLDERS_AT_ONCE)
    assert more == 0
    assert each_turn * CODES_EACH * HOLDERS_AT_ONCE * SUBMISSIONS >= submissions
    assert (each_turn - 1) * CODES_EACH * HOLDERS_AT_ONCE * SUBMISSIONS < submissions
