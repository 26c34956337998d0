# ruff: noqa: INP001 - bench is a folder of programs, no package
"""How figures are summed up and shown: medians with their range, a Markdown table or JSON, lines of progress."""

import statistics
import sys
from collections.abc import Iterable, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """What one figure was in all rounds."""

    median: float
    least: float
    most: float

    def text(self, scale: float = 1.0) -> str:
        """Median and range, each multiplied by `scale`, with three digits that mean something."""
        return f"{digits(self.median * scale)} ({digits(self.least * scale)} to {digits(self.most * scale)})"


def spread(values: Iterable[float]) -> Spread:
    """The spread of a figure over the rounds, of which there is at least one."""
    rounds = list(values)
    return Spread(statistics.median(rounds), min(rounds), max(rounds))


def digits(value: float) -> str:
    """A number with three significant digits at least: 12,345, 123, 12.3, 1.23."""
    for limit, decimals in ((100, 0), (10, 1)):
        if value >= limit:
            return f"{value:,.{decimals}f}"
    return f"{value:.2f}"


def times(ratio: float | None) -> str:
    """A ratio as the table shows it; nothing when there is none."""
    return "" if ratio is None else f"{digits(ratio)} x"


def progress(line: str) -> None:
    """One line for whoever waits."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def show(text: str) -> None:
    """The outcome, on standard output."""
    sys.stdout.write(text + "\n")


def show_json(outcome: msgspec.Struct) -> None:
    """The outcome as one JSON document, on standard output."""
    show(msgspec.json.format(msgspec.json.encode(outcome), indent=2).decode())
