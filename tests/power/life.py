"""A life of a state file, for a program that watches what it writes: codes are used up, wrong ones counted, it goes on.

Args:
    the state file, the file for what was told, and how many turns.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from auth import checkpoints
from auth.embedded_state import EmbeddedStore
from auth.turn import Turns
from schema.entry import EntryId

SIZES = (1, 1, 40, 2, 1, 20)
"""Logons of a turn, in turn: transactions of a page and of many."""
KEYS = 301
KEPT_ONE_IN = 40
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROWS_TO_A_CHECKPOINT = 20
A_CHECKPOINT_SECONDS = 1.0
"""For which one lasts at most."""
_STRIDE = 37  # so that logons of a turn are on many pages
LEISURELY = 2
"""The last turns of the first life: one may begin a checkpoint, after the other one closing brings the rest over."""


def mark_key(number: int) -> str:
    """Of the token whose code it is."""
    return f"mark {number * _STRIDE % KEYS:0100}"


def kept_key(number: int) -> str:
    """Under which somebody has chosen it."""
    return f"kept {number * _STRIDE % KEYS:0100}"


async def live(file: Path, told: int, turns: range, numbers: Iterator[int], *, ends_well: bool) -> None:
    """Open the file, so many turns of several logons each, and close it where it is to end well."""
    store = EmbeddedStore(file, "boot", Turns())

    async def logon(number: int) -> None:
        user = EntryId((number % KEYS).to_bytes(16, "big"))
        await store.strike(user, NOON)
        if number % KEPT_ONE_IN == 0:
            await store.keep(kept_key(number), b"%d" % number)
        if await store.consume(mark_key(number), number):
            await store.forgive(user)
        await store.settled()
        os.write(told, b"%d\n" % number)

    for turn in turns:
        if ends_well and turn >= turns.stop - LEISURELY:
            await asyncio.sleep(A_CHECKPOINT_SECONDS)
        await asyncio.gather(*map(logon, islice(numbers, SIZES[turn % len(SIZES)])))
    if ends_well:
        await store.aclose()


def main() -> None:
    """Two lives; the second one just ends."""
    file, told, turns = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), int(sys.argv[3])
    checkpoints._ROWS = ROWS_TO_A_CHECKPOINT
    numbers = count(1)
    asyncio.run(live(file, told, range(turns), numbers, ends_well=True))
    asyncio.run(live(file, told, range(turns, 2 * turns), numbers, ends_well=False))
    os._exit(0)


if __name__ == "__main__":
    main()
