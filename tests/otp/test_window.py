"""Both windows of a time-based token lie around its own clock, and drift follows that clock a step at a time."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from auth.otp.token import SoftwareToken
from auth.otp.window import Position, drift_after, wider_window, window
from schema.entry import Policy
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, 2, 0, 10, tzinfo=UTC)
TOKEN = SoftwareToken(TokenKind.TOTP, "T", b"12345678901234567890")
drifts = st.integers(-100, 100)


@given(drifts, st.integers(0, 10), st.integers(1, 1000))
def test_as_many_steps_before_the_tokens_clock_as_after_it(drift, narrow, wide):
    policy, position = Policy(name="staff", totp_window=narrow, resynchronise_window=wide), Position(None, drift)
    clock = TOKEN.step(NOW) + drift
    for steps, found in ((narrow, window), (wide, wider_window)):
        assert found(TOKEN, position, policy, NOW) == range(clock - steps, clock + steps + 1)


@given(drifts, st.integers(0, 10), st.data())
def test_only_a_code_at_the_edge_moves_the_drift_and_by_one_step_towards_it(drift, steps, data):
    policy, position = Policy(name="staff", totp_window=steps), Position(None, drift)
    offset = data.draw(st.integers(-steps, steps))
    after = drift_after(TOKEN, position, TOKEN.step(NOW) + drift + offset, policy, NOW)
    at_the_edge = steps > 0 and abs(offset) == steps
    assert after == drift + ((1 if offset > 0 else -1) if at_the_edge else 0)
