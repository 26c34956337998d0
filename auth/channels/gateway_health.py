"""The health of a channel's gateways: whom to ask, in which order, and a line in the log for each change."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from auth.channels.breaker import Breaker, Standing

_log = logging.getLogger("dirfactor.channels")


@dataclass(frozen=True, slots=True)
class Turns:
    """Which gateways are asked for one message.

    Attributes:
        first: one after the other, until one takes it.
        last: likewise, when none of these did: they have failed several times in a row.
        sharing: among how many of all the time is shared out; those behind them have what is left of it.
    """

    first: tuple[str, ...]
    last: tuple[str, ...]
    sharing: int


class GatewayHealth:
    """A breaker for each gateway.

    Args:
        names: the gateways.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, names: Iterable[str], monotonic: Callable[[], float]) -> None:
        self._breakers = dict.fromkeys(names, Breaker())
        self._monotonic = monotonic

    def turns(self, names: Sequence[str]) -> Turns:
        """First those whose breaker lets a message through, in the same order; last the others.

        Any of these may be well again by now, and nobody is refused for a breaker: the one that failed longest ago is
        asked before the rest. They have no share of the time, for each that is away would cost one that works its own;
        but where none is known to work, all have the same.
        """
        now = self._monotonic()
        first = tuple(name for name in names if self._breakers[name].admits(now))
        last = sorted((name for name in names if name not in first), key=lambda name: self._breakers[name].failed_at)
        works = any(not self._breakers[name].failures for name in first)
        return Turns(first, tuple(last), len(first) if works else len(first) + len(last))

    def asked(self, name: str) -> None:
        """A message has set out for it."""
        self._breakers[name] = self._breakers[name].asked(self._monotonic())

    def worked(self, name: str) -> None:
        """It took a message, or blamed the address."""
        before = self._breakers[name]
        self._breakers[name] = before.worked()
        if before.pause:
            _log.warning("gateway %s works again", name)

    def failed(self, name: str) -> None:
        """It did not take a message."""
        before, now = self._breakers[name], self._monotonic()
        after = self._breakers[name] = before.failed(now)
        if after.until != before.until:
            _log.error(
                "gateway %s has failed %d times in a row: for %g s it is left alone where there is another",
                name,
                after.failures,
                after.pause,
            )

    def standings(self) -> Mapping[str, Standing]:
        """How each gateway stands now."""
        now = self._monotonic()
        return {name: breaker.standing(now) for name, breaker in self._breakers.items()}
