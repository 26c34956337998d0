"""Numbers that no text is sent to, whoever asks: by country and by type. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from auth.addresses import PhoneNumber


class NumberType(StrEnum):
    """What a number is for, as far as the numbering plans tell."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    PREMIUM = "premium"
    SHARED_COST = "shared-cost"
    TOLL_FREE = "toll-free"
    PERSONAL = "personal"
    COMPANY = "company"
    PAGER = "pager"
    VOICEMAIL = "voicemail"
    VOIP = "voip"
    UNKNOWN = "unknown"


_TYPES = {
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberType.LANDLINE,
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
    PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
    PhoneNumberType.UAN: NumberType.COMPANY,
    PhoneNumberType.PAGER: NumberType.PAGER,
    PhoneNumberType.VOICEMAIL: NumberType.VOICEMAIL,
    PhoneNumberType.VOIP: NumberType.VOIP,
}
_WORDS = {
    NumberType.MOBILE: "is a mobile number",
    NumberType.LANDLINE: "is a landline",
    NumberType.PREMIUM: "is a premium-rate number",
    NumberType.SHARED_COST: "is a shared-cost number",
    NumberType.TOLL_FREE: "is a toll-free number",
    NumberType.PERSONAL: "is a personal number, which is charged like a premium-rate one",
    NumberType.COMPANY: "is a company's access number",
    NumberType.PAGER: "is a pager",
    NumberType.VOICEMAIL: "is a voice mailbox",
    NumberType.VOIP: "is an internet telephone, which belongs to no one device (NIST SP 800-63B)",
    NumberType.UNKNOWN: "is in no range that its country is known to have given out",
}


@dataclass(frozen=True, slots=True)
class NumberRefusal:
    """Why no text is sent to a number.

    Attributes:
        problem: a sentence about the number without its subject.
        remedy: what to do.
    """

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class NumberRules:
    """Which numbers get no text; without arguments every number may have one.

    Attributes:
        places: countries by their ISO 3166 codes (`AT`), or beginnings of numbers (`+43`); None for everywhere.
        refused: types of number.
    """

    places: tuple[str, ...] | None = None
    refused: frozenset[NumberType] = field(default_factory=frozenset)

    def refusal(self, number: PhoneNumber) -> NumberRefusal | None:
        """Why no text is sent to this number; None when one may be."""
        return _refusal(self, number)


# one logon asks several times, and a numbering plan is slow to read
@lru_cache(1024)
def _refusal(rules: NumberRules, number: PhoneNumber) -> NumberRefusal | None:
    read = phonenumbers.parse(number)
    if rules.places is not None and not _within(number, read, rules.places):
        country = phonenumbers.region_code_for_number(read)
        name = f"{country}, +{read.country_code}" if country else f"+{read.country_code}"
        return NumberRefusal(
            f"is in a country that texts are not sent to ({name})",
            f"add {country or f'+{read.country_code}'} to countries of [spend] in config.ini, or write another number",
        )
    kind = number_type(read)
    if kind in rules.refused:
        return NumberRefusal(
            _WORDS[kind],
            f"write the person's mobile number, or take {kind} out of refused_types of [spend] in config.ini",
        )
    return None


def number_type(number: phonenumbers.PhoneNumber) -> NumberType:
    """What the number is for."""
    return _TYPES.get(phonenumbers.number_type(number), NumberType.UNKNOWN)


def _within(number: PhoneNumber, read: phonenumbers.PhoneNumber, places: Iterable[str]) -> bool:
    country = phonenumbers.region_code_for_number(read)
    return any(number.startswith(place) if place.startswith("+") else place == country for place in places)
