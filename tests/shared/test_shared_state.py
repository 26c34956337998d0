"""The shared store keeps what the embedded store keeps: the same model, and the same races, over a real server."""

import asyncio
import itertools
import threading
from datetime import timedelta

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from auth.embedded_state import StateFile
from auth.shared.connection import ResponseError, exchanger
from auth.state import Limit, SentMessage, StateUnavailable, Wanted
from core.store_model import ALICE, NOW, StoreMachine, challenge
from schema.secret import Secret
from shared.node import PlainNode, opened, settings

pytestmark = pytest.mark.servers
PREFIXES = (f"laws-{number}" for number in itertools.count())


@pytest.fixture
def node(valkey):
    """Opens nodes of one store that nobody else uses."""
    prefix, nodes = next(PREFIXES), []

    def open_node(**values):
        nodes.append(PlainNode(settings(valkey, prefix=prefix, node=f"node-{len(nodes)}", **values)))
        return nodes[-1]

    yield open_node
    for each in nodes:
        each.close()


def test_two_nodes_answer_as_the_model_does(valkey):
    class SharedMachine(StoreMachine):
        def __init__(self):
            super().__init__()
            self.prefix, self.number = next(PREFIXES), 0

        def opened(self):
            self.number += 1
            return PlainNode(settings(valkey, prefix=self.prefix, node=f"node-{self.number % 2}"))

    run_state_machine_as_test(
        SharedMachine, settings=hypothesis_settings(max_examples=25, stateful_step_count=30, deadline=None)
    )


@pytest.mark.parametrize("made_up", ["", "S", "s ", "s\0", "*", "{s}"])
def test_a_state_that_was_made_up_opens_nothing(node, made_up):
    store = node()
    store.begin(Secret("s"), challenge())
    assert store.attempt(Secret(made_up), "vpn") is None
    assert store.attempt(Secret("s"), "vpn") == challenge()


def test_a_state_value_cannot_be_begun_twice_and_the_first_challenge_stays(node):
    store = node()
    store.begin(Secret("s"), challenge(1))
    with pytest.raises(StateUnavailable):
        store.begin(Secret("s"), challenge(2))
    assert store.attempt(Secret("s"), "vpn") == challenge(1)


def test_limits_are_counted_all_or_none_over_all_nodes(node):
    one, other = node(), node()
    both = (Limit("hour", "user", 3_600, 2), Limit("day", "user", 86_400, 3))
    found = [
        store.reserve(both, NOW + timedelta(hours=hours))
        for store, hours in zip((one, other, one, other, one), (0, 0, 0, 1, 2), strict=True)
    ]
    assert found == [None, None, both[0], None, both[1]]
    one.give_back(both, NOW + timedelta(hours=1))
    assert other.tally("user", NOW + timedelta(hours=2), 86_400) == 2


def test_what_the_store_forgot_meanwhile_cannot_be_taken_back(valkey, node):
    """Otherwise somebody could have more than the limit, and the key would stay for ever."""
    store = node()
    spent = (Limit("hour", "user", 3_600, 1),)
    store.give_back(spent, NOW)
    assert store.tally("user", NOW, 3_600) == 0
    assert [store.reserve(spent, NOW) for _ in range(2)] == [None, spent[0]]
    assert all(valkey.cli("PTTL", key) != "-1" for key in valkey.cli("KEYS", "*spend*").split())


def test_a_message_that_one_node_sent_is_known_to_the_other(node):
    one, other = node(), node()
    one.remember(SentMessage("kannel", "id:1", ALICE, "login-1", NOW))
    assert other.remembered("kannel", "id:1").login == "login-1"
    assert other.remembered("kannel:id", "1") is None


async def test_what_was_used_up_or_chosen_is_in_the_nodes_own_copy_when_it_is_settled(valkey, tmp_path):
    store = await opened(settings(valkey, prefix=next(PREFIXES), node="node"), tmp_path)
    assert await store.consume("otp", 7)
    await store.keep("pin", b"chosen")
    await store.settled()
    own = StateFile(tmp_path / "shared.sqlite")
    assert own.mark("otp") == 7
    assert own.kept("pin").endswith(b"chosen")
    await store.aclose()


