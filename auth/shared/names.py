"""What our keys are called, and how values stand under them. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schema.entry import EntryId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT_OCTETS: Final = 8
_TEXT = "surrogatepass"


class Names:
    """Keys under a prefix. What must be in one hash slot of a cluster has the same word in braces.

    Args:
        prefix: what all of them begin with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.epoch = f"{prefix}:{{nodes}}:epoch"
        self.awaited = f"{prefix}:{{nodes}}:awaited"
        self.members = f"{prefix}:{{nodes}}:members"
        self.over = f"{prefix}:{{nodes}}:over"
        self.key = f"{prefix}:{{nodes}}:key"
        self.run = f"{prefix}:{{nodes}}:run"
        self.probe = f"{prefix}:{{probe}}"

    def challenge(self, digest: bytes) -> str:
        """Of an open challenge; see `auth.state.state_key`."""
        return f"{self.prefix}:challenge:{digest.hex()}"

    def failures(self, user: EntryId) -> str:
        """Of a user's failures."""
        return f"{self.prefix}:failures:{user.hex()}"

    def events(self, key: str) -> str:
        """Of what is counted without an amount."""
        return f"{self.prefix}:events:{key}"

    def mark(self, key: str) -> str:
        """Of a mark."""
        return f"{self.prefix}:mark:{key}"

    def stock(self, key: str) -> str:
        """Of codes on stock."""
        return f"{self.prefix}:stock:{key}"

    def kept(self, key: str) -> str:
        """Of a value."""
        return f"{self.prefix}:kept:{key}"

    def note(self, key: str) -> str:
        """Of a value that is noted for a while."""
        return f"{self.prefix}:note:{key}"

    def spend(self, key: str) -> str:
        """Of what is counted with an amount; all in one slot, for they are counted together."""
        return f"{self.prefix}:{{spend}}:{key}"

    def message(self, gateway: str, identity: str) -> str:
        """Of a message that a gateway took."""
        return f"{self.prefix}:message:{len(gateway)}:{gateway}:{identity}"


def microseconds(at: datetime) -> int:
    """An instant as a whole number."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(number: int) -> datetime:
    """The same back again, in UTC."""
    return _EPOCH + timedelta(microseconds=number)


def dated(octets: bytes, at: datetime) -> bytes:
    """A value and when it was written; a later one is greater."""
    return max(0, microseconds(at)).to_bytes(_INSTANT_OCTETS, "big") + octets


def undated(octets: bytes) -> bytes:
    """The value."""
    return octets[_INSTANT_OCTETS:]


def pairs(answer: Any) -> Iterator[tuple[bytes, bytes]]:
    """Fields and values of a hash, which a server tells one after the other, and its client perhaps as a mapping."""
    if isinstance(answer, dict):
        return iter(answer.items())
    return zip(answer[::2], answer[1::2], strict=True)


def instants(had: Iterable[tuple[bytes, bytes]], since: int) -> tuple[datetime, ...]:
    """Each instant as often as it was counted, oldest first, without those before `since`."""
    counted = sorted((int(at), int(number)) for at, number in had)
    return tuple(instant(at) for at, number in counted if at >= since for _ in range(number))
