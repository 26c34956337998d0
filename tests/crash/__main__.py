"""`make crash`: kill -9 comes at random moments of whatever is under way, and what was told before holds after it."""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop

from crash.alone import rounds
from crash.killing import Killing
from crash.moment import Seen
from crash.places import at_a_server, at_workers, in_a_file
from run_progress import Progress

Place = Callable[[Path, random.Random, Seen], AbstractAsyncContextManager[Killing]]
_ROTATIONS = 10
"""Of how many rounds one is a rotation of keys, which takes as long as ten others."""
_AT_WORKERS = 6
"""Of how many rounds one is at a service of several workers."""


def main() -> int:
    """Exit status 0 when every law held, and kills came in the middle of everything."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="at the service; as many again at audit and key ring")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    number: int = arguments.rounds
    print(f"seed {seed}, {number} rounds at the service, {number} each at audit and key ring", flush=True)
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="dirfactor-crash-", ignore_cleanup_errors=True) as folder:
        alone(Path(folder), random.Random(seed), number, seen)
        rotations, at_several = max(1, number // _ROTATIONS), max(12, number // _AT_WORKERS)
        in_file = max(1, number - rotations - at_several)
        uvloop.run(run(in_a_file, _new(Path(folder) / "file"), random.Random(seed), in_file, seen))
        uvloop.run(run(at_workers, _new(Path(folder) / "workers"), random.Random(seed), at_several, seen))
        uvloop.run(run(at_a_server, _new(Path(folder) / "server"), random.Random(seed), rotations, seen))
    _show(seen)
    return int(bool(seen.broken()))


def alone(folder: Path, dice: random.Random, number: int, seen: Seen) -> None:
    """So many rounds at the audit by itself, and as many at the key ring."""
    for kind in rounds(folder, dice):
        with Progress(kind.name, number, "rounds") as progress:
            for done in range(number):
                seen.wrong += kind.round()
                seen.killed(kind.name, within=True)
                progress(done + 1)
        seen.torn += kind.torn


async def run(place: Place, folder: Path, dice: random.Random, number: int, seen: Seen, *, rehearsals: int = 3) -> None:
    """So many rounds at the service in a place, whose files go into an empty folder; in the end it is looked over."""
    async with place(folder, dice, seen) as killing:
        await killing.rehearse(rehearsals)
        with Progress("service", number, "rounds") as progress:
            for done in range(number):
                await killing.round(done)
                progress(done + 1)
        killing.look()


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _show(seen: Seen) -> None:
    for name, tally in seen.tallies.items():
        print(f"killed around {name:<48}{tally.kills:>6} times, {tally.within:>6} of them in the middle of it")
    print(f"codes accepted                              {seen.accepted:>6}, shown again {seen.shown_again} times")
    print(f"codes accepted twice                        {seen.accepted_twice:>6}")
    print(f"edits saved                                 {seen.edits:>6}")
    print(f"edits lost                                  {seen.lost:>6}")
    print(f"audit lines broken off, closed and told so  {seen.torn:>6}")
    broken = seen.broken()
    print(f"laws broken                                 {len(broken):>6}")
    for text, times in Counter(broken).most_common(20):
        print(f"  {times} x {text}")


if __name__ == "__main__":
    sys.exit(main())
