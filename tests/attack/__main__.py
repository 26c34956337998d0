"""`make attack`: a day of guessing, flooding and text pumping against the real service; its clock is put forward."""

import argparse
import asyncio
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from attack.outsiders import FLOODS, Flooded, flooded
from attack.pumping import PUMPINGS, Pumped, pumped
from attack.siege import LIMIT, Outcome, besieged, besieged_at_nodes
from attack.strategies import AT_NODES, STRATEGIES
from attack.truth import CASES, Truth, weighed

_PATIENCE = 30
_ROUNDS = 500
_PEOPLE = 40


def main() -> int:
    """Exit status 0 when every law holds, 1 when not."""
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, help="of an earlier run; a new one when absent")
    parser.add_argument("--price", type=float, default=0.05, help="of one text")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
    hours, begun = arguments.hours, time.monotonic()
    with ProcessPoolExecutor(arguments.processes) as pool:
        pumpings = [pool.submit(ran, pumped, each, hours=hours, seed=seed) for each in PUMPINGS]
        sieges = [
            pool.submit(ran, play, each, hours=hours, seed=seed, patience=_PATIENCE)
            for play, strategies in ((besieged, STRATEGIES), (besieged_at_nodes, AT_NODES))
            for each in strategies
        ]
        truths = [pool.submit(ran, weighed, each, number_of=_PEOPLE, seed=seed) for each in range(len(CASES))]
        floods = [pool.submit(ran, flooded, each, rounds=_ROUNDS, seed=seed) for each in FLOODS]
        print(f"seed {seed}, {hours:g} hours of the service's clock")
        broken = [
            *shown(
                f"\nGuessing, the first factor known: bound on the probability of success, to be < {LIMIT:g}",
                sieges,
                siege,
            ),
            *shown("\nThe same with few codes: as many hits as the guesses that were counted explain", truths, truth),
            *shown("\nA name alone: whether it locks a person out", floods, flood),
            *shown(f"\nTexts, at {arguments.price:g} each", pumpings, lambda each: pumping(each, arguments.price)),
        ]
    print(f"\n{len(broken)} laws broken, in {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


def ran(play: Callable[..., Coroutine[Any, Any, Any]], what: Any, **arguments: Any) -> Any:
    """One site in a process of its own."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        return asyncio.run(play(what, Path(folder), **arguments))


def shown(title: str, pending: list[Future], line: Callable[[Any], str]) -> Iterator[Any]:
    """A table; those that broke their law."""
    print(title)
    for each in pending:
        result = each.result()
        print(("  " if result.holds else "! ") + line(result))
        sys.stdout.flush()
        if not result.holds:
            yield result


def siege(found: Outcome) -> str:
    sent = f"{found.texts:4} texts {found.mails:4} mails"
    asides = ["locked meanwhile" if found.locked else "not locked"]
    asides += ["a PIN, of which the law does not hold"] if found.strategy.memorised else []
    asides += [f"got in {found.accepted} times"] if found.accepted else []
    return f"{found.strategy.name:44}{found.comparisons:4} guesses  {found.bound:.1e}  {sent}  {', '.join(asides)}"


def truth(found: Truth) -> str:
    waited = f", and {found.waited} by waiting" if found.waited else ""
    return (
        f"{found.name:44}{found.comparisons:4} guesses  {found.expected:6.1f} hits expected, {found.hits} came{waited}"
    )


def flood(found: Flooded) -> str:
    when = ("at once", "unlocked by a helpdesk", "a day later")
    person = ", ".join(f"{reason} {at}" for reason, at in zip(found.person, when, strict=False))
    return (
        f"{found.flood.name:44}{found.requests:5} requests {found.comparisons:3} guesses {found.texts:3} texts  "
        f"the person: {person}"
    )


def pumping(found: Pumped, price: float) -> str:
    return (
        f"{found.pumping.name:44}{found.texts:5} texts of {found.most:5} at most: {found.texts * price:8.2f} of "
        f"{found.most * price:8.2f}  (in an hour to one person {found.per_user_hour}; in a day to one number "
        f"{found.per_number_day}, to one prefix {found.per_prefix_day})"
    )


if __name__ == "__main__":
    raise SystemExit(main())
