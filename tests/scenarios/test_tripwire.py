"""A script strips the tokens of most of a company: the service keeps asking for codes until somebody says yes."""

import json

import pytest
import pytest_asyncio

from scenarios.command_line import dirfactor
from scenarios.company import texted
from scenarios.office import Office, open_office, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERYBODY, STRIPPED = 1000, 600


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = (texted(f"person{number:03}", number) for number in range(EVERYBODY))
    async with open_office(tmp_path_factory.mktemp("tripwire"), *people) as running:
        yield running


async def test_the_old_demand_stays_until_the_change_is_released(office: Office):
    config = ("--config", str(office.service.config))
    version = await office.version()
    for number in range(STRIPPED):
        office.company[f"uid=person{number:03}"].attributes["dirfactorToken"] = None
    office.edit("uid=person700", mobile="+436640009999")

    async def is_held() -> bool:
        return (await dirfactor("sync", "held", *config)).status == 1

    await until(is_held)
    for door in ("radius", "http"):
        reply = await office.log_on(door, "person001")
        assert (reply.outcome, office.reason()) == ("challenged", "code-sent")
    assert await office.version() == version
    ready = (await office.service.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert f"held: the directory's changes would take something from {STRIPPED}" in ready["directory_sync_error"]
    assert "person" not in ready["directory_sync_error"]

    ended = await dirfactor("sync", "held", *config)
    assert "held since 20" in ended.out
    assert (
        f"{STRIPPED} users\n    uid=person000,ou=people,dc=demo,dc=example: loses sms and has no token left"
        in ended.out
    )
    assert f"and {STRIPPED - 20} more (--all)" in ended.out
    (held,) = json.loads((await dirfactor("sync", "held", "--json", *config)).out)
    assert (len(held["losses"]), held["released"]) == (STRIPPED, False)
    again = await dirfactor("sync", *config)
    assert again.status == 3
    assert f"held: the directory's changes would take something from {STRIPPED} of {EVERYBODY} users" in again.err

    released = await dirfactor("sync", "release", *config)
    assert (released.status, released.out.split(":")[0]) == (0, f"{STRIPPED} users released")
    await until(lambda: office.later_than(version))
    await office.log_on("radius", "person001")
    assert office.reason() == "no-token"
    ended = await dirfactor("sync", "held", *config)
    assert (ended.status, ended.out) == (0, "nothing is held\n")
    nothing = await dirfactor("sync", "release", *config)
    assert (nothing.status, "nothing of [directory] is held" in nothing.err) == (3, True)
