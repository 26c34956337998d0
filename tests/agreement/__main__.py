"""`make agreement`: random directories and logons, through the service and through a naive second implementation."""

import argparse
import gc
import logging
import os
import random
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed

import uvloop

from agreement import driver

CASES = 100_000
LOT = 1_000


def main() -> int:
    """Exit status 0 when they agree in every case and every reason was met often enough, 1 when not."""
    parser = argparse.ArgumentParser(prog="agreement", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
    begun, tally = time.monotonic(), driver.Tally()
    with ProcessPoolExecutor(arguments.processes) as pool:
        lots = [range(begin, min(begin + LOT, arguments.cases)) for begin in range(0, arguments.cases, LOT)]
        waiting = [pool.submit(carried, lot, seed) for lot in lots]
        for done in as_completed(waiting):
            told = done.result()
            if isinstance(told, str):
                pool.shutdown(cancel_futures=True)
                print(f"seed {seed}: {told}")
                return 1
            add(tally, told)
    seconds = time.monotonic() - begun
    print(f"seed {seed}: {tally.cases} directories, {tally.moves} requests: they agree, in {seconds:.0f} s")
    return said(tally)


def carried(lot: Iterable[int], seed: int) -> driver.Tally | str:
    """What came of these cases, or the difference in words."""
    logging.disable(logging.CRITICAL)
    gc.disable()  # nothing here goes in circles for long
    tally = driver.Tally()
    try:
        uvloop.run(driver.run(lot, seed, tally))
    except driver.Difference as difference:
        return str(difference)
    gc.collect()
    return tally


def add(tally: driver.Tally, more: driver.Tally) -> None:
    tally.cases += more.cases
    tally.moves += more.moves
    tally.reasons += more.reasons


def said(tally: driver.Tally) -> int:
    for reason, number in tally.reasons.most_common():
        print(f"  {number:7}  {reason}")
    unmet = driver.unmet(tally)
    for reason in unmet:
        print(f"  not often enough: {reason}, {tally.reasons[reason]} times")
    return 1 if unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
