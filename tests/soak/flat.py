"""Whether a run of samples is flat. Pure."""

import statistics
from collections.abc import Iterable, Sequence

MOST_GROWTH = 0.02
"""Of memory, from early to late."""
MOST_MORE = 3.0
"""Of open files and of threads, from early to late: connections and pools come and go by as many."""
MOST_TREND = 0.25
"""Of the processor time of a logon in yardsticks, over all minutes."""
_EARLY, _LATE = (1 / 6, 7 / 30), 9 / 10
"""Of half an hour: minutes five to seven, and the last three."""

Series = Sequence[tuple[float, float]]
"""Values with the instants of them, in seconds since the beginning."""


def early_and_late(series: Series, seconds: float) -> tuple[float, float]:
    """The medians of minutes five to seven and of the last three of half an hour; of another time in proportion.

    Raises:
        ValueError: there is no value within one of the two.
    """
    early = [value for at, value in series if _EARLY[0] * seconds <= at <= _EARLY[1] * seconds]
    late = [value for at, value in series if at >= _LATE * seconds]
    if not early or not late:
        msg = f"{len(early)} values are early and {len(late)} late"
        raise ValueError(msg)
    return statistics.median(early), statistics.median(late)


def growth(series: Series, seconds: float) -> float:
    """By what part the late value is above the early one. Raises ValueError as `early_and_late`."""
    first, last = early_and_late(series, seconds)
    return (last - first) / first if first else 0.0


def more(series: Series, seconds: float) -> float:
    """By how much the late value is above the early one. Raises ValueError as `early_and_late`."""
    first, last = early_and_late(series, seconds)
    return last - first


def after_warm_up(series: Iterable[tuple[float, float]], seconds: float) -> list[float]:
    """The values since the early ones began."""
    return [value for at, value in series if at >= _EARLY[0] * seconds]


def trend(values: Sequence[float]) -> float:
    """By what part of its median a value grows from the beginning to the end: the median of all slopes (Theil, Sen)."""
    count = len(values)
    if count < 2 or not statistics.median(values):
        return 0.0
    slopes = [(values[j] - values[i]) / (j - i) for i in range(count) for j in range(i + 1, count)]
    return statistics.median(slopes) * (count - 1) / statistics.median(values)
