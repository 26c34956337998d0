"""A reading of all metrics, and those of several workers together. Pure."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from auth.metrics.catalogue import BUCKETS, Metric, Together

Labels = tuple[str, ...]


class Spread(msgspec.Struct, frozen=True):
    """A histogram's values.

    Attributes:
        counts: how many values there were in each bucket, and beyond the last; not added up.
        total: their sum.
    """

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0

    def __add__(self, other: "Spread") -> "Spread":
        return Spread(tuple(map(sum, zip(self.counts, other.counts, strict=True))), self.total + other.total)


class Reading(msgspec.Struct):
    """What all metrics say at one moment, by their labels' values.

    Attributes:
        numbers: counters and gauges.
        spreads: histograms.
    """

    numbers: dict[Metric, dict[Labels, float]] = {}
    spreads: dict[Metric, dict[Labels, Spread]] = {}

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a counter or gauge."""
        self.numbers.setdefault(metric, {})[labels] = float(value)


_TOGETHER: dict[Together, Callable[[float, float], float]] = {
    Together.SUM: lambda one, other: one + other,
    Together.LEAST: min,
    Together.MOST: max,
}


def added(readings: Iterable[Reading]) -> Reading:
    """What several workers have together."""
    whole = Reading({}, {})
    for reading in readings:
        for metric, values in reading.numbers.items():
            known, join = whole.numbers.setdefault(metric, {}), _TOGETHER[metric.together]
            for labels, value in values.items():
                known[labels] = join(known[labels], value) if labels in known else value
        for metric, spreads in reading.spreads.items():
            seen = whole.spreads.setdefault(metric, {})
            for labels, spread in spreads.items():
                seen[labels] = seen.get(labels, Spread()) + spread
    return whole


def cumulative(spread: Spread) -> Sequence[tuple[str, int]]:
    """The buckets as Prometheus has them: upper bound, and how many values were not above it."""
    bounds = [*map(str, BUCKETS), "+Inf"]
    return [(bound, sum(spread.counts[: place + 1])) for place, bound in enumerate(bounds)]
