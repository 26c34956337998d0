"""Whoever is measured does what they did before, and what they did is counted."""

import asyncio

import pytest

from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.metrics.catalogue import Metric
from auth.metrics.measured import MeasuredGateway, MeasuredService, MeasuredVip
from auth.metrics.tally import Tally
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Refused
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import Kind
from auth.vip.verdict import Verdict
from schema.errors import Fault
from schema.secret import Secret

ORIGIN = Origin(Door.RADIUS, "vpn", "c0ffee", "192.0.2.7")
OUTCOMES = {
    "accepted": Accepted(),
    "challenged": Challenged(Secret("s"), "Code:", "sms", 60, Reason.CODE_SENT),
    "refused": Refused(Reason.PASSWORD_WRONG),
}


class Ticking:
    """A clock on which each look is a quarter of a second later."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 0.25
        return self.at


class Parrot:
    """Does whatever it was told to: as a service, a gateway, and VIP."""

    name = "gateway"
    on_unknown = OnUnknown.STOP

    def __init__(self, say) -> None:
        self._say = say
        self.heard: list[object] = []

    async def _do(self, *heard):
        self.heard.append(heard)
        if isinstance(self._say, BaseException):
            raise self._say
        return self._say

    begin = answer = decline = validate = resynchronise = _do

    async def send(self, *heard, **further):
        return await self._do(*heard, *further.values())


@pytest.fixture
def tally():
    return Tally()


def numbers(tally: Tally, metric: Metric) -> dict[tuple[str, ...], float]:
    return tally.reading().numbers.get(metric, {})


@pytest.mark.parametrize("what", OUTCOMES)
async def test_a_step_is_counted_by_what_it_came_to(tally, what):
    told, behind = OUTCOMES[what], Parrot(OUTCOMES[what])
    service = MeasuredService(behind, tally, Ticking())
    first = LoginRequest(ORIGIN, "alice", Secret("x"))
    later = AnswerRequest(ORIGIN, Secret("s"), Secret("1"))
    assert await service.begin(first) is told
    assert await service.answer(later) is told
    assert await service.decline(ORIGIN, "alice", Reason.PASSWORD_PROTOCOL) is told
    assert behind.heard == [(first,), (later,), (ORIGIN, "alice", Reason.PASSWORD_PROTOCOL)]
    assert numbers(tally, Metric.LOGONS) == {("radius", what, told.reason): 3}
    spread = tally.reading().spreads[Metric.LOGON_SECONDS]["radius", what]
    assert (sum(spread.counts), spread.total) == (3, 0.75)
    assert numbers(tally, Metric.LOGONS_OPEN) == {("radius",): 0}
    assert not numbers(tally, Metric.FAULTS)


async def test_a_fault_of_ours_is_none_of_the_outcomes_and_one_who_leaves_is_no_fault(tally):
    service = MeasuredService(Parrot(RuntimeError("ours")), tally, Ticking())
    with pytest.raises(RuntimeError):
        await service.begin(LoginRequest(ORIGIN, "alice", None))
    left = MeasuredService(Parrot(asyncio.CancelledError()), tally, Ticking())
    with pytest.raises(asyncio.CancelledError):
        await left.begin(LoginRequest(ORIGIN, "alice", None))
    assert numbers(tally, Metric.FAULTS) == {("radius",): 1}
    assert numbers(tally, Metric.LOGONS) == {}
    assert numbers(tally, Metric.LOGONS_OPEN) == {("radius",): 0}


DELIVERIES = {
    "taken": Receipt("gateway", "id-1"),
    "failed": DeliveryFailed("away", remedy="wait"),
    "refused": DeliveryFailed("no such number", remedy="check it", permanent=True),
    "unknown": DeliveryFailed("no answer", remedy="wait", unknown=True),
}


@pytest.mark.parametrize("result", DELIVERIES)
async def test_a_message_is_counted_by_what_became_of_it(tally, result):
    behind = Parrot(DELIVERIES[result])
    gateway = MeasuredGateway("sms", behind, tally, Ticking())
    message = Message("", "your code")
    if result == "taken":
        assert await gateway.send("+43", message, seconds=2.0) is DELIVERIES[result]
    else:
        with pytest.raises(DeliveryFailed):
            await gateway.send("+43", message, seconds=2.0)
    assert behind.heard == [("+43", message, 2.0)]
    assert (gateway.name, gateway.on_unknown) == ("gateway", OnUnknown.STOP)
    assert numbers(tally, Metric.DELIVERIES) == {("sms", "gateway", result): 1}


async def test_a_message_that_a_deadline_cuts_may_have_been_taken(tally):
    gateway = MeasuredGateway("sms", Parrot(asyncio.CancelledError()), tally, Ticking())
    with pytest.raises(asyncio.CancelledError):
        await gateway.send("+43", Message("", ""))
    assert numbers(tally, Metric.DELIVERIES) == {("sms", "gateway", "unknown"): 1}


ANSWERS = {
    **{str(kind): Verdict(kind, "0000") for kind in Kind},
    "unavailable": VipUnavailable("away", remedy="wait"),
}


@pytest.mark.parametrize("outcome", ANSWERS)
async def test_vip_is_counted_by_whose_business_its_answer_was(tally, outcome):
    vip = MeasuredVip(Parrot(ANSWERS[outcome]), tally, Ticking())
    asked = (
        lambda: vip.validate(["VSST1"], Secret("1")),
        lambda: vip.resynchronise(["VSST1"], Secret("1"), Secret("2")),
        lambda: vip.send(["sms:1"]),
    )
    for ask in asked:
        try:
            assert await ask() == ANSWERS[outcome]
        except VipUnavailable:
            assert outcome == "unavailable"
    assert numbers(tally, Metric.VIP_QUESTIONS) == {
        (question, outcome): 1 for question in ("validate", "resynchronise", "send")
    }


async def test_a_fault_of_ours_about_vip_is_one_of_configuration(tally):
    vip = MeasuredVip(Parrot(Fault("no certificate", remedy="get one")), tally, Ticking())
    with pytest.raises(Fault):
        await vip.validate(["VSST1"], Secret("1"))
    assert numbers(tally, Metric.VIP_QUESTIONS) == {("validate", "configuration"): 1}
