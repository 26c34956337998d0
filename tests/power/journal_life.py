"""A life of a journal, for a program that watches what it writes: events of many people, and old ones that go.

Args:
    the journal, the file for what was told, and how many turns.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path

from auth import checkpoints
from auth.decision import decide
from auth.facts import Evidence, Typed
from auth.reason import Reason
from auth.why.journal import JournalFile
from auth.why.record import Event, Moment
from core.logins import facts, link, person, policy
from dirsync.view import Person

SIZES = (1, 1, 40, 2, 1, 20)
"""Events of a turn, in turn."""
DAYS = 1
"""For which events are kept: the first ones are gone by the end."""
MINUTES_TO_AN_EVENT = 5
PEOPLE = 31
EVENTS_TO_A_POLICY = 20
"""Then it is another one, and the parts that had it are needed no more."""
TO_A_LOGIN = 25
"""Events that belong together."""
TURNS_TO_A_PURGE = 10
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROWS_TO_A_CHECKPOINT = 60
A_CHECKPOINT_SECONDS = 1.0
"""For which one lasts at most."""
LEISURELY = 1
"""The last turns of the first life: before one a checkpoint may end, closing brings the rest over."""
_GIVEN = Evidence(typed_password=Typed.GIVEN)


def at(number: int) -> datetime:
    """When it happens."""
    return NOON + timedelta(minutes=MINUTES_TO_AN_EVENT * number)


def login(number: int) -> str:
    """To which it belongs."""
    return f"login {number // TO_A_LOGIN}"


def about(number: int) -> Person:
    """Whom."""
    return person(link(policy(priority=number // EVENTS_TO_A_POLICY)), name=f"{number % PEOPLE}")


def event(number: int) -> Event:
    """What is kept."""
    known = facts(about(number), wrong_today=number)
    moment = Moment(known, _GIVEN, at(number), decide(known, _GIVEN, at(number)).step)
    return Event(at(number), f"event {number}", login(number), "vpn", "refused", Reason.NO_TOKEN, (moment,))


def live(file: Path, told: int, turns: range, numbers: Iterator[int], *, ends_well: bool) -> None:
    """Open the file, so many turns of several events each, and close it where it is to end well."""
    journal = JournalFile(file, DAYS)
    for turn in turns:
        if ends_well and turn >= turns.stop - LEISURELY:
            time.sleep(A_CHECKPOINT_SECONDS)
        kept = list(islice(numbers, SIZES[turn % len(SIZES)]))
        if any(journal.keep_all([event(number) for number in kept])):
            raise AssertionError(kept)
        os.write(told, b"%d\n" % kept[-1])
        if turn % TURNS_TO_A_PURGE == 0:
            journal.purge(at(kept[-1]))
    if ends_well:
        journal.close()


def main() -> None:
    """Two lives; the second one just ends."""
    file, told, turns = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), int(sys.argv[3])
    checkpoints._ROWS = ROWS_TO_A_CHECKPOINT
    numbers = count(1)
    live(file, told, range(turns), numbers, ends_well=True)
    live(file, told, range(turns, 2 * turns), numbers, ends_well=False)
    os._exit(0)


if __name__ == "__main__":
    main()
