"""The cookie of the syncrepl source: the server's own, and what shows that the server went back in time."""

from collections.abc import Iterable
from typing import Final, Self

import msgspec

from schema.entry import EntryId

_KEPT: Final = 8


class Witness(msgspec.Struct, frozen=True):
    """One of the newest changes that were seen.

    Attributes:
        id: of the entry.
        stamp: the entry's change stamp after it, its entryCSN; empty when the entry was deleted.
    """

    id: EntryId
    stamp: bytes


class SyncCookie(msgspec.Struct, frozen=True):
    """What was seen.

    A server's own cookie alone is not safe. One that was restored from a copy and changed since accepts a cookie from
    before: what had been changed after the copy was made, and went back, is not told.

    The last two fields tell any two states of what was told apart, whatever a server gives for a cookie.

    Attributes:
        raw: the server's cookie; empty when it gave none that leads on.
        witnesses: the newest changes that were seen, oldest first.
        following: number of the search that told them, drawn by lot.
        told: how many changes that search has told.
    """

    raw: bytes
    witnesses: tuple[Witness, ...] = ()
    following: int = 0
    told: int = 0

    @classmethod
    def decode(cls, octets: bytes | None) -> Self | None:
        """The cookie in the octets; None when there is none in them with which one could go on."""
        try:
            cookie = None if octets is None else msgspec.msgpack.decode(octets, type=cls)
        except msgspec.DecodeError:
            return None
        return cookie if cookie and cookie.raw else None

    def encode(self) -> bytes:
        """The octets to store."""
        return msgspec.msgpack.encode(self)


class Witnesses:
    """The newest changes among those that it is shown.

    Args:
        known: those that are known already, oldest first.
    """

    def __init__(self, known: Iterable[Witness] = ()) -> None:
        self._newest = {witness.id: witness.stamp for witness in known}
        self._least = b""

    def changed(self, entry: EntryId, stamp: bytes) -> None:
        """An entry has been changed just now."""
        self._newest.pop(entry, None)
        self._newest[entry] = stamp
        if len(self._newest) > _KEPT:
            del self._newest[next(iter(self._newest))]

    def deleted(self, entry: EntryId) -> None:
        """An entry has been deleted just now."""
        self.changed(entry, b"")

    def met(self, entry: EntryId, stamp: bytes) -> None:
        """An entry was met that was changed at any time."""
        if stamp > self._least:
            self._newest[entry] = stamp
            if len(self._newest) > _KEPT:
                del self._newest[min(self._newest, key=self._newest.__getitem__)]
            if len(self._newest) == _KEPT:
                self._least = min(self._newest.values())

    def all(self) -> tuple[Witness, ...]:
        """The newest changes, oldest first."""
        return tuple(Witness(entry, stamp) for entry, stamp in self._newest.items())
