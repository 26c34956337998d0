"""The [spend] section of config.ini, and what is wrong with one."""

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec
import phonenumbers

from auth.lines import Lines
from auth.spend.numbers import NumberRules, NumberType

# key, problem, remedy
Finding = tuple[str, str, str]

_EVERYWHERE = "any"
_BEGINNING = re.compile(r"\+[1-9][0-9]{0,6}")
_PRICE = re.compile(r"(?P<gateway>\S+)\s*=\s*(?P<price>[0-9]{1,4}(\.[0-9]{1,6})?)")


class SpendSettings(msgspec.Struct, frozen=True):
    """The [spend] section: what texts may cost at most. A limit of 0 is none.

    Attributes:
        countries: where texts go, as ISO 3166 codes (AT) or beginnings of numbers (+43, +4366), or any; when absent
            [service] region, and without that everywhere.
        refused_types: types of number that get no text, whatever the country.
        per_user_hour: texts to one user in an hour.
        per_user_day: texts to one user in 24 hours.
        per_number_day: texts to one number in 24 hours, whoever's it is.
        prefix_digits: how many digits, the country's included, numbers of one prefix have in common.
        per_prefix_day: texts to one prefix in 24 hours.
        per_day: texts in 24 hours.
        money_per_day: what texts may cost in 24 hours, in the currency of prices.
        prices: what one part of a text costs, one `gateway = 0.05` a line; a gateway without price costs nothing.
        alarm_below: share of codes answered rightly, of those sent to one prefix within an hour, below which the texts
            look like somebody's earnings.
        alarm_after: codes to the prefix in that hour from which on that is judged; 0 for never.
        alarm_stops: whether that prefix then gets no text until the hour is over.
    """

    countries: tuple[str, ...] = ()
    refused_types: tuple[str, ...] = (
        NumberType.PREMIUM,
        NumberType.SHARED_COST,
        NumberType.TOLL_FREE,
        NumberType.PERSONAL,
        NumberType.COMPANY,
        NumberType.PAGER,
        NumberType.VOICEMAIL,
        NumberType.VOIP,
        NumberType.UNKNOWN,
    )
    per_user_hour: int = 20
    per_user_day: int = 50
    per_number_day: int = 50
    prefix_digits: int = 7
    per_prefix_day: int = 2_000
    per_day: int = 10_000
    money_per_day: float = 0.0
    prices: Lines = Lines(())
    alarm_below: float = 0.5
    alarm_after: int = 20
    alarm_stops: bool = False

    @property
    def price_of(self) -> Mapping[str, int]:
        """What one part costs, by gateway, in millionths."""
        matches = (_PRICE.fullmatch(line) for line in self.prices)
        return {match["gateway"]: round(float(match["price"]) * 1_000_000) for match in matches if match}


def number_rules(spend: SpendSettings, region: str | None) -> NumberRules:
    """To which numbers texts go.

    Args:
        spend: the section.
        region: [service] region, which is where they go when the section does not say.
    """
    places = spend.countries or ((region,) if region else (_EVERYWHERE,))
    refused = frozenset(NumberType(word) for word in spend.refused_types if word in set(NumberType))
    return NumberRules(None if _EVERYWHERE in places else places, refused)


def findings(spend: SpendSettings, gateways: Collection[str]) -> Iterator[Finding]:
    """Everything that is wrong with the section.

    Args:
        spend: the section.
        gateways: names of the SMS gateways.
    """
    for place in spend.countries:
        if place != _EVERYWHERE and place not in phonenumbers.SUPPORTED_REGIONS and not _BEGINNING.fullmatch(place):
            yield "countries", f"{place!r} is no country", "give ISO 3166 codes such as AT, or +43, or any"
    if _EVERYWHERE in spend.countries and len(spend.countries) > 1:
        yield "countries", "names countries beside any", "leave one of them out"
    for word in spend.refused_types:
        if word not in set(NumberType):
            yield "refused_types", f"{word!r} is not known", "known are " + ", ".join(NumberType)
    for line in spend.prices:
        match = _PRICE.fullmatch(line)
        if match is None:
            yield "prices", f"{line!r} is no price", "write `gateway = 0.05`, one a line"
        elif match["gateway"] not in gateways:
            yield "prices", f"there is no [sms:{match['gateway']}]", "known are " + (", ".join(gateways) or "none")
    if spend.money_per_day and not spend.prices:
        yield "money_per_day", "means nothing without prices", "add prices, one `gateway = 0.05` a line"
