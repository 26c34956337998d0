"""The request by which Microsoft Graph sends a mail: user: sendMail, in JSON. No I/O."""

from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from auth.addresses import EmailAddress
from auth.channels.base import Message
from auth.channels.mail.composer import bad_address, one_line
from auth.http_exchange import Question
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """Writes requests of one mailbox.

    Attributes:
        graph_url: where Graph is.
        sender: the mailbox.
        reply_to: where answers go; None for the sender.
    """

    graph_url: str
    sender: EmailAddress
    reply_to: EmailAddress | None = None

    def fill(self, to: EmailAddress, message: Message, token: Secret, identity: str) -> Question:
        """The request for one mail.

        It is JSON and no MIME, because only so the mail, which has a code in it, is not kept among the sent ones. Graph
        makes the plain alternative of HTML itself, and lets only headers be set that begin with x-.

        Args:
            to: where it goes.
            message: what is sent.
            token: goes into Authorization.
            identity: a UUID, by which Microsoft's support can find the request.

        Raises:
            DeliveryFailed: the address cannot stand in a mail.
        """
        if not to.isprintable():
            raise bad_address()
        html = message.html is not None
        mail = {
            "subject": one_line(message.subject),
            "body": {"contentType": "HTML" if html else "Text", "content": message.html if html else message.text},
            "toRecipients": [_recipient(to)],
            "internetMessageHeaders": [{"name": "X-Auto-Response-Suppress", "value": "All"}],
        }
        if self.reply_to is not None:
            mail["replyTo"] = [_recipient(self.reply_to)]
        headers = {
            "Authorization": f"Bearer {token.text}",
            "Content-Type": "application/json",
            "client-request-id": identity,
        }
        url = f"{self.graph_url.rstrip('/')}/v1.0/users/{quote(self.sender, safe='')}/sendMail"
        return Question("POST", url, headers, msgspec.json.encode({"message": mail, "saveToSentItems": False}))


def _recipient(address: EmailAddress) -> dict[str, dict[str, str]]:
    return {"emailAddress": {"address": address}}
