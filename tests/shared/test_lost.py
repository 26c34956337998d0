"""Answers that do not come, or come from somebody else: nobody is answered again before the server was looked at."""

import asyncio
import socket

import pytest
from valkey import exceptions

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.shared.opening import open_shared_store
from auth.shared.own import OwnFiles
from auth.shared.scripts import BEGIN_EPOCH, CONSUME
from auth.shared.settings import Arrangement, SharedSettings
from auth.state import StateUnavailable
from auth.turn import Turns
from core.store_model import NOW, challenge
from rig.ports import LOOPBACK
from schema.secret import Secret
from shared.forgetful import Forgetful, node_of
from shared.node import KEY


@pytest.mark.parametrize("arrangement", Arrangement)
async def test_a_server_that_accepts_and_never_answers_keeps_nobody_from_starting(tmp_path, arrangement):
    silent = socket.create_server((LOOPBACK, 0))
    place = f"{LOOPBACK}:{silent.getsockname()[1]}"
    section = SharedSettings((place,), arrangement=arrangement, tls=False, timeout_seconds=0.1)
    files = OwnFiles(tmp_path / "shared.sqlite", tmp_path / "state.sqlite")
    async with asyncio.timeout(5.0):
        store = await open_shared_store(section, files, KEY, Turns(), SYSTEM_CLOCK, SYSTEM_ENTROPY)
        with pytest.raises(StateUnavailable, match="has not answered"):
            await store.consume("otp", 7)
        await store.aclose()
    silent.close()


async def test_a_look_at_a_server_that_answers_no_more_ends_and_lets_nobody_in(tmp_path):
    servers = Forgetful()
    store, session = node_of(servers, tmp_path)
    await session._beat()
    assert await store.consume("otp", 7)
    servers.held = asyncio.Event()
    async with asyncio.timeout(5.0):
        await session._beat()
    servers.held = None
    with pytest.raises(StateUnavailable, match="has not answered"):
        await store.consume("otp", 8)
    await store.aclose()


async def test_whoever_answers_after_a_question_was_not_answered_in_time_may_be_another_who_lacks_what_was_used(
    tmp_path,
):
    servers = Forgetful()
    store, session = node_of(servers, tmp_path)
    await session._beat()
    assert await store.consume("otp", 7)
    await store.settled()
    servers.held = asyncio.Event()
    with pytest.raises(StateUnavailable):
        await store.consume("otp", 8)
    servers.held, servers.run = None, "b"
    servers.forget_marks()
    with pytest.raises(StateUnavailable):
        await store.consume("otp", 7)
    await asyncio.sleep(0.05)  # the batch has its end too
    await session._beat()
    assert not await store.consume("otp", 7)
    await store.aclose()


@pytest.mark.parametrize(
    "error", [exceptions.ConnectionError("gone"), exceptions.ClusterError("none left"), exceptions.TimeoutError()]
)
@pytest.mark.parametrize("verb", ["consume", "claim", "count", "replace"])
async def test_an_error_in_the_place_of_an_answer_is_no_yes_and_has_the_server_looked_at(tmp_path, error, verb):
    """A cluster's client sends again, each by itself, what was moved, and what becomes of it stands among the rest."""
    servers = Forgetful()
    store, session = node_of(servers, tmp_path)
    await session._beat()
    servers.altered = lambda commands, answers: [
        error if str(command[0]).startswith("EVAL") else answer
        for command, answer in zip(commands, answers, strict=True)
    ]
    verbs = {
        "consume": lambda: store.consume("otp", 7),
        "claim": lambda: store.claim(Secret("s"), challenge()),
        "count": lambda: store.count("key", NOW, 60, 1),
        "replace": lambda: store.replace("key", b"before", b"after", NOW),
    }
    with pytest.raises(StateUnavailable):
        await verbs[verb]()
    servers.altered = lambda _, answers: answers
    with pytest.raises(StateUnavailable):
        await store.tally("key", NOW, 60)
    await session._beat()
    await store.tally("key", NOW, 60)
    await store.aclose()


async def test_a_store_that_is_lost_while_a_node_looks_at_it_is_looked_at_again(tmp_path):
    """The look may have asked everything before, of a server whose place another has taken now."""
    servers = Forgetful()
    store, session = node_of(servers, tmp_path)
    await session._beat()
    assert await store.consume("otp", 7)
    await store.settled()

    def another_takes_over(commands, answers):
        if commands[0][0] == "HKEYS":  # what a look asks last
            servers.run += "b"
            servers.forget_marks()
            session._lost(StateUnavailable("a connection ended", remedy=""))
        return answers

    servers.altered = another_takes_over
    for _ in range(2):  # one that began well, and one that began with a fault
        await session._beat()
        with pytest.raises(StateUnavailable):
            await store.consume("otp", 7)
    servers.altered = lambda _, answers: answers
    await session._beat()
    assert not await store.consume("otp", 7)
    await store.aclose()


@pytest.mark.parametrize("moment", [BEGIN_EPOCH.source, CONSUME.source, "SREM", "HKEYS"])
async def test_of_what_was_used_up_when_the_store_was_emptied_nothing_counts_that_is_not_brought_back(tmp_path, moment):
    """Its answer is held up, as while replicas are waited for, until a moment at which the node looks."""
    servers = Forgetful()
    store, session = node_of(servers, tmp_path, replicas=1, timeout_seconds=5.0)
    await session._beat()
    assert await store.consume("another", 7)
    await store.settled()
    servers.held = held = asyncio.Event()
    used = asyncio.ensure_future(store.consume("otp", 7))
    await asyncio.sleep(0.01)
    servers.held = None
    servers.flush()

    def answered(commands, answers):
        if any(moment in command for command in commands):
            held.set()
        return answers

    servers.altered = answered
    await session._beat()
    await asyncio.wait([used])
    assert isinstance(used.exception(), StateUnavailable), "this node had begun to bring back what it knew"
    await session._beat()
    assert await store.consume("otp", 7)
    assert not await store.consume("another", 7)
    await store.aclose()


async def test_what_is_broken_off_at_the_end_is_no_fault_of_the_server(tmp_path, caplog):
    servers = Forgetful()
    store, session = node_of(servers, tmp_path, timeout_seconds=5.0)
    await session._beat()
    servers.held = asyncio.Event()
    asked = asyncio.ensure_future(store.consume("otp", 7))
    await asyncio.sleep(0.01)
    await store.aclose()
    asked.cancel()
    assert not [record for record in caplog.records if "has not answered" in record.getMessage()]
