"""A reading as Prometheus' text. The names, escapes and the order of samples are prometheus-client's business."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from auth.metrics.catalogue import Kind, Metric
from auth.metrics.reading import Reading, cumulative

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Readings(Collector):
    """Shows a registry what `read` returns each time it is asked."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def describe(self) -> Iterator[_Family]:
        """The names alone, so that registering reads nothing."""
        return iter(())

    def collect(self) -> Iterator[_Family]:
        """All metrics, in the catalogue's order; those without a value have their name and meaning only."""
        reading = self._read()
        for metric in Metric:
            match metric.kind:
                case Kind.HISTOGRAM:
                    yield _histogram(metric, reading)
                case Kind.COUNTER:
                    counter = CounterMetricFamily(metric, metric.meaning, labels=metric.labels)
                    for labels, value in reading.numbers.get(metric, {}).items():
                        counter.add_metric(labels, value)
                    yield counter
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(metric, metric.meaning, labels=metric.labels)
                    for labels, value in reading.numbers.get(metric, {}).items():
                        gauge.add_metric(labels, value)
                    yield gauge


def registry_of(read: Callable[[], Reading]) -> CollectorRegistry:
    """A registry of its own that shows these readings and nothing else."""
    registry = CollectorRegistry()
    registry.register(Readings(read))
    return registry


def as_text(registry: CollectorRegistry) -> bytes:
    """Prometheus' text format 0.0.4."""
    return generate_latest(registry)


def _histogram(metric: Metric, reading: Reading) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric, metric.meaning, labels=metric.labels)
    for labels, spread in reading.spreads.get(metric, {}).items():
        family.add_metric(labels, cumulative(spread), spread.total)
    return family
