"""Whatever is typed, whenever and however often: a position is accepted once, positions only grow, none is far off."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.facts import CodeVerdict
from judges.software_world import HOTP, NOW, POLICY, TOTP, World, token

# (seconds that pass, which may be negative when the clock is set back; offset of the code from the present; go on with
# what was held)
moves = st.tuples(st.integers(-90, 600), st.integers(-60, 60), st.booleans())
schedules = st.lists(moves, min_size=1, max_size=25)


@given(st.sampled_from([TOTP, HOTP]), schedules)
@settings(max_examples=30)
def test_over_any_schedule_a_position_is_accepted_at_most_once_and_they_only_grow(kind, schedule):
    accepted = asyncio.run(_accepted(kind, schedule))
    positions = [position for position, _, _ in accepted]
    assert positions == sorted(set(positions))
    for position, reference, found_again in accepted:
        reach = POLICY.resynchronise_window + 1 if found_again else POLICY.totp_window
        if kind is TOTP:
            # the window may have followed the token's clock, but never beyond where two codes in a row put it
            assert abs(position - reference) <= reach + POLICY.resynchronise_window + len(schedule)
        else:
            assert 0 <= position - reference <= (reach if found_again else POLICY.hotp_look_ahead)


async def _accepted(kind, schedule):
    with tempfile.TemporaryDirectory() as folder:
        alice = World(Path(folder), token(kind))
        accepted, held, now = [], None, NOW
        try:
            for seconds, offset, goes_on in schedule:
                now += timedelta(seconds=seconds)
                reference = alice.step(now) if kind is TOTP else (accepted[-1][0] + 1 if accepted else 0)
                position = max(0, reference + offset)
                checked = await alice.ask(alice.code(position), now=now, held=held if goes_on else None)
                held = checked.held
                if checked.verdict is CodeVerdict.RIGHT:
                    accepted.append((position, reference, "found again" in checked.detail))
        finally:
            alice.close()
        return accepted
