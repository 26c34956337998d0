"""A task that lasts as long as a block."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from auth.incident import describe

_log = logging.getLogger("dirfactor.app")


@asynccontextmanager
async def meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Have something done beside the block; it is cancelled, and has ended, when the block ends.

    What it fails with is said in the log at once, for the block may last for months, and raised when the block ends.
    """
    task = asyncio.get_running_loop().create_task(work, name=getattr(work, "__qualname__", "a task"))
    task.add_done_callback(_tell)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _tell(task: "asyncio.Task[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.error("%s has broken off: %s", task.get_name(), describe(error))
