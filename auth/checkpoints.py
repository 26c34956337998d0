"""Brings a SQLite file's write-ahead log over into the file, in a thread, so that nobody waits for the disk by it."""

import os
import sqlite3
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

_ROWS: Final = 4_000
"""So many are written before the next time; some ten megabytes of log."""
_PAUSES: Final = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Seconds before each look: the log begins anew only after one that finds nothing which was written meanwhile."""
_NICE: Final = 10
_MOST_FRAMES: Final = 65_536
"""Of the log, 256 MB: then whoever writes waits after all."""


class Checkpoints:
    """The checkpoints of one file.

    SQLite's own are made by whoever commits, and wait for the disk twice, and a third time when the log begins anew: an
    event loop would stand still for as long as a disk takes. Here a thread waits, and steps back where there is other
    work. The third time stays with whoever commits: were the log begun anew without it, a power cut could leave the old
    beginning with new transactions behind it, and older ones would be repeated over newer ones (sqlite.org/wal.html,
    section 2.2). It comes once in some ten megabytes, right after the thread has seen the disk answer.

    Args:
        writer: the connection that writes, in no transaction, with synchronous = NORMAL: its commits survive the end of
            the process, and the file stays whole when the machine goes down.
        file: the file.
    """

    def __init__(self, writer: sqlite3.Connection, file: Path) -> None:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._writer = writer
        self._file = file
        self._written = writer.total_changes
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._thread.submit(_step_back)  # has the thread there: later none might be had
        self._under_way: Future[None] | None = None

    def committed(self) -> None:
        """Something was; have a checkpoint made where enough has gathered."""
        if self._writer.total_changes - self._written < _ROWS:
            return
        if self._under_way is None or self._under_way.done():
            self._written = self._writer.total_changes
            self._under_way = self._thread.submit(self._bring_over)

    def close(self) -> None:
        """Make no more; one that is under way ends when the disk lets it. The writer may be closed then."""
        self._thread.shutdown(wait=False)

    def _bring_over(self) -> None:
        there = f"{self._file.absolute().as_uri()}?mode=rw"  # and is not made anew where it was taken away
        with (
            suppress(sqlite3.Error),  # a commit tells what is wrong with the disk
            closing(sqlite3.connect(there, uri=True, isolation_level=None)) as own,
        ):
            own.execute("PRAGMA synchronous = FULL")
            before = -1
            for pause in _PAUSES:
                time.sleep(pause)
                _, frames, brought = own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if before == frames == brought:
                    return
                before = frames
            if frames > _MOST_FRAMES:
                own.execute("PRAGMA wal_checkpoint(FULL)").fetchone()


def _step_back() -> None:
    """This thread alone: on Linux each has a priority of its own (setpriority(2))."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
