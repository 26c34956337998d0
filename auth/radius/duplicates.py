"""Requests that come again: the service is asked once, the answer has the same octets each time (RFC 5080 2.2.2)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

LIFETIME = 30.0
"""Seconds for which an answer is kept after it was given; RFC 5080 asks for 5 to 30."""

FIRST_REPEATS = 10.0
"""Seconds for which a busy client's answers are kept: by then whoever waits three or five seconds has repeated."""

BUSY = 4096
"""Answers for one client address, from which on it is a busy one: each new answer forgets one past `FIRST_REPEATS`."""

MOST_PER_SOURCE = 32_768
"""Answers that are kept for one client address, however young; then its oldest makes room."""

MOST = 65_536
"""Answers that are kept for all together, however young; then the oldest of all makes room."""


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
    given: float


class Duplicates:
    """The requests of one listener that are being answered, or were lately.

    A request is looked up with `recall`, and, if it is new, announced with `open` and answered with `settle`. Only a
    request that is known to be its client's may get so far: another's would push the real one out. What is open has no
    limit here; whoever opens bounds it. What was answered takes some 500 octets and the reply's own each, so `MOST` of
    them 40 MiB as replies mostly are, and 300 MiB where clients have every one filled up with their Proxy-State.

    Args:
        lifetime: seconds for which an answer is kept.
        first_repeats: see `FIRST_REPEATS`.
        busy: see `BUSY`.
        most_per_source: see `MOST_PER_SOURCE`.
        most: see `MOST`.
    """

    def __init__(
        self,
        *,
        lifetime: float = LIFETIME,
        first_repeats: float = FIRST_REPEATS,
        busy: int = BUSY,
        most_per_source: int = MOST_PER_SOURCE,
        most: int = MOST,
    ) -> None:
        self._lifetime = lifetime
        self._first_repeats = first_repeats
        self._busy = min(busy, most_per_source)
        self._most_per_source = most_per_source
        self._most = most
        self._pending: dict[Key, bytes] = {}
        # Oldest first, and so the first to expire first. A plain dictionary would find its first key by stepping over
        # all that were deleted before it.
        self._answered: OrderedDict[Key, _Answer] = OrderedDict()
        self._sources: dict[str, OrderedDict[Key, None]] = {}  # the same keys, of each client address

    def recall(self, key: Key, authenticator: bytes, now: float) -> bytes | None:
        """What to do with a request that came at `now` (seconds that never run backwards).

        Returns:
            None when it is new; the reply to send again; or no octets, where nothing is to be sent because it is still
            being answered, or silence was the answer. Another authenticator makes it new, and the old one forgotten.
        """
        self._forget_expired(now)
        if key in self._pending:
            if self._pending[key] == authenticator:
                return b""
            del self._pending[key]
        answer = self._answered.get(key)
        if answer is None:
            return None
        if answer.authenticator == authenticator:
            return answer.reply
        self._forget(key)
        return None

    def open(self, key: Key, authenticator: bytes) -> None:
        """Remember that a new request is being answered; it stays open until `settle`."""
        self._pending[key] = authenticator

    def settle(self, key: Key, authenticator: bytes, reply: bytes, now: float) -> bool:
        """Remember the answer to an open request; no octets mean that silence is the answer.

        Returns:
            False when a newer request has taken its place: then nobody waits for this answer.
        """
        if self._pending.get(key) != authenticator:
            return False
        del self._pending[key]
        self._make_room(key.address, now)
        self._answered[key] = _Answer(authenticator, reply, now)
        self._sources.setdefault(key.address, OrderedDict())[key] = None
        return True

    def __len__(self) -> int:
        return len(self._pending) + len(self._answered)

    def _make_room(self, address: str, now: float) -> None:
        """For one more answer to a client address."""
        source = self._sources.get(address, ())
        if len(source) >= self._busy:
            oldest = next(iter(source))
            if len(source) >= self._most_per_source or self._answered[oldest].given + self._first_repeats <= now:
                self._forget(oldest)
        if len(self._answered) >= self._most:
            self._forget(next(iter(self._answered)))

    def _forget_expired(self, now: float) -> None:
        while self._answered:
            oldest = next(iter(self._answered))
            if self._answered[oldest].given + self._lifetime > now:
                return
            self._forget(oldest)

    def _forget(self, key: Key) -> None:
        del self._answered[key]
        source = self._sources[key.address]
        del source[key]
        if not source:
            del self._sources[key.address]
