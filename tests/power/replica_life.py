"""A life of a replica, for a program that watches what it writes: batches of two directories in turn, read meanwhile.

Everything in a batch carries its number, and the cookie is the number.

Args:
    the replica, the file for what was told, and how many batches.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from threading import Lock

from dirsync.change import Batch, LinkKind
from dirsync.replica import Replica, ReplicaWriter
from dirsync.replica.directories import keep_configured
from dirsync.replica.tripwire import Tripwire
from small_directory import Things, difference, directory, entry_id, thing, whole_put

DIRECTORIES = ("east", "west")
USERS = 24
ABSENT_ONE_IN = 7
"""Users, others in each batch: they come and go."""
A_FULL_READ_IN = 9
"""Batches, as a reconcile."""
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
PAGES_TO_A_CHECKPOINT = 120
PAGES_IN_MEMORY = 20
"""The rest of a batch is in the log before the batch is committed."""
TOO_MANY = 5


def name_of(number: int) -> str:
    """The directory whose batch it is."""
    return DIRECTORIES[number % len(DIRECTORIES)]


def state(number: int) -> Things:
    """The directory as it is by this batch of it; it holds nothing before its first one."""
    name = name_of(number)
    if number <= 0:
        return {}
    users = [f"{name}{user}" for user in range(USERS) if (user + number) % ABSENT_ONE_IN]
    holder = thing(f"{name} people", "ou", links={LinkKind.POLICY: [f"{name} policy"]})
    return directory(
        holder,
        thing(f"{name} policy", "policy", dirfactorPriority=str(number)),
        thing(f"{name} group", "group", links={LinkKind.MEMBER: users[number % 2 :: 2]}),
        *(thing(user, "user", holder.id, mail=f"{number}@lab.example") for user in users),
    )


def batch(since: int, number: int) -> Batch:
    """What the directory tells of the way from one batch of it to another; everything when it has told nothing yet."""
    after, as_of = state(number), NOON + timedelta(seconds=number)
    if since <= 0 or number % A_FULL_READ_IN == 0:
        changes = (whole_put(after, item) for item in after.values())
        return Batch(changes, b"%d" % number, refresh=True, as_of=as_of)
    return Batch(iter(difference(state(since), after)), b"%d" % number, refresh=False, as_of=as_of)


def live(file: Path, told: int, numbers: Iterator[int], *, ends_well: bool) -> None:
    """Open the replica as the service does, take so many batches in, and close it where it is to end well."""
    keep_configured(file, {name: name for name in DIRECTORIES})
    turn, tripwire = Lock(), Tripwire(lambda was, now: None, TOO_MANY)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(closing(ReplicaWriter(file, (), name, turn, tripwire))) for name in DIRECTORIES
        }
        reader = stack.enter_context(closing(Replica(file)))
        for number in numbers:
            name = name_of(number)
            # for each batch anew: a first load sets how much is in memory, and sets it back
            writers[name]._db.execute(f"PRAGMA wal_autocheckpoint = {PAGES_TO_A_CHECKPOINT}")
            writers[name]._db.execute(f"PRAGMA cache_size = {PAGES_IN_MEMORY}")
            writers[name].apply(batch(number - len(DIRECTORIES), number), name)
            os.write(told, b"%d\n" % number)
            reader.person(entry_id(f"{name}1"))
        if not ends_well:
            os._exit(0)


def main() -> None:
    """Two lives; the second one just ends."""
    file, told, batches = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), int(sys.argv[3])
    numbers = count(1)
    live(file, told, islice(numbers, batches // 2), ends_well=True)
    live(file, told, islice(numbers, batches // 2), ends_well=False)


if __name__ == "__main__":
    main()
