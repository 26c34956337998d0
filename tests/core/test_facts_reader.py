"""What the store keeps of a user: codes on stock for the address that counts now, and when the PIN was chosen."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from auth.addresses import PhoneNumber
from auth.embedded_state import EmbeddedStore
from auth.facts_reader import FactsReader, Rules
from auth.judges.minted import MintedJudge
from auth.keys.ring import Key, Ring
from auth.memorised.pin import kept_key, make_kept
from auth.tokens import Usable
from auth.turn import Turns
from core.logins import NOW, PHONE, REACH, link, node, person, policy
from dirsync.view import Freshness
from plain_store import Plain, PlainStore, settling
from schema.entry import AttributeText
from schema.secret import Secret
from schema.words import SendMode, TokenKind

RING = Ring((Key(b"k" * 32, NOW),))
AHEAD = policy(sms_mode=SendMode.AHEAD)


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(EmbeddedStore(tmp_path / "state.sqlite", "this boot", Turns())) as opened:
        yield opened


@pytest.fixture
def known_of(store):
    """The facts of somebody whom the store may know."""
    directory = SimpleNamespace(freshness=lambda _: Freshness(7, NOW))
    nodes = SimpleNamespace(named=lambda _: SimpleNamespace(facts=node()))
    reader = FactsReader(directory, nodes, Rules(None, 86_400, "AT", REACH))

    def known(settings, before=None, **values):
        found = (person(link(settings), **values),)
        recalled = PlainStore(store).recall(reader.wanted("vpn", found, NOW), NOW)
        return reader.again(before, recalled) if before else reader.facts("vpn", found, recalled)

    return known


@pytest.fixture
def stock_of(store, known_of):
    """How many codes on stock somebody has, of three texts to the number that everybody of these tests has."""
    texted = Usable(TokenKind.SMS, phone=PhoneNumber(PHONE))
    codes = [Secret(text) for text in ("111111", "222222", "333333")]
    judge = Plain(MintedJudge(store, b"k" * 32, int), settling(store))
    judge.lay_in(person().id, texted, codes, NOW + timedelta(hours=1))
    return lambda settings, **values: known_of(settings, **values).stock


def test_codes_on_stock_are_known_where_the_policy_has_codes_sent_ahead(stock_of):
    assert stock_of(AHEAD)[TokenKind.SMS] == 3
    assert stock_of(policy()) == {}


@pytest.mark.parametrize(
    "values",
    [{"phone": "+436640000002"}, {"texts": (AttributeText("mobile", "+436640000002"),)}, {"texts": ()}, {"tokens": ()}],
)
def test_those_of_a_number_that_is_not_the_users_any_more_are_none(stock_of, values):
    assert not stock_of(AHEAD, **values).get(TokenKind.SMS)


def test_when_a_pin_was_chosen_is_known_of_whoever_has_one_and_again_when_another_is_chosen(store, known_of):
    first = known_of(policy(), pin="a digest")
    assert first.pin_chosen_at is None
    PlainStore(store).keep(kept_key(person().id), make_kept(RING, person().id, Secret("2580"), NOW))
    assert known_of(policy(), pin="a digest").pin_chosen_at == NOW
    assert known_of(policy(), first).pin_chosen_at is None, "nobody has a PIN whose administrator has taken it away"
    assert known_of(policy(), first, pin="a digest").pin_chosen_at == NOW


def test_a_kept_pin_that_cannot_be_read_keeps_nobody_from_being_looked_at(store, known_of):
    PlainStore(store).keep(kept_key(person().id), b"no PIN of ours")
    assert known_of(policy(), pin="a digest").pin_chosen_at is None
