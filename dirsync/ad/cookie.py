"""The cookie of the AD source: DirSync's own, and what is needed to notice that a server cannot continue it."""

from enum import Enum, auto
from typing import Self

import msgspec


class Server(msgspec.Struct, frozen=True):
    """A domain controller at an instant.

    Attributes:
        name: its dsServiceName.
        invocation: its invocationId, another one after a restore (MS-ADTS section 3.1.1.1.4); empty if not readable.
        usn: its highestCommittedUSN.
    """

    name: str
    invocation: bytes
    usn: int


class Standing(Enum):
    """How a server stands to a cookie."""

    UNCHANGED = auto()  # it has committed nothing since
    CONTINUES = auto()  # it can tell what has changed since
    BROKEN = auto()  # it has gone back in time, or is of another domain: only a full read tells the truth


class AdCookie(msgspec.Struct, frozen=True):
    """What was seen, and of whom.

    DirSync's cookie alone is not safe: a server that was restored from a copy accepts a cookie from its own future,
    and says nothing of what changes until it has caught up; a server of another domain with the same name accepts
    it too.

    Attributes:
        domain: objectGUID of the domain.
        servers: each server that was read from, as it was before it was read from for the last time.
        raw: DirSync's cookie; domain controllers of one domain understand each other's.
    """

    domain: bytes
    servers: tuple[Server, ...]
    raw: bytes

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

    def standing(self, domain: bytes, server: Server) -> Standing:
        """How the server stands to this cookie.

        Args:
            domain: objectGUID of the domain that the server serves.
            server: the server now.
        """
        if domain != self.domain:
            return Standing.BROKEN
        before = next((seen for seen in self.servers if seen.name == server.name), None)
        if before is None:
            return Standing.CONTINUES
        if before.invocation != server.invocation or server.usn < before.usn:
            return Standing.BROKEN
        return Standing.UNCHANGED if server.usn == before.usn else Standing.CONTINUES

    def advanced(self, server: Server, raw: bytes) -> "AdCookie":
        """The cookie after reading on.

        Args:
            server: who was read from, as it was before.
            raw: DirSync's new cookie.
        """
        others = tuple(seen for seen in self.servers if seen.name != server.name)
        return AdCookie(self.domain, (*others, server), raw)
