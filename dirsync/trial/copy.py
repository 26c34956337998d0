"""A copy of the replica to try changes on; the replica itself is only read."""

import sqlite3
from contextlib import closing
from pathlib import Path

from dirsync.replica.store import faults, open_for_reading


def copied(path: Path, onto: Path) -> None:
    """Copy the replica as it is at one moment, whatever is written to it meanwhile.

    Args:
        path: the replica's file.
        onto: a file that is not there yet, in a folder that nobody else may look into.

    Raises:
        ReplicaUnavailable: there is no replica, or no room for the copy.
    """
    onto.touch(mode=0o600, exist_ok=False)
    with closing(open_for_reading(path)) as replica, faults(onto), closing(sqlite3.connect(onto)) as copy:
        replica.backup(copy)
