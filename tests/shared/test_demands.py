"""What is demanded of a server, by what it says of itself."""

import pytest

from auth.shared.demands import Demands
from auth.shared.names import Names
from auth.state import StateUnavailable
from schema.errors import Fault

GOOD = {"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "role": "master", "loading": "0", "run_id": "a"}


class Server:
    """Says this of itself, and lets everything pass."""

    def __init__(self, **told):
        self.told = told

    async def everywhere(self, command):
        if command[0] != "INFO":
            return [b""]
        return ["\r\n".join(f"{key}:{value}" for key, value in self.told.items()).encode()]

    async def exchange(self, commands):
        return [b""] * len(commands)


async def test_a_server_that_will_do_is_known_by_its_run():
    assert await Demands(Names("dirfactor", 1)).examine(Server(**GOOD)) == "a"


@pytest.mark.parametrize(
    ("told", "problem", "remedy"),
    [
        ({"redis_version": "6.0.16"}, "Redis 6.0.16", "6.2 or later"),
        ({"redis_version": "5.0.3"}, "Redis 5.0.3", "any Valkey"),
        ({"redis_version": ""}, "Redis", "6.2"),
        ({"maxmemory_policy": "volatile-ttl"}, "volatile-ttl", "noeviction"),
    ],
)
async def test_one_that_will_not_is_refused_with_the_remedy(told, problem, remedy):
    with pytest.raises(Fault, match=problem) as caught:
        await Demands(Names("dirfactor", 1)).examine(Server(**(GOOD | told)))
    assert not isinstance(caught.value, StateUnavailable), "it does not pass by itself"
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("told", [{"role": "slave"}, {"loading": "1"}])
async def test_what_passes_by_itself_keeps_nobody_from_starting(told):
    with pytest.raises(StateUnavailable):
        await Demands(Names("dirfactor", 1)).examine(Server(**(GOOD | told)))


@pytest.mark.parametrize("release", ["6.2.0", "7.2.4", "10.0.1"])
async def test_redis_from_6_2_on_and_every_valkey_will_do(release):
    await Demands(Names("dirfactor", 1)).examine(Server(**(GOOD | {"redis_version": release})))
    valkey = GOOD | {"redis_version": "6.0.0", "valkey_version": "8.0.1"}
    await Demands(Names("dirfactor", 1)).examine(Server(**valkey))


async def test_a_right_that_could_not_be_tried_is_not_taken_for_one_that_is_given():
    class Ended(Server):
        async def exchange(self, commands):
            return [ConnectionError("gone")] * len(commands)

    with pytest.raises(StateUnavailable, match="gone"):
        await Demands(Names("dirfactor", 1)).examine(Ended(**GOOD))
