"""What every transport of codes has in common: the message, the receipt, the failure, the gateway."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self, TypeVar

from schema.errors import Fault

Address_contra = TypeVar("Address_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; it holds a code, so nothing of it is ever shown.

    Attributes:
        subject: a mail's subject, without a code; texts have none.
        text: the plain text.
        html: a mail's HTML alternative.
    """

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A gateway has taken a message.

    Attributes:
        gateway: the gateway's name in config.ini.
        message_id: what the gateway, or the mail server's log, knows the message by; None when it doesn't say.
    """

    gateway: str
    message_id: str | None = None


class Fate(StrEnum):
    """What has become of a message that a gateway took."""

    DELIVERED = "delivered"  # the phone or mailbox has it
    FAILED = "failed"  # it will not arrive
    UNDER_WAY = "under way"  # not yet either


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a gateway says later of a message that it took.

    Attributes:
        gateway: the gateway's name in config.ini.
        message_id: as in the message's `Receipt`.
        fate: what has become of it.
        error_code: the network's code for a failure, when it gives one.
    """

    gateway: str
    message_id: str
    fate: Fate
    error_code: str | None = None


class DeliveryFailed(Fault):
    """A message was not taken, or nobody knows whether it was.

    Args:
        problem: what happened, without code, credential, whole address or words of the other side.
        remedy: what to do.
        permanent: the address itself was refused, so no other gateway would take it.
        unknown: the message may have been taken, so another attempt may send it twice.
        answered: the gateway is well, and refuses just this message.
    """

    def __init__(
        self, problem: str, *, remedy: str, permanent: bool = False, unknown: bool = False, answered: bool = False
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.permanent = permanent
        self.unknown = unknown
        self.answered = answered or permanent

    def about(self, where: str) -> Self:
        """The same failure, with the place it was found in front of the problem."""
        return type(self)(
            f"{where}: {self.problem}",
            remedy=self.remedy,
            permanent=self.permanent,
            unknown=self.unknown,
            answered=self.answered,
        )


class OnUnknown(StrEnum):
    """What follows when a gateway gave no answer and may have taken the message."""

    STOP = "stop"  # at most one message
    FAILOVER = "failover"  # rather two messages than none


class Gateway(Protocol[Address_contra]):
    """One way to hand a message over to somebody who carries it."""

    @property
    def name(self) -> str:
        """Its name in config.ini."""
        ...

    @property
    def on_unknown(self) -> OnUnknown:
        """What follows when it is not known whether the message was taken."""
        ...

    async def send(self, to: Address_contra, message: Message, *, seconds: float = math.inf) -> Receipt:
        """Hand over one message, once.

        Args:
            to: where it goes.
            message: what is sent.
            seconds: how long it may take, where its own timeout_seconds is not shorter.

        Raises:
            DeliveryFailed: it was not taken, or that is not known; `unknown` only once it may have been taken.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections; nothing is sent afterwards."""
        ...
