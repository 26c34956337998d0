"""Three nodes with one state: what one has begun another ends, and nothing is good twice at any of them."""

import asyncio
from collections import Counter

import pytest
import pytest_asyncio

from cluster.nodes import Cluster, open_cluster
from rig.valkey import Valkey
from scenarios.company import ONE_ACCESS_NODE, password_of, person, policy, policy_dn, texted, with_vip
from scenarios.office import DOORS, another, calling

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="module")]
EVERYWHERE = range(3)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cluster(valkey: Valkey, tmp_path_factory):
    entries = [
        *(texted(f"alice{number}", number) for number in range(4)),
        *(texted(f"racer-{door}", 10 + number) for number, door in enumerate(DOORS)),
        texted("bob", 20, dirfactorPolicy=policy_dn("guarded")),
        policy("guarded", dirfactorLogonAttempts="5", dirfactorViolationLimit="1"),
        texted("carol", 21, dirfactorPolicy=policy_dn("thrifty")),
        policy("thrifty", dirfactorCodesPerWindow="3"),
        *(texted(f"patient-{door}", 30 + number) for number, door in enumerate(DOORS)),
        with_vip("vic", "VIC"),
        person("nobody"),
    ]
    folder = tmp_path_factory.mktemp("cluster")
    async with open_cluster(
        folder, valkey.place, len(EVERYWHERE), *entries, credentials={"VIC": ""}, nodes=ONE_ACCESS_NODE
    ) as running:
        yield running


async def test_a_login_that_was_begun_at_one_node_is_ended_at_another_over_the_other_door(cluster: Cluster):
    asked, code = await cluster.texted(0, "alice0")
    reply = await cluster.answer(1, "radius", "alice0", asked.state, code)
    assert (reply.outcome, cluster.nodes[1].reason()) == ("accepted", "accepted")
    for at in EVERYWHERE:
        again = await cluster.answer(at, "radius", "alice0", asked.state, code)
        assert (again.outcome, cluster.nodes[at].reason()) == ("refused", "challenge-unknown")


@pytest.mark.parametrize("door", DOORS)
async def test_of_many_equal_answers_at_all_nodes_at_once_one_is_accepted(cluster: Cluster, door: str):
    asked, code = await cluster.texted(0, f"racer-{door}")
    answers = [cluster.answer(at, door, f"racer-{door}", asked.state, code) for _ in range(30) for at in EVERYWHERE]
    replies = Counter(reply.outcome for reply in await asyncio.gather(*answers))
    assert replies == {"accepted": 1, "refused": len(answers) - 1}


async def test_wrong_codes_lock_wherever_they_were_typed_and_everywhere(cluster: Cluster):
    for number in range(5):
        asked, code = await cluster.texted(number % 3, "bob")
        await cluster.answer((number + 1) % 3, "http", "bob", asked.state, another(code))
    for at in EVERYWHERE:
        assert (await cluster.nodes[at].log_on("radius", "bob")).outcome == "refused"
        assert cluster.nodes[at].reason() == "violations-locked"


async def test_a_limit_of_codes_holds_over_all_nodes(cluster: Cluster):
    mark = cluster.first.site.mark()
    for number in range(6):
        await cluster.nodes[number % 3].log_on("radius", "carol")
    assert cluster.first.texts_since(mark) == 3
    assert Counter(cluster.reasons("carol")) == {"code-sent": 3, "send-limit": 3}


async def test_what_a_node_had_begun_is_ended_at_another_when_it_was_killed(cluster: Cluster):
    asked, code = await cluster.texted(2, "alice1")
    await cluster.nodes[2].service.kill()
    try:
        assert (await cluster.answer(0, "http", "alice1", asked.state, code)).outcome == "accepted"
    finally:
        await cluster.nodes[2].service.start()
        await cluster.nodes[2].service.until_ready()


async def test_a_password_that_is_wrong_at_one_node_is_no_other_nodes_business(cluster: Cluster):
    assert (await cluster.nodes[0].log_on("http", "alice2", password="wrong")).outcome == "refused"
    asked, code = await cluster.texted(1, "alice2")
    assert (await cluster.answer(2, "http", "alice2", asked.state, code)).outcome == "accepted"
    assert password_of("alice2")


@pytest.mark.parametrize("door", DOORS)
async def test_a_first_step_that_a_client_repeats_at_the_other_servers_brings_one_text(cluster: Cluster, door: str):
    user, mark = f"patient-{door}", cluster.first.site.mark()

    async def ask(at: int):
        service = cluster.nodes[at].service
        if door == "http":
            return await service.http(user, password=password_of(user))
        return await service.radius(user, password_of(user), extra=[calling("192.0.2.77")])

    replies = await asyncio.gather(*(ask(at) for at in EVERYWHERE)) + [await ask(at) for at in EVERYWHERE]
    assert {reply.outcome for reply in replies} == {"challenged"}
    assert len({reply.state.text for reply in replies}) == 1, "all have the challenge that the code is for"
    code = await cluster.first.site.text_code(mark)
    assert cluster.first.texts_since(mark) == 1
    assert (await cluster.answer(1, door, user, replies[0].state, code)).outcome == "accepted"
    assert (await ask(2)).state.text != replies[0].state.text, "after the answer it is another login"
