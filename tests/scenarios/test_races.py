"""What happens at the same moment: one code opens one login, limits hold, and repeats of one login are one login."""

import asyncio
import hashlib
from collections import Counter
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from auth.demo.service import Reply
from auth.radius.attributes import Attribute
from scenarios.company import NODE_MEMBERS, ONE_ACCESS_NODE, password_of, policy, policy_dn, texted, with_vip
from scenarios.office import DOORS, Office, another, calling, each_door, open_office
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 200
SLOW = "hang:0.5"
PORTAL_KEY = Secret("the-key-of-the-portal-in-this-scenario")
NODES = f"""{ONE_ACCESS_NODE}
[node:portal]
dirfactorNodeType = http
dirfactorApiKeyHash = {hashlib.sha256(PORTAL_KEY.octets).hexdigest()}
dirfactorCoalesceSeconds = 0
dirfactorMember = {NODE_MEMBERS}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        texted("alice", 1),
        with_vip("vic", "VIC"),
        with_vip("once", "SLOW-ONCE"),
        with_vip("badge", "SLOW-BADGE", dirfactorPolicy=policy_dn("tokens")),
        with_vip("twice", "SLOW-TWICE", dirfactorPolicy=policy_dn("tokens")),
        policy("tokens", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
        with_vip("attacked", "ATTACKED", dirfactorPolicy=policy_dn("guarded")),
        with_vip("foretold", "FORETOLD", dirfactorPolicy=policy_dn("guarded"), dirfactorUnlockedAt="20990101000000Z"),
        policy("guarded", dirfactorLogonAttempts="5", dirfactorViolationLimit="1"),
        *(texted(f"patient-{door}", 2) for door in ("radius", "http")),
        texted("two-places", 3),
        texted("again", 4),
        texted("impatient", 5, dirfactorPolicy=policy_dn("thrifty")),
        texted("crowd", 6, dirfactorPolicy=policy_dn("thrifty")),
        policy("thrifty", dirfactorCodesPerWindow="3"),
    ]
    folder = tmp_path_factory.mktemp("races")
    credentials = {"VIC": "", "SLOW-ONCE": SLOW, "SLOW-BADGE": SLOW, "SLOW-TWICE": SLOW, "ATTACKED": "", "FORETOLD": ""}
    async with open_office(folder, *entries, credentials=credentials, nodes=NODES) as running:
        yield running


def outcomes(replies: list[Reply]) -> Counter[str]:
    return Counter(reply.outcome for reply in replies)


async def by_both_doors(office: Office, user: str, state: Secret | None, code: str) -> list[Reply]:
    """The same answer many times at once, half of them over each door of one node."""
    return await asyncio.gather(*(office.answer(door, user, state, code) for door in DOORS * (MANY // 2)))


async def test_of_many_equal_answers_at_once_one_is_accepted(office: Office):
    asked, code = await office.texted("radius", "alice")
    replies = await by_both_doors(office, "alice", asked.state, code)
    assert outcomes(replies) == {"accepted": 1, "refused": MANY - 1}
    answers = Counter(line["reason"] for line in office.audit(name="alice")[1:])
    assert answers == {"accepted": 1, "challenge-unknown": MANY - 1}


async def test_of_many_equal_vip_answers_at_once_one_is_accepted_and_vip_is_asked_once(office: Office):
    asked = await office.log_on("http", "vic")
    replies = await by_both_doors(office, "vic", asked.state, office.site.vip_code("VIC"))
    assert outcomes(replies) == {"accepted": 1, "refused": MANY - 1}
    assert [event["outcome"] for event in office.asked_of_vip("VIC")] == ["0000"]


async def test_of_many_equal_first_steps_with_a_code_one_is_accepted(office: Office):
    """Nothing tells a repeat by the same browser from somebody else who has seen the code."""
    typed = {"password": password_of("once"), "passcode": office.site.vip_code("SLOW-ONCE")}
    replies = await asyncio.gather(*(office.service.http("once", **typed) for _ in range(20)))
    assert outcomes(replies) == {"accepted": 1, "refused": 19}
    assert Counter(office.reasons("once")) == {"accepted": 1, "challenge-unknown": 19}


async def test_a_first_step_that_a_client_repeats_as_the_same_login_gets_the_same_accept(office: Office):
    """A client that gave up waiting and asks again from another port hears only the second answer."""
    code = office.site.vip_code("SLOW-BADGE")
    mark = (Attribute.ACCT_SESSION_ID, b"5F-badge-1")
    steps = (office.service.radius("badge", code, extra=[mark]) for _ in range(3))
    assert outcomes(await asyncio.gather(*steps)) == {"accepted": 3}
    assert len(office.asked_of_vip("SLOW-BADGE")) == 1


async def test_a_mark_that_everybody_may_have_does_not_make_two_logins_one(office: Office):
    """A NAS-Port may be the same for all people, and a calling station is where somebody who looks on may sit too."""
    code = office.site.vip_code("SLOW-TWICE")
    marks = [calling("192.0.2.9"), (Attribute.NAS_PORT, (0).to_bytes(4, "big"))]
    steps = (office.service.radius("twice", code, extra=marks) for _ in range(3))
    assert outcomes(await asyncio.gather(*steps)) == {"accepted": 1, "refused": 2}


async def test_guesses_in_parallel_do_not_outrun_the_limit_and_the_helpdesk_unlocks(office: Office):
    asked = await asyncio.gather(*(office.log_on("radius", "attacked") for _ in range(MANY + 1)))
    states = [reply.state for reply in asked if reply.state is not None]
    assert len({state.text for state in states}) == MANY + 1
    wrong = another(office.site.vip_code("ATTACKED"))
    guesses = zip(DOORS * (MANY // 2), states, strict=False)
    replies = await asyncio.gather(*(office.answer(door, "attacked", state, wrong) for door, state in guesses))
    assert len(replies) == MANY
    assert outcomes(replies)["accepted"] == 0
    evaluated = [event["outcome"] for event in office.asked_of_vip("ATTACKED")]
    assert evaluated == ["49B5"] * 5

    right = office.site.vip_code("ATTACKED")
    assert (await office.answer("radius", "attacked", states[-1], right)).outcome == "refused"
    assert office.reason() == "violations-locked"
    for door in DOORS:
        assert (await office.log_on(door, "attacked")).outcome == "refused"
        assert office.reason() == "violations-locked"
    assert len(office.asked_of_vip("ATTACKED")) == 5

    await asyncio.sleep(1.0)  # GeneralizedTime as people write it has whole seconds
    await office.change("uid=attacked", dirfactorUnlockedAt=f"{datetime.now(UTC):%Y%m%d%H%M%SZ}")
    again = await office.log_on("radius", "attacked")
    accepted = await office.answer("radius", "attacked", again.state, office.site.vip_code("ATTACKED"))
    assert (accepted.outcome, office.reason()) == ("accepted", "accepted")


async def test_unlocking_somebody_in_advance_does_not_lift_the_limit(office: Office):
    states = [(await office.log_on("radius", "foretold")).state for _ in range(20)]
    wrong = another(office.site.vip_code("FORETOLD"))
    await asyncio.gather(*(office.answer("radius", "foretold", state, wrong) for state in states))
    assert [event["outcome"] for event in office.asked_of_vip("FORETOLD")] == ["49B5"] * 5


@each_door
async def test_equal_first_steps_are_one_login_with_one_text(office: Office, door: str):
    user, mark = f"patient-{door}", office.site.mark()
    steps = {
        "radius": lambda: office.service.radius(user, password_of(user), extra=[calling("192.0.2.1")]),
        "http": lambda: office.service.http(user, password=password_of(user)),
    }
    replies = [*await asyncio.gather(*(steps[door]() for _ in range(20))), await steps[door]()]
    code = await office.site.text_code(mark)
    states = {reply.state.text for reply in replies if reply.state is not None}
    assert outcomes(replies) == {"challenged": 21}
    assert len(states) == 1
    assert len({line.get("login") or line["correlation"] for line in office.audit(name=user)}) == 1
    assert (await office.answer(door, user, replies[-1].state, code)).outcome == "accepted"
    assert office.texts_since(mark) == 1


async def test_a_node_may_have_no_two_first_steps_taken_for_one(office: Office):
    first_step = {"password": password_of("again"), "api_key": PORTAL_KEY}
    replies = await asyncio.gather(*(office.service.http("again", **first_step) for _ in range(2)))
    assert outcomes(replies) == {"challenged": 2}
    assert len({reply.state.text for reply in replies}) == 2


async def test_callers_that_tell_themselves_apart_are_two_logins_with_two_texts(office: Office):
    mark, password = office.site.mark(), password_of("two-places")
    first, second = await asyncio.gather(
        *(office.service.radius("two-places", password, extra=[calling(f"192.0.2.{number}")]) for number in (1, 2))
    )
    assert first.state is not None
    assert second.state is not None
    assert first.state.text != second.state.text
    await office.site.texts.event(lambda _: True, since=mark % 1_000_000 + 1)
    assert office.texts_since(mark) == 2


async def test_after_an_answer_a_further_first_step_is_another_login(office: Office):
    mark, password = office.site.mark(), password_of("again")
    for _ in range(2):
        asked = await office.service.http("again", password=password)
        assert (await office.answer("http", "again", asked.state, "0")).outcome == "challenged"
    assert office.texts_since(mark) == 2


async def test_no_more_codes_are_sent_than_the_policy_allows(office: Office):
    mark = office.site.mark()
    for wanted in ("code-sent", "code-sent", "code-sent", "send-limit", "send-limit"):
        await office.log_on("radius", "impatient")
        assert office.reason() == wanted
    assert office.texts_since(mark) == 3


async def test_nor_at_the_same_moment(office: Office):
    mark = office.site.mark()
    replies = await asyncio.gather(*(office.log_on("radius", "crowd") for _ in range(20)))
    assert outcomes(replies) == {"challenged": 3, "refused": 17}
    assert Counter(office.reasons("crowd")) == {"code-sent": 3, "send-limit": 17}
    assert office.texts_since(mark) == 3
