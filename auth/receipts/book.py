"""The book of texts that gateways took: a receipt is believed when it is about one of them, and goes into the audit."""

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from auth.audit import AuditLine
from auth.channels.base import DeliveryReport, Fate, Receipt
from auth.reason import Reason
from auth.state import SentMessage, Store
from schema.entry import EntryId
from schema.errors import Fault

_log = logging.getLogger("dirfactor.receipts")
_REASONS = {Fate.DELIVERED: Reason.MESSAGE_DELIVERED, Fate.FAILED: Reason.MESSAGE_UNDELIVERED}


class ReceiptBook:
    """Knows which text was for which login.

    Args:
        store: remembers texts.
        record: writes an audit line.

    Attributes:
        unknown: receipts, since the start, about texts that nobody here has sent.
    """

    def __init__(self, store: Store, record: Callable[[AuditLine], None]) -> None:
        self._store = store
        self._record = record
        self.unknown = 0

    async def sent(self, receipt: Receipt, user: EntryId, login: str, at: datetime) -> None:
        """A gateway took a text. That it cannot be remembered is logged, and keeps nobody from logging on."""
        if receipt.message_id is None:
            return
        try:
            await self._store.remember(SentMessage(receipt.gateway, receipt.message_id, user, login, at))
        except Fault as fault:
            _log.error("%s: its receipt will not be known: %s", login, fault)

    async def note(self, report: DeliveryReport, at: datetime) -> bool:
        """What a gateway says of a text that it took.

        Recorded are the two ends that a text can come to, each once; what it meets on the way is not. Two nodes that
        are told the same at the same instant may both record it: twice is better than not at all.

        Args:
            report: the text, and what became of it.
            at: when it was said.

        Returns:
            Whether the text is known here.

        Raises:
            StateUnavailable: it cannot be known.
            AuditUnavailable: it could not be recorded; the provider may say it again.
        """
        message = await self._store.remembered(report.gateway, report.message_id)
        if message is None:
            self.unknown += 1
            _log.info("%s: a receipt about a text that was not sent from here, or more than a week ago", report.gateway)
            return False
        if report.fate is Fate.UNDER_WAY or report.fate.value in message.fates:
            return True
        self._record(_line(message, report, at))
        await self._store.remember(msgspec.structs.replace(message, fates=(*message.fates, report.fate.value)))
        if report.fate is Fate.FAILED:
            _log.warning("%s: %s says that the text has not reached the phone", message.login, report.gateway)
        return True


def _line(message: SentMessage, report: DeliveryReport, at: datetime) -> AuditLine:
    return AuditLine(
        at=at,
        correlation=message.login,
        login=message.login,
        outcome="receipt",
        reason=_REASONS[report.fate],
        door="",
        node="",
        address="",
        user_id=message.user.hex(),
        gateway=message.gateway,
        message_id=message.id,
        detail=f"error code {report.error_code}" if report.error_code else "",
    )
