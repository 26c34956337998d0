"""What the performing of steps does to what is remembered of a user."""

import contextlib
from datetime import timedelta

import pytest

from auth.embedded_state import EmbeddedStore
from auth.facts import Evidence
from auth.performing import Performer
from auth.request import Accepted, Door, Origin
from auth.session import Session
from auth.steps import Accept, Decision, Stage
from core.logins import NOW, person, policy
from schema.words import Method

NOTHING = None
METHODS = {
    "password": (Method.PASSWORD,),
    "PIN": (Method.PIN,),
    "code": (Method.PASSWORD, Method.TOKEN),
}


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot")) as opened:
        opened.strike(person().id, NOW - timedelta(minutes=1))
        yield opened


async def left_after(store, methods, settings=None, **values):
    """How many failures are left after an accept of a login that demanded these methods."""
    somebody = person(**values)
    stages = tuple(Stage(method, 3) for method in methods)
    decided = Decision(Accept(()), person=somebody, policy=settings or policy(), stages=stages)
    session = Session(Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7"), "alice", tuple, {}, Evidence())
    performer = Performer(NOTHING, store, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    assert await performer.perform(session, decided, NOW) == Accepted()
    return len(store.failures(somebody.id))


@pytest.mark.parametrize(("shown", "left"), [("password", 1), ("PIN", 1), ("code", 0)])
async def test_only_a_right_code_forgets_wrong_ones_so_that_nobody_without_it_gets_more_guesses(store, shown, left):
    assert await left_after(store, METHODS[shown]) == left


async def test_who_has_no_token_has_a_right_pin_forget_wrong_ones(store):
    assert await left_after(store, METHODS["PIN"], tokens=()) == 0


async def test_a_policy_may_have_nothing_forgotten(store):
    assert await left_after(store, METHODS["code"], policy(reset_on_success=False)) == 1
