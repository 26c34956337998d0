"""What is asked in order to recall, and what the answers mean: for nodes and for commands alike. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from auth.shared.line import Command
from auth.shared.names import Names, instants, microseconds, pairs, undated
from auth.state import Recalled, Wanted

FAILURES_KEPT: Final = timedelta(days=100)


def recalling(names: Names, wanted: Wanted) -> list[Command]:
    """The commands; none where nothing is wanted."""
    commands: list[Command] = [] if wanted.user is None else [("HGETALL", names.failures(wanted.user))]
    commands += [("GET", names.mark(key)) for key in wanted.marks]
    commands += [("HVALS", names.stock(key)) for key in wanted.stocks]
    commands += [("GET", names.kept(key)) for key in wanted.kept]
    commands += [("HGETALL", names.spend(limit.key, limit.scope)) for limit in wanted.counted]
    return commands


def recalled(wanted: Wanted, answers: Sequence[Any], now: datetime) -> Recalled:
    """What the answers to those commands say."""
    at, told = microseconds(now), iter(answers)
    oldest = at - FAILURES_KEPT // timedelta(microseconds=1)
    return Recalled(
        () if wanted.user is None else instants(pairs(next(told)), oldest),
        tuple([None if (octets := next(told)) is None else int(octets) for _ in wanted.marks]),
        tuple([sum(int(until) > at for until in next(told)) for _ in wanted.stocks]),
        tuple([None if (octets := next(told)) is None else undated(octets) for _ in wanted.kept]),
        tuple([tallied(next(told), now, limit.window_seconds) for limit in wanted.counted]),
    )


def tallied(answer: Any, at: datetime, window_seconds: int) -> int:
    """What the answer about a key comes to; see `Store.tally`."""
    since = at.timestamp() - window_seconds
    return sum(int(amount) for minute, amount in pairs(answer) if int(minute) > since)
