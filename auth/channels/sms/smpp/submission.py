"""A text as submit_sm bodies: addresses, alphabet, parts with their headers. No I/O."""

import re
from typing import Final

from auth.addresses import PhoneNumber
from auth.channels.sms.encoding import Encoding, encoded, encoding_of, parts
from auth.channels.sms.smpp.pdu import Address, Submission
from auth.channels.sms.smpp.settings import LongTexts, SmppSettings
from schema.errors import Fault

_CODINGS: Final = {Encoding.GSM: 0x00, Encoding.UCS2: 0x08}  # section 5.2.19
_INTERNATIONAL: Final = (1, 1)  # section 5.2.5, and E.164 in 5.2.6
_SHORT: Final = (3, 0)  # network specific
_NAME: Final = (5, 0)  # alphanumeric
_HAS_HEADER: Final = 0x40  # UDHI, section 5.2.12
_LONGEST_NAME: Final = 11  # 3GPP TS 23.040 section 9.1.2.5: as many characters as an address field has room for
_SHORTEST_INTERNATIONAL: Final = 7


def source(settings: SmppSettings) -> Address:
    """The sender; an empty one leaves it to the centre.

    Raises:
        Fault: it is none that a text can come from.
    """
    sender = settings.sender
    digits = sender.removeprefix("+")
    if not sender:
        ton, npi = 0, 0
    elif re.fullmatch(r"[0-9]{1,15}", digits):
        international = sender.startswith("+") or len(digits) >= _SHORTEST_INTERNATIONAL
        sender = digits
        ton, npi = _INTERNATIONAL if international else _SHORT
    elif len(sender) <= _LONGEST_NAME and sender.isascii() and sender.isprintable():
        ton, npi = _NAME
    else:
        raise Fault(
            "sender is neither a number nor a name of at most 11 ASCII characters",
            remedy="give the sender that the operator has given you",
        )
    chosen = (settings.sender_ton, settings.sender_npi)
    ton, npi = (own if own is not None else derived for own, derived in zip(chosen, (ton, npi), strict=True))
    return Address(ton, npi, sender)


def submissions(settings: SmppSettings, to: PhoneNumber, text: str, reference: int) -> tuple[Submission, ...]:
    """The submit_sm bodies that carry a text, in the order in which they are sent.

    Args:
        settings: of the gateway.
        to: whom it goes to.
        text: any text.
        reference: 0 to 255; by which a phone knows the parts of one text.
    """
    encoding, cut = encoding_of(text), parts(text)
    whole = len(cut) == 1 or settings.long_texts is LongTexts.PAYLOAD
    messages = [encoded(text, encoding)] if whole else [
        # 3GPP TS 23.040 section 9.2.3.24.1: concatenated short messages with an 8-bit reference
        bytes((5, 0, 3, reference, len(cut), number)) + encoded(part, encoding)
        for number, part in enumerate(cut, 1)
    ]  # fmt: skip
    return tuple(
        Submission(
            service_type=settings.service_type,
            source=source(settings),
            destination=Address(*_INTERNATIONAL, to.removeprefix("+")),
            esm_class=0 if whole else _HAS_HEADER,
            registered_delivery=int(settings.receipts),
            data_coding=_CODINGS[encoding],
            message=message,
            in_payload=whole and len(cut) > 1,
        )
        for message in messages
    )
