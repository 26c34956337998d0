"""Delivery receipts: what a centre says later of a text that it took. No I/O."""

import re
from typing import Final

from auth.channels.base import DeliveryReport, Fate
from auth.channels.sms.smpp.pdu import Delivery, Tag

# section 5.2.12: bits 5 to 2 of esm_class tell a receipt and an intermediate notification from a text of a person
_KIND: Final = 0x3C
_RECEIPTS: Final = {0x04, 0x20}
# section 5.2.28, and appendix B for the words
_STATES: Final = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
_FATES: Final = {
    "DELIVRD": Fate.DELIVERED,
    "ENROUTE": Fate.UNDER_WAY, "ACCEPTD": Fate.UNDER_WAY, "UNKNOWN": Fate.UNDER_WAY,
    "EXPIRED": Fate.FAILED, "DELETED": Fate.FAILED, "UNDELIV": Fate.FAILED, "REJECTD": Fate.FAILED,
}  # fmt: skip
_ID = re.compile(r"\bid:\s*([!-~]{1,65})")
_STATE = re.compile(r"\bstat:\s*([A-Z]+)")
_ERROR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,10})")
_NO_ERROR = re.compile("0+")


def read_receipt(gateway: str, delivery: Delivery) -> DeliveryReport | None:
    """The report in a deliver_sm; None when it is a person's text, or a receipt that names no message.

    Optional parameters count before the text of appendix B, whose form centres choose.

    Args:
        gateway: the gateway's name in config.ini.
        delivery: what came.
    """
    if delivery.esm_class & _KIND not in _RECEIPTS:
        return None
    text = delivery.message.decode("latin-1")
    named = delivery.options.get(Tag.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("latin-1")
    message_id = named or _first(_ID, text)
    state = _STATES.get(int.from_bytes(delivery.options.get(Tag.MESSAGE_STATE, b""), "big")) or _first(_STATE, text)
    fate = _FATES.get(state or "")
    if not message_id or fate is None:
        return None
    return DeliveryReport(gateway, message_id, fate, _error(text) if fate is Fate.FAILED else None)


def as_number(identity: str, base: int) -> str:
    """An id that is a number in this base, in hexadecimal without leading zeros, in which both ways to write it agree.

    Args:
        identity: an id; one that is no such number stays as it is.
        base: 10 or 16.
    """
    try:
        return f"{int(identity, base):x}"
    except ValueError:
        return identity


def _error(text: str) -> str | None:
    code = _first(_ERROR, text)
    return None if code is None or _NO_ERROR.fullmatch(code) else code


def _first(expression: re.Pattern[str], text: str) -> str | None:
    found = expression.search(text)
    return found[1] if found else None
