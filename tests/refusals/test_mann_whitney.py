"""The statistics against what is known of them: all arrangements of small lots, and lots that do and do not differ."""

import random
from itertools import combinations

import pytest

from refusals.mann_whitney import p_value


def exact(left, right):
    """The share of all ways to divide the values up that differ as much."""
    values = [*left, *right]

    def distance(chosen):
        inside = [values[at] for at in chosen]
        outside = [values[at] for at in range(len(values)) if at not in chosen]
        wins = sum((a > b) + (a == b) / 2 for a in inside for b in outside)
        return abs(wins - len(inside) * len(outside) / 2)

    ways = [distance(chosen) for chosen in combinations(range(len(values)), len(left))]
    return sum(way >= ways[0] for way in ways) / len(ways)


@pytest.mark.parametrize("shift", [0, 1, 2, 4, 7])
def test_it_is_near_to_the_exact_one(shift):
    left, right = [1, 4, 4, 6, 9, 12, 15, 17], [value + shift for value in (2, 3, 5, 8, 9, 11, 14, 19)]
    assert p_value(left, right) == pytest.approx(exact(left, right), abs=0.03)


def test_lots_that_differ_are_told_apart_and_lots_that_do_not_are_not():
    draw = random.Random(1)
    lots = [[draw.gauss(50, 1) for _ in range(2000)] for _ in range(2)]
    assert p_value(*lots) > 0.05
    assert p_value(lots[0], [value + 0.2 for value in lots[1]]) < 0.001
    assert p_value([1.0] * 30, [1.0] * 30) == 1.0
