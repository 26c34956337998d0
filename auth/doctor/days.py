"""How many days a certificate has left, and what that means. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from auth.doctor.report import Finding, Status


@dataclass(frozen=True, slots=True)
class Notice:
    """From how many days on something is said.

    Attributes:
        failed: fewer are too few.
        warning: fewer are few.
        info: fewer are worth a word.
    """

    failed: int = 7
    warning: int = 30
    info: int = 30


USUAL = Notice()


def days_left(what: str, end: datetime, now: datetime, remedy: str, notice: Notice = USUAL) -> Finding:
    """What the last day of a certificate means.

    Args:
        what: whose it is, for people.
        end: when it ends.
        now: the instant.
        remedy: how to get another one.
        notice: from when on something is said.
    """
    if end <= now:
        return Finding(Status.FAILED, f"{what} ended on {end:%Y-%m-%d}", remedy)
    days = (end - now) // timedelta(days=1)
    detail = f"{what} is good for {days} days, until {end:%Y-%m-%d}"
    for status, limit in (
        (Status.FAILED, notice.failed),
        (Status.WARNING, notice.warning),
        (Status.INFO, notice.info),
    ):
        if days < limit:
            return Finding(status, detail, remedy)
    return Finding(Status.OK, detail)
