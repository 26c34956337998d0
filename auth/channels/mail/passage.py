"""What every way to hand a mail over has in common beyond `Gateway`: it can say how a mail went, and try itself out."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.addresses import EmailAddress
from auth.channels.base import Gateway, Message


@dataclass(frozen=True, slots=True)
class Passage:
    """How a mail went to its server, or would go.

    Attributes:
        server: host and port, or URL.
        tls: version of TLS, such as TLSv1.3; None without TLS.
        authentication: how we proved who we are, such as `XOAUTH2 as logon@example.org`; None when we did not.
        message_id: what the mail is known by in the server's log; None when there was no mail.
        queue_id: what the server itself calls the mail; None when it does not say.
    """

    server: str
    tls: str | None
    authentication: str | None
    message_id: str | None = None
    queue_id: str | None = None


class MailGateway(Gateway[EmailAddress], Protocol):
    """A gateway for mail addresses."""

    async def hand_in(self, to: EmailAddress, message: Message, *, seconds: float = math.inf) -> Passage:
        """As `send`, for whoever wants to know how it went.

        Raises:
            DeliveryFailed: it was not taken, or that is not known.
        """
        ...

    async def rehearse(self, to: EmailAddress) -> Passage:
        """Everything that comes before a mail to this address, as far as it leaves no trace.

        Raises:
            DeliveryFailed: it would not come to a mail.
        """
        ...

    async def greet(self) -> datetime | None:
        """Reach the server, without an address: for whoever wants to know that it works.

        Returns:
            When the server's certificate ends; None without TLS.

        Raises:
            DeliveryFailed: it would not come to a mail.
        """
        ...
