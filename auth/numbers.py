"""Phone numbers that no text will reach: what is wrong with them, by the rule that a logon goes by. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException

from auth.addresses import masked, phone_number
from auth.spend.numbers import NumberRules, NumberType, number_type
from auth.tokens import phone_home
from schema.entry import Policy, User
from schema.words import TokenKind

_LETTER = re.compile(r"[^\W\d_]")
_MOBILE = "write the person's mobile number, with its country code"


@dataclass(frozen=True, slots=True)
class NumberFinding:
    """A number that will not work.

    Attributes:
        attribute: where it stands, or should stand.
        number: the number, masked; empty when there is none.
        problem: what is wrong, as a sentence about the number without its subject.
        remedy: what to do.
        certain: whether it cannot work; else it may not.
    """

    attribute: str
    number: str
    problem: str
    remedy: str
    certain: bool = True


def number_findings(user: User, policy: Policy, region: str | None, rules: NumberRules) -> Iterator[NumberFinding]:
    """What is wrong with the number that a text to this user would go to; who needs none need not have one.

    Args:
        user: whose number.
        policy: says where it stands.
        region: country of numbers without a country code.
        rules: which numbers get no text.
    """
    home, text = phone_home(user, policy)
    if text is None:
        if TokenKind.SMS in user.tokens:
            yield NumberFinding(home, "", "is not there, and the user has an SMS token", _MOBILE)
        return
    number = phone_number(text, region)
    if number is None:
        problem, remedy = why_no_number(text, region)
        yield NumberFinding(home, masked(text.strip()), problem, remedy)
        return
    refusal = rules.refusal(number)
    kind = number_type(phonenumbers.parse(number))
    if refusal is not None:
        yield NumberFinding(home, masked(number), refusal.problem, refusal.remedy)
    elif kind is NumberType.UNKNOWN:
        problem = "is in no range that its country is known to have given out"
        yield NumberFinding(home, masked(number), problem, "see that no digit is missing or wrong", certain=False)
    elif kind is NumberType.LANDLINE:
        yield NumberFinding(home, masked(number), "is a landline, which may take no texts", _MOBILE, certain=False)


def why_no_number(text: str, region: str | None) -> tuple[str, str]:
    """Why `auth.addresses.phone_number` takes a text for no number, and what to do.

    Args:
        text: that it has refused.
        region: that it was given.
    """
    try:
        extension = phonenumbers.parse(text, region.upper() if region else None).extension
    except NumberParseException as error:
        national = error.error_type == NumberParseException.INVALID_COUNTRY_CODE and "+" not in text
        if national and not _LETTER.search(text):
            return "has no country code", "write it as +43 664 ..., or set region in config.ini's [service]"
        extension = None
    if extension:
        return "has an extension, which no text can dial", "write the number alone"
    if _LETTER.search(text):
        return "has letters in it", "write digits only"
    if "*" in text or "#" in text:
        return "has * or # in it, which a network takes for a command", "write digits only"
    return "is no number that can be dialled", "write one number, with its country code, such as +43 664 ..."
