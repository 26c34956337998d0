"""Runs examinations one after the other, each within its time, and none kept from its turn by another's failure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Result, Status
from dirsync.examination.session import NotExaminedError
from schema.errors import Fault

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Examination:
    """Something to look at.

    Attributes:
        check: which check it is.
        subject: what of, such as `[sms:gateway]`; empty for the service as a whole.
        look: says what was seen, bit by bit; a Fault is what is wrong, a NotExaminedError why there is nothing.
        severity: what a Fault means.
        seconds: how long it may take.
    """

    check: Check
    subject: str
    look: Callable[[], Iterable[Finding]]
    severity: Status = Status.FAILED
    seconds: float = _PATIENCE


def run(examinations: Iterable[Examination], on_start: Callable[[Examination], None]) -> Iterator[Result]:
    """What each examination finds, as it finds it.

    Args:
        examinations: in the order in which they depend on each other.
        on_start: told of each before it begins.
    """
    for examination in examinations:
        on_start(examination)
        for finding in _within(examination):
            yield Result(examination.check, examination.subject, finding)


def _within(examination: Examination) -> list[Finding]:
    """The findings, all of them or those of the time.

    In a thread of its own, which nobody waits for when its time is up: what it waits for may never come.
    """
    found: SimpleQueue[Finding | None] = SimpleQueue()

    def work() -> None:
        for finding in _all_of(examination):
            found.put(finding)
        found.put(None)

    Thread(target=work, name=f"examination {examination.check}", daemon=True).start()
    findings: list[Finding] = []
    try:
        while (finding := found.get(timeout=examination.seconds)) is not None:
            findings.append(finding)
    except Empty:
        remedy = "see whether what it asks answers at all, then repeat it with --only"
        findings.append(Finding(Status.FAILED, f"not done within {examination.seconds:g} s", remedy))
    return findings


def _all_of(examination: Examination) -> Iterator[Finding]:
    try:
        yield from examination.look()
    except Fault as fault:
        yield Finding.of(fault, examination.severity)
    except NotExaminedError as reason:
        yield Finding(Status.SKIPPED, str(reason))
    except Exception as error:  # noqa: BLE001 - a mistake in one check must not keep the others from being heard
        yield Finding(Status.FAILED, f"the check itself has failed: {type(error).__name__}", "report this")
