"""Which server of a directory is asked next: the present one while it answers, and none too often. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

_LONGEST_PAUSE: Final = 60.0
# A server that has not failed for so long after its pause starts with the shortest pause again.
_FORGIVEN_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Failing:
    """A server that has failed lately.

    Attributes:
        times: how often, one after the other.
        until: the instant before which another server is asked rather than this one.
    """

    times: int
    until: float


@dataclass(frozen=True, slots=True)
class Order:
    """In which order servers are asked.

    Attributes:
        ready: those that nothing is known against, to be asked one after the other.
        paused: those that have failed lately, for who is served by no other: the one whose pause is over first first.
    """

    ready: tuple[str, ...]
    paused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Servers:
    """What is known of a directory's servers.

    Attributes:
        present: the one that answered last; None before the first answer, and when it has failed.
        failing: those that have failed lately.
    """

    present: str | None = None
    failing: Mapping[str, Failing] = field(default_factory=dict)

    def order(self, preferred: Iterable[str], now: float) -> Order:
        """The servers to try, each of them once.

        First the present one, then the others by preference; then those that are paused after a failure. So a dead
        server costs a caller time once in a while, and a caller who has no other server to ask is still served as
        soon as one is back, whichever it is.

        Args:
            preferred: all servers, the best first.
            now: monotonic seconds.
        """
        servers = tuple(dict.fromkeys(preferred))
        paused = {server: self.failing[server].until for server in servers if self._is_paused(server, now)}
        ready = [server for server in servers if server not in paused]
        if self.present in ready:
            ready.remove(self.present)
            ready.insert(0, self.present)
        return Order(tuple(ready), tuple(sorted(paused, key=lambda server: paused[server])))

    def answered(self, server: str) -> "Servers":
        """What is known after an answer. How often the server has failed stays: it may do so again at once."""
        return self if server == self.present else replace(self, present=server)

    def failed(self, server: str, now: float) -> "Servers":
        """What is known after a failure, with a pause of 1 s that doubles with each failure, up to a minute.

        Args:
            server: the one that failed.
            now: monotonic seconds.
        """
        before = self.failing.get(server)
        times = 1 if before is None or now > before.until + _FORGIVEN_SECONDS else before.times + 1
        pause = min(_LONGEST_PAUSE, 2.0 ** min(times - 1, 32))
        present = None if server == self.present else self.present
        return Servers(present, {**self.failing, server: Failing(times, now + pause)})

    def _is_paused(self, server: str, now: float) -> bool:
        return server in self.failing and now < self.failing[server].until
