"""A text counts when somebody may have taken it, and only then; a mail costs nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from auth.addresses import EmailAddress, PhoneNumber
from auth.channels.base import DeliveryFailed, OnUnknown, Receipt
from auth.channels.minted import MintedChannel
from auth.delivery import Delivery, Errand
from auth.embedded_state import EmbeddedStore
from auth.receipts.book import ReceiptBook
from auth.spend.guard import SpendGuard, SpendRefused
from auth.spend.limits import Limits
from auth.spend.settings import SpendSettings
from auth.tokens import Usable
from auth.turn import Turns
from plain_store import in_turn
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = Errand(b"a" * 16, "login-1")
TEXT = Usable(TokenKind.SMS, phone=PhoneNumber("+436640000001"))
MAIL = Usable(TokenKind.EMAIL, mail=EmailAddress("alice@example.org"))
CODES = (Secret("481516"),)


class Gateway:
    """Takes messages, or fails with what it was given."""

    on_unknown = OnUnknown.STOP

    def __init__(self, **failure):
        self.name = "one"
        self.failure = failure
        self.taken = []

    async def send(self, to, message, *, seconds=0.0):
        if self.failure:
            raise DeliveryFailed("is out of order", remedy="mend it", **self.failure)
        self.taken.append(message.text)
        return Receipt(self.name, "id-1")

    async def aclose(self):
        pass


@pytest.fixture
def store(tmp_path):
    opened = EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())
    yield opened
    opened.close()


def delivery(store, gateway, **limits):
    guard = SpendGuard(Limits(SpendSettings(**limits), b"k" * 32), store)
    texts, mails = MintedChannel([gateway], lambda: 0.0), MintedChannel([gateway], lambda: 0.0)
    return Delivery(texts, mails, 2.0, guard, ReceiptBook(store, lambda _: None), lambda: NOW)


@pytest.mark.parametrize(
    ("failure", "counts"),
    [({"permanent": False}, False), ({"permanent": True}, False), ({"unknown": True}, True), ({}, True)],
)
async def test_a_text_counts_unless_it_is_known_that_nobody_took_it(store, failure, counts):
    sending = delivery(store, Gateway(**failure), per_user_hour=1)
    for _ in range(2):
        try:
            await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)
        except SpendRefused:
            refused = True
        except DeliveryFailed:
            refused = False
        else:
            refused = False
    assert refused == counts


def several(store, *gateways, **limits):
    for place, gateway in enumerate(gateways):
        gateway.name, gateway.on_unknown = f"gateway-{place}", OnUnknown.FAILOVER
    one = delivery(store, gateways[0], **limits)
    return replace(one, sms=MintedChannel(gateways, lambda: 0.0))


async def spent(store):
    return await store.tally(f"spend user {ALICE.user.hex()}", NOW, 3600)


@pytest.mark.parametrize(
    ("failures", "counts"),
    [
        ([{"unknown": True}, {}], 2),
        ([{"unknown": True}, {"permanent": False}, {}], 2),
        ([{"permanent": False}, {}], 1),
        ([{"unknown": True}, {"unknown": True}], 2),
        ([{"unknown": True}, {"permanent": False}], 1),
        ([{"permanent": False}, {"permanent": False}], 0),
    ],
)
async def test_a_text_counts_for_each_gateway_that_may_have_taken_it(store, failures, counts):
    """With on_unknown = failover a person may get two texts, and both cost money."""
    sending = several(store, *(Gateway(**failure) for failure in failures), per_user_hour=9, per_user_day=9)
    try:
        await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)
    except DeliveryFailed:
        assert failures[-1]
    assert await spent(store) == counts


async def test_where_a_limit_forbids_a_second_text_the_next_gateway_is_not_asked(store):
    last = Gateway()
    sending = several(store, Gateway(unknown=True), last, per_user_hour=1)
    with pytest.raises(DeliveryFailed, match="gateway-1: the limit per_user_hour"):
        await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)
    assert not last.taken
    assert await spent(store) == 1


async def test_a_second_text_asks_for_no_second_answer(store):
    """Else a gateway that is out of order would look like somebody's earnings."""
    sending = several(store, Gateway(unknown=True), Gateway())
    await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)
    assert await store.tally("spend sent 4366400", NOW, 3600) == 1


async def test_mails_are_not_limited(store):
    gateway = Gateway()
    sending = delivery(store, gateway, per_user_hour=1, per_day=1)
    for _ in range(5):
        await sending.deliver(MAIL, Policy("staff"), CODES, ALICE)
    assert len(gateway.taken) == 5


async def test_parts_are_those_of_the_text_with_its_codes(store):
    long = Policy("staff", sms_template="x" * 155 + "{code}")
    sending = delivery(store, Gateway(), prices=("one = 0.10",), money_per_day=0.35)
    await sending.deliver(TEXT, long, CODES, ALICE)
    with pytest.raises(SpendRefused, match="money_per_day"):
        await sending.deliver(TEXT, long, CODES, ALICE)
    await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)


async def test_codes_sent_ahead_are_not_missed_when_no_answer_comes(store):
    sending = delivery(store, Gateway(), per_user_hour=0)
    await sending.deliver(TEXT, Policy("staff"), CODES, ALICE)
    await sending.deliver(TEXT, Policy("staff"), CODES, replace(ALICE, ahead=True))
    assert in_turn(store).tally("spend sent 4366400", NOW, 60) == 1


async def test_a_text_that_was_taken_is_known_when_its_receipt_comes(store):
    await delivery(store, Gateway()).deliver(TEXT, Policy("staff"), CODES, ALICE)
    known = in_turn(store).remembered("one", "id-1")
    assert (known.user, known.login, known.at) == (ALICE.user, "login-1", NOW)
