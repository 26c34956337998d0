"""What a connection needs of the world around it, beside the network: time and chance, as arguments."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and chance.

    Attributes:
        monotonic: seconds that never run backwards.
        below: `below(n)` gives a random integer in [0, n).
    """

    monotonic: Callable[[], float]
    below: Callable[[int], int]
