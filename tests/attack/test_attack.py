"""`make attack` with fewer hours, in every run of the tests: after two hours a day's guesses are used up."""

from attack.__main__ import run
from attack.strategies import Attacker


async def test_nobody_guesses_in_locks_out_by_name_or_pumps_texts_beyond_the_limits(tmp_path, capsys):
    assert await run(Attacker(tmp_path, 3.0, 20261126), 0.08) == 0, capsys.readouterr().out
