"""What is counted adds up, in one worker and in several, and is what Prometheus reads."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from auth.metrics.catalogue import BUCKETS, Kind, Metric, Together
from auth.metrics.exposition import as_text, registry_of
from auth.metrics.reading import Reading, added
from auth.metrics.tally import Tally

COUNTERS = [metric for metric in Metric if metric.kind is Kind.COUNTER]
SUMMED = [metric for metric in COUNTERS if metric.together is Together.SUM]
"""Of the others each worker tells what one of them has counted for all: looks at the directory."""
HISTOGRAMS = [metric for metric in Metric if metric.kind is Kind.HISTOGRAM]
GAUGES = [metric for metric in Metric if metric.kind is Kind.GAUGE]
WORDS = st.sampled_from(["a", "b", 'quo"ted', "back\\slash", "line\nend"])
SECONDS = st.integers(0, 20_000).map(lambda milliseconds: milliseconds / 1000)


@st.composite
def events(draw, counters=tuple(COUNTERS)):
    """Things that happen: a counter goes up, a histogram is given a value."""
    metric = draw(st.sampled_from([*counters, *HISTOGRAMS]))
    labels = tuple(draw(WORDS) for _ in metric.labels)
    return metric, labels, draw(SECONDS) if metric.kind is Kind.HISTOGRAM else 1


def told(happened) -> Tally:
    tally = Tally()
    for metric, labels, value in happened:
        if metric.kind is Kind.HISTOGRAM:
            tally.observe(metric, labels, value)
        else:
            tally.count(metric, labels, value)
    return tally


def samples(reading: Reading) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus' own parser reads: name and labels -> value."""
    text = as_text(registry_of(lambda: reading)).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(st.lists(events(), max_size=30))
def test_a_parser_of_the_text_reads_what_has_happened(happened):
    read = samples(told(happened).reading())
    for metric, labels, _ in happened:
        named = dict(zip(metric.labels, labels, strict=True))
        same = [value for kind, others, value in happened if (kind, others) == (metric, labels)]
        if metric.kind is Kind.COUNTER:
            assert read[metric, tuple(sorted(named.items()))] == len(same)
            continue
        assert read[f"{metric}_count", tuple(sorted(named.items()))] == len(same)
        assert abs(read[f"{metric}_sum", tuple(sorted(named.items()))] - sum(same)) < 1e-6
        for bound in BUCKETS:
            value = read[f"{metric}_bucket", tuple(sorted({**named, "le": str(bound)}.items()))]
            assert value == sum(each <= bound for each in same)


@given(st.lists(st.tuples(st.integers(0, 2), events(SUMMED)), max_size=40))
def test_several_workers_have_together_what_one_would_have(happened):
    workers = [told(event for place, event in happened if place == number) for number in range(3)]
    together = samples(added(worker.reading() for worker in workers))
    alone = samples(told(event for _, event in happened).reading())
    assert together.keys() == alone.keys()
    assert all(abs(together[key] - alone[key]) < 1e-6 for key in alone)


@given(st.sampled_from(GAUGES), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_gauge_of_several_workers_is_their_sum_their_least_or_their_most(metric, values):
    readings = []
    for value in values:
        reading = Reading({}, {})
        reading.put(metric, value, *metric.labels)
        readings.append(reading)
    (found,) = added(readings).numbers[metric].values()
    expected = {Together.SUM: sum, Together.LEAST: min, Together.MOST: max}[metric.together](values)
    assert abs(found - expected) < 1e-6


@given(st.lists(events(), max_size=10))
def test_a_reading_survives_the_way_to_another_worker(happened):
    reading = told(happened).reading()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reading), type=Reading) == reading


def test_every_metric_is_shown_before_anything_has_happened():
    text = as_text(registry_of(lambda: Reading({}, {}))).decode()
    assert {family.name for family in text_string_to_metric_families(text)} == {
        metric.removesuffix("_total") for metric in Metric
    }


def test_no_label_can_tell_of_a_person():
    allowed = {
        *("door", "outcome", "reason", "cause", "route", "status", "channel", "gateway", "result", "question"),
        *("certificate", "directory", "worker", "version"),
    }
    assert {label for metric in Metric for label in metric.labels} == allowed
