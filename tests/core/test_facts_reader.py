"""Of the codes on stock those are known that are for the address to which the policy has codes sent now."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from auth.addresses import PhoneNumber
from auth.embedded_state import EmbeddedStore
from auth.facts_reader import FactsReader, Rules
from auth.judges.minted import MintedJudge
from auth.tokens import Usable
from core.logins import NOW, PHONE, REACH, link, node, person, policy
from dirsync.view import Freshness
from plain_store import Plain, PlainStore
from schema.entry import AttributeText
from schema.secret import Secret
from schema.words import SendMode, TokenKind

AHEAD = policy(sms_mode=SendMode.AHEAD)


@pytest.fixture
def stock_of(tmp_path):
    """How many codes on stock somebody has, of three texts to the number that everybody of these tests has."""
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot")) as store:
        texted = Usable(TokenKind.SMS, phone=PhoneNumber(PHONE))
        codes = [Secret(text) for text in ("111111", "222222", "333333")]
        Plain(MintedJudge(store, b"k" * 32, int)).lay_in(person().id, texted, codes, NOW + timedelta(hours=1))
        directory = SimpleNamespace(freshness=lambda _: Freshness(7, NOW))
        nodes = SimpleNamespace(named=lambda _: SimpleNamespace(facts=node()))
        reader = FactsReader(directory, nodes, Rules(None, 86_400, "AT", REACH))

        def stock(settings, **values):
            found = (person(link(settings), **values),)
            recalled = PlainStore(store).recall(reader.wanted("vpn", found, NOW), NOW)
            return reader.facts("vpn", found, recalled).stock

        yield stock


def test_codes_on_stock_are_known_where_the_policy_has_codes_sent_ahead(stock_of):
    assert stock_of(AHEAD)[TokenKind.SMS] == 3
    assert stock_of(policy()) == {}


@pytest.mark.parametrize(
    "values",
    [{"phone": "+436640000002"}, {"texts": (AttributeText("mobile", "+436640000002"),)}, {"texts": ()}, {"tokens": ()}],
)
def test_those_of_a_number_that_is_not_the_users_any_more_are_none(stock_of, values):
    assert not stock_of(AHEAD, **values).get(TokenKind.SMS)
