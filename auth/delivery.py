"""Codes on their way to their token's owner: which channel, which words, and whether the spend guard lets them go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from auth.addresses import EmailAddress, PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.breaker import Standing
from auth.channels.minted import MintedChannel, render
from auth.channels.sms.encoding import parts
from auth.receipts.book import ReceiptBook
from auth.spend.guard import SpendGuard, Text
from auth.tokens import Usable
from schema.entry import EntryId, Policy
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class Errand:
    """What codes are sent for.

    Attributes:
        user: whose they are.
        login: correlation of the request that began the login.
        ahead: whether the codes are good for logons to come as well, so that the message tells how long those are.
    """

    user: EntryId
    login: str
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """The channels for codes that we mint.

    Attributes:
        sms: texts.
        mail: mails.
        deadline_seconds: how long all gateways together may take for one message.
        guard: which texts may be sent.
        book: remembers which text was for which login.
        now: the instant.
    """

    sms: MintedChannel[PhoneNumber]
    mail: MintedChannel[EmailAddress]
    deadline_seconds: float
    guard: SpendGuard
    book: ReceiptBook
    now: Callable[[], datetime]

    async def deliver(self, token: Usable, policy: Policy, codes: Sequence[Secret], errand: Errand) -> Receipt:
        """Hand the codes, in one message, to the gateways that the policy names.

        Raises:
            DeliveryFailed: none took it.
            SpendRefused: the spend guard does not let the text go.
            StateUnavailable: whether it may go cannot be known.
        """
        shown = [code.text for code in codes]
        minutes = policy.ahead_lifetime * 60 if errand.ahead else max(1, policy.code_lifetime // 60)
        if token.phone is not None:
            text = render(policy.sms_template, shown, minutes)
            return await self._text(token.phone, text, policy, errand)
        if token.mail is not None:
            html = policy.email_html_template
            message = Message(
                subject=policy.email_subject,
                text=render(policy.email_template, shown, minutes),
                html=render(html, shown, minutes) if html else None,
            )
            return await self.mail.deliver(
                token.mail, message, gateways=policy.email_gateways, deadline_seconds=self.deadline_seconds
            )
        raise DeliveryFailed(f"a {token.kind} token has no address", remedy="report this with the log", permanent=True)

    def standings(self) -> Mapping[tuple[str, str], Standing]:
        """How each gateway stands now, by channel and name."""
        channels = (("sms", self.sms.standings()), ("email", self.mail.standings()))
        return {(kind, name): standing for kind, found in channels for name, standing in found.items()}

    def report(self) -> Mapping[str, str | int]:
        """For whoever watches the service: gateways that are left alone, and what the spend guard did."""
        standings = {
            f"{kind}:{name}": standing.value
            for (kind, name), standing in self.standings().items()
            if standing is not Standing.CLOSED
        }
        alarms = {"texts_unanswered": ", ".join(f"+{prefix}" for prefix in self.guard.alarms)}
        counters = {"texts_refused": self.guard.refused, "receipts_unknown": self.book.unknown}
        counted = {name: number for name, number in counters.items() if number}
        return standings | (alarms if self.guard.alarms else {}) | counted

    async def _text(self, number: PhoneNumber, text: str, policy: Policy, errand: Errand) -> Receipt:
        """A text, which counts unless it is known that nobody took it, and once more for each that may have besides."""
        gateways = policy.sms_gateways or self.sms.names
        at = self.now()
        asked_for = Text(errand.user, number, gateways, len(parts(text)), not errand.ahead)
        held = [await self.guard.reserve(asked_for, at)]
        await self.guard.settled()

        async def counted(texts: int) -> None:
            while len(held) < texts:  # its code is answered once, however many bring it
                held.append(await self.guard.reserve(replace(asked_for, answered_now=False), at))
                await self.guard.settled()
            while len(held) > texts:
                await self.guard.give_back(held.pop(), at)

        try:
            receipt = await self.sms.deliver(
                number,
                Message(subject="", text=text),
                gateways=gateways,
                deadline_seconds=self.deadline_seconds,
                counted=counted,
            )
        except DeliveryFailed as failure:
            if not failure.unknown:
                await counted(0)
            raise
        await self.book.sent(receipt, errand.user, errand.login, at)
        return receipt
