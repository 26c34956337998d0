"""The moment before which a refusal is not given, fixed before anything is known of who asks."""

import asyncio

_EARLY_SECONDS = 0.001  # by which the loop's timers may be early


class Floor:
    """A moment that passes whatever is done until then.

    Its timer is set at once. One that is set for what is left of the time, when the work is done, is off by a rounding
    to milliseconds that depends on how long the work took, and a few hundred refusals are enough to see it.

    Args:
        seconds: from now on; 0 for none.
    """

    __slots__ = ("_passed", "_timer")

    def __init__(self, seconds: float) -> None:
        self._passed = asyncio.Event()
        self._timer = (
            asyncio.get_running_loop().call_later(seconds + _EARLY_SECONDS, self._passed.set) if seconds else None
        )

    @property
    def is_behind(self) -> bool:
        """Whether it has passed already; never where there is none."""
        return self._passed.is_set()

    async def passed(self) -> None:
        """Returns when it has passed."""
        if self._timer is not None:
            await self._passed.wait()

    def drop(self) -> None:
        """Nobody waits for it."""
        if self._timer is not None:
            self._timer.cancel()
