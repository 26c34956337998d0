"""What has happened since the start, in memory: a dictionary and an addition, for a logon pays for each."""

from bisect import bisect_left
from collections import defaultdict

from auth.metrics.catalogue import BUCKETS, Metric
from auth.metrics.reading import Labels, Reading, Spread


class Tally:
    """Counters and histograms of one process, used by its event loop only."""

    def __init__(self) -> None:
        self._counted: dict[tuple[Metric, Labels], float] = defaultdict(float)
        self._counts: dict[tuple[Metric, Labels], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._totals: dict[tuple[Metric, Labels], float] = defaultdict(float)

    def count(self, metric: Metric, labels: Labels, by: float = 1) -> None:
        """Add to a counter, or to a gauge that goes up and down.

        Args:
            metric: which one.
            labels: their values, in the metric's order.
            by: how much.
        """
        self._counted[metric, labels] += by

    def observe(self, metric: Metric, labels: Labels, seconds: float) -> None:
        """Put a value into a histogram."""
        self._counts[metric, labels][bisect_left(BUCKETS, seconds)] += 1
        self._totals[metric, labels] += seconds

    def reading(self) -> Reading:
        """What it has come to."""
        found = Reading({}, {})
        for (metric, labels), value in self._counted.items():
            found.put(metric, value, *labels)
        for (metric, labels), counts in self._counts.items():
            spread = Spread(tuple(counts), self._totals[metric, labels])
            found.spreads.setdefault(metric, {})[labels] = spread
        return found
