"""A directory that hangs keeps its own logons waiting, for a while, and nobody else's."""

import asyncio
import threading
import time

import pytest

from auth.password_gate import PasswordGate, PasswordGates
from dirsync.password import PasswordVerdict
from schema.secret import Secret


class Door:
    """A check that is answered when the test opens it."""

    def __init__(self):
        self.opened = threading.Event()
        self.asked = 0
        self.verdict = PasswordVerdict.RIGHT

    def check(self, dn: str, password: str) -> PasswordVerdict:
        self.asked += 1
        self.opened.wait(5)
        return self.verdict


@pytest.fixture
def door():
    door = Door()
    yield door
    door.opened.set()


@pytest.fixture
def gate(door):
    gate = PasswordGate(door, at_once=2, deadline_seconds=0.2)
    yield gate
    gate.close()


async def test_the_directorys_word_is_what_comes_back(gate, door):
    door.opened.set()
    door.verdict = PasswordVerdict.LOCKED
    assert await gate.ask("cn=alice", Secret("pw")) is PasswordVerdict.LOCKED


async def test_no_answer_in_time_is_unavailable_also_for_those_who_queue(gate, door):
    began = time.monotonic()
    verdicts = await asyncio.gather(*(gate.ask("cn=alice", Secret("pw")) for _ in range(20)))
    assert set(verdicts) == {PasswordVerdict.UNAVAILABLE}
    assert door.asked == 2
    assert time.monotonic() - began < 2


async def test_once_it_hangs_nobody_queues_for_it(gate, door):
    await asyncio.gather(*(gate.ask("cn=alice", Secret("pw")) for _ in range(2)))
    verdict = await asyncio.wait_for(gate.ask("cn=bob", Secret("pw")), 0.05)
    assert verdict is PasswordVerdict.UNAVAILABLE
    assert door.asked == 2


async def test_it_is_asked_again_as_soon_as_a_thread_is_free(gate, door):
    await asyncio.gather(*(gate.ask("cn=alice", Secret("pw")) for _ in range(2)))
    door.opened.set()
    async with asyncio.timeout(5):
        while await gate.ask("cn=alice", Secret("pw")) is not PasswordVerdict.RIGHT:
            await asyncio.sleep(0.01)


async def test_a_login_that_is_given_up_keeps_its_thread_until_the_directory_answers(gate, door):
    waiting = [asyncio.ensure_future(gate.ask("cn=alice", Secret("pw"))) for _ in range(2)]
    await asyncio.sleep(0.05)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await gate.ask("cn=bob", Secret("pw")) is PasswordVerdict.UNAVAILABLE
    assert door.asked == 2


async def test_each_directory_is_asked_about_its_own_people_and_nobody_about_strangers(gate, door):
    door.opened.set()
    gates = PasswordGates({"branch": gate})
    assert await gates.ask("branch", "CN=alice", Secret("right")) is PasswordVerdict.RIGHT
    assert await gates.ask("", "CN=alice", Secret("right")) is PasswordVerdict.UNAVAILABLE
    assert door.asked == 1
