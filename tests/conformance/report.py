"""How a run is shown: a line of progress, the first difference with what led to it, and a table in the end."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from conformance.course import Outcome

WIDTH = 150
RIGHT = ("operations", "restarts", "kills", "cookies lost", "checkpoints", "astray", "differences", "looks", "missed")


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
