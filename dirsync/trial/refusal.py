"""What of a file of changes cannot be tried, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from schema.errors import Fault


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that a directory would refuse, or that cannot be followed.

    Attributes:
        line: where it stands in the file.
        problem: what is wrong with it.
        remedy: what to do.
    """

    line: int
    problem: str
    remedy: str


class ChangesRefused(Fault):
    """Nothing was tried, because some of the changes cannot be.

    Args:
        refusals: what is wrong, in the order of the file.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(f"{len(refusals)} changes cannot be tried", remedy="mend them; see the lines")
