"""A challenge that waits for a second login is touched by what is held against it, and by nothing else."""

import asyncio
import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from auth.channels.base import DeliveryFailed
from auth.clock import SYSTEM_ENTROPY, Clock
from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import Question
from auth.judges.minted import MintedJudge
from auth.judges.response import ResponseJudge
from auth.performing import Performer
from auth.reason import Reason
from auth.request import Door, LoginRequest, Origin
from auth.service import LoginService, Parts
from auth.state import Challenge, Wanted, second_login
from auth.tokens import Usable
from auth.turn import Turns
from auth.why.record import NoJournal
from core.logins import NOW, PHONE, entry_id, facts, link, node, person, policy
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness
from schema.secret import Secret
from schema.words import LoginMode, Method, TokenKind

KEY = b"k" * 32
ORIGIN = Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7")
STATE = second_login(KEY, person().id, "vpn", ORIGIN.station)
CODE = Secret("513270")
SLOW, SLOW_AND_RIGHT = Secret("wrong-and-slow"), Secret("slow-Teapot")


class World:
    """A node of a mode, one person, and a directory that thinks about some passwords until it is let go on."""

    def __init__(self, store, mode, *order):
        self.store, self.origin = store, ORIGIN
        self.at = node(mode=mode, coalesce_seconds=0)
        self.person = person(link(policy(token_order=order)))
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.minted = MintedJudge(store, KEY, int)
        codes = CodeCheck(store, {TokenKind.SMS: self.minted}, ResponseJudge(store, lambda: None))
        nothing = None
        performer = Performer(self, store, self.minted, nothing, codes, self, nothing, nothing, SYSTEM_ENTROPY)
        known = SimpleNamespace(
            directory=SimpleNamespace(freshness=lambda: Freshness(7, NOW)),
            nodes=SimpleNamespace(named=lambda _: SimpleNamespace(node=self.at.node, facts=self.at)),
            ids=lambda *_: (self.person.id,),
            entries=lambda _: (self.person,),
            wanted=lambda _node, found, _now: Wanted(found[0].id),
            facts=lambda _node, found, _recalled: replace(facts(at=self.at), found=found),
            again=lambda known, _recalled: known,
        )
        audit = SimpleNamespace(write_all=lambda _: None)
        clock = Clock(lambda: NOW, lambda: 0.0)
        self.service = LoginService(Parts(known, store, performer, audit, NoJournal(), clock, SYSTEM_ENTROPY, 0.0))

    async def ask(self, _directory, _dn, password):
        slow = password.matches(SLOW) or password.matches(SLOW_AND_RIGHT)
        if slow:
            self.asked.set()
            await self.go_on.wait()
        right = password.matches(Secret("Teapot")) or password.matches(SLOW_AND_RIGHT)
        return PasswordVerdict.RIGHT if right else PasswordVerdict.WRONG

    async def deliver(self, *_, **__):
        raise DeliveryFailed("nobody is there", remedy="wait")

    async def log_on(self, typed):
        return (await self.service.begin(LoginRequest(self.origin, "alice", typed))).reason

    async def open(self, question, attempts_left=3):
        _, digest = self.minted.mint(b"i" * 16, Usable(TokenKind.SMS, phone=PHONE), 6)
        digest = digest if question is Question.SMS else None
        until = NOW.replace(hour=NOW.hour + 1)
        methods = (Method.PASSWORD, Method.TOKEN)
        await self.store.renew(
            STATE, Challenge(b"i" * 16, self.person.id, "vpn", 1, question, digest, until, attempts_left, "c", methods)
        )


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as opened:
        yield opened


async def test_a_code_is_right_also_while_somebody_else_tries_a_wrong_password(store):
    world = World(store, LoginMode.REJECT_THEN_CODE, TokenKind.SMS)
    world.minted = dataclasses.replace(world.minted, below=lambda _: int(CODE.text))
    await world.open(Question.SMS)
    stranger = asyncio.create_task(world.log_on(SLOW))
    await world.asked.wait()
    assert await world.log_on(CODE) is Reason.ACCEPTED
    world.go_on.set()
    assert await stranger is Reason.PASSWORD_WRONG
    assert await world.log_on(CODE) is Reason.PASSWORD_WRONG, "and it is used up, not put back by who came late"


async def test_a_message_that_nobody_takes_leaves_the_code_before_it_open_and_brings_no_used_one_back(store):
    world = World(store, LoginMode.REJECT_THEN_CODE, TokenKind.SMS)
    world.minted = dataclasses.replace(world.minted, below=lambda _: int(CODE.text))
    for used_meanwhile in (False, True):
        await world.open(Question.SMS)
        world.asked.clear()
        world.go_on.clear()
        again = asyncio.create_task(world.log_on(SLOW_AND_RIGHT))
        await world.asked.wait()
        if used_meanwhile:
            assert await world.log_on(CODE) is Reason.ACCEPTED
        world.go_on.set()
        assert await again is Reason.DELIVERY_FAILED
        assert (await world.log_on(CODE) is Reason.ACCEPTED) is not used_meanwhile


async def test_of_many_who_bring_the_code_at_once_one_is_let_in(store):
    world = World(store, LoginMode.APPEND, TokenKind.SMS)
    world.minted = dataclasses.replace(world.minted, below=lambda _: int(CODE.text))
    await world.open(Question.SMS)
    found = await asyncio.gather(*(world.log_on(Secret(f"Teapot{CODE.text}")) for _ in range(5)))
    assert found.count(Reason.ACCEPTED) == 1


async def test_a_login_that_tries_no_code_uses_up_no_try(store):
    world = World(store, LoginMode.APPEND, TokenKind.VIP)
    await world.open(Question.VIP, attempts_left=2)
    for typed in ("Teapot", "Teapot", "wrong"):
        await world.log_on(Secret(typed))
    assert (await store.attempt(STATE, "vpn")).attempts_left == 2


async def test_a_code_that_waits_is_nobody_elses_and_of_no_other_node_or_station(store):
    world = World(store, LoginMode.REJECT_THEN_CODE, TokenKind.SMS)
    world.minted = dataclasses.replace(world.minted, below=lambda _: int(CODE.text))
    await world.open(Question.SMS)
    origin, alice = world.origin, world.person
    world.origin = replace(origin, station="192.0.2.8")
    assert await world.log_on(CODE) is Reason.PASSWORD_WRONG
    vpn, world.origin = world.at, replace(origin, node="other")
    world.at = replace(vpn, node=replace(vpn.node, name="other"))
    assert await world.log_on(CODE) is Reason.PASSWORD_WRONG
    world.origin, world.at, world.person = origin, vpn, replace(alice, id=entry_id("bob"))
    assert await world.log_on(CODE) is Reason.PASSWORD_WRONG
    world.person = alice
    assert await world.log_on(CODE) is Reason.ACCEPTED
