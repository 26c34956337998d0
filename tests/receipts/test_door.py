"""A receipt is believed when its sender knows the token and it is about a text of ours; then it stands in the audit."""

import base64
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from auth.audit import AuditUnavailable
from auth.channels.base import DeliveryReport, Fate, Receipt
from auth.embedded_state import EmbeddedStore
from auth.http.door import HttpDoor
from auth.receipts.book import ReceiptBook
from auth.receipts.door import receipt_operations
from auth.receipts.settings import ReceiptSettings
from auth.turn import Turns
from plain_store import Plain, settling
from receipts.in_memory import InMemory
from schema.secret import Secret

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = b"a" * 16
TOKEN = "the-token-of-the-provider"
SECTION = ReceiptSettings(Secret(TOKEN), "field:id", "field:status")
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def store(tmp_path):
    opened = EmbeddedStore(tmp_path / "state.sqlite", "boot-1", Turns())
    yield opened
    opened.close()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def book(store, lines):
    """The book in which one text stands."""
    opened = ReceiptBook(store, lines.append)
    Plain(opened, settling(store)).sent(Receipt("kannel", "id-1"), ALICE, "login-1", NOW)
    return opened


@pytest.fixture
async def provider(book):
    app = HttpDoor(receipt_operations({"kannel": SECTION}, book, lambda: NOW), lambda *_: None)
    transport = InMemory(app.answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/v1/receipts") as client:
        yield client


def said(lines):
    return [(line.reason, line.login, line.user_id, line.gateway, line.message_id, line.detail) for line in lines]


async def test_a_receipt_stands_in_the_audit_with_the_login_that_the_text_was_for(provider, lines):
    answer = await provider.post("/kannel", data={"id": "id-1", "status": "delivered"}, headers=BEARER)
    assert answer.status_code == 204
    assert said(lines) == [("message-delivered", "login-1", ALICE.hex(), "kannel", "id-1", "")]


async def test_what_is_said_again_is_recorded_once_and_what_is_said_differently_again(provider, lines):
    for status in ("sent", "failed", "failed", "delivered", "delivered"):
        await provider.post("/kannel", data={"id": "id-1", "status": status}, headers=BEARER)
    assert [line.reason for line in lines] == ["message-undelivered", "message-delivered"]


async def test_a_provider_that_says_this_and_that_in_turn_is_recorded_no_oftener(provider, lines):
    for status in ("delivered", "failed") * 3:
        await provider.post("/kannel", data={"id": "id-1", "status": status}, headers=BEARER)
    assert [line.reason for line in lines] == ["message-delivered", "message-undelivered"]


async def test_an_unknown_text_is_counted_and_not_told_from_a_known_one(provider, book, lines):
    known = await provider.get("/kannel", params={"id": "id-1", "status": "sent"}, headers=BEARER)
    unknown = await provider.get("/kannel", params={"id": "id-2", "status": "delivered"}, headers=BEARER)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
    assert (lines, book.unknown) == ([], 1)


BASIC = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (BEARER, {}, 204),
        ({"Authorization": f"Basic {BASIC}"}, {}, 204),
        ({}, {"token": TOKEN}, 204),
        ({}, {}, 401),
        ({"Authorization": "Bearer "}, {}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, {}, 401),
        ({"Authorization": "Basic !"}, {}, 401),
        ({"Authorization": "Basic é".encode("latin-1")}, {}, 401),
        ({"Authorization": f"Digest {TOKEN}"}, {}, 401),
        ({}, {"token": TOKEN[:-1]}, 401),
        ({}, {"token": ""}, 401),
    ],
)
async def test_only_who_shows_the_token_is_heard(provider, lines, headers, query, status):
    parameters = {"id": "id-1", "status": "delivered"} | query
    assert (await provider.get("/kannel", params=parameters, headers=headers)).status_code == status
    assert len(lines) == (status == 204)


async def test_a_gateway_without_section_looks_like_a_wrong_token(provider):
    wrong = await provider.post("/kannel")
    absent = await provider.post("/other", headers=BEARER)
    assert (wrong.status_code, wrong.headers) == (absent.status_code, absent.headers)


@pytest.mark.parametrize(("content", "status"), [(b"nothing", 400), (b"\xff\xfe", 400), (b"id=" + b"1" * 70_000, 413)])
async def test_what_cannot_be_read_is_refused(provider, lines, content, status):
    headers = BEARER | {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await provider.post("/kannel", content=content, headers=headers)).status_code == status
    assert lines == []


async def test_a_receipt_that_could_not_be_recorded_may_be_said_again(store, lines):
    full = True

    def record(line):
        if full:
            raise AuditUnavailable("the disk is full", remedy="clear it")
        lines.append(line)

    book = ReceiptBook(store, record)
    await book.sent(Receipt("kannel", "id-1"), ALICE, "login-1", NOW)
    app = HttpDoor(receipt_operations({"kannel": SECTION}, book, lambda: NOW), lambda *_: None)
    async with httpx.AsyncClient(transport=InMemory(app.answer), base_url="http://localhost") as provider:
        post = {"params": {"id": "id-1", "status": "delivered"}, "headers": BEARER}
        assert (await provider.post("/v1/receipts/kannel", **post)).status_code == 503
        full = False
        assert (await provider.post("/v1/receipts/kannel", **post)).status_code == 204
    assert [line.reason for line in lines] == ["message-delivered"]


@pytest.mark.parametrize(("status", "detail"), [("expired", "error code expired"), ("481516", ""), ("a b", "")])
async def test_a_providers_word_for_a_failure_goes_into_the_audit_only_when_it_is_one(store, lines, status, detail):
    section = msgspec.structs.replace(SECTION, failed=(status,))
    book = ReceiptBook(store, lines.append)
    await book.sent(Receipt("kannel", "id-1"), ALICE, "login-1", NOW)
    app = HttpDoor(receipt_operations({"kannel": section}, book, lambda: NOW), lambda *_: None)
    async with httpx.AsyncClient(transport=InMemory(app.answer), base_url="http://localhost") as provider:
        await provider.post("/v1/receipts/kannel", params={"id": "id-1", "status": status}, headers=BEARER)
    assert [line.detail for line in lines] == [detail]


async def test_a_receipt_over_a_gateways_own_connection_is_noted_the_same_way(book, lines):
    assert await book.note(DeliveryReport("kannel", "id-1", Fate.UNDER_WAY), NOW)
    assert await book.note(DeliveryReport("kannel", "id-1", Fate.FAILED, "011"), NOW)
    assert not await book.note(DeliveryReport("other", "id-1", Fate.FAILED), NOW)
    assert said(lines) == [("message-undelivered", "login-1", ALICE.hex(), "kannel", "id-1", "error code 011")]


async def test_a_text_without_id_or_that_cannot_be_remembered_keeps_nobody_from_logging_on(book, store, caplog):
    await book.sent(Receipt("kannel", None), ALICE, "login-2", NOW)
    store.close()
    await book.sent(Receipt("kannel", "id-3"), ALICE, "login-3", NOW)
    assert "login-3: its receipt will not be known" in caplog.text
    assert "id-3" not in caplog.text
