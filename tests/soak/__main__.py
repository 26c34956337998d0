"""`make soak`: mixed traffic with faults for half an hour; afterwards the service is what it was after five minutes."""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

from run_progress import Progress
from soak.course import Seen, opened
from soak.flat import MOST_GROWTH, MOST_MORE, MOST_TREND, Series, after_warm_up, early_and_late, growth, more, trend
from soak.minutes import HEAD, Minute, minutes
from soak.spells import Spells

SAMPLE_SECONDS = 5.0


def main() -> int:
    """Exit status 0 when nothing was wrong and everything was flat.

    Memory, files and threads count, and the processor time of a logon, by that of a fixed piece of work in the same
    minute. How long logons took does not: on a machine with other work they take longer by what that work has, and no
    longer by our doing.
    """
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}, {arguments.minutes:g} minutes, {arguments.rate:g} requests a second", flush=True)
    seen, seconds = Seen(), arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="dirfactor-soak-", ignore_cleanup_errors=True) as folder:
        uvloop.run(run(Path(folder), random.Random(seed), seconds, arguments.rate, seen))
    return told(seen, seconds)


async def run(folder: Path, dice: random.Random, seconds: float, rate: float, seen: Seen) -> None:
    """The traffic."""
    async with opened(folder, dice, seen) as course:
        with Progress("soak", int(seconds * rate), "requests"):
            await course.run(seconds, rate, min(SAMPLE_SECONDS, seconds / 30))


def told(seen: Seen, seconds: float) -> int:
    """Print what was seen; the exit status."""
    table = list(minutes(seen.samples, seen.spells, seen.begun))
    print("\n" + HEAD)
    for minute in table:
        print(minute.row())
    memory = _series(seen, "kilobytes")
    first, last = early_and_late(memory, seconds)
    grown = growth(memory, seconds)
    files, threads = (more(_series(seen, name), seconds) for name in ("files", "threads"))
    dearer = trend(after_warm_up(_by_minute(table, "yards"), seconds))
    slower = [trend(after_warm_up(_by_minute(table, name), seconds)) for name in ("p50", "p99")]
    print(f"\n{sum(seen.done.requests.values()):,} requests: " + ", ".join(_numbers(seen.done.requests)))
    print(f"{seen.edits} edits, {seen.reloads} times read again; faults: {', '.join(_faults(seen.spells))}")
    print(f"memory {first / 1024:.1f} MB early, {last / 1024:.1f} MB late: {grown:+.1%} (less than {MOST_GROWTH:.0%})")
    print(f"open files {files:+.0f}, threads {threads:+.0f} (at most {MOST_MORE:+.0f})")
    print(f"processor time of a logon, in yardsticks, {dearer:+.0%} by its trend (at most {MOST_TREND:+.0%})")
    print(f"p50 {slower[0]:+.0%}, p99 {slower[1]:+.0%} by their trends")
    print(f"wrong {len(seen.done.wrong)}")
    for text, times in Counter(seen.done.wrong).most_common(10):
        print(f"  {times} x {text}")
    return int(bool(seen.done.wrong) or grown >= MOST_GROWTH or max(files, threads) > MOST_MORE or dearer > MOST_TREND)


def _series(seen: Seen, name: str) -> Series:
    return [(sample.at, float(getattr(sample.standing, name))) for sample in seen.samples]


def _by_minute(table: list[Minute], name: str) -> Series:
    return [((minute.number - 0.5) * 60, getattr(minute, name)) for minute in table if minute.logons]


def _numbers(counted: dict[str, int]) -> list[str]:
    return [f"{number:,} {kind}" for kind, number in counted.items()]


def _faults(spells: Spells) -> list[str]:
    return _numbers(Counter(spell.thing for spell in spells.all))


if __name__ == "__main__":
    sys.exit(main())
