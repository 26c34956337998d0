"""How often a logon asks the shared store and waits: what has nothing to say goes with the next question."""

import re

import pytest

from auth.otp.token import SoftwareToken
from cluster.nodes import open_cluster
from scenarios.company import policy, policy_dn
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

pytestmark = pytest.mark.servers
TOKEN = SoftwareToken(TokenKind.HOTP, "T-1", b"a seed for a token!!")
PIN = "2580"
EACH = 10


def batches(valkey) -> int:
    """How many a node has sent so far: each begins with a look whether anybody is waited for."""
    found = re.search(r"^cmdstat_scard:calls=(\d+)", valkey.cli("INFO", "commandstats"), re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("with_pin", "typed", "trips"), [("FALSE", "", 5), ("TRUE", PIN, 7)])
async def test_a_logon_waits_for_the_store_no_oftener_than_it_has_to(own_valkey, tmp_path, with_pin, typed, trips):
    sealed = SealedPeople(tmp_path)
    entries = [
        sealed.with_token("holly", TOKEN, pin=PIN, dirfactorPolicy=policy_dn("codes")),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none", dirfactorPinWithToken=with_pin),
    ]
    async with open_cluster(tmp_path, own_valkey.place, 1, *entries) as cluster:

        async def logs_on(number: int) -> None:
            reply = await cluster.first.service.radius("holly", f"{typed}{TOKEN.code(number).text}")
            assert reply.outcome == "accepted", cluster.first.last()

        await logs_on(0)  # has scripts sent by their sources
        before = batches(own_valkey)
        for number in range(1, EACH + 1):
            await logs_on(number)
        assert batches(own_valkey) - before == EACH * trips
