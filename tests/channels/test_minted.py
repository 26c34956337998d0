"""One channel for codes that we mint: order, failover, the deadline, and the words."""

import asyncio
import logging
import math
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.channels.breaker import FIRST_PAUSE, LONGEST_PAUSE, TRIPS_AFTER
from auth.channels.minted import MintedChannel, render

TO = PhoneNumber("+12025550123")
MESSAGE = Message(subject="", text="481516 is your logon code.")


@dataclass
class Scripted:
    """A gateway that does what it was made for, and remembers being asked."""

    name: str
    failure: DeliveryFailed | None = None
    on_unknown: OnUnknown = OnUnknown.STOP
    seconds: float = 0.0
    asked: list[PhoneNumber] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    closed: bool = False

    async def send(self, to: PhoneNumber, message: Message, *, seconds: float = math.inf) -> Receipt:
        self.asked.append(to)
        self.shares.append(seconds)
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        return Receipt(self.name, f"id-{self.name}")

    async def aclose(self) -> None:
        self.closed = True


def refusing(name: str, **what) -> Scripted:
    on_unknown = what.pop("on_unknown", OnUnknown.STOP)
    return Scripted(name, DeliveryFailed("is out of order", remedy=f"mend {name}", **what), on_unknown)


async def deliver(*gateways: Scripted, named: tuple[str, ...] = (), seconds: float = 2.0) -> Receipt:
    channel = MintedChannel(gateways, time.monotonic)
    return await channel.deliver(TO, MESSAGE, gateways=named, deadline_seconds=seconds)


async def failure(*gateways: Scripted, named: tuple[str, ...] = (), seconds: float = 2.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await deliver(*gateways, named=named, seconds=seconds)
    return caught.value


async def test_without_names_all_gateways_are_tried_in_the_order_of_config_ini():
    first, second, third = refusing("a"), Scripted("b"), Scripted("c")
    assert await deliver(first, second, third) == Receipt("b", "id-b")
    assert (first.asked, second.asked, third.asked) == ([TO], [TO], [])


async def test_the_policys_names_decide_which_gateways_and_in_which_order():
    first, second, third = Scripted("a"), Scripted("b"), refusing("c")
    assert (await deliver(first, second, third, named=("c", "b"))).gateway == "b"
    assert (len(first.asked), len(second.asked), len(third.asked)) == (0, 1, 1)


async def test_when_none_takes_it_the_failure_says_what_became_of_it_at_each():
    found = await failure(refusing("a"), refusing("b"))
    assert found.problem == "a: is out of order; b: is out of order"
    assert found.remedy == "mend a; mend b"
    assert (found.permanent, found.unknown) == (False, False)


async def test_a_failure_is_logged_even_when_the_next_gateway_succeeds(caplog):
    await deliver(refusing("a"), Scripted("b"))
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "a: is out of order (mend a)")
    ]


async def test_what_the_caller_hears_is_not_logged_as_well(caplog):
    await failure(refusing("a"))
    assert caplog.records == []


async def test_no_other_gateway_is_asked_about_an_address_that_was_refused_for_good():
    second = Scripted("b")
    found = await failure(refusing("a", permanent=True), second)
    assert found.permanent
    assert second.asked == []


async def test_one_text_only_when_the_answer_is_unknown():
    second = Scripted("b")
    found = await failure(refusing("a", unknown=True), second)
    assert found.unknown
    assert second.asked == []


async def test_rather_two_texts_than_none_when_the_gateway_is_set_so():
    assert (await deliver(refusing("a", unknown=True, on_unknown=OnUnknown.FAILOVER), Scripted("b"))).gateway == "b"


async def test_the_deadline_holds_for_all_gateways_together_and_names_the_one_that_hung():
    second = Scripted("b", seconds=30.0)
    third = Scripted("c")
    begun = time.monotonic()
    found = await failure(refusing("a"), second, third, seconds=0.2)
    assert 0.15 < time.monotonic() - begun < 2.5
    assert "a: is out of order" in found.problem
    assert "b: the time for delivery, 0.2 s, was over" in found.problem
    assert found.unknown
    assert third.asked == []


async def test_each_gateway_gets_an_even_share_of_the_time_that_is_left():
    now = [0.0]
    gateways = refusing("a"), refusing("b"), Scripted("c")
    channel = MintedChannel(gateways, lambda: now[0])
    await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=10.0)
    assert [each.shares for each in gateways] == [[pytest.approx(9.5 / 3)], [pytest.approx(9.5 / 2)], [9.5]]


async def test_a_gateway_whose_breaker_is_open_is_left_out_and_its_time_is_the_others():
    now = [0.0]
    first, second = refusing("a"), Scripted("b")
    channel = MintedChannel((first, second), lambda: now[0])
    for _ in range(5):
        assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)).gateway == "b"
    assert (len(first.asked), second.shares[-1]) == (TRIPS_AFTER, 1.9)
    assert channel.standings() == {"a": "open", "b": "closed"}
    now[0] = FIRST_PAUSE
    first.failure = None
    assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)).gateway == "a"
    assert channel.standings() == {"a": "closed", "b": "closed"}


async def test_a_failure_names_the_gateways_that_were_left_out():
    """`b` may have taken the message, so that nobody else is asked."""
    channel = MintedChannel((refusing("a"), refusing("b", unknown=True)), lambda: 0.0)
    problems = []
    for gateways in (*[("a",)] * TRIPS_AFTER, ("a", "b")):
        with pytest.raises(DeliveryFailed) as caught:
            await channel.deliver(TO, MESSAGE, gateways=gateways, deadline_seconds=2.0)
        problems.append(caught.value.problem)
    assert problems[-1] == "a: not asked, it failed several times in a row; b: is out of order"


