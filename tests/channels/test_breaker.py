"""A gateway that fails again and again is left alone for a while, and then tried by one message at a time."""

import logging

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from auth.channels.breaker import FIRST_PAUSE, LONGEST_PAUSE, TRIPS_AFTER, Breaker, Standing
from auth.channels.gateway_health import GatewayHealth, Turns


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(TRIPS_AFTER):
        breaker = breaker.failed(at)
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before():
    breaker = Breaker()
    for number in range(1, TRIPS_AFTER):
        breaker = breaker.failed(float(number))
        assert breaker.admits(float(number))
    assert not breaker.failed(3.0).admits(3.0)
    assert breaker.worked().failed(3.0).admits(3.0), "a success between them begins anew"


def test_while_it_is_open_nobody_is_let_through_and_then_one_at_a_time():
    breaker = opened()
    assert not breaker.admits(FIRST_PAUSE - 0.001)
    assert breaker.admits(FIRST_PAUSE)
    probing = breaker.asked(FIRST_PAUSE)
    assert (probing.standing(FIRST_PAUSE), probing.admits(FIRST_PAUSE)) == (Standing.HALF_OPEN, False)
    assert probing.worked().admits(FIRST_PAUSE)


def test_each_failed_probe_doubles_the_pause_up_to_the_longest():
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(7):
        pauses.append(breaker.pause)
        now = breaker.until
        breaker = breaker.asked(now).failed(now)
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_probe_that_never_came_back_does_not_keep_the_gateway_out_for_ever():
    probing = opened().asked(FIRST_PAUSE)
    assert not probing.admits(FIRST_PAUSE + 59.0)
    assert probing.admits(FIRST_PAUSE + 60.0)


class AnySchedule(RuleBasedStateMachine):
    """Whatever happens in whatever order, between two looks at a gateway that is open lies its whole pause."""

    def __init__(self):
        super().__init__()
        self.now, self.breaker, self.under_way, self.open_since = 0.0, Breaker(), 0, None

    @rule(seconds=st.floats(0, 400))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def a_message_comes(self):
        standing, admitted = self.breaker.standing(self.now), self.breaker.admits(self.now)
        if self.open_since is not None and self.now < self.open_since + FIRST_PAUSE:
            assert not admitted
        assert admitted or standing is not Standing.CLOSED
        if admitted:
            self.breaker = self.breaker.asked(self.now)
            self.under_way += 1
            if standing is Standing.HALF_OPEN:
                assert not self.breaker.admits(self.now), "only one tries it"

    @rule()
    def one_is_taken(self):
        if self.under_way:
            self.under_way -= 1
            self.breaker, self.open_since = self.breaker.worked(), None
            assert self.breaker == Breaker()

    @rule()
    def one_fails(self):
        if self.under_way:
            self.under_way -= 1
            until = self.breaker.until
            self.breaker = self.breaker.failed(self.now)
            if self.breaker.until != until:
                self.open_since = self.now

    @invariant()
    def no_pause_is_longer_than_the_longest(self):
        assert 0 <= self.breaker.pause <= LONGEST_PAUSE


TestAnySchedule = AnySchedule.TestCase


def test_when_all_are_open_the_one_that_failed_longest_ago_is_asked_first_and_all_share_the_time():
    now = [0.0]
    health = GatewayHealth(("a", "b", "c"), lambda: now[0])
    for name in ("b", "a", "c"):
        now[0] += 1.0
        for _ in range(TRIPS_AFTER):
            health.failed(name)
    assert health.turns(("a", "b", "c")) == Turns((), ("b", "a", "c"), 3)
    assert health.turns(("a", "c")) == Turns((), ("a", "c"), 2), "of those that the policy names"


def test_those_that_are_left_alone_have_no_share_of_the_time_while_one_works_that_is_known_to():
    now = [0.0]
    health = GatewayHealth(("a", "b", "c"), lambda: now[0])
    for name in ("b", "a"):
        now[0] += 1.0
        for _ in range(TRIPS_AFTER):
            health.failed(name)
    assert health.turns(("a", "b", "c")) == Turns(("c",), ("b", "a"), 1)
    health.failed("c")
    assert health.turns(("a", "b", "c")) == Turns(("c",), ("b", "a"), 3), "it has just failed"
    health.worked("c")
    now[0] += FIRST_PAUSE
    assert health.turns(("a", "b", "c")) == Turns(("a", "b", "c"), (), 3), "the pauses are over"
    health.asked("a")
    assert health.turns(("a", "b", "c")) == Turns(("b", "c"), ("a",), 2), "one message tries it already"


def test_each_change_is_logged_once(caplog):
    caplog.set_level(logging.INFO)
    now = [0.0]
    health = GatewayHealth(("a",), lambda: now[0])
    for _ in range(TRIPS_AFTER + 3):
        health.failed("a")
    health.worked("a")
    health.worked("a")
    assert [record.message for record in caplog.records] == [
        "gateway a has failed 3 times in a row: for 10 s it is left alone where there is another",
        "gateway a works again",
    ]
