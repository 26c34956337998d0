"""A life of a state file, for a program that watches what it writes: codes are used up, wrong ones counted, it goes on.

Args:
    the state file, the file for what was told, and how many turns.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from auth import checkpoints
from auth.embedded_state import EmbeddedStore
from auth.turn import Turns
from schema.entry import EntryId

AT_ONCE = 4
KEYS = 25
KEPT_ONE_IN = 40
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROWS_TO_A_CHECKPOINT = 20
A_CHECKPOINT_SECONDS = 1.0
"""For which one lasts at most."""
LEISURELY = 2
"""The last turns of the first life: one may begin a checkpoint, after the other one closing brings the rest over."""


def mark_key(number: int) -> str:
    """Of the token whose code it is."""
    return f"mark {number % KEYS}"


def kept_key(number: int) -> str:
    """Under which somebody has chosen it."""
    return f"kept {number % KEYS}"


async def live(file: Path, told: int, turns: int, *, first: int) -> None:
    """Open the file, so many turns of several logons each, and close it in the first life only."""
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

    for turn in range(first, first + turns):
        if first == 0 and turn >= turns - LEISURELY:
            await asyncio.sleep(A_CHECKPOINT_SECONDS)
        await asyncio.gather(*(logon(turn * AT_ONCE + each) for each in range(AT_ONCE)))
    if first == 0:
        await store.aclose()


def main() -> None:
    """Two lives; the second one just ends."""
    file, told, turns = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), int(sys.argv[3])
    checkpoints._ROWS = ROWS_TO_A_CHECKPOINT
    asyncio.run(live(file, told, turns, first=0))
    asyncio.run(live(file, told, turns, first=turns))
    os._exit(0)


if __name__ == "__main__":
    main()
