"""Which numbers get no text, by country and type, and that a logon and `explain` go by the same rule."""

import pytest

from auth.addresses import PhoneNumber
from auth.facts import Reach
from auth.spend.numbers import NumberRules, NumberType
from auth.spend.settings import SpendSettings, findings, number_rules
from auth.tokens import Unusable, Usable, usable_tokens
from core.logins import REACH, policy, user
from schema.entry import AttributeText
from schema.words import TokenKind

REFUSED = {
    "+43900123456": "premium-rate",
    "+43810000000": "shared-cost",
    "+43800123456": "toll-free",
    "+447000123456": "personal",
    "+43720123456": "internet telephone",
    "+43676123": "no range",
}


@pytest.mark.parametrize("number", REFUSED)
def test_types_that_cost_more_or_take_no_texts_get_none_by_default_and_the_remedy_names_the_setting(number):
    found = number_rules(SpendSettings(countries=("any",)), None).refusal(PhoneNumber(number))
    assert REFUSED[number] in found.problem
    assert "refused_types of [spend]" in found.remedy


@pytest.mark.parametrize("number", ["+436640000001", "+12025550123", "+442079460123"])
def test_mobiles_and_landlines_get_texts_by_default(number):
    assert number_rules(SpendSettings(countries=("any",)), None).refusal(PhoneNumber(number)) is None


def test_what_is_taken_out_of_the_list_gets_texts():
    spend = SpendSettings(countries=("any",), refused_types=("premium",))
    assert number_rules(spend, None).refusal(PhoneNumber("+43720123456")) is None
    assert number_rules(spend, None).refusal(PhoneNumber("+43900123456")) is not None


@pytest.mark.parametrize(
    ("countries", "region", "number", "goes"),
    [
        ((), "AT", "+436640000001", True),
        ((), "AT", "+4915112345678", False),
        ((), None, "+4915112345678", True),
        ((), "US", "+12025550123", True),
        ((), "US", "+18762345678", False),  # Jamaica has the same calling code, and other prices
        (("+1",), "US", "+18762345678", True),
        (("DE",), "AT", "+4915112345678", True),
        (("DE",), "AT", "+436640000001", False),
        (("+43",), None, "+436640000001", True),
        (("+43664", "DE"), None, "+436760000001", False),
        (("any",), "AT", "+18762345678", True),
    ],
)
def test_texts_go_to_the_countries_that_are_named_else_to_the_regions_own(countries, region, number, goes):
    spend = SpendSettings(countries=countries, refused_types=())
    assert (number_rules(spend, region).refusal(PhoneNumber(number)) is None) == goes


def test_a_refusal_names_the_country_and_not_the_number():
    found = NumberRules(places=("AT",)).refusal(PhoneNumber("+4915112345678"))
    assert found.problem == "is in a country that texts are not sent to (DE, +49)"
    assert found.remedy.startswith("add DE to countries of [spend]")


@pytest.mark.parametrize("number", ["+49 151 12345678", "+43 900 123456"])
def test_a_token_whose_number_gets_no_text_is_unusable_and_explain_says_why(number):
    rules = number_rules(SpendSettings(), "AT")
    somebody = user(texts=(AttributeText("mobile", number),))

    def sms(reach):
        return next(item for item in usable_tokens(somebody, policy(), "AT", reach) if item.kind is TokenKind.SMS)

    assert isinstance(sms(REACH), Usable), "without rules it goes"
    found = sms(Reach(REACH.sms, REACH.mail, REACH.vip, rules))
    assert isinstance(found, Unusable)
    assert found.why.startswith("the number in mobile is ")
    assert "[spend]" in found.why


@pytest.mark.parametrize(
    ("spend", "keys"),
    [
        (SpendSettings(), []),
        (SpendSettings(countries=("AT", "+43", "+1876")), []),
        (SpendSettings(countries=("Austria", "XX", "43", "+0")), ["countries"] * 4),
        (SpendSettings(countries=("any", "AT")), ["countries"]),
        (SpendSettings(refused_types=("premium", "expensive")), ["refused_types"]),
        (SpendSettings(prices=("kannel = 0.05", "kannel=1")), []),
        (SpendSettings(prices=("kannel = cheap", "other = 0.05", "kannel = 0,05")), ["prices"] * 3),
        (SpendSettings(money_per_day=20.0), ["money_per_day"]),
    ],
)
def test_what_is_wrong_with_the_section_is_found(spend, keys):
    assert [key for key, _, _ in findings(spend, ["kannel"])] == keys


def test_all_but_mobiles_and_landlines_is_refused_by_default():
    assert set(NumberType) - set(SpendSettings().refused_types) == {NumberType.MOBILE, NumberType.LANDLINE}
    rules = NumberRules(refused=frozenset(NumberType))
    assert rules.refusal(PhoneNumber("+436640000001")).problem == "is a mobile number"
