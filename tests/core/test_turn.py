"""Turns of the event loop: one look and one commit for all that is ready to run."""

import asyncio

from auth.turn import Turns


async def test_what_is_ready_together_is_of_one_turn_and_its_ending_comes_after_all_of_it():
    turns, seen = Turns(), []

    async def ask(name):
        seen.append((name, turns.current()))
        if name == "first":
            turns.at_end(lambda: seen.append(("end", None)))

    await asyncio.gather(*(ask(name) for name in ("first", "second", "third")))
    while ("end", None) not in seen:
        await asyncio.sleep(0)
    numbers = {number for _, number in seen[:3]}
    assert [name for name, _ in seen] == ["first", "second", "third", "end"]
    assert len(numbers) == 1
    assert turns.current() not in numbers


def test_without_an_event_loop_every_question_is_a_turn_and_nothing_is_put_off():
    turns, done = Turns(), []
    assert turns.current() != turns.current()
    turns.at_end(lambda: done.append("now"))
    assert done == ["now"]


async def test_an_ending_that_asks_again_begins_another_turn():
    turns, ends = Turns(), []
    turns.at_end(lambda: (ends.append(1), turns.at_end(lambda: ends.append(2))))
    for _ in range(5):
        await asyncio.sleep(0)
    assert ends == [1, 2]