async def test_whoever_uses_up_what_cannot_be_copied_is_not_let_in_by_it(valkey, tmp_path, monkeypatch):
    def refuse(_):
        raise OSError(28, "No space left on device")

    store = await opened(settings(valkey, prefix=next(PREFIXES), node="node"), tmp_path)
    monkeypatch.setattr("os.fdatasync", refuse)
    assert await store.consume("otp", 7)
    await store.tally("somebody else asks for longer than the disk takes", NOW, 60)
    with pytest.raises(StateUnavailable, match="No space left"):
        await store.settled()
    monkeypatch.undo()
    assert await store.consume("otp", 8)
    await store.settled()
    await store.aclose()


async def test_what_has_nothing_to_say_goes_with_the_next_question_and_before_it(valkey, tmp_path, monkeypatch):
    store = await opened(settings(valkey, prefix=next(PREFIXES), node="node"), tmp_path)
    batches = []

    async def counted(commands, exchange=store._session._servers.exchange):
        batches.append(len(commands))
        return await exchange(commands)

    await store.strike(ALICE, NOW)
    await store.recall(Wanted(ALICE), NOW)
    monkeypatch.setattr(store._session._servers, "exchange", counted)
    await store.withdraw(ALICE, NOW)
    assert (await store.recall(Wanted(ALICE), NOW)).failures == ()
    assert len(batches) == 1
    await store.aclose()


async def test_what_was_told_is_not_overtaken_by_what_is_asked_later_over_another_connection(
    valkey, tmp_path, monkeypatch
):
    store = await opened(settings(valkey, prefix=next(PREFIXES), node="node"), tmp_path)

    async def slow(commands, exchange=store._session._servers.exchange):
        await asyncio.sleep(0.1 if any("EVAL" in command for command in commands) else 0.0)
        return await exchange(commands)

    await store.strike(ALICE, NOW)
    monkeypatch.setattr(store._session._servers, "exchange", slow)
    await store.withdraw(ALICE, NOW)
    await asyncio.sleep(0.01)  # it is on its way
    assert (await store.recall(Wanted(ALICE), NOW)).failures == ()
    await store.aclose()


async def test_what_was_told_and_could_not_be_carried_out_is_known_when_it_is_settled(valkey, tmp_path, monkeypatch):
    store = await opened(settings(valkey, prefix=next(PREFIXES), node="node"), tmp_path)

    async def refused(commands, exchange=store._session._servers.exchange):
        return [
            ResponseError("no") if "EVAL" in command else answer
            for command, answer in zip(commands, await exchange(commands), strict=True)
        ]

    monkeypatch.setattr(store._session._servers, "exchange", refused)
    await store.withdraw(ALICE, NOW)
    with pytest.raises(StateUnavailable, match="refuses"):
        await store.settled()
    await store.settled()  # it was told
    await store.aclose()


async def test_a_connection_that_waited_for_long_and_was_cut_off_costs_nobody_a_logon(valkey, monkeypatch):
    servers = exchanger(settings(valkey))

    async def some_cut_off():
        assert await asyncio.gather(*(servers.exchange([("PING",)]) for _ in range(5))) == [[b"PONG"]] * 5
        valkey.cli("CLIENT", "KILL", "TYPE", "normal")

    await some_cut_off()
    with pytest.raises(StateUnavailable):
        await servers.exchange([("PING",)])
    await some_cut_off()
    monkeypatch.setattr("auth.shared.connection._FRESH_SECONDS", 0.0)
    assert await servers.exchange([("PING",)]) == [b"PONG"]
    await servers.aclose()


def test_of_many_who_race_at_three_nodes_exactly_one_gets_each_mark_and_each_challenge(valkey, node):
    prefix, states = next(PREFIXES), [Secret(f"state-{number}") for number in range(50)]
    first = PlainNode(settings(valkey, prefix=prefix, node="first"))
    for number, state in enumerate(states):
        first.begin(state, challenge(number))
    barrier, marks, taken, struck, faults = threading.Barrier(3), [], [], [], []

    def race(name):
        try:
            store = PlainNode(settings(valkey, prefix=prefix, node=name))
            barrier.wait()
            for number, state in enumerate(states):
                marks.append((number, store.consume("otp", number)))
                taken.append((number, store.attempt(state, "vpn") is not None))
                struck.append(len(store.strike(ALICE, NOW)))
            store.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of the test
            faults.append(error)
            barrier.abort()

    threads = [threading.Thread(target=race, args=(f"racer-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.close()
    assert faults == []
    assert sorted(number for number, won in taken if won) == list(range(50))
    assert len({number for number, won in marks if won}) == sum(won for _, won in marks), "no mark was given twice"
    assert sorted(struck) == list(range(150)), "no two attempts saw the same number of failures"
