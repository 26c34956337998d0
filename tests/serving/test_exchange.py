"""Other parts take the place of those in force while these are in the middle of a transaction."""

import asyncio
from datetime import UTC, datetime

from auth.app import Lasting
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.serving.current import Current
from auth.serving.serve import Serving

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
"""
PEOPLE = (
    "version: 1\n\ndn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"
)


async def test_a_transaction_that_is_open_is_ended_first_for_the_new_parts_would_wait_for_it_for_ever(tmp_path):
    (tmp_path / "people.ldif").write_text(PEOPLE)
    config = tmp_path / "config.ini"
    config.write_text(CONFIG)
    settings = read_config(config)
    serving = Serving(SYSTEM_CLOCK, SYSTEM_ENTROPY, Lasting(SYSTEM_CLOCK, SYSTEM_ENTROPY, {}), [])
    current = Current(await serving.begin(settings))
    try:
        store = serving._store
        store.strike(b"a" * 16, datetime(2026, 11, 26, tzinfo=UTC))
        assert store.writing
        async with asyncio.timeout(4):  # a file that is locked is waited for five seconds
            await serving.exchange(settings, current)
        assert serving._store is not store
        assert serving._store.failures(b"a" * 16)
    finally:
        await serving.end()
