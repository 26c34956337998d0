"""What the performing of steps does to what is remembered of a user."""

import contextlib
from datetime import timedelta

import pytest

from auth.clock import SYSTEM_ENTROPY
from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict, Evidence, Field, ForwardVerdict, Typed
from auth.forwarding import Denied
from auth.judges.pin import PinJudge
from auth.keys.ring import Key, Ring
from auth.memorised.pin import pin_value
from auth.performing import Performer
from auth.request import Accepted, Door, Origin
from auth.session import Session
from auth.state import Wanted
from auth.steps import Accept, AcceptForwarded, AskForwarded, CheckKeyword, Decision, Forward, Part, Stage
from auth.tokens import Usable
from auth.turn import Turns
from core.logins import NOW, person, policy
from plain_store import PlainStore, in_turn
from schema.errors import Fault
from schema.secret import Secret
from schema.words import KeywordKind, Method, TokenKind

NOTHING = None
METHODS = {
    "password": (Method.PASSWORD,),
    "PIN": (Method.PIN,),
    "code": (Method.PASSWORD, Method.TOKEN),
}


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as opened:
        PlainStore(opened).strike(person().id, NOW - timedelta(minutes=1))
        yield opened


async def left_after(store, methods, settings=None, **values):
    """How many failures are left after an accept of a login that demanded these methods."""
    somebody = person(**values)
    stages = tuple(Stage(method, 3) for method in methods)
    decided = Decision(Accept(()), person=somebody, policy=settings or policy(), stages=stages)
    session = Session(Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7"), "alice", tuple, {}, Evidence())
    session.recalled = await store.recall(Wanted(somebody.id), NOW)
    performer = Performer(NOTHING, store, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    assert await performer.perform(session, decided, NOW) == Accepted()
    return len(in_turn(store).failures(somebody.id))


@pytest.mark.parametrize(("shown", "left"), [("password", 1), ("PIN", 1), ("code", 0)])
async def test_only_a_right_code_forgets_wrong_ones_so_that_nobody_without_it_gets_more_guesses(store, shown, left):
    assert await left_after(store, METHODS[shown]) == left


async def test_who_has_no_token_has_a_right_pin_forget_wrong_ones(store):
    assert await left_after(store, METHODS["PIN"], tokens=()) == 0


async def test_a_policy_may_have_nothing_forgotten(store):
    assert await left_after(store, METHODS["code"], policy(reset_on_success=False)) == 1


class Watched:
    """A store and another server, which write down the order in which they are asked."""

    def __init__(self):
        self.order = []

    async def settled(self):
        self.order.append("what is taken is durable")

    async def ask(self, passed):
        self.order.append(f"{passed.name} is asked about")
        return Denied()


def forwarding(step):
    """What a step of a login that another server judges needs, after that server has refused."""
    watched = Watched()
    texts = {Field.PASSWORD: Secret("typed")}
    origin = Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7")
    session = Session(origin, "alice", tuple, texts, Evidence(typed_password=Typed.GIVEN))
    performer = Performer(NOTHING, watched, *[NOTHING] * 6, SYSTEM_ENTROPY, forwarder=watched)
    return watched, session, performer, Decision(step, person=person(tokens=()), policy=policy())


async def test_another_server_is_asked_when_what_the_login_took_is_durable():
    watched, session, performer, decided = forwarding(Forward("192.0.2.9:1812", Part(Field.PASSWORD)))
    assert await performer.perform(session, decided, NOW) is None
    assert watched.order == ["what is taken is durable", "alice is asked about"]
    assert session.evidence.forwarded is ForwardVerdict.REFUSED


@pytest.mark.parametrize("step", [AcceptForwarded(), AskForwarded()], ids=["accept", "ask"])
async def test_what_another_server_has_not_said_is_not_performed(step):
    watched, session, performer, decided = forwarding(step)
    session.verdict = Denied()
    with pytest.raises(Fault, match="the other server has"):
        await performer.perform(session, decided, NOW)
    assert watched.order == []


RING = Ring((Key(b"k" * 32, NOW),))


@pytest.mark.parametrize(
    ("typed", "days", "code", "detail", "counts"),
    [
        ("2580", 29, None, "PIN as keyword", 0),
        ("2580", 30, CodeVerdict.WRONG, "PIN as keyword: the PIN has expired", 0),
        ("1397", 29, CodeVerdict.WRONG, "PIN as keyword", 1),
        ("1397", 30, CodeVerdict.WRONG, "PIN as keyword", 1),
    ],
)
async def test_ones_own_pin_that_has_expired_brings_no_code_and_is_no_violation(
    tmp_path, typed, days, code, detail, counts
):
    somebody = person(pin=pin_value(RING, person().id, Secret("2580")), pin_set_at=NOW - timedelta(days=days))
    part, token = Part(Field.PASSWORD), Usable(TokenKind.SMS, "+436641234567")
    decided = Decision(
        CheckKeyword(token, KeywordKind.PIN, part),
        person=somebody,
        policy=policy(pin_expire_days=30),
        stages=(Stage(Method.TOKEN, 3),),
    )
    origin = Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7")
    session = Session(origin, "alice", tuple, {Field.PASSWORD: Secret(typed)}, Evidence(typed_password=Typed.GIVEN))
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as store:
        pins, codes = PinJudge(store, lambda: RING), CodeCheck(store, {}, NOTHING)
        performer = Performer(NOTHING, store, NOTHING, pins, codes, NOTHING, NOTHING, NOTHING, NOTHING)
        assert await performer.perform(session, decided, NOW) is None
        assert len(in_turn(store).failures(somebody.id)) == counts
    assert (session.evidence.code, session.evidence.keyword) == (code, None if code else TokenKind.SMS)
    assert session.notes["detail"] == detail