async def after_a_long_outage(*gateways: Scripted, now: list[float]) -> MintedChannel:
    """A channel whose gateways have all failed until the pauses were the longest, and are well again now."""
    channel = MintedChannel(gateways, lambda: now[0])
    failures = [gateway.failure for gateway in gateways]
    for gateway in gateways:
        gateway.failure = DeliveryFailed("is out of order", remedy="mend it")
    for _ in range(20):
        now[0] += LONGEST_PAUSE
        for gateway in gateways:
            with pytest.raises(DeliveryFailed):
                await channel.deliver(TO, MESSAGE, gateways=(gateway.name,), deadline_seconds=2.0)
    for gateway, failure in zip(gateways, failures, strict=True):
        gateway.failure = failure
        gateway.asked.clear()
        gateway.shares.clear()
    assert set(channel.standings().values()) == {"open"}
    return channel


@pytest.mark.parametrize("back", ["a", "b", "c"])
async def test_after_a_long_outage_the_very_first_message_goes_out_by_whichever_gateway_is_back(back):
    gateways = [Scripted(name) if name == back else refusing(name) for name in ("a", "b", "c")]
    channel = await after_a_long_outage(*gateways, now=[0.0])
    assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)).gateway == back
    assert all(each.shares[0] > 0.6 for each in gateways if each.asked), "each has its share of the time"


async def test_a_gateway_that_is_left_alone_and_is_back_takes_the_message_that_the_other_refuses():
    """What is broken now is not what was broken before, and nobody is refused for it."""
    now = [0.0]
    first, second = Scripted("a"), Scripted("b")
    channel = await after_a_long_outage(first, second, now=now)
    assert (await channel.deliver(TO, MESSAGE, gateways=("b",), deadline_seconds=2.0)).gateway == "b"
    assert channel.standings() == {"a": "open", "b": "closed"}
    second.failure = refusing("b").failure
    assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)).gateway == "a"
    assert channel.standings()["a"] == "closed"


async def test_a_gateway_that_hangs_costs_one_message_its_time_and_the_next_goes_out_by_one_that_was_left_alone():
    first, second = Scripted("a"), Scripted("b")
    now = [0.0]
    channel = await after_a_long_outage(first, second, now=now)
    await channel.deliver(TO, MESSAGE, gateways=("b",), deadline_seconds=2.0)

    async def hang(to: PhoneNumber, message: Message, *, seconds: float = math.inf) -> Receipt:
        now[0] += seconds
        raise DeliveryFailed("could not be reached", remedy="look at the network")

    second.send = hang
    with pytest.raises(DeliveryFailed) as caught:
        await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)
    assert caught.value.problem.startswith("a: not asked"), "there is no time left for it"
    assert (await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)).gateway == "a"


@pytest.mark.parametrize("what", [{"permanent": True}, {"answered": True}])
async def test_a_message_that_is_refused_as_such_is_not_held_against_the_gateway(what):
    first = refusing("a", **what)
    channel = MintedChannel((first,), lambda: 0.0)
    for _ in range(TRIPS_AFTER + 1):
        with pytest.raises(DeliveryFailed):
            await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=2.0)
    assert channel.standings() == {"a": "closed"}


async def test_a_gateway_that_hangs_until_the_end_is_held_responsible():
    first = Scripted("a", seconds=30.0)
    channel = MintedChannel((first,), lambda: 0.0)
    for _ in range(TRIPS_AFTER):
        with pytest.raises(DeliveryFailed):
            await channel.deliver(TO, MESSAGE, gateways=(), deadline_seconds=0.01)
    assert channel.standings() == {"a": "open"}


async def test_a_name_without_gateway_is_named_before_anybody_is_asked():
    only = Scripted("a")
    found = await failure(only, named=("a", "nowhere"))
    assert "nowhere" in found.problem
    assert "a" in found.remedy
    assert only.asked == []


async def test_no_gateway_at_all_is_a_failure_with_a_remedy():
    assert "[sms:NAME]" in (await failure()).remedy


async def test_closing_the_channel_closes_every_gateway():
    gateways = Scripted("a"), Scripted("b")
    await MintedChannel(gateways, time.monotonic).aclose()
    assert [each.closed for each in gateways] == [True, True]


def test_a_message_does_not_show_what_is_sent():
    assert "481516" not in repr(MESSAGE)
    assert "481516" not in repr(Message("481516", "481516", "481516"))


def test_the_template_gets_code_and_minutes():
    assert render("{code} is good for {minutes} minutes.", ["481516"], 5) == "481516 is good for 5 minutes."


def test_several_codes_stand_side_by_side_or_one_a_line():
    assert render("Codes: {code}.", ["11", "22"], 5) == "Codes: 11, 22."
    assert render("Codes:\n  {code}\nBye", ["11", "22"], 5) == "Codes:\n11\n22\nBye"
    assert render("Codes:\r\n{code}\r\nBye", ["11", "22"], 5) == "Codes:\r\n11\n22\r\nBye"


@given(st.text(), st.lists(st.from_regex(r"[0-9]{4,10}", fullmatch=True), min_size=1), st.integers(1, 999))
def test_an_administrators_braces_are_just_braces(text, codes, minutes):
    without = text.replace("{code}", "").replace("{minutes}", "")
    if "{code}" in without or "{minutes}" in without:  # taking one out may make another
        without = ""
    assert render(without, codes, minutes) == without
    assert render(without + "|{code}|", codes, minutes) == f"{without}|{', '.join(codes)}|"


def test_what_is_filled_in_is_never_filled_in_again():
    assert render("{code} {minutes}", ["{minutes}"], 5) == "{minutes} 5"
