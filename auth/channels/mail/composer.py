"""The mail for one message: headers that keep machines quiet, bodies that every server can carry. No I/O."""

import email.policy
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from auth.addresses import EmailAddress
from auth.channels.base import Message

# 7bit: bodies are encoded, so no server on the way has to know 8BITMIME
_POLICY = email.policy.SMTP.clone(cte_type="7bit")
_POLICY_UTF8 = email.policy.SMTPUTF8.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes mails from one sender.

    Attributes:
        sender: address that mails come from.
        sender_name: name that is shown with it; may be empty.
    """

    sender: EmailAddress
    sender_name: str

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.sender.rpartition("@")[2]

    def compose(self, to: EmailAddress, message: Message, now: datetime, identity: str) -> EmailMessage:
        """A mail to one person.

        Args:
            to: where it goes.
            message: what is sent; a subject of several lines becomes one.
            now: its Date.
            identity: unique; the left part of its Message-ID.

        Raises:
            ValueError: the address cannot stand in a header.
        """
        mail = EmailMessage(policy=_POLICY if to.isascii() else _POLICY_UTF8)
        mail["From"] = _address(self.sender, one_line(self.sender_name))
        mail["To"] = _address(to, "")
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = now
        mail["Message-ID"] = f"<{identity}@{self.domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
        mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        return mail


def one_line(text: str) -> str:
    """The text with every run of white space as one blank, and without characters that are not printed."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _address(address: EmailAddress, name: str) -> Address:
    local, _, domain = address.rpartition("@")
    if not (local.isprintable() and domain.isprintable()):
        msg = "a mail address with control characters"
        raise ValueError(msg)
    return Address(name, local, domain)
