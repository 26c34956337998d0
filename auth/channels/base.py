"""What every transport of codes has in common: the message, the receipt, the failure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from schema.errors import Fault

AddressT_contra = TypeVar("AddressT_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; it holds a code, so nothing of it is ever shown.

    Attributes:
        subject: a mail's subject; texts have none.
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
        gateway: which one.
        message_id: under which id, when it says so.
    """

    gateway: str
    message_id: str | None = None


class DeliveryFailed(Fault):
    """A message was not taken, or it is not known whether it was.

    Args:
        problem: what happened, without code, credentials or whole address.
        remedy: what to do.
        permanent: the address itself was refused; another gateway would say the same.
        unknown: the message may have been taken; sending it again may send it twice.
    """

    def __init__(self, problem: str, *, remedy: str, permanent: bool = False, unknown: bool = False) -> None:
        super().__init__(problem, remedy=remedy)
        self.permanent = permanent
        self.unknown = unknown


class OnUnknown(StrEnum):
    """What follows when a gateway gave no answer and may have taken the message."""

    STOP = "stop"  # at most one text
    FAILOVER = "failover"  # rather two texts than none


class Gateway(Protocol[AddressT_contra]):
    """One way to hand a message over."""

    @property
    def name(self) -> str:
        """Its name in config.ini."""
        ...

    @property
    def on_unknown(self) -> OnUnknown:
        """What follows when it is not known whether the message was taken."""
        ...

    async def send(self, to: AddressT_contra, message: Message) -> Receipt:
        """Hand over one message, once.

        Raises:
            DeliveryFailed: it was not taken, or that is not known.
        """
        ...
