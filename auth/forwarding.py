"""What another RADIUS server is asked on behalf of one of its clients, and what it says: values only."""

from typing import Protocol

import msgspec

from schema.errors import Fault
from schema.secret import Secret

Pairs = tuple[tuple[int, bytes], ...]
"""RADIUS attributes, number and value, in order."""


class Passed(msgspec.Struct, frozen=True):
    """A request that is passed on.

    Attributes:
        node: name of the access node that asks.
        name: the login name as typed.
        typed: the password, or the answer to a question of the other server.
        state: the other server's State, when it has asked something.
        attributes: what else the client has sent, see `Origin.passed_on`.
    """

    node: str
    name: str
    typed: Secret
    state: bytes | None
    attributes: Pairs

    def __repr__(self) -> str:
        return f"Passed(through {self.node})"


class Granted(msgspec.Struct, frozen=True):
    """A proven Access-Accept.

    Attributes:
        attributes: for the client of the other server, in order.
    """

    attributes: Pairs


class Denied(msgspec.Struct, frozen=True):
    """A proven Access-Reject."""


class Wanted(msgspec.Struct, frozen=True):
    """A proven Access-Challenge.

    Attributes:
        state: comes back with the answer.
        message: the question, one line of at most 200 octets; may be empty.
        seconds: for how long the other server waits for the answer; None when it does not say.
    """

    state: bytes
    message: str
    seconds: int | None


Verdict = Granted | Denied | Wanted


class Forwarder(Protocol):
    """Asks other RADIUS servers."""

    async def ask(self, passed: Passed) -> Verdict:
        """What the other server of an access node says, proven by the shared secret.

        Raises:
            Fault: it says nothing that is proven, in time; nobody is let in.
        """
        ...


class NoForwarder:
    """Of a service that can ask none."""

    async def ask(self, passed: Passed) -> Verdict:
        """Raises Fault. See `Forwarder.ask`."""
        raise Fault(f"logins through {passed.node} cannot be forwarded", remedy="forward them from the running service")


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a challenge of another server holds until it is answered.

    Attributes:
        state: the other server's.
        name: as the person typed it at first; the other server is asked for no other.
    """

    state: bytes
    name: str

    @property
    def octets(self) -> bytes:
        """To be kept."""
        return msgspec.msgpack.encode(self)


def held(octets: bytes) -> Held:
    """What was kept. Raises msgspec.MsgspecError when the octets are something else."""
    return msgspec.msgpack.decode(octets, type=Held)
