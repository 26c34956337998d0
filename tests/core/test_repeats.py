"""Of nodes that are asked the same, one sends; the others wait as long as that may take, and never send besides."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.addresses import PhoneNumber
from auth.clock import SYSTEM_ENTROPY, Clock
from auth.embedded_state import EmbeddedStore
from auth.repeats import Repeat, Repeats
from auth.tokens import Usable
from auth.turn import Turns
from core.store_model import ALICE, NOW, challenge
from schema.secret import Secret
from schema.words import TokenKind

STATE = Secret("state-1")
PHONE = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000001"))


class Nodes:
    """Two nodes that know the same, and one clock that a test moves."""

    def __init__(self, store, sending_seconds):
        self.store, self.now = store, NOW
        clock = Clock(lambda: self.now, lambda: 0.0)
        self.first, self.second = (Repeats(store, b"k" * 32, clock, SYSTEM_ENTROPY, sending_seconds) for _ in range(2))
        self.place = self.first.place(Repeat(b"d" * 32, 60), ALICE, PHONE)

    def pass_by(self, seconds):
        self.now += timedelta(seconds=seconds)

    async def texted(self, seconds=60, **values):
        await self.store.begin(STATE, challenge(**values))
        await self.first.sent(self.place, STATE, seconds)


@pytest.fixture
def nodes(tmp_path):
    store = EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())
    yield lambda sending_seconds=4.0: Nodes(store, sending_seconds)
    store.close()


@pytest.mark.parametrize("sending_seconds", [4.0, 30.0])
async def test_nobody_sends_while_another_may_still_be_at_it(nodes, sending_seconds):
    """Also where config.ini gives gateways much time."""
    both = nodes(sending_seconds)
    assert await both.first.sent_elsewhere(both.place, "vpn") is None
    both.pass_by(sending_seconds)
    waiting = asyncio.ensure_future(both.second.sent_elsewhere(both.place, "vpn"))
    await asyncio.sleep(0)
    await both.texted()
    joined = await waiting
    assert joined is not None
    state, challenge = joined
    assert state.text == STATE.text
    assert challenge == await both.store.waiting(STATE, "vpn")


async def test_a_node_that_died_while_it_sent_keeps_nobody_from_sending_for_ever(nodes):
    both = nodes()
    assert await both.first.sent_elsewhere(both.place, "vpn") is None
    both.pass_by(4.0 + 6.0)
    assert await both.second.sent_elsewhere(both.place, "vpn") is None


async def test_who_gave_up_lets_the_next_one_send(nodes):
    both = nodes()
    assert await both.first.sent_elsewhere(both.place, "vpn") is None
    await both.first.gave_up(both.place)
    assert await both.second.sent_elsewhere(both.place, "vpn") is None


async def test_nobody_joins_a_challenge_that_is_over(nodes):
    both = nodes()
    assert await both.first.sent_elsewhere(both.place, "vpn") is None
    await both.texted(expires_at=NOW + timedelta(seconds=30))
    both.pass_by(30)
    assert await both.second.sent_elsewhere(both.place, "vpn") is None


class Far:
    """A store whose answers are on their way for a while, so that verbs of several nodes come between each other's."""

    def __init__(self, store):
        self.store = store

    def __getattr__(self, verb):
        async def asked(*values):
            answer = await getattr(self.store, verb)(*values)
            await asyncio.sleep(0.01)
            return answer

        return asked


async def test_of_two_nodes_that_see_at_once_that_a_challenge_was_answered_one_sends(nodes):
    both = nodes(0.3)
    assert await both.first.sent_elsewhere(both.place, "vpn") is None
    await both.texted()
    await both.store.attempt(STATE, "vpn")
    asked = (
        replace(node, store=Far(both.store)).sent_elsewhere(both.place, "vpn") for node in (both.first, both.second)
    )
    sends, waits = await asyncio.gather(*asked, return_exceptions=True)
    assert sends is None
    assert isinstance(waits, TimeoutError)
