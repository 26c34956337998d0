"""Another program, a backup for one, has the state's file for seconds: whoever must write waits, and nobody else."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from auth.otp.token import SoftwareToken
from races.node_link import NodeLink
from scenarios.company import ONE_ACCESS_NODE, policy, policy_dn
from scenarios.office import Office, open_office, until
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

SECONDS = 2.0
TOKENS = {f"tom{at}": SoftwareToken(TokenKind.HOTP, f"T-{at}", at.to_bytes(4, "big") * 5) for at in range(20)}


@contextmanager
def held(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "state" / "state.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
async def office(tmp_path):
    sealed = SealedPeople(tmp_path)
    people = [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in TOKENS.items()),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
    ]
    async with open_office(tmp_path, *people, nodes=ONE_ACCESS_NODE) as opened:
        yield opened


@pytest.fixture
async def link(office):
    opened = NodeLink(office.service.radius_port, office.service.secret.octets)
    yield opened
    opened.close()


async def at_once(office: Office, link: NodeLink) -> None:
    """Both doors tell those who need nothing of the file."""
    begun = time.monotonic()
    assert await link.status(seconds=15.0) is not None
    assert (await office.service.get("/healthz")).is_success
    assert time.monotonic() - begun < SECONDS / 2


async def test_while_the_state_is_held_logons_wait_and_end_well_and_the_doors_stay_open(office, link, tmp_path):
    with held(tmp_path):
        until_then = time.monotonic() + SECONDS
        codes = [
            asyncio.ensure_future(link.ask(uid, token.code(0).text, seconds=15.0)) for uid, token in TOKENS.items()
        ]
        while time.monotonic() < until_then:
            await at_once(office, link)
            await asyncio.sleep(0.05)
        assert not any(each.done() for each in codes)
    assert [packet.code.name for packet in await asyncio.gather(*codes)] == ["ACCESS_ACCEPT"] * len(TOKENS)


async def test_who_has_waited_for_the_state_too_long_is_refused_with_the_reason_and_the_next_one_is_let_in(
    office, link, tmp_path
):
    uid, token = next(iter(TOKENS.items()))
    with held(tmp_path):
        asked = asyncio.ensure_future(link.ask(uid, token.code(0).text, seconds=15.0))
        while not asked.done():
            await at_once(office, link)
            await asyncio.sleep(0.05)
    assert (await asked).code.name == "ACCESS_REJECT"
    assert office.reasons(uid) == ["state-unavailable"]

    async def let_in() -> bool:
        return (await link.ask(uid, token.code(1).text)).code.name == "ACCESS_ACCEPT"

    await until(let_in)
