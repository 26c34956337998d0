"""`make soak`: mixed traffic with faults for half an hour; afterwards the process is what it was after five minutes."""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

from run_progress import Progress
from soak.course import Course, Sample, Seen, opened
from soak.flat import MOST_GROWTH, growth, trend

SAMPLE_SECONDS = 5.0
MOST_TREND = 0.5


def main() -> int:
    """Exit status 0 when nothing was wrong and everything was flat."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}, {arguments.minutes:g} minutes, {arguments.rate:g} requests a second", flush=True)
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="dirfactor-soak-", ignore_cleanup_errors=True) as folder:
        uvloop.run(run(Path(folder), random.Random(seed), arguments.minutes * 60, arguments.rate, seen))
    return _told(seen, arguments.minutes)


async def run(folder: Path, dice: random.Random, seconds: float, rate: float, seen: Seen) -> None:
    """The traffic."""
    async with opened(folder, dice, seen) as course:
        await _watched(course, seconds, rate, seen)


async def _watched(course: Course, seconds: float, rate: float, seen: Seen) -> None:
    with Progress("soak", int(seconds * rate), "requests"):
        await course.run(seconds, rate, min(SAMPLE_SECONDS, seconds / 10))


def after_warm_up(seen: Seen, minutes: float) -> list[Sample]:
    """What counts: without the first five minutes, or the first sixth of a shorter run."""
    begin = min(300.0, minutes * 10)
    return [sample for sample in seen.samples if sample.at > begin]


def _told(seen: Seen, minutes: float) -> int:
    print(f"\n{'minute':>6}{'PSS, MB':>10}{'files':>7}{'threads':>9}{'p50, ms':>9}{'p99, ms':>9}")
    shown: set[int] = set()
    for sample in seen.samples:
        if int(sample.at // 60) not in shown:
            shown.add(int(sample.at // 60))
            print(
                f"{sample.at / 60:>6.1f}{sample.kilobytes / 1024:>10.1f}{sample.files:>7}{sample.threads:>9}"
                f"{sample.p50 * 1000:>9.1f}{sample.p99 * 1000:>9.1f}"
            )
    counted = after_warm_up(seen, minutes)
    memory = growth([float(sample.kilobytes) for sample in counted])
    files = growth([float(sample.files) for sample in counted])
    threads = growth([float(sample.threads) for sample in counted])
    slower = trend([sample.p99 for sample in counted if sample.took])
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in seen.done.items())
    print(f"\n{sum(seen.done.values()):,} requests: {kinds}")
    print(f"{seen.edits} edits, {seen.reloads} times read again, {seen.faults} faults of the gateway")
    print(f"memory after the first minutes {memory:+.1%} (less than {MOST_GROWTH:.0%}), files {files:+.1%}")
    print(f"threads {threads:+.1%}")
    print(f"p99 over the whole time {slower:+.0%} by its trend (most {MOST_TREND:.0%})")
    print(f"wrong {len(seen.wrong)}")
    for text, times in Counter(seen.wrong).most_common(10):
        print(f"  {times} x {text}")
    return int(bool(seen.wrong) or memory >= MOST_GROWTH or max(files, threads) > MOST_GROWTH or slower > MOST_TREND)


if __name__ == "__main__":
    sys.exit(main())
