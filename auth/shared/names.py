"""What our keys are called, and how values stand under them. Pure."""

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schema.entry import EntryId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT_OCTETS: Final = 8
_TEXT = "surrogatepass"


class Names:
    """Keys under a prefix, in parts. The number of a part, in braces, puts all of it into one hash slot of a cluster.

    A server loses what it holds as a whole, and in a cluster not all servers do so at once: each part has an epoch of
    its own, which lies where the part lies.

    Args:
        prefix: what all of them begin with.
        parts: how many there are; one where there is one server.
    """

    def __init__(self, prefix: str, parts: int) -> None:
        self.prefix = prefix
        self.parts = parts
        self.members = self._in(0, "members")
        self.key = self._in(0, "key")
        self.probe = f"{prefix}:{{probe}}"

    def epoch(self, part: int) -> str:
        """Of a part's epoch."""
        return self._in(part, "epoch")

    def awaited(self, part: int) -> str:
        """Of the nodes that are waited for before a part is used."""
        return self._in(part, "awaited")

    def over(self, part: int) -> str:
        """Of a part's epochs that are over."""
        return self._in(part, "over")

    def run(self, part: int) -> str:
        """Of what changes when a server is started again, as it was when a part was looked at."""
        return self._in(part, "run")

    def part(self, name: str) -> int:
        """The part in which a key is, by its name."""
        return int(name[len(self.prefix) + 2 : name.index("}", len(self.prefix))])

    def challenge(self, digest: bytes) -> str:
        """Of an open challenge; see `auth.state.state_key`."""
        return self._spread("challenge", digest.hex())

    def failures(self, user: EntryId) -> str:
        """Of a user's failures."""
        return self._spread("failures", user.hex())

    def events(self, key: str) -> str:
        """Of what is counted without an amount."""
        return self._spread("events", key)

    def mark(self, key: str) -> str:
        """Of a mark."""
        return self._spread("mark", key)

    def stock(self, key: str) -> str:
        """Of codes on stock."""
        return self._spread("stock", key)

    def kept(self, key: str) -> str:
        """Of a value."""
        return self._spread("kept", key)

    def kept_under(self, prefix: str) -> str:
        """The pattern of the keys of all values under keys that begin with this."""
        return f"{self.prefix}:{{*}}:kept:{prefix}*"

    def note(self, key: str) -> str:
        """Of a value that is noted for a while."""
        return self._spread("note", key)

    def spend(self, key: str, scope: str) -> str:
        """Of what is counted with an amount; what is of one scope is in one part, for it is counted together."""
        return self._in(self._part_of(scope), f"spend:{key}")

    def message(self, gateway: str, identity: str) -> str:
        """Of a message that a gateway took."""
        return self._spread("message", f"{len(gateway)}:{gateway}:{identity}")

    def _spread(self, kind: str, key: str) -> str:
        return self._in(self._part_of(key), f"{kind}:{key}")

    def _in(self, part: int, rest: str) -> str:
        return f"{self.prefix}:{{{part}}}:{rest}"

    def _part_of(self, key: str) -> int:
        return zlib.crc32(key.encode(errors=_TEXT)) % self.parts if self.parts > 1 else 0


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
