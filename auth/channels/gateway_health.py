"""The health of a channel's gateways: whom to ask, in which order, and a line in the log for each change."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from auth.channels.breaker import Breaker, Standing

_log = logging.getLogger("dirfactor.channels")


class GatewayHealth:
    """A breaker for each gateway.

    Args:
        names: the gateways.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, names: Iterable[str], monotonic: Callable[[], float]) -> None:
        self._breakers = dict.fromkeys(names, Breaker())
        self._monotonic = monotonic

    def worth_asking(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those whose breaker lets a message through, in the same order; of none the one that failed longest ago."""
        now = self._monotonic()
        admitted = tuple(name for name in names if self._breakers[name].admits(now))
        return admitted or (min(names, key=lambda name: self._breakers[name].failed_at),)

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
