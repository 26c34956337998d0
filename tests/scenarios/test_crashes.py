"""kill -9 and what a code is worth afterwards: as much as before, and never more than one login."""

import asyncio
import contextlib
import random

import httpx
import pytest
import pytest_asyncio

from auth.demo.service import Reply
from scenarios.company import ONE_ACCESS_NODE, password_of, policy, policy_dn, texted, with_vip
from scenarios.office import Office, another, open_office
from schema.errors import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUNDS = 10


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        texted("alice", 1),
        texted("done", 2),
        texted("locked", 3, dirfactorPolicy=policy_dn("strict")),
        policy("strict", dirfactorLogonAttempts="2", dirfactorViolationLimit="1"),
        texted("thrifty", 4, dirfactorPolicy=policy_dn("thrifty")),
        policy("thrifty", dirfactorCodesPerWindow="1"),
        *(texted(f"round-{number}", 10 + number) for number in range(ROUNDS)),
        *(with_vip(f"slow-{door}", f"SLOW-{door.upper()}") for door in ("radius", "http")),
    ]
    credentials = {"SLOW-HTTP": "hang:0.4", "SLOW-RADIUS": "hang:0.8"}  # the doors close in this order
    folder = tmp_path_factory.mktemp("crashes")
    async with open_office(folder, *entries, credentials=credentials, nodes=ONE_ACCESS_NODE) as running:
        yield running


async def restarted(office: Office) -> None:
    await office.service.start()
    await office.service.until_ready()


async def test_a_crash_forgets_nothing(office: Office):
    open_challenge, code = await office.texted("radius", "alice")
    answered, used = await office.texted("radius", "done")
    asked, right = await office.texted("radius", "locked")
    again = await office.answer("radius", "locked", asked.state, another(right))
    await office.answer("radius", "locked", again.state, another(right))
    assert office.reason() == "violations-locked"
    await office.texted("radius", "thrifty")
    assert (await office.answer("radius", "done", answered.state, used)).outcome == "accepted"
    await office.service.kill()
    await restarted(office)

    assert (await office.answer("radius", "done", answered.state, used)).outcome == "refused"
    assert office.reason() == "challenge-unknown", "what was used stays used"
    accepted = await office.answer("radius", "alice", open_challenge.state, code)
    assert (accepted.outcome, office.reason()) == ("accepted", "accepted"), "what was open stays open"
    assert (await office.answer("radius", "alice", open_challenge.state, code)).outcome == "refused"
    assert office.reason() == "challenge-unknown", "once"
    assert (await office.log_on("radius", "locked")).outcome == "refused"
    assert office.reason() == "violations-locked"
    assert (await office.log_on("radius", "thrifty")).outcome == "refused"
    assert office.reason() == "send-limit"


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_whenever_it_is_killed_a_code_is_accepted_once_at_most(office: Office, number: int):
    user = f"round-{number}"
    asked, code = await office.texted("http", user)
    heard: list[Reply] = []

    async def submit(door: str) -> None:
        with contextlib.suppress(Fault, httpx.HTTPError):
            heard.append(await office.answer(door, user, asked.state, code))

    answers = [asyncio.create_task(submit(door)) for door in ("http", "radius") * 3]
    await asyncio.sleep(random.Random(number).uniform(0.0, 0.03))
    await office.service.kill()
    for answer in answers:
        answer.cancel()
    await asyncio.gather(*answers, return_exceptions=True)
    await restarted(office)
    await asyncio.gather(*(submit(door) for door in ("http", "radius") * 2))
    assert [reply.outcome for reply in heard].count("accepted") <= 1
    assert len(office.audit(name=user, outcome="accepted")) <= 1
    assert len(heard) >= 4, "and nobody was left without an answer after the restart"
    asked, code = await office.texted("radius", user)
    assert (await office.answer("radius", user, asked.state, code)).outcome == "accepted", (
        "and the next login is served"
    )


async def test_whoever_has_begun_is_answered_before_the_service_ends(office: Office):
    doors = ("radius", "http")
    asked = [await office.log_on(door, f"slow-{door}") for door in doors]
    codes = [office.site.vip_code(f"SLOW-{door.upper()}") for door in doors]
    answers = asyncio.gather(
        *(
            office.answer(door, f"slow-{door}", reply.state, code)
            for door, reply, code in zip(doors, asked, codes, strict=True)
        )
    )
    await asyncio.sleep(0.2)
    assert await office.service.pause() == 0
    assert [reply.outcome for reply in await answers] == ["accepted", "accepted"]
    await restarted(office)
    assert (await office.service.http("alice", password=password_of("alice"))).outcome == "challenged"
