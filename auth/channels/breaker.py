"""The circuit breaker of one gateway: a value and its moves. Pure; time is an argument."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

TRIPS_AFTER = 3
"""Failures in a row that open it."""
FIRST_PAUSE = 10.0
LONGEST_PAUSE = 300.0
_PROBE_SECONDS = 60.0  # no delivery takes so long: a probe that never came back is forgotten


class Standing(StrEnum):
    """Whether a gateway is asked."""

    CLOSED = "closed"  # it works
    OPEN = "open"  # it is left alone for a while
    HALF_OPEN = "half-open"  # one message may try whether it works again


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a gateway's health; instants are monotonic seconds.

    Attributes:
        failures: how many there were since it last worked.
        failed_at: when the last one was.
        pause: for how long it is left alone; 0 while it is closed.
        until: when that is over.
        probe_at: when the message set out that tries it now; None when none is under way.
    """

    failures: int = 0
    failed_at: float = -math.inf
    pause: float = 0.0
    until: float = -math.inf
    probe_at: float | None = None

    def standing(self, now: float) -> Standing:
        """Whether the gateway is asked now."""
        if not self.pause:
            return Standing.CLOSED
        return Standing.OPEN if now < self.until else Standing.HALF_OPEN

    def admits(self, now: float) -> bool:
        """Whether a message may be handed to it now: always while closed, one at a time while half open."""
        probing = self.probe_at is not None and now < self.probe_at + _PROBE_SECONDS
        standing = self.standing(now)
        return standing is Standing.CLOSED or (standing is Standing.HALF_OPEN and not probing)

    def asked(self, now: float) -> "Breaker":
        """A message has set out for it."""
        return replace(self, probe_at=now) if self.standing(now) is Standing.HALF_OPEN else self

    def worked(self) -> "Breaker":
        """It took a message, or said that the address is to blame: closed, whatever was before."""
        return Breaker()

    def failed(self, now: float) -> "Breaker":
        """It did not: open after `TRIPS_AFTER` in a row, and after a probe for twice as long as before."""
        counted = replace(self, failures=self.failures + 1, failed_at=now)
        match self.standing(now):
            case Standing.CLOSED if counted.failures < TRIPS_AFTER:
                return counted
            case Standing.CLOSED:
                return replace(counted, pause=FIRST_PAUSE, until=now + FIRST_PAUSE)
            case Standing.HALF_OPEN:
                pause = min(2 * self.pause, LONGEST_PAUSE)
                return replace(counted, pause=pause, until=now + pause, probe_at=None)
            case _:  # it set out before the breaker opened, or when every gateway's was open
                return counted
