"""How a run is shown: a line of progress, the first difference with what led to it, and a table in the end."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.table import Table

from conformance.course import Outcome

LINE_SECONDS = 10.0  # between two lines where there is no terminal
REWRITE_SECONDS = 0.2
WIDTH = 150
RIGHT = ("operations", "restarts", "kills", "cookies lost", "checkpoints", "astray", "differences", "looks", "missed")


class Progress:
    """Tells on standard error how far a run is, how fast, and for how long it will go on.

    Args:
        name: what is run.
        total: how many operations there will be.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._terminal:
            sys.stderr.write("\n")

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told < (REWRITE_SECONDS if self._terminal else LINE_SECONDS):
            return
        self._told = now
        rate = done / (now - self._began)
        minutes, seconds = divmod(int((self._total - done) / rate), 60)
        line = f"{self._name}: {done:,} of {self._total:,} operations, {rate:,.0f}/s, {minutes}:{seconds:02} left"
        sys.stderr.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        sys.stderr.flush()


def difference(outcome: Outcome, last: Sequence[str], folder: Path) -> str:
    """What was wrong, and the operations before it."""
    lines = [f"{outcome.source}, seed {outcome.seed}: wrong after {outcome.operations:,} operations"]
    lines += [f"  {text}" for text in outcome.differences]
    lines += [f"  missed: {text}" for text in outcome.missed]
    lines += ["", f"logs and replica are in {folder}; the last operations:", "", *last]
    return "\n".join(lines)


def show(outcomes: Sequence[Outcome]) -> None:
    """The table: `looks` are those for people who are never deleted, `caught up` the longest time that it took.

    `astray` is how often a server showed everybody names that were not right, and was started again.
    """
    table = Table("source")
    for title in (*RIGHT, "caught up", "seconds"):
        table.add_column(title, justify="right")
    for one in outcomes:
        events = (one.restarts, one.kills, one.losses, one.checkpoints, one.astray)
        numbers = (one.operations, *events, len(one.differences), one.looks, len(one.missed))
        rest = (f"{one.slowest:.1f} s", f"{one.seconds:.0f}")
        table.add_row(one.source, *(f"{number:,}" for number in numbers), *rest)
    Console(width=WIDTH).print(table)
