"""What is recorded of outcomes before they are told: the journal and the audit, for a turn of the loop together."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from auth.audit import AuditLine, AuditTrail, AuditUnavailable
from auth.turn import Turns, tell
from auth.why.record import Event, Journal

_log = logging.getLogger("dirfactor.service")
_Line = Callable[[str], AuditLine]
_Waiter = asyncio.Future[None]
_Waiting = tuple[Event, _Line, _Waiter]
_Made = tuple[Callable[[], AuditLine], _Waiter]


class Recorder:
    """Records outcomes.

    Args:
        audit: a line for each; without it nobody is let in.
        journal: what they were decided from; evidence, without which somebody may be let in.
    """

    def __init__(self, audit: AuditTrail, journal: Journal) -> None:
        self._audit = audit
        self._journal = journal
        self._turns = Turns()
        self._waiting: list[_Waiting] = []

    async def record(self, event: Event, line: _Line) -> None:
        """Record an outcome, and return when it is.

        Args:
            event: for the journal.
            line: makes the audit's line, when it is told why the journal has not kept the event; empty when it has.

        Raises:
            AuditUnavailable: there is no line.
        """
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._turns.at_end(self._write)
        self._waiting.append((event, line, waiter))
        await waiter

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            made = self._journalled(waiting)
            try:
                self._audit.write_all([line() for line, _ in made])
            except AuditUnavailable:
                raise
            except Exception:  # noqa: BLE001 - one that cannot be written must not keep the others from it
                self._write_each(made)
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must learn of it
            for *_, waiter in waiting:
                tell(waiter, error)
            return
        for *_, waiter in waiting:
            tell(waiter)

    def _journalled(self, waiting: Sequence[_Waiting]) -> list[_Made]:
        faults = self._journal.keep_all([event for event, _, _ in waiting])
        for (event, _, _), fault in zip(waiting, faults, strict=True):
            if fault is not None:
                _log.error("%s: %s", event.correlation, fault)
        problems = ["" if fault is None else fault.problem for fault in faults]
        return [(partial(line, problem), waiter) for (_, line, waiter), problem in zip(waiting, problems, strict=True)]

    def _write_each(self, made: Sequence[_Made]) -> None:
        for line, waiter in made:
            try:
                self._audit.write_all([line()])
            except Exception as error:  # noqa: BLE001 - as above
                tell(waiter, error)
            else:
                tell(waiter)
