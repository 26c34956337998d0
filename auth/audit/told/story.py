"""One login as one story: its steps in their order, and what became of the messages it sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auth.audit.reader import Written
from auth.audit.rows import Delivered


@dataclass(frozen=True, slots=True)
class Story:
    """A login, as far as it is recorded.

    Attributes:
        login: correlation id of the request that began it.
        steps: its outcomes, oldest first; at least one.
        receipts: what gateways told later of the messages that these steps sent, oldest first.
    """

    login: str
    steps: tuple[Written, ...]
    receipts: tuple[Delivered, ...] = ()

    @property
    def last(self) -> Written:
        """The step that it came to."""
        return self.steps[-1]


def stories(told: Iterable[Written | Delivered]) -> Iterator[Story]:
    """The logins of what is told backwards, the one that began last first.

    A login is whole when the request is met that began it: all its later steps, and the receipts of its messages, were
    recorded after that. Those whose beginning is not told come last.
    """
    begun: dict[str, list[Written]] = {}
    receipts: dict[tuple[str, str], list[Delivered]] = {}
    for each in told:
        if isinstance(each, Delivered):
            receipts.setdefault((each.gateway, each.message_id), []).append(each)
            continue
        login = each.login or each.correlation
        begun.setdefault(login, []).append(each)
        if not each.login:
            yield _story(login, begun.pop(login), receipts)
    for login, steps in begun.items():
        yield _story(login, steps, receipts)


def _story(login: str, steps: list[Written], receipts: dict[tuple[str, str], list[Delivered]]) -> Story:
    """Of steps that were met backwards."""
    sent = [(step.gateway, step.message_id) for step in reversed(steps) if step.message_id]
    told = [each for message in sent for each in reversed(receipts.pop(message, []))]
    return Story(login, tuple(reversed(steps)), tuple(told))
