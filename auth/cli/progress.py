"""A bar with rate and time left for reads that may take long; on a terminal only, never in what a program reads."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.progress import ProgressColumn as Column
from rich.text import Text

from auth.cli.output import err

_Item = TypeVar("_Item")


class _Rate(Column):
    """Items a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def followed(items: Iterable[_Item], what: str, total: Callable[[], int | None]) -> Iterator[_Item]:
    """The items, while standard error shows how far they are.

    Args:
        items: what is read, one after the other.
        what: the word for it, such as `users`.
        total: says how many there will be, if that is known; asked only when there is somebody to see the bar.
    """
    if not err.is_terminal:
        yield from items
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        number = total()
        task = progress.add_task(what, total=number)
        yield from progress.track(items, total=number, task_id=task)
