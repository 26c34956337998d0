"""What the samples come to, minute by minute. Pure."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soak.processes import Standing
from soak.spells import Spells

HEAD = (
    f"{'minute':>6}{'MB':>8}{'files':>7}{'threads':>9}{'logons':>8}{'CPU ms each':>13}{'yards':>7}"
    f"{'p50, ms':>9}{'p99, ms':>9}{'faults, s':>11}"
)
_SECONDS = 60.0


@dataclass(frozen=True)
class Sample:
    """An instant.

    Attributes:
        at: seconds since the beginning.
        standing: of the service's processes.
        logons: so far.
        took: seconds of each good logon by code since the sample before.
        yard: processor seconds of the yardstick.
    """

    at: float
    standing: Standing
    logons: int
    took: tuple[float, ...] = ()
    yard: float = 0.001


@dataclass(frozen=True)
class Minute:
    """A minute, by the medians of its samples.

    Attributes:
        number: from 1.
        megabytes: resident.
        files: open.
        threads: of the processes.
        logons: within it.
        cpu_ms: processor time for each of them.
        yards: the same, in yardsticks.
        p50: seconds of a good logon by code.
        p99: the same, of the slowest hundredth.
        faults: seconds of faults in force, all things together.
    """

    number: int
    megabytes: float
    files: float
    threads: float
    logons: int
    cpu_ms: float
    yards: float
    p50: float
    p99: float
    faults: float

    def row(self) -> str:
        return (
            f"{self.number:>6}{self.megabytes:>8.1f}{self.files:>7.0f}{self.threads:>9.0f}{self.logons:>8}"
            f"{self.cpu_ms:>13.2f}{self.yards:>7.2f}{self.p50 * 1000:>9.1f}{self.p99 * 1000:>9.1f}{self.faults:>11.1f}"
        )


def minutes(samples: Sequence[Sample], spells: Spells, begun: float, length: float = _SECONDS) -> Iterator[Minute]:
    """Each minute, or whatever `length` in seconds is one; `begun` is the beginning on the clock of the spells."""
    before: Sample | None = None
    for number in range(int(samples[-1].at // length) + 1 if samples else 0):
        own = [sample for sample in samples if number * length <= sample.at < (number + 1) * length]
        if not own:
            continue
        first = before or own[0]
        logons = own[-1].logons - first.logons
        spent = own[-1].standing.cpu_seconds - first.standing.cpu_seconds
        cpu_ms = 1000 * spent / logons if logons else 0.0
        yard_ms = 1000 * statistics.median(sample.yard for sample in own)
        took = sorted(each for sample in own for each in sample.took)
        yield Minute(
            number=number + 1,
            megabytes=statistics.median(sample.standing.kilobytes for sample in own) / 1024,
            files=statistics.median(sample.standing.files for sample in own),
            threads=statistics.median(sample.standing.threads for sample in own),
            logons=logons,
            cpu_ms=cpu_ms,
            yards=cpu_ms / yard_ms,
            p50=statistics.median(took) if took else 0.0,
            p99=took[int(len(took) * 0.99)] if took else 0.0,
            faults=spells.seconds(begun + first.at, begun + own[-1].at),
        )
        before = own[-1]
