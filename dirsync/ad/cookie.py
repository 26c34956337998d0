"""The cookie of the AD source: DirSync's own, and what is needed to notice that a server cannot continue it."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Self

import msgspec

from dirsync.ad.witness import Past, Witness
from dirsync.settings import ChangeFeed


class Server(msgspec.Struct, frozen=True):
    """A domain controller at an instant.

    Attributes:
        name: its dsServiceName.
        invocation: its invocationId, another one after a restore (MS-ADTS section 3.1.1.1.4); empty if not readable.
        past: its highestCommittedUSN, and what proves it.
    """

    name: str
    invocation: bytes
    past: Past

    def recorded(self, present: Iterable[Witness]) -> "Server":
        """The same with those who prove its past.

        Args:
            present: its answer to who they are.
        """
        return msgspec.structs.replace(self, past=self.past.recorded(present))


class Standing(Enum):
    """How a server stands to a cookie."""

    UNCHANGED = auto()  # it has committed nothing since
    CONTINUES = auto()  # it can tell what has changed since
    BROKEN = auto()  # it has gone back in time, or is of another domain: only a full read tells the truth


class AdCookie(msgspec.Struct, frozen=True):
    """What was seen, and of whom.

    DirSync's cookie alone is not safe: a server that was restored from a copy accepts a cookie from its own future,
    and says nothing of what changes until it has caught up; a server of another domain with the same name accepts
    it too. The numbers of polling by uSNChanged are not safe for the same reasons, and each server counts its own.

    Attributes:
        domain: objectGUID of the domain.
        servers: each server that was read from, as it was before it was read from for the last time.
        raw: DirSync's cookie; domain controllers of one domain understand each other's. None: the server was polled
            by uSNChanged.
    """

    domain: bytes
    servers: tuple[Server, ...]
    raw: bytes | None

    @classmethod
    def decode(cls, octets: bytes | None) -> Self | None:
        """The cookie in the octets; None when there is none in them."""
        try:
            return None if octets is None else msgspec.msgpack.decode(octets, type=cls)
        except msgspec.DecodeError:
            return None

    def encode(self) -> bytes:
        """The octets to store."""
        return msgspec.msgpack.encode(self)

    @property
    def feed(self) -> ChangeFeed:
        """How what was seen was read, and how it must be read on."""
        return ChangeFeed.USN if self.raw is None else ChangeFeed.DIRSYNC

    def seen(self, name: str) -> Server | None:
        """The server of this name as it was when it was last read from; None when it never was."""
        return next((server for server in self.servers if server.name == name), None)

    def standing(self, domain: bytes, server: Server, present: Iterable[Witness]) -> Standing:
        """How the server stands to this cookie.

        Args:
            domain: objectGUID of the domain that the server serves.
            server: the server now.
            present: its answer to who its witnesses are.
        """
        if domain != self.domain:
            return Standing.BROKEN
        before = self.seen(server.name)
        if before is None:
            return Standing.BROKEN if self.raw is None else Standing.CONTINUES
        if before.invocation != server.invocation or server.past.usn < before.past.usn:
            return Standing.BROKEN
        if not before.past.is_past_of(present):
            return Standing.BROKEN
        return Standing.UNCHANGED if server.past.usn == before.past.usn else Standing.CONTINUES

    def advanced(self, server: Server, raw: bytes | None) -> "AdCookie":
        """The cookie after reading on.

        Args:
            server: who was read from, as it was before.
            raw: DirSync's new cookie, or None as for all that is read by numbers.
        """
        others = tuple(seen for seen in self.servers if seen.name != server.name)
        return AdCookie(self.domain, (*others, server), raw)
