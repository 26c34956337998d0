"""`make crash`: the service is killed at random moments, and what it knows afterwards is what it had told."""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

from crash.alone import rounds
from crash.office_rounds import Seen, opened
from run_progress import Progress

LOOK_EVERY = 20


def main() -> int:
    """Exit status 0 when every law held."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="at the service; as many again at audit and key ring")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(
        f"seed {seed}, {arguments.rounds} rounds at the service, {arguments.rounds} each at audit and key ring",
        flush=True,
    )
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="dirfactor-crash-") as folder:
        _alone(Path(folder), random.Random(seed), arguments.rounds, seen)
        (Path(folder) / "office").mkdir()
        uvloop.run(run(Path(folder) / "office", random.Random(seed), arguments.rounds, seen))
    _show(seen)
    return int(bool(seen.wrong))


def _alone(folder: Path, dice: random.Random, number: int, seen: Seen) -> None:
    for kind in rounds(folder, dice):
        with Progress(kind.name, number, "rounds") as progress:
            for done in range(number):
                seen.wrong += kind.round()
                seen.rounds[kind.name] += 1
                progress(done + 1)
        seen.torn += getattr(kind, "torn", 0)


async def run(folder: Path, dice: random.Random, number: int, seen: Seen) -> None:
    """Rounds at a service, which is looked over now and then and in the end."""
    torn = seen.torn
    async with opened(folder, dice, seen) as office:
        with Progress("service", number, "rounds") as progress:
            for done in range(number):
                await office.round(dice.choice(list(office.moments)))
                if done % LOOK_EVERY == LOOK_EVERY - 1 or done == number - 1:
                    await office.look()
                progress(done + 1)
    seen.torn += torn


def _show(seen: Seen) -> None:
    for name, number in seen.rounds.items():
        print(f"killed in the middle of {name:<34} {number:>6} times")
    print(f"codes accepted                              {seen.accepted:>6}, shown again {seen.shown_again} times")
    print(f"codes accepted twice                        {seen.accepted_twice:>6}")
    print(f"edits saved, and all of them in the replica {seen.edits:>6}")
    print(f"audit lines broken off, closed and told so  {seen.torn:>6}")
    print(f"laws broken                                 {len(seen.wrong):>6}")
    for text, times in Counter(seen.wrong).most_common(20):
        print(f"  {times} x {text}")


if __name__ == "__main__":
    sys.exit(main())
