"""Whether two lots of times come from one distribution: the test of Mann and Whitney, by its normal approximation."""

import math
from collections import Counter
from collections.abc import Sequence


def p_value(left: Sequence[float], right: Sequence[float]) -> float:
    """How likely a difference as large as this is when there is none; two-sided, corrected for ties and continuity.

    Good from about twenty values on either side (Mann and Whitney 1947).
    """
    sizes, ranks = (len(left), len(right)), _ranks([*left, *right])
    total = sum(sizes)
    u = sum(ranks[: sizes[0]]) - sizes[0] * (sizes[0] + 1) / 2
    ties = sum(number**3 - number for number in Counter([*left, *right]).values())
    variance = sizes[0] * sizes[1] / 12 * (total + 1 - ties / (total * (total - 1)))
    if not variance:
        return 1.0
    distance = max(abs(u - sizes[0] * sizes[1] / 2) - 0.5, 0.0)
    return math.erfc(distance / math.sqrt(2 * variance))


def _ranks(values: Sequence[float]) -> list[float]:
    """The place of each among all, from 1 on; equal ones share the mean of theirs."""
    order, ranks, at = sorted(range(len(values)), key=values.__getitem__), [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for place in order[at:end]:
            ranks[place] = (at + 1 + end) / 2
        at = end
    return ranks
