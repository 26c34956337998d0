"""`make races`: the same codes, States and wrong codes at three nodes at once, one of which is killed now and then."""

import argparse
import asyncio
import functools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from races.crowd import CROWD, MOST_DELAY, open_crowd
from races.race import NODES, Races, Seen, opened
from rig.fixtures import running
from rig.valkey import Valkey
from run_progress import Progress

KILL_EVERY = 10.0
PIECE = 2_000
STATES, LOCKS = 300, 150


def main() -> int:
    """Exit status 0 when every law held."""
    parser = argparse.ArgumentParser(prog="races", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="submissions of codes")
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}, {arguments.count:,} submissions of codes at three nodes", flush=True)
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="dirfactor-races-") as folder:
        begun = time.monotonic()
        dice = random.Random(seed)
        uvloop.run(run(Path(folder), dice, arguments.count, seen, states=STATES, locks=LOCKS, kill_every=KILL_EVERY))
        _show(seen, time.monotonic() - begun)
    return int(bool(seen.wrong))


async def run(
    folder: Path, dice: random.Random, count: int, seen: Seen, *, states: int, locks: int, kill_every: float
) -> None:
    """All races: codes, States and locks while nodes are killed, and a crowd with delays everywhere."""
    with running(Valkey(folder / "valkey")) as valkey:
        (folder / "nodes").mkdir()
        async with opened(
            folder / "nodes", valkey.place, dice, seen, submissions=count, states=states, locks=locks
        ) as races:
            async with _while(functools.partial(races.killing, kill_every)):
                await _codes(races, count)
            async with _while(races.killing_within):
                with Progress("States", states, "States") as progress:
                    for number in range(states):
                        await races.state(number)
                        progress(number + 1)
            async with _while(races.killing_within):
                with Progress("locks", locks, "locks") as progress:
                    for number in range(locks):
                        await races.lock(number)
                        progress(number + 1)
            await asyncio.to_thread(races.audited)
        (folder / "far").mkdir()
        async with open_crowd(folder / "far", dice, server=valkey.port, nodes=NODES) as crowd:
            await crowd.log_on()
        seen.wrong += crowd.wrong
        seen.crowd += CROWD


@asynccontextmanager
async def _while(killing: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Nodes are killed; in the end all are up."""
    over = asyncio.Event()
    goes_on = asyncio.ensure_future(killing(over))
    try:
        yield
    finally:
        over.set()
        await goes_on


async def _codes(races: Races, count: int) -> None:
    with Progress("codes", count, "submissions") as progress:
        while races.seen.submissions < count:
            await races.codes(min(PIECE, count - races.seen.submissions))
            progress(races.seen.submissions)


def _show(seen: Seen, seconds: float) -> None:
    print(f"submissions           {seen.submissions:>9,} in {seconds:,.0f} s, {seen.by_http:,} of them over HTTP")
    print(f"without an answer     {seen.unanswered:>9,}, while {seen.kills} times a node was killed")
    print(f"codes shown           {seen.codes:>9,}, each six times at three nodes")
    print(f"States answered       {seen.states:>9,}, each by eighteen at once; meanwhile {seen.met['State']} kills")
    print(f"people to be locked   {seen.locks:>9,}, by thirty codes at once; meanwhile {seen.met['lock']} kills")
    print(f"people at once        {seen.crowd:>9,}, with up to {MOST_DELAY * 1000:.0f} ms at each step to any server")
    print(f"accepts               {seen.accepts:>9,}")
    print(f"laws broken           {len(seen.wrong):>9,}")
    for text, times in Counter(seen.wrong).most_common(20):
        print(f"  {times} x {text}")


if __name__ == "__main__":
    sys.exit(main())
