"""The mail for one message: headers that keep machines quiet, bodies that every server can carry. No I/O."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage

from auth.addresses import EmailAddress, email_address
from auth.channels.base import DeliveryFailed, Message
from schema.errors import Fault

# 7bit: bodies are encoded, so no server on the way has to know 8BITMIME
_POLICY = email.policy.SMTP.clone(cte_type="7bit")
_POLICY_UTF8 = email.policy.SMTPUTF8.clone(cte_type="7bit")
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_ENCODED_WORD = "=?"  # how one begins
_NOT_IN_MAILS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")  # NUL by RFC 5322 section 4; servers refuse it


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes mails from one sender.

    Attributes:
        sender: address that mails come from.
        sender_name: name that is shown with it; may be empty.
        reply_to: where answers go; None for the sender.
    """

    sender: EmailAddress
    sender_name: str = ""
    reply_to: EmailAddress | None = None

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.sender.rpartition("@")[2]

    def check(self) -> None:
        """A mail from this sender is read as one from this sender.

        Raises:
            Fault: not so; the library folds some long names with punctuation in them in a way that others misread.
        """
        mail = self.compose(self.sender, Message("", ""), _SOME_DAY, "0")
        read = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)["From"]
        if [(each.display_name, each.addr_spec) for each in read.addresses] != [(self.sender_name, self.sender)]:
            raise Fault(
                "sender_name cannot stand in a mail",
                remedy="give a single line such as Example IT; a shorter one, or one without punctuation",
            )

    def octets(self, to: EmailAddress, message: Message, now: datetime, identity: str) -> bytes:
        """As `compose`, ready to be sent.

        Raises:
            DeliveryFailed: the address cannot stand in a mail.
        """
        try:
            return self.compose(to, message, now, identity).as_bytes()
        except ValueError:
            raise bad_address() from None

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
        if self.reply_to is not None:
            mail["Reply-To"] = _address(self.reply_to, "")
        mail["To"] = _address(to, "")
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = now
        mail["Message-ID"] = f"<{identity}@{self.domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
        mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        mail.set_content(_NOT_IN_MAILS.sub("", message.text))
        if message.html is not None:
            mail.add_alternative(_NOT_IN_MAILS.sub("", message.html), subtype="html")
        return mail


def sender_of(key: str, text: str) -> EmailAddress:
    """The address of a mail's sender.

    Args:
        key: what config.ini calls it.
        text: what stands there.

    Raises:
        Fault: it is none that every server takes.
    """
    sender = email_address(text)
    if sender is None or not sender.isascii():
        raise Fault(f"{key} is no mail address", remedy="give one, such as logon@example.org")
    return sender


def bad_address() -> DeliveryFailed:
    """The failure for an address that cannot stand in a mail; it is not quoted."""
    return DeliveryFailed(
        "the mail address cannot stand in a mail", remedy="check the person's mail address", permanent=True
    )


def one_line(text: str) -> str:
    """The text with every run of white space as one blank, and without what is not printed.

    Nor does it begin an encoded word (RFC 2047), which the library would decode, line breaks in it included.
    """
    shown = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return shown.replace(_ENCODED_WORD, " ".join(_ENCODED_WORD))


def _address(address: EmailAddress, name: str) -> Address:
    local, _, domain = address.rpartition("@")
    if not (local.isprintable() and domain.isprintable()) or _ENCODED_WORD in address:
        msg = "a mail address with control characters, or with an encoded word that might hold some"
        raise ValueError(msg)
    return Address(name, local, domain)
