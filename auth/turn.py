"""Turns of the event loop: what is asked within one sees one state of the world, and is committed together."""

import asyncio
from collections.abc import Callable


class Turns:
    """Counts the turns in which anything was asked, and does at the end of each what was put off to it.

    Datagrams that arrive together are served in one turn, so whatever costs the same for one as for sixty-four (a look
    whether a file has changed, a commit, a write) is done once for all of them. Outside an event loop every question
    is a turn of its own.
    """

    __slots__ = ("_endings", "_number", "_open")

    def __init__(self) -> None:
        self._number = 0
        self._open = False
        self._endings: list[Callable[[], None]] = []

    def current(self) -> int:
        """The number of this turn; it ends after everything that is ready to run by now has run."""
        if not self._open:
            self._number += 1
            loop = asyncio._get_running_loop()  # noqa: SLF001 - get_running_loop raises, and outside a loop is no error
            if loop is not None:
                self._open = True
                loop.call_soon(self._end)
        return self._number

    def at_end(self, ending: Callable[[], None]) -> None:
        """Have something done when this turn ends; outside an event loop it is done now. It must not raise."""
        self.current()
        if self._open:
            self._endings.append(ending)
        else:
            ending()

    def _end(self) -> None:
        self._open = False
        endings, self._endings = self._endings, []
        for ending in endings:
            ending()


def tell(waiter: "asyncio.Future[None]", error: Exception | None = None) -> None:
    """Tell whoever waits for what was done at the end of a turn; it failed where there is an error."""
    if waiter.done():
        return  # nobody waits any more
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)
