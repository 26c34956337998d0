"""`make fuzz`: many datagrams at the codec, over all cores, and many at the running service."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clients.house import House, open_house
from fuzz.codec import fuzz
from fuzz.live import Flood, GoodClients, expect_no_fault, fuzzed, worthless

_CHUNK = 50_000
_TURNS, _TURN_SECONDS = 5, 2.0
_RUBBISH = 5_000
"""Different datagrams of a flood, which are sent again and again."""
_HOLDS = 0.9
"""The share of their throughput that the flood leaves to good clients."""


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
        expect_no_fault(house)
    print(f"service: {every.sent:,} datagrams in {every.seconds:.1f} s, {every.sent / every.seconds:,.0f} a second")
    print(f"  answered      {every.answered:11,}, each of which may be")
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        held = compare(house, worthless(_RUBBISH, seed))
        expect_no_fault(house)
    return held


def compare(house: House, rubbish: list[bytes]) -> bool:
    """Good clients with and without a flood of rubbish, by turns, for the machine may do other things too."""
    flood, good, alone, beside = Flood(house), GoodClients(house), Share(), Share()
    with good.at_work():
        for _ in range(_TURNS):
            with alone.counted(house, good):
                time.sleep(_TURN_SECONDS)
            with beside.counted(house, good):
                until = time.monotonic() + _TURN_SECONDS
                while time.monotonic() < until:
                    flood.send(rubbish)
        flood.settle()
    assert not flood.answered
    quiet, flooded = alone.answers / alone.seconds, beside.answers / beside.seconds
    an_answer = alone.worked / alone.answers
    dropping = (beside.worked - beside.answers * an_answer) / flood.sent
    print(f"rubbish: {flood.sent:,} datagrams that nobody may answer, {flood.sent / flood.seconds:,.0f} a second")
    print(f"  good clients  {quiet:,.0f} answers a second alone, {flooded:,.0f} beside it, ratio {flooded / quiet:.2f}")
    print(f"  the service   {an_answer * 1e6:.0f} us an answer, {dropping * 1e6:.0f} us a datagram dropped", end="")
    print(f", ratio {dropping / an_answer:.2f}")
    return flooded / quiet >= _HOLDS


@dataclass
class Share:
    """What good clients got in some stretches of time.

    Attributes:
        answers: that they got.
        seconds: that it took.
        worked: seconds for which the service had a processor.
    """

    answers: int = 0
    seconds: float = 0.0
    worked: float = 0.0

    @contextmanager
    def counted(self, house: House, good: GoodClients) -> Iterator[None]:
        """A stretch that counts."""
        begun, before, worked = time.monotonic(), good.finished, processor_seconds(house)
        yield
        self.seconds += time.monotonic() - begun
        self.answers += good.finished - before
        self.worked += processor_seconds(house) - worked


def processor_seconds(house: House) -> float:
    """For how long the service has had a processor (proc(5))."""
    fields = Path(f"/proc/{house.service.group}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
