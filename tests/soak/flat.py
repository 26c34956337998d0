"""Whether a run of samples is flat. Pure."""

import statistics
from collections.abc import Sequence

MOST_GROWTH = 0.02
_PARTS = 5


def growth(values: Sequence[float]) -> float:
    """By what part the last fifth is above the first one, by their medians."""
    part = max(1, len(values) // _PARTS)
    first, last = statistics.median(values[:part]), statistics.median(values[-part:])
    return (last - first) / first if first else 0.0


def trend(values: Sequence[float]) -> float:
    """By what part of its median a value grows from the beginning to the end: the median of all slopes (Theil, Sen)."""
    count = len(values)
    if count < 2 or not statistics.median(values):
        return 0.0
    slopes = [(values[j] - values[i]) / (j - i) for i in range(count) for j in range(i + 1, count)]
    return statistics.median(slopes) * (count - 1) / statistics.median(values)
