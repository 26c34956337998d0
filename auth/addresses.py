"""Where a code can be sent: a phone number cannot be handed to a mailer, nor a mail address to an SMS gateway."""

import re
from functools import lru_cache
from typing import NewType

import phonenumbers

PhoneNumber = NewType("PhoneNumber", str)  # E.164, e.g. +12025550123
EmailAddress = NewType("EmailAddress", str)

_NO_NUMBER = re.compile(r"[^\W\d_]|[*#]")
# A Dot-string (RFC 5321 section 4.1.2, with RFC 6531's letters) at a Domain; quotes and literals are nobody's mailbox.
_MAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u00a1-\U0010ffff]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
)


# one logon asks several times, and a numbering plan is slow to read
@lru_cache(1024)
def phone_number(text: str, region: str | None) -> PhoneNumber | None:
    """The E.164 form of a number as people write it, or None when it is no number that can be dialled.

    Args:
        text: free text from the directory. Letters are refused: `1-800-FLOWERS` is nobody's mobile; so are * and #,
            which a network takes for a command.
        region: ISO 3166 code of the country whose national numbers are meant, e.g. `AT`; None wants a leading `+`.
    """
    if _NO_NUMBER.search(text):
        return None
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except phonenumbers.NumberParseException:
        return None
    # a number that is only complete within its town is possible as well, for the library
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if number.extension or not possible:
        return None
    found = PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # where zeros do not belong to a number, what begins with more of them than are dialled is read otherwise elsewhere
    return found if not number.italian_leading_zero or _is_read_as(number, found) else None


def _is_read_as(number: phonenumbers.PhoneNumber, found: PhoneNumber) -> bool:
    try:
        return phonenumbers.parse(found, None) == number
    except phonenumbers.NumberParseException:
        return False


def email_address(text: str) -> EmailAddress | None:
    """The address, or None when it is not one plain RFC 5321 address (no display name, no list)."""
    text = text.strip()
    # an encoded word (RFC 2047) stands for other characters, and is nobody's mailbox
    plain = _MAIL.fullmatch(text) and ".." not in text and "=?" not in text and text.isprintable()
    return EmailAddress(text) if plain else None


def masked(address: str) -> str:
    """Enough of an address for its owner to know it: `+43***67`, `a***@example.org`."""
    local, at, domain = address.partition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 5 else "***"  # noqa: PLR2004 - shorter ones would show
