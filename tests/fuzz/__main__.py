"""`make fuzz`: many datagrams at the codec, over all cores, and many at the running service."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from clients.house import House, address_of, open_house
from fuzz.codec import fuzz
from fuzz.live import STRANGER, Flood, expect_no_fault, fuzzed, worthless
from fuzz.overrun import GoodClients, Heard, flooding, processor_seconds

_CHUNK = 50_000
_TURNS, _TURN_SECONDS = 5, 3.0
_RUBBISH = 20_000
"""Datagrams of which it is measured what dropping one costs."""
_FLOODERS = (STRANGER, "127.0.2.10", "127.0.2.11", address_of("lenient"), address_of("strict"))
_HOLDS = 0.9
"""The share of their throughput that a flood leaves to good clients, who ask once."""


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
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder), packets_per_second=0) as house:
        every = Flood(house)
        every.send(fuzzed(count, seed))
        every.settle()
        dropping = price_of_dropping(house, seed)
        expect_no_fault(house)
    print(f"service: {every.sent:,} datagrams in {every.seconds:.1f} s, {every.sent / every.seconds:,.0f} a second")
    print(f"  answered      {every.answered:11,}, each of which may be")
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        held = compare(house, seed, dropping)
        expect_no_fault(house)
    return held


def price_of_dropping(house: House, seed: int) -> float:
    """Seconds of a processor that a datagram costs which is read and may not be answered."""
    flood, rubbish, before = Flood(house), worthless(_RUBBISH, seed), processor_seconds(house)
    flood.send(rubbish)
    worked = processor_seconds(house) - before
    flood.settle()
    assert not flood.answered
    return worked / flood.sent


def compare(house: House, seed: int, dropping: float) -> bool:
    """Good clients alone and beside a flood that waits for nobody, by turns, for the machine may do other things."""
    good, alone, beside, sent = GoodClients(house), Heard(), Heard(), 0
    for turn in range(_TURNS):
        good.ask(_TURN_SECONDS, alone)
        with flooding(house, _FLOODERS, seed + turn) as flood:
            good.ask(_TURN_SECONDS, beside)
        sent += flood.sent
    ratio, an_answer = beside.at_first / alone.at_first, alone.worked / alone.asked
    print(f"flood: {sent:,} datagrams from {len(_FLOODERS)} addresses, {sent / beside.seconds:,.0f} a second")
    print(
        f"  good clients  {alone.at_first:.3f} answered at the first try alone, {beside.at_first:.3f} beside it", end=""
    )
    print(f", ratio {ratio:.3f}; never answered {alone.tries[-1]} and {beside.tries[-1]} of {alone.asked:,}")
    print(f"  the service   {an_answer * 1e6:.0f} us an answer, {dropping * 1e6:.0f} us a datagram dropped", end="")
    print(f", ratio {dropping / an_answer:.2f}; {beside.worked / beside.seconds:.2f} of a processor beside it")
    return ratio >= _HOLDS and not beside.tries[-1]


if __name__ == "__main__":
    sys.exit(main())
