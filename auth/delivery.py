"""A code on its way to its token's owner: which channel, which words."""

from dataclasses import dataclass

from auth.addresses import EmailAddress, PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.minted import MintedChannel, render
from auth.tokens import Usable
from schema.entry import Policy
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """The channels for codes that we mint.

    Attributes:
        sms: texts.
        mail: mails.
        deadline_seconds: how long all gateways together may take for one message.
    """

    sms: MintedChannel[PhoneNumber]
    mail: MintedChannel[EmailAddress]
    deadline_seconds: float

    async def deliver(self, token: Usable, policy: Policy, code: Secret) -> Receipt:
        """Hand the code to the gateways that the policy names.

        Raises:
            DeliveryFailed: none took it.
        """
        minutes = max(1, policy.code_lifetime // 60)
        if token.phone is not None:
            text = render(policy.sms_template, (code.text,), minutes)
            message = Message(subject="", text=text, html=None)
            return await self.sms.deliver(
                token.phone, message, gateways=policy.sms_gateways, deadline_seconds=self.deadline_seconds
            )
        if token.mail is not None:
            html = policy.email_html_template
            message = Message(
                subject=policy.email_subject,
                text=render(policy.email_template, (code.text,), minutes),
                html=render(html, (code.text,), minutes) if html else None,
            )
            return await self.mail.deliver(
                token.mail, message, gateways=policy.email_gateways, deadline_seconds=self.deadline_seconds
            )
        raise DeliveryFailed(f"a {token.kind} token has no address", remedy="report this with the log", permanent=True)
