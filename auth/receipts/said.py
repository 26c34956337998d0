"""Receipts that come over a gateway's own connection, which must not suffer when one cannot be recorded."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from auth.channels.base import DeliveryReport
from auth.receipts.book import ReceiptBook
from schema.errors import Fault

_log = logging.getLogger("dirfactor.receipts")


class SaidReceipts:
    """Takes receipts as they come, and has each noted in the book.

    Args:
        book: takes what is said.
        now: the instant.
    """

    def __init__(self, book: ReceiptBook, now: Callable[[], datetime]) -> None:
        self._book = book
        self._now = now
        self._noting: set[asyncio.Task[None]] = set()

    def __call__(self, report: DeliveryReport) -> None:
        """Have it noted soon."""
        task = asyncio.get_running_loop().create_task(self._note(report))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def aclose(self) -> None:
        """Wait until all that was said is noted."""
        await asyncio.gather(*self._noting)

    async def _note(self, report: DeliveryReport) -> None:
        try:
            await self._book.note(report, self._now())
        except Fault as fault:
            _log.error("a receipt of %s could not be recorded: %s", report.gateway, fault)
