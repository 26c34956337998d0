"""One login as one story: its steps in their order, and what became of the messages it sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auth.audit.reader import Written

_RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Story:
    """A login, as far as it is recorded.

    Attributes:
        login: correlation id of the request that began it.
        steps: its outcomes and the receipts of its messages, oldest first; at least one.
    """

    login: str
    steps: tuple[Written, ...]

    @property
    def last(self) -> Written:
        """The outcome that it came to: a receipt may come later, and changes nothing."""
        return next((step for step in reversed(self.steps) if step.outcome != _RECEIPT), self.steps[-1])


def stories(outcomes: Iterable[Written]) -> Iterator[Story]:
    """The logins of outcomes that are told backwards, the one that began last first.

    A login is whole when the request is met that began it: all else of it was recorded after that. Those of which the
    beginning is not told come last.
    """
    begun: dict[str, list[Written]] = {}
    for each in outcomes:
        login = each.login or each.correlation
        begun.setdefault(login, []).append(each)
        if not each.login:
            yield Story(login, tuple(reversed(begun.pop(login))))
    for login, steps in begun.items():
        yield Story(login, tuple(reversed(steps)))
