"""Numbers that no text will reach are found by the rule of the logon, and what is wrong with them is said."""

import pytest

from auth.addresses import phone_number
from auth.numbers import number_findings
from auth.spend.settings import SpendSettings, number_rules
from core.logins import policy
from schema.entry import AttributeText, User
from schema.words import TokenKind

STAFF = policy(sms_phone_attribute="mobile")
ANYWHERE = SpendSettings(countries=("any",))


def findings(number, region=None, spend=ANYWHERE, **values):
    texts = (AttributeText("mobile", number),) if number is not None else ()
    rules = number_rules(spend, region)
    return list(number_findings(User(sam="alice", texts=texts, **values), STAFF, region, rules))


@pytest.mark.parametrize(
    ("number", "region", "problem"),
    [
        ("1-800-FLOWERS", None, "letters"),
        ("tel:+436640000001", None, "letters"),
        ("+43 664 0000001 ext. 5", None, "extension"),
        ("+43 664 0000001 x5", None, "extension"),
        ("+43 664 0000001;ext=5", None, "extension"),
        ("0664 0000001", None, "no country code"),
        ("*21*06640000001", "AT", "command"),
        ("#31#+436640000001", None, "command"),
        ("+43 6", None, "can be dialled"),
        ("+43664000000123456789", None, "can be dialled"),
        ("+999 664 0000001", None, "can be dialled"),
        ("+43 664 0000001, +43 664 0000002", None, "can be dialled"),
        ("", None, "can be dialled"),
    ],
)
def test_what_the_logon_cannot_dial_is_certain_not_to_work_and_is_explained(number, region, problem):
    assert phone_number(number, region) is None
    (found,) = findings(number, region)
    assert problem in found.problem
    assert found.certain
    assert found.remedy


@pytest.mark.parametrize(
    ("number", "problem", "certain"),
    [
        ("+43 900 123456", "premium-rate", True),
        ("+43 800 123456", "toll-free", True),
        ("+43 810 123456", "shared-cost", True),
        ("+43 720 123456", "internet telephone", True),
        ("+43 1 0000001", "no range", True),
        ("+43 1 5880000", "landline", False),
    ],
)
def test_what_can_be_dialled_and_takes_no_texts_is_found_as_well(number, problem, certain):
    (found,) = findings(number)
    assert (problem in found.problem, found.certain) == (True, certain)


def test_a_country_that_texts_are_not_sent_to_is_found_with_what_lets_them():
    (found,) = findings("+49 151 12345678", "AT", SpendSettings())
    assert (found.problem, found.certain) == ("is in a country that texts are not sent to (DE, +49)", True)
    assert found.remedy.startswith("add DE to countries of [spend]")
    assert findings("+49 151 12345678", "AT", SpendSettings(countries=("AT", "DE"))) == []


def test_a_number_of_no_known_range_is_doubtful_where_texts_are_sent_to_it():
    (found,) = findings("+43 1 0000001", spend=SpendSettings(countries=("any",), refused_types=("premium",)))
    assert ("no range" in found.problem, found.certain) == (True, False)


@pytest.mark.parametrize(
    ("number", "region"), [("+43 664 0000001", None), ("0664 0000001", "AT"), ("+1 202 555 0123", None)]
)
def test_a_number_that_takes_texts_is_no_finding(number, region):
    assert findings(number, region, tokens=(TokenKind.SMS,)) == []


def test_who_has_an_sms_token_needs_a_number_and_nobody_else_does():
    (found,) = findings(None, tokens=(TokenKind.SMS,))
    assert (found.attribute, found.number) == ("mobile", "")
    assert findings(None, tokens=(TokenKind.EMAIL,)) == []


def test_the_users_own_number_is_judged_instead_of_the_policys_attribute():
    (found,) = findings("+43 664 0000001", phone="+43 900 123456")
    assert found.attribute == "dirfactorPhone"
    assert findings("+43 900 123456", phone="+43 664 0000001") == []


@pytest.mark.parametrize("number", ["+43 900 123456", "1-800-FLOWERS", "0664 0000001", "+43 1 5880000"])
def test_no_number_is_shown_whole(number):
    (found,) = findings(number)
    assert "***" in found.number
    assert number not in repr(found)
    assert number[3:-2] not in repr(found)
