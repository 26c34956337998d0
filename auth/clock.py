"""The one reader of the clock and the one source of randomness; everyone else is handed a `Clock` or an `Entropy`."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from.

    Attributes:
        now: the instant, always in UTC; for what people and the directory speak of.
        monotonic: seconds that never run backwards; for deadlines and intervals.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Entropy:
    """Where unpredictable values come from.

    Attributes:
        octets: `octets(n)` gives n random octets.
        below: `below(n)` gives a uniformly random integer in [0, n).
    """

    octets: Callable[[int], bytes]
    below: Callable[[int], int]


SYSTEM_CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
SYSTEM_ENTROPY = Entropy(octets=secrets.token_bytes, below=secrets.randbelow)
