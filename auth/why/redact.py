"""Who and what a decision was about, without any secret: `decide` says the same about it. Pure."""

import phonenumbers
from msgspec.structs import replace

from auth.addresses import PhoneNumber, masked, phone_number
from auth.facts import Evidence, NodeFacts, Typed
from auth.spend.numbers import NumberRules, number_type
from auth.vip.credential import CredentialKind
from dirsync.view import Person
from schema.entry import AttributeText

_HIDDEN = "***"
_OURS = "df1:"
_NO_BODY = "AAAA"
_NO_NUMBER = "#"  # as little a number as what it stands for
_SHOWN = 3  # characters of a number that are shown when it is masked
_LAST = 2
_HIDDEN_DIGITS = 4  # at least
_LONGEST_CODE = 10
_FILLERS = "7513264890"


def redacted_node(facts: NodeFacts) -> NodeFacts:
    """The same node without what proves to it who somebody is."""
    return replace(facts, node=replace(facts.node, shared_secret=None, api_key_hash=None))


def redacted_person(person: Person, region: str | None, rules: NumberRules) -> Person:
    """The same person with stand-ins for what is nobody's business later: numbers, digests, sealed values.

    Args:
        person: who.
        region: country of phone numbers without a country code.
        rules: which numbers get no text.
    """
    user = person.user
    bare = replace(
        user,
        phone=stand_in(user.phone, region, rules) if user.phone else user.phone,
        texts=tuple(_text(text, region, rules) for text in user.texts),
        malformed=tuple(replace(item, value=_HIDDEN) for item in user.malformed),
        vip_credentials=_credentials(user.vip_credentials),
        pin=_clear(user.pin),
        secrets=tuple(filter(None, map(_clear, user.secrets))),
        temporary_response=_clear(user.temporary_response),
    )
    return replace(person, user=bare)


def redacted_evidence(evidence: Evidence) -> Evidence:
    """The same without how long a password or PIN is; how many digits may be a code at either end of it stays."""
    return replace(
        evidence,
        pin_length=0,
        typed_password=_shape(evidence.typed_password),
        typed_code=_shape(evidence.typed_code),
    )


def _shape(typed: Typed) -> Typed:
    if not typed.given or typed.only_digits or not typed.readable:
        return typed
    leading, trailing = min(typed.leading_digits, _LONGEST_CODE), min(typed.trailing_digits, _LONGEST_CODE)
    return Typed(leading + trailing + 1, leading, trailing)


def _clear(value: str | None) -> str | None:
    """What is clear in a sealed value or digest (`auth.keys.text`), with a body that opens nothing."""
    if value is None:
        return None
    clear, colon, _ = value.rpartition(":")
    return f"{clear}:{_NO_BODY}" if colon and value.startswith(_OURS) else _HIDDEN


def _credentials(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Stand-ins for the telephones among VIP credentials, which look the same when they are masked and sorted."""
    ranks = {text: rank for rank, text in enumerate(sorted(texts))}
    return tuple(_telephone(text, ranks[text]) for text in texts)


def _telephone(text: str, rank: int) -> str:
    word, colon, number = text.partition(":")
    if not colon or word.lower() == CredentialKind.USER:
        return text
    head, tail = (number[:_SHOWN], number[-_LAST:]) if len(number) > _SHOWN + _LAST else ("", "")
    return f"{word}:{head}{str(rank % 10).ljust(len(number) - len(head) - len(tail), '0')}{tail}"


def stand_in(text: str, region: str | None, rules: NumberRules) -> str:
    """Another number of the same length that is of the same country and type; for what is no number, none.

    It looks the same when it is masked, and rules about numbers say the same of it. As few digits as possible are kept.
    """
    number = phone_number(text, region)
    if number is None:
        return _NO_NUMBER
    known = _known(number, rules)
    for kept in range(_SHOWN, len(number) - _LAST - _HIDDEN_DIGITS + 1):
        for digit in _FILLERS:
            middle = digit * (len(number) - kept - _LAST)
            other = phone_number(f"{number[:kept]}{middle}{number[-_LAST:]}", None)
            if other is not None and len(other) == len(number) and _known(other, rules) == known:
                return other
    return _NO_NUMBER


def _known(number: PhoneNumber, rules: NumberRules) -> tuple[object, ...]:
    """All that a decision may look at."""
    read = phonenumbers.parse(number)
    return masked(number), read.country_code, number_type(read), rules.refusal(number)


def _text(text: AttributeText, region: str | None, rules: NumberRules) -> AttributeText:
    """A mail address may stay: it is shown nowhere but masked, and it opens nothing."""
    return text if "@" in text.value else AttributeText(text.attribute, stand_in(text.value, region, rules))
