"""Transactions on the state file: one for each verb, or one for all verbs of a turn of the event loop."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from auth.state import StateUnavailable
from auth.turn import Turns

Run = Callable[..., sqlite3.Cursor]
_Waiter = asyncio.Future[None]


class Kept(Protocol):
    """What is remembered of the file, and goes with a transaction."""

    def look(self) -> None:
        """A transaction has begun: others may have written before it."""
        ...

    def flush(self, run: Run) -> None:
        """It is about to be committed: write what was only remembered."""
        ...

    def forget(self) -> None:
        """It was given up, and nothing that it saw is true."""
        ...


class Batch:
    """The open transaction, and who waits for it.

    With `turns`, what many logins write within a turn of the loop is one transaction, and each of them waits for it in
    `settled` before anything is said outside. A failure fails all that took part: none of them is told that it was let
    in. Without, each verb is a transaction and is done when it returns.

    Args:
        connection: the file, in autocommit mode, write-ahead log, synchronous=NORMAL: a commit is in the hands of the
            kernel, so that the end of the process does not undo it.
        log: the write-ahead log. Brought to the disk itself where a transaction is to survive the machine as well;
            that is what synchronous=FULL would do, for all transactions alike.
        kept: what is remembered of the file.
        unavailable: what an error becomes.
        turns: those of the event loop.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: Path,
        kept: Kept,
        unavailable: Callable[[Exception], StateUnavailable],
        turns: Turns | None = None,
    ) -> None:
        self._connection = connection
        self._log = log
        self._log_file = -1
        self._kept = kept
        self._unavailable = unavailable
        self._turns = turns
        self._lasting = False
        self._failed: StateUnavailable | None = None
        self._waiters: list[_Waiter] = []  # for this transaction
        self._committed: list[list[_Waiter]] = []  # for the disk, oldest first; the first is on its way
        self._disk = ThreadPoolExecutor(1, "state-disk")

    def begin(self) -> Run:
        """The transaction for a verb that writes: it holds the write lock. Raises StateUnavailable."""
        if self._failed is not None:
            raise self._failed
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
                self._kept.look()
                if self._turns is not None:
                    self._turns.at_end(self._end_of_turn)
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return self._connection.execute

    def end(self, error: BaseException | None = None, *, lasting: bool = False) -> None:
        """The verb has done its part.

        Args:
            error: what it failed with: then nothing of the transaction stays.
            lasting: whether what it wrote is to be on the disk itself.

        Raises:
            StateUnavailable: for an error of the file.
        """
        if error is not None:
            broken = self._broken(error)
            if isinstance(error, sqlite3.Error):
                raise broken from error
            return
        self._lasting = self._lasting or lasting
        if self._turns is None:
            self._commit()
            if self._lasting:
                self._lasting = False
                try:
                    self._sync()
                except OSError as refused:
                    raise self._unavailable(refused) from refused

    async def settled(self) -> None:
        """Return when all that was written up to now is safe, as safe as each verb promises.

        Raises:
            StateUnavailable: the transaction of this turn, or one that is on its way, did not come about.
        """
        if self._failed is not None:
            raise self._failed
        if self._turns is None:
            return
        if self._connection.in_transaction:
            joined = self._waiters
        elif self._committed:
            joined = self._committed[-1]
        else:
            return
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        joined.append(waiter)
        await waiter

    def close(self) -> None:
        """Commit what is open, wait for the disk, and let go of the log."""
        if self._connection.in_transaction:
            self._end_of_turn()
        self._disk.shutdown(wait=True)
        if self._log_file >= 0:
            os.close(self._log_file)
            self._log_file = -1

    def _end_of_turn(self) -> None:
        waiters, self._waiters = self._waiters, []
        lasting, self._lasting = self._lasting, False
        fault, self._failed = self._failed, None
        if fault is None and self._connection.in_transaction:
            try:
                self._commit()
            except StateUnavailable as refused:
                fault, self._failed = refused, None
        if fault is None and (lasting or (self._committed and waiters)):
            self._committed.append(waiters)
            if len(self._committed) == 1:
                self._to_disk()
        else:
            _release(waiters, fault)

    def _to_disk(self) -> None:
        """One sync at a time; what was committed while one was on its way shares the next."""
        loop = asyncio.get_running_loop()
        served = len(self._committed)
        job = loop.run_in_executor(self._disk, self._sync)

        def synced(ended: "asyncio.Future[None]") -> None:
            error = None if ended.cancelled() else ended.exception()
            fault = None if error is None else self._unavailable(OSError(str(error)))
            done, self._committed = self._committed[:served], self._committed[served:]
            for waiters in done:
                _release(waiters, fault)
            if self._committed:
                self._to_disk()

        job.add_done_callback(synced)

    def _commit(self) -> None:
        try:
            self._kept.flush(self._connection.execute)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _sync(self) -> None:
        if self._log_file < 0:
            self._log_file = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
        os.fdatasync(self._log_file)

    def _broken(self, error: BaseException) -> StateUnavailable:
        """Give the transaction up; with turns, whoever takes part in this one fails with it."""
        fault = self._unavailable(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))
        with suppress(sqlite3.Error):  # the next BEGIN tells
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._kept.forget()
        if self._turns is not None and self._failed is None:
            self._failed = fault
            self._turns.at_end(self._end_of_turn)
        return fault


def _release(waiters: "list[_Waiter]", fault: StateUnavailable | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue  # whoever waited is gone
        if fault is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(fault)
