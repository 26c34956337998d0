"""Who and what a decision was about, without any secret: `decide` says the same about it. Pure."""

from dataclasses import replace

import msgspec
import phonenumbers

from auth.addresses import phone_number
from auth.facts import NodeFacts
from dirsync.view import Person
from schema.entry import AttributeText

_HIDDEN = "***"
_NO_NUMBER = "#"  # as little a number as what it stands for
_SHOWN = 3  # characters of a number that are shown when it is masked
_LAST = 2


def redacted_node(facts: NodeFacts) -> NodeFacts:
    """The same node without what proves to it who somebody is."""
    return replace(facts, node=msgspec.structs.replace(facts.node, shared_secret=None, api_key_hash=None))


def redacted_person(person: Person, region: str | None) -> Person:
    """The same person with stand-ins for what is nobody's business later: numbers, digests, sealed values.

    Args:
        person: who.
        region: country of phone numbers without a country code.
    """
    user = person.user
    bare = msgspec.structs.replace(
        user,
        phone=stand_in(user.phone, region) if user.phone else user.phone,
        texts=tuple(_text(text, region) for text in user.texts),
        malformed=tuple(msgspec.structs.replace(item, value=_HIDDEN) for item in user.malformed),
        pin=_HIDDEN if user.pin else user.pin,
        secrets=tuple(_HIDDEN for _ in user.secrets),
        temporary_response=_HIDDEN if user.temporary_response else user.temporary_response,
    )
    return replace(person, user=bare)


def stand_in(text: str, region: str | None) -> str:
    """Another number of the same country and length that looks the same when it is masked; for none, none."""
    number = phone_number(text, region)
    if number is None:
        return _NO_NUMBER
    country = phonenumbers.parse(number).country_code
    begin = number[: max(_SHOWN, 1 + len(str(country)))]
    middle = len(number) - len(begin) - _LAST
    made = (f"{begin}{digit * middle}{number[-_LAST:]}" for digit in "7513264890")
    return next((other for other in made if phone_number(other, None) == other), _NO_NUMBER)


def _text(text: AttributeText, region: str | None) -> AttributeText:
    """A mail address may stay: it is shown nowhere but masked, and it opens nothing."""
    return text if "@" in text.value else AttributeText(text.attribute, stand_in(text.value, region))
