"""Other parts take the place of those in force while these are in the middle of a transaction."""

import asyncio
import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auth.app import Lasting
from auth.audit.chain import Chain
from auth.audit.export.outbox import Outbox
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.demo.certificates import Authority
from auth.serving.board import Board
from auth.serving.current import Current
from auth.serving.manager import ServiceManager
from auth.serving.serve import Serving
from auth.serving.worker import Worker
from plain_store import in_turn
from schema.errors import Fault

CONFIG = """\
[service]
state_directory = state

[directory]
kind = ldif
file = people.ldif

[radius]
enabled = no

[http]
enabled = no

[audit]
syslog = tcp://127.0.0.1:1
sync = system
"""
ALONE = Worker(0, 1, {}, Board(1), ServiceManager({}, 1), lambda _: None)
PEOPLE = (
    "version: 1\n\ndn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"
)


@pytest.fixture(autouse=True)
def nobody_takes_the_audit_and_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr("auth.audit.export.outbox._FLUSH_SECONDS", 0.05)


@contextlib.asynccontextmanager
async def serving_of(folder, more=""):
    (folder / "people.ldif").write_text(PEOPLE)
    config = folder / "config.ini"
    config.write_text(CONFIG + more)
    settings = read_config(config)
    serving = Serving(SYSTEM_CLOCK, SYSTEM_ENTROPY, Lasting(SYSTEM_CLOCK, SYSTEM_ENTROPY, {}), [], ALONE)
    current = Current(await serving.begin(settings))
    try:
        yield serving, settings, current
    finally:
        await serving.end()


async def test_the_parts_before_and_those_after_write_by_one_store_for_two_would_wait_for_each_other(tmp_path):
    async with serving_of(tmp_path) as (serving, settings, current):
        store = await serving._lasting.store(settings, b"")
        in_turn(store).strike(b"a" * 16, datetime(2026, 11, 26, tzinfo=UTC))
        async with asyncio.timeout(4):  # a file that is locked is waited for five seconds
            await serving.exchange(settings, current)
        assert await serving._lasting.store(settings, b"") is store
        assert in_turn(store).failures(b"a" * 16), "and it is not closed with the parts before"


async def test_a_sync_that_is_under_way_is_waited_for_without_holding_up_the_loop(tmp_path, monkeypatch):
    async with serving_of(tmp_path) as (serving, settings, current):
        (sync,) = serving._common._begun.values()
        assert sync.hold(5)
        monkeypatch.setattr("auth.serving.upkeep._SYNC_PATIENCE", 0.1)
        with pytest.raises(Fault, match="a sync of the directory is under way"):
            await serving.exchange(settings, current)
        assert serving._common._begun[""] is sync, "nothing has changed"
        monkeypatch.setattr("auth.serving.upkeep._SYNC_PATIENCE", 5)
        exchanging = asyncio.ensure_future(serving.exchange(settings, current))
        turns = 0
        while not exchanging.done() and turns < 20:
            turns += 1
            await asyncio.sleep(0.01)
        assert turns == 20
        sync.go_on()
        await exchanging
        assert serving._common._begun[""] is not sync


@pytest.mark.parametrize(("whose", "wait"), [(Outbox, "close"), (Chain, "sync")])
async def test_the_audit_before_waits_for_its_receiver_and_its_disk_without_holding_up_the_loop(
    tmp_path, monkeypatch, whose, wait
):
    waits, turned, waited = threading.Event(), threading.Event(), []
    real = getattr(whose, wait)

    def slow(self):
        waits.set()
        waited.append(turned.wait(2))
        real(self)

    monkeypatch.setattr(whose, wait, slow)
    async with serving_of(tmp_path) as (serving, settings, current):
        exchanging = asyncio.ensure_future(serving.exchange(settings, current))
        async with asyncio.timeout(10):
            while not waits.is_set():
                await asyncio.sleep(0.01)
        turned.set()
        await exchanging
    assert waited == [True, True], "then, and at the end"


async def test_files_with_certificates_are_looked_after_from_the_start_and_after_an_exchange(tmp_path, caplog):
    authority = Authority.make("Gateway", datetime.now(UTC) - timedelta(days=70))  # lives 90 days
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    more = "[sms:a]\nurl = https://localhost/?to={phone}&text={text}\nsuccess_status = 200\nca_file = ca.pem\n"
    async with serving_of(tmp_path, more) as (serving, settings, current):
        for _ in range(2):
            async with asyncio.timeout(10):
                while "certificate of [sms:a] ca_file: " not in caplog.text:
                    await asyncio.sleep(0.01)
            caplog.clear()
            await serving.exchange(settings, current)
