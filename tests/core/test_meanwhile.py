"""What is done beside a block: it ends with the block, and does not break off in silence."""

import asyncio
import logging

import pytest

from auth.meanwhile import meanwhile


async def test_it_lasts_as_long_as_the_block():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with meanwhile(work()):
        await asyncio.sleep(0)
        assert not ended
    assert ended


async def test_what_it_fails_with_is_said_at_once_and_raised_in_the_end(caplog):
    async def work():
        raise ValueError("canary-secret")

    async def block():
        async with meanwhile(work()):
            await asyncio.sleep(0.01)
            assert "work has broken off: ValueError" in caplog.text

    with caplog.at_level(logging.ERROR, "dirfactor.app"), pytest.raises(ValueError, match="canary"):
        await block()
    assert "canary" not in caplog.text


async def test_what_has_come_to_its_end_is_no_failure(caplog):
    async def work():
        pass

    async with meanwhile(work()):
        await asyncio.sleep(0.01)
    assert not caplog.records
