"""`make fuzz`: many datagrams at the codec, over all cores, and many at the running service."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from clients.house import House, open_house
from fuzz.codec import fuzz
from fuzz.live import Flood, GoodClients, expect_no_fault, fuzzed, worthless

_CHUNK = 50_000
_QUIET_SECONDS = 1.0
_TURN = 20_000
_HOLDS = 0.5
"""The share of their throughput that the flood leaves to good clients, who share two cores with all who take part."""


def main() -> int:
    """Fuzz; a finding ends it with the datagram."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzzed datagrams at the RADIUS door.")
    parser.add_argument("--count", type=int, default=10_000_000, help="at the codec (default %(default)s)")
    parser.add_argument("--live", type=int, default=100_000, help="at the service (default %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="to have the same again")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    fuzz_codec(arguments.count, arguments.seed)
    return 0 if fuzz_service(arguments.live, arguments.seed) else 1


def fuzz_codec(count: int, seed: int) -> None:
    begun, tally = time.monotonic(), Counter[str]()
    chunks = [_CHUNK] * (count // _CHUNK) + [count % _CHUNK] * bool(count % _CHUNK)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(fuzz, chunks, range(seed, seed + len(chunks))):
            tally += found
    seconds = time.monotonic() - begun
    print(f"codec: {tally.total():,} datagrams in {seconds:.0f} s, {tally.total() / seconds:,.0f} a second")
    for kind, number in tally.most_common():
        print(f"  {kind:13} {number:11,}")


def fuzz_service(count: int, seed: int) -> bool:
    """Whether the throughput of good clients held."""
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        every = Flood(house)
        every.send(fuzzed(count, seed))
        every.settle()
        print(f"service: {every.sent:,} datagrams in {every.seconds:.1f} s, {every.sent / every.seconds:,.0f} a second")
        print(f"  answered      {every.answered:11,}, each of which may be")
        held = compare(house, worthless(count, seed))
        expect_no_fault(house)
    return held


def compare(house: House, rubbish: list[bytes]) -> bool:
    """Good clients with and without a flood of rubbish, by turns, for the machine may do other things too."""
    flood, good = Flood(house), GoodClients(house)
    alone, meanwhile, quiet_seconds = 0, 0, 0.0
    with good.at_work():
        for start in range(0, len(rubbish), _TURN):
            begun, before = time.monotonic(), good.finished
            time.sleep(_QUIET_SECONDS)
            alone, quiet_seconds = alone + good.finished - before, quiet_seconds + time.monotonic() - begun
            before = good.finished
            flood.send(rubbish[start : start + _TURN])
            meanwhile += good.finished - before
        flood.settle()
    assert not flood.answered
    quiet, flooded = alone / quiet_seconds, meanwhile / flood.seconds
    print(f"good clients: {quiet:,.0f} answers a second alone; {flooded:,.0f} beside {flood.sent:,} datagrams", end=" ")
    print(f"that nobody may answer, {flood.sent / flood.seconds:,.0f} a second: ratio {flooded / quiet:.2f}")
    return flooded / quiet >= _HOLDS


if __name__ == "__main__":
    sys.exit(main())
