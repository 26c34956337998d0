"""What is asked within a turn goes out together, and whoever asks is told in time, whatever happens."""

import asyncio

import pytest

from auth.shared.line import Line
from auth.state import StateUnavailable


async def test_what_is_asked_within_a_turn_is_one_batch_and_everybody_gets_their_own_answers():
    batches = []

    async def exchange(commands):
        batches.append(list(commands))
        await asyncio.sleep(0)
        return [command[1] for command in commands]

    line = Line(exchange, 5.0)
    asked = [line.ask(("ECHO", number), ("ECHO", -number)) for number in range(64)]
    assert await asyncio.gather(*asked) == [[number, -number] for number in range(64)]
    assert len(batches) == 1
    await line.aclose()


async def test_while_some_are_on_their_way_the_others_gather():
    release, batches = asyncio.Event(), []

    async def exchange(commands):
        batches.append(len(commands))
        await release.wait()
        return [None] * len(commands)

    line = Line(exchange, 5.0)
    asked = []
    for _ in range(50):
        asked.append(asyncio.ensure_future(line.ask(("PING",))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*asked)
    assert len(batches) < 10
    assert sum(batches) == 50
    await line.aclose()


async def test_whoever_gets_no_answer_in_time_is_told():
    hung = asyncio.Event()

    async def exchange(commands):
        await hung.wait()
        return [None] * len(commands)

    line = Line(exchange, 0.05)
    with pytest.raises(StateUnavailable, match=r"has not answered|was broken off"):
        await line.ask(("GET", "key"))
    await line.aclose()


async def test_what_somebody_has_given_up_waiting_for_is_not_sent_later():
    hung, sent = asyncio.Event(), []

    async def exchange(commands):
        sent.extend(commands)
        await hung.wait()
        return [None] * len(commands)

    line = Line(exchange, 5.0)
    first = []
    for number in range(4):  # as many as may be on their way
        first.append(asyncio.ensure_future(line.ask(("FIRST", number))))
        await asyncio.sleep(0.001)
    late = [asyncio.ensure_future(line.ask(("LATE", number))) for number in range(20)]
    await asyncio.sleep(0.001)
    for each in late:
        each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    hung.set()
    await asyncio.gather(*first)
    await asyncio.sleep(0.001)
    assert [command[0] for command in sent] == ["FIRST"] * 4
    await line.aclose()


@pytest.mark.parametrize("error", [StateUnavailable("away", remedy="wait"), ValueError("canary"), OSError(5, "canary")])
async def test_a_batch_that_fails_fails_all_who_are_in_it_and_tells_nothing_of_what_was_asked(error):
    async def exchange(_):
        raise error

    line = Line(exchange, 5.0)
    for ended in await asyncio.gather(*(line.ask(("GET", "secret")) for _ in range(3)), return_exceptions=True):
        assert isinstance(ended, StateUnavailable)
        assert "secret" not in str(ended)
        assert "canary" not in str(ended)
    await line.aclose()
