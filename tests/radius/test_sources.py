"""One address takes up no more than its share, whatever it sends."""

from hypothesis import given
from hypothesis import strategies as st

from auth.radius.sources import Sources

pauses = st.lists(st.floats(0, 3, allow_nan=False), max_size=200)


@given(pauses=pauses, rate=st.floats(0.5, 50), burst=st.integers(1, 20))
def test_in_no_span_of_time_more_is_let_through_than_the_burst_and_what_has_come_in_meanwhile(pauses, rate, burst):
    sources, now, admitted = Sources(rate, burst), 0.0, []
    for pause in pauses:
        now += pause
        if sources.admit("192.0.2.1", now):
            admitted.append(now)
    for first, begun in enumerate(admitted):
        for last, ended in enumerate(admitted[first:], first):
            assert last - first + 1 <= burst + (ended - begun) * rate + 1e-6


@given(rate=st.floats(1, 50), burst=st.integers(1, 20))
def test_who_keeps_to_the_rate_is_never_refused(rate, burst):
    sources = Sources(rate, burst)
    assert all(sources.admit("192.0.2.1", number / rate * (1 + 1e-9)) for number in range(200))


def test_one_address_that_sends_too_much_takes_nothing_from_another():
    sources = Sources(10, 10)
    assert [sources.admit("192.0.2.1", 0) for _ in range(100)].count(True) == 10
    assert sources.admit("192.0.2.2", 0)


def test_no_more_addresses_are_remembered_than_it_says_and_the_busy_ones_are():
    sources = Sources(1, 1, most=3)
    assert sources.admit("busy", 0)
    for number in range(100):
        sources.admit(f"192.0.2.{number}", 0)
        assert not sources.admit("busy", 0)
    assert len(sources._buckets) == 3


def test_a_rate_of_nothing_is_no_limit():
    sources = Sources(0, 1)
    assert all(sources.admit("192.0.2.1", 0) for _ in range(1000))


def test_who_is_charged_waits_for_so_many_packets_and_is_as_others_are_then():
    sources = Sources(10, 10)
    assert sources.admit("192.0.2.1", 0)
    for _ in range(3):
        sources.charge("192.0.2.1", 5)
    assert not sources.admit("192.0.2.1", 0.59)
    assert sources.admit("192.0.2.1", 0.61)
    assert [sources.admit("192.0.2.1", 10) for _ in range(100)].count(True) == 10
    sources.charge("192.0.2.2", 5)
    assert sources.admit("192.0.2.2", 0), "nothing was asked for it before"
