"""Requests that come again: the service is asked once, the answer has the same octets each time (RFC 5080 2.2.2)."""

from dataclasses import dataclass, field
from typing import NamedTuple

LIFETIME = 30.0
"""Seconds for which an answer is kept after it was given; RFC 5080 asks for 5 to 30."""

MOST_PER_SOURCE = 4096
"""Answers that are kept for one client address; then the oldest makes room."""


class Key(NamedTuple):
    """What a request shares with its own repetition, besides the authenticator.

    Attributes:
        address: the client's.
        port: the client's.
        connection: number of the connection that it came over; 0 for datagrams, which have none.
        identifier: the packet's.
    """

    address: str
    port: int
    connection: int
    identifier: int


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    authenticator: bytes
    reply: bytes
    good_until: float


@dataclass(slots=True, repr=False)
class _Source:
    pending: dict[Key, bytes] = field(default_factory=dict)
    answered: dict[Key, _Answer] = field(default_factory=dict)  # oldest first, and so the first to expire first

    def forget_expired(self, now: float) -> None:
        while self.answered and next(iter(self.answered.values())).good_until <= now:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        del self.answered[next(iter(self.answered))]


class Duplicates:
    """The requests of one listener that are being answered, or were lately.

    A request is looked up with `recall`, and, if it is new, announced with `open` and answered with `settle`. Only a
    request that is known to be its client's may get so far: another's would push the real one out. What is open has no
    limit here; whoever opens bounds it.

    Args:
        lifetime: seconds for which an answer is kept.
        most_per_source: answers kept for one client address.
    """

    def __init__(self, *, lifetime: float = LIFETIME, most_per_source: int = MOST_PER_SOURCE) -> None:
        self._lifetime = lifetime
        self._most = most_per_source
        self._sources: dict[str, _Source] = {}
        self._swept = float("-inf")

    def recall(self, key: Key, authenticator: bytes, now: float) -> bytes | None:
        """What to do with a request that came at `now` (seconds that never run backwards).

        Returns:
            None when it is new; the reply to send again; or no octets, where nothing is to be sent because it is still
            being answered, or silence was the answer. Another authenticator makes it new, and the old one forgotten.
        """
        self._sweep(now)
        source = self._sources.get(key.address)
        if source is None:
            return None
        source.forget_expired(now)
        if key in source.pending:
            if source.pending[key] == authenticator:
                return b""
            del source.pending[key]
        answer = source.answered.get(key)
        if answer is None:
            return None
        if answer.authenticator == authenticator:
            return answer.reply
        del source.answered[key]
        return None

    def open(self, key: Key, authenticator: bytes) -> None:
        """Remember that a new request is being answered; it stays open until `settle`."""
        self._sources.setdefault(key.address, _Source()).pending[key] = authenticator

    def settle(self, key: Key, authenticator: bytes, reply: bytes, now: float) -> bool:
        """Remember the answer to an open request; no octets mean that silence is the answer.

        Returns:
            False when a newer request has taken its place: then nobody waits for this answer.
        """
        source = self._sources.get(key.address)
        if source is None or source.pending.get(key) != authenticator:
            return False
        del source.pending[key]
        if len(source.answered) >= self._most:
            source.forget_oldest()
        source.answered[key] = _Answer(authenticator, reply, now + self._lifetime)
        return True

    def __len__(self) -> int:
        return sum(len(source.pending) + len(source.answered) for source in self._sources.values())

    def _sweep(self, now: float) -> None:
        # a source that falls silent would keep its last answers for ever
        if now < self._swept + self._lifetime:
            return
        self._swept = now
        for source in self._sources.values():
            source.forget_expired(now)
        self._sources = {
            address: source for address, source in self._sources.items() if source.pending or source.answered
        }
