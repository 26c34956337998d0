"""What an examination says: a status, what was seen, and what to do where it is not well. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from auth.doctor.catalogue import Check
from schema.errors import Fault


class Status(StrEnum):
    """How something is."""

    OK = "ok"
    INFO = "info"  # works; somebody may want to know
    WARNING = "warning"  # works, and will not for long, or not for everybody
    FAILED = "failed"  # does not work
    SKIPPED = "skipped"  # was not examined

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return self not in {Status.WARNING, Status.FAILED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen.

    Attributes:
        status: how it is.
        detail: what was seen, without any secret.
        remedy: what to do; empty when nothing has to be done.
    """

    status: Status
    detail: str
    remedy: str = ""

    @classmethod
    def of(cls, fault: Fault, status: Status = Status.FAILED) -> Self:
        """What a fault says."""
        return cls(status, fault.problem, fault.remedy)


@dataclass(frozen=True, slots=True)
class Result:
    """A finding and where it was found.

    Attributes:
        check: which check.
        subject: what of, such as `[sms:gateway]`; empty for the service as a whole.
        finding: what was seen.
    """

    check: Check
    subject: str
    finding: Finding


def summary(results: Iterable[Result]) -> str:
    """How many findings there are of each status, those that are not well first."""
    found = [result.finding.status for result in results]
    order = (Status.FAILED, Status.WARNING, Status.INFO, Status.OK, Status.SKIPPED)
    return ", ".join(f"{found.count(status)} {status}" for status in order if status in found) or "nothing examined"
