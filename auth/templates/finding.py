"""What can be said of a template."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the message does not do what it is for
    WARNING = "warning"  # it may not arrive, or costs more than it has to
    HINT = "hint"  # it could do better


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one template.

    Attributes:
        attribute: which.
        weight: how much it matters.
        problem: what is wrong, as a sentence without its subject.
        remedy: what to do.
    """

    attribute: str
    weight: Weight
    problem: str
    remedy: str
