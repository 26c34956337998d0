"""`make refusals`: whether the times of refusals tell their reasons apart."""

import argparse
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

from clients.house import House, address_of, open_house
from refusals.kinds import MOST, NODE, UNLIMITED, Refusals, entries
from refusals.mann_whitney import p_value
from rig.datagram import ACCESS_REJECT
from rig.ports import LOOPBACK

_APART_SECONDS = 0.007
"""Between two requests, so that none waits for the work of another; all are sent before the first refusal is due."""
_CHANCE = 0.01
"""Of finding any pair different when none is."""

Times = dict[str, list[float]]


def main() -> int:
    """Measure, print, and say by the exit status whether the reasons could be told apart."""
    parser = argparse.ArgumentParser(prog="make refusals", description="Times of refusals, by their reason.")
    parser.add_argument("--count", type=int, default=MOST, help="of each (default and most %(default)s)")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_house(Path(folder), entries=entries(), more_config=UNLIMITED) as house,
    ):
        times = measure(house, arguments.count)
    for kind, found in times.items():
        median, spread = statistics.median(found), statistics.quantiles(found, n=20)
        print(f"{kind:17} median {median * 1e3:7.3f} ms, 90 % in {spread[0] * 1e3:.3f} to {spread[-1] * 1e3:.3f}")
    pairs = {pair: p_value(times[pair[0]], times[pair[1]]) for pair in combinations(times, 2)}
    apart = {pair: p for pair, p in pairs.items() if p < _CHANCE / len(pairs)}
    for (left, right), p in sorted(apart.items(), key=lambda item: item[1]):
        print(f"told apart: {left} and {right}, p = {p:.2g}")
    print(f"{len(pairs)} pairs, least p = {min(pairs.values()):.2g}, {len(apart)} told apart (Mann-Whitney)")
    return 1 if apart else 0


def measure(house: House, count: int) -> Times:
    """Seconds from request to refusal, so many of each kind, the kinds in a new order in each round."""
    refusals = Refusals(house)
    refusals.lock()
    kinds, draw = refusals.kinds(), random.Random(1)
    times: Times = {kind: [] for kind in kinds}
    for _ in range(count):
        order = draw.sample(list(kinds), len(kinds))
        for kind, seconds in zip(order, _round(house, order, kinds), strict=True):
            times[kind].append(seconds)
    return times


def _round(house: House, order: list[str], kinds: Mapping[str, Callable[[], bytes]]) -> list[float]:
    requests = [kinds[kind]() for kind in order]
    clients = [_client(house) for _ in order]
    sent, took = [], []
    begun = time.perf_counter()
    for at, (client, request) in enumerate(zip(clients, requests, strict=True)):
        time.sleep(max(begun + at * _APART_SECONDS - time.perf_counter(), 0))
        sent.append(time.perf_counter())
        client.send(request)
    for client, at in zip(clients, sent, strict=True):
        reply = client.recv(4096)
        took.append(time.perf_counter() - at)
        assert reply[0] == ACCESS_REJECT
        client.close()
    return took


def _client(house: House) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((address_of(NODE), 0))
    client.connect((LOOPBACK, house.radius_port))
    client.settimeout(5.0)
    return client


if __name__ == "__main__":
    sys.exit(main())
