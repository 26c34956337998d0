"""What can be wrong, said so that somebody can act on it."""

from typing import Self

import msgspec


class Fault(Exception):
    """A problem that an operator or administrator can act on.

    Args:
        problem: what is wrong, with the names that identify it and without any secret.
        remedy: what to do about it, as an instruction.
    """

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} ({self.remedy})"

    def about(self, where: str) -> Self:
        """The same fault, with the place it was found in front of the problem."""
        return type(self)(f"{where}: {self.problem}", remedy=self.remedy)


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A directory value that is not what its attribute allows.

    It never stops a sync: the entry is kept, whoever depends on the value is refused, the rest are served.

    Attributes:
        attribute: the attribute's name as the directory spells it.
        value: the value as text; `***` where the attribute is confidential.
        expected: what would be accepted, as a phrase that follows "expected".
    """

    attribute: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value!r}, expected {self.expected}"
