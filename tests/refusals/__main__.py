"""`make refusals`: whether the times of refusals tell their reasons apart."""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from clients.house import House, open_house
from refusals.doors import LINES, Attempt, Line, RadiusLine
from refusals.kinds import MOST, UNLIMITED, Refusals, entries
from refusals.mann_whitney import p_value

_APART_SECONDS = 0.007
"""Between two requests, so that none waits for the work of another; all are sent before the first refusal is due."""
_KINDS = 6
_CHANCE = 0.01
"""Of finding any pair different when none is."""

Times = dict[str, list[float]]


def main() -> int:
    """Measure, print, and say by the exit status whether the reasons could be told apart."""
    parser = argparse.ArgumentParser(prog="make refusals", description="Times of refusals, by their reason.")
    parser.add_argument("--count", type=int, default=MOST, help="of each at each door (default and most %(default)s)")
    arguments = parser.parse_args()
    apart = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        open_house(Path(folder), entries=entries(), more_config=UNLIMITED) as house,
    ):
        Refusals(house, RadiusLine(house)).lock()
        for door, line in LINES.items():
            apart += compare(door, measure(house, line, arguments.count))
    return 1 if apart else 0


def compare(door: str, times: Times) -> int:
    """How many pairs of reasons can be told apart; prints what there is to be seen."""
    for kind, found in times.items():
        median, spread = statistics.median(found), statistics.quantiles(found, n=20)
        print(
            f"{door:6} {kind:18} median {median * 1e3:7.3f} ms, 90 % in {spread[0] * 1e3:.3f} to {spread[-1] * 1e3:.3f}"
        )
    pairs = {pair: p_value(times[pair[0]], times[pair[1]]) for pair in combinations(times, 2)}
    apart = {pair: p for pair, p in pairs.items() if p < _CHANCE / len(pairs)}
    for (left, right), p in sorted(apart.items(), key=lambda item: item[1]):
        print(f"{door:6} told apart: {left} and {right}, p = {p:.2g}")
    print(f"{door:6} {len(pairs)} pairs, least p = {min(pairs.values()):.2g}, {len(apart)} told apart (Mann-Whitney)")
    return len(apart)


def measure(house: House, line: Callable[[House], Line], count: int) -> Times:
    """Seconds from attempt to refusal, so many of each kind, the kinds in a new order in each round."""
    lines = [line(house) for _ in range(_KINDS)]
    kinds, draw = Refusals(house, lines[0]).kinds(), random.Random(1)
    times: Times = {kind: [] for kind in kinds}
    for _ in range(count):
        order = draw.sample(list(kinds), len(kinds))
        attempts = [kinds[kind]() for kind in order]
        for kind, seconds in zip(order, _round(lines, attempts), strict=True):
            times[kind].append(seconds)
    for each in lines:
        each.close()
    return times


def _round(lines: list[Line], attempts: list[Attempt]) -> list[float]:
    sent, took = [], []
    begun = time.perf_counter()
    for at, (line, attempt) in enumerate(zip(lines, attempts, strict=True)):
        time.sleep(max(begun + at * _APART_SECONDS - time.perf_counter(), 0))
        sent.append(time.perf_counter())
        line.say(attempt)
    for line, at in zip(lines, sent, strict=True):
        heard = line.hear()
        took.append(time.perf_counter() - at)
        assert heard.outcome == "refused"
    return took


if __name__ == "__main__":
    sys.exit(main())
