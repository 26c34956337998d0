"""Transactions on the state file: one for all that is written within a turn of the event loop."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from auth.checkpoints import Checkpoints
from auth.embedded.write_lock import WriteLock
from auth.held_file import is_held
from auth.state import StateUnavailable
from auth.turn import Turns, tell

Run = Callable[..., sqlite3.Cursor]
_Waiter = asyncio.Future[None]


class _Transaction:
    """What is written together, and who waits for it.

    Attributes:
        lasting: whether it is to be on the disk itself.
        waiters: who is told when it is safe, or that it did not come about.
        fault: why it did not.
        safe: whether it is as safe as was promised.
    """

    __slots__ = ("fault", "lasting", "safe", "waiters")

    def __init__(self) -> None:
        self.lasting = False
        self.waiters: list[_Waiter] = []
        self.fault: StateUnavailable | None = None
        self.safe = False

    def end(self, fault: StateUnavailable | None) -> None:
        self.fault, self.safe = self.fault or fault, fault is None
        for waiter in self.waiters:
            tell(waiter, fault)
        self.waiters.clear()


_WRITTEN: ContextVar[tuple[_Transaction, ...]] = ContextVar("written", default=())
"""In which transactions whoever runs has written since it was last told that all is safe.

A login may write, wait for somebody else, and ask turns later; of a transaction that failed meanwhile it must be told.
"""


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

    What many logins write within a turn of the loop is one transaction, and each of them waits for it in `settled`
    before anything is said outside. A failure fails all that took part, whenever they ask: none of them is told that it
    was let in. While another process has the file, they wait, and everybody else goes on.

    Args:
        connection: the file, in autocommit mode, with a write-ahead log: a commit is in the hands of the kernel, so
            that the end of the process does not undo it. It waits for nothing itself (busy_timeout = 0).
        log: the write-ahead log. Brought to the disk itself where a transaction is to survive the machine as well;
            that is what synchronous=FULL would do, for all transactions alike.
        kept: what is remembered of the file.
        checkpoints: those of the file.
        unavailable: what an error becomes.
        turns: those of the event loop.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: Path,
        kept: Kept,
        checkpoints: Checkpoints,
        unavailable: Callable[[Exception], StateUnavailable],
        turns: Turns,
    ) -> None:
        self._connection = connection
        self._log = log
        self._log_file = -1
        self._kept = kept
        self._checkpoints = checkpoints
        self._unavailable = unavailable
        self._turns = turns
        self._open: _Transaction | None = None
        self._lock = WriteLock(lambda: (self._open or self._begun()) is not None, self._end_with_turn, self._held)
        self._committed: list[_Transaction] = []  # for the disk, oldest first; the first is on its way
        self._disk = ThreadPoolExecutor(1, "state-disk")
        self._disk.submit(int)  # has the thread there: later none might be had, and everybody would wait for it

    async def begin(self) -> Run:
        """The transaction for a verb that writes: it holds the write lock. Raises StateUnavailable."""
        transaction = self._open
        if transaction is None and not self._lock.is_wanted():
            transaction = self._opened()
        while transaction is None:
            await self._lock.freed()
            transaction = self._open or self._opened()
        if transaction.fault is not None:
            raise transaction.fault
        _remember(transaction)
        return self._connection.execute

    async def readable(self, error: sqlite3.Error) -> None:
        """Return when the file can be read again after this error: another process had it for a moment.

        Raises:
            StateUnavailable: it is another error, or that process has not let go of it.
        """
        if not is_held(error):
            raise self._unavailable(error) from error
        await self._lock.freed()

    def _opened(self) -> _Transaction | None:
        """The transaction of this turn; None when another process has the lock."""
        transaction = self._begun()
        if transaction is not None:
            self._end_with_turn()
        return transaction

    def _begun(self) -> _Transaction | None:
        """One that has begun, or that has failed over it; None when another process has the lock."""
        transaction = _Transaction()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._kept.look()
        except sqlite3.Error as error:
            if is_held(error):
                return None
            transaction.fault = self._broken(error)
        self._open = transaction
        return transaction

    def _end_with_turn(self) -> None:
        self._turns.at_end(self._end_of_turn)

    def _held(self) -> StateUnavailable:
        return self._unavailable(sqlite3.OperationalError("database is locked"))

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
        elif self._open is not None:
            self._open.lasting = self._open.lasting or lasting

    async def settled(self) -> None:
        """Return when all that was written up to now is safe, as safe as each verb promises.

        Raises:
            StateUnavailable: a transaction of whoever asks, that of this turn, or one that is on its way did not come
                about.
        """
        written, last = _WRITTEN.get(), self._open or (self._committed[-1] if self._committed else None)
        if last is None and not written:
            return
        _demand(written)
        if last is not None:
            if last.fault is not None:
                raise last.fault
            waiter: _Waiter = asyncio.get_running_loop().create_future()
            last.waiters.append(waiter)
            try:
                await waiter
            except StateUnavailable:
                _WRITTEN.set(())
                raise
            _demand(written)
        _WRITTEN.set(())

    def close(self) -> None:
        """Commit what is open, refuse whoever waits for the lock, wait for the disk, and let go of the log."""
        self._end_of_turn()
        self._lock.close()
        self._disk.shutdown(wait=True)
        if self._log_file >= 0:
            os.close(self._log_file)
            self._log_file = -1
        self._checkpoints.close()

    def _end_of_turn(self) -> None:
        transaction, fault = self._open, None
        if transaction is None:
            return
        if transaction.fault is None:
            try:
                self._commit()
            except StateUnavailable as refused:
                fault = refused
        self._open = None
        fault = transaction.fault or fault
        if fault is None and (transaction.lasting or (self._committed and transaction.waiters)):
            self._committed.append(transaction)
            if len(self._committed) == 1:
                self._to_disk()
        else:
            transaction.end(fault)

    def _to_disk(self) -> None:
        """One sync at a time; what was committed while one was on its way shares the next."""
        loop = asyncio.get_running_loop()
        served = len(self._committed)
        job = loop.run_in_executor(self._disk, self._sync)

        def synced(ended: "asyncio.Future[None]") -> None:
            error = None if ended.cancelled() else ended.exception()
            fault = None if error is None else self._unavailable(OSError(str(error)))
            done, self._committed = self._committed[:served], self._committed[served:]
            for transaction in done:
                transaction.end(fault)
            if self._committed:
                self._to_disk()

        job.add_done_callback(synced)

    def _commit(self) -> None:
        try:
            self._kept.flush(self._connection.execute)
            self._connection.execute("COMMIT")
        except Exception as error:
            raise self._broken(error) from error
        self._checkpoints.committed()

    def _sync(self) -> None:
        if self._log_file < 0:
            self._log_file = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
        os.fdatasync(self._log_file)

    def _broken(self, error: BaseException) -> StateUnavailable:
        """Give the transaction up; whoever takes part in it fails with it."""
        fault = self._unavailable(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))
        with suppress(sqlite3.Error):  # the next BEGIN tells
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._kept.forget()
        if self._open is not None and self._open.fault is None:
            self._open.fault = fault
        return fault


def _remember(transaction: _Transaction) -> None:
    """That whoever runs has written in it; of those that failed before, the first is told."""
    written = _WRITTEN.get()
    if written and written[-1] is transaction:
        return
    failed = [each for each in written if each.fault is not None]
    _WRITTEN.set((*failed[:1], *(each for each in written if not each.safe and each.fault is None), transaction))


def _demand(written: Iterable[_Transaction]) -> None:
    """Tell whoever runs, once, of the first that did not come about."""
    for each in written:
        if each.fault is not None:
            _WRITTEN.set(())
            raise each.fault
