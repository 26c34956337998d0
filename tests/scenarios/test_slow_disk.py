"""The disk takes seconds for everything: whoever needs it waits, and nobody else."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from auth.otp.token import SoftwareToken
from races.node_link import NodeLink
from rig.slow_disk import slow_disk
from scenarios.company import ONE_ACCESS_NODE, policy, policy_dn
from scenarios.office import another, open_office
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

pytestmark = pytest.mark.servers  # who traces another process is root
SECONDS = 2.0
TOKENS = {f"tom{at}": SoftwareToken(TokenKind.HOTP, f"T-{at}", at.to_bytes(4, "big") * 5) for at in range(60)}
EACH = 100


async def test_while_the_disk_is_slow_nobody_waits_who_needs_none_of_it(tmp_path):
    sealed = SealedPeople(tmp_path)
    people = [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in TOKENS.items()),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
    ]
    async with open_office(tmp_path, *people, nodes=ONE_ACCESS_NODE) as office, AsyncExitStack() as stack:
        link = NodeLink(office.service.radius_port, office.service.secret.octets)
        stack.callback(link.close)
        right = list(TOKENS)[:5]
        log = tmp_path / "strace.log"
        assert await link.ask(right[0], "nothing") is not None  # the journal is made by the first logon of all

        async def wrong(user: str) -> list[bool]:
            """Nothing of it must be on the disk itself; it fills the logs of state and journal."""
            typed = another(TOKENS[user].code(700).text)
            return [await link.ask(user, typed, seconds=15.0) is not None for _ in range(EACH)]

        with slow_disk(office.service.program.process.pid, SECONDS, log):
            asked = [asyncio.ensure_future(wrong(user)) for user in TOKENS if user not in right]
            codes = [asyncio.ensure_future(link.ask(user, TOKENS[user].code(0).text, seconds=15.0)) for user in right]
            waited = []
            while not all(each.done() for each in (*asked, *codes)):
                begun = time.monotonic()
                assert await link.status(seconds=15.0) is not None
                waited.append(time.monotonic() - begun)
                await asyncio.sleep(0.05)
        assert all(map(all, await asyncio.gather(*asked)))
        assert [packet.code.name for packet in await asyncio.gather(*codes)] == ["ACCESS_ACCEPT"] * len(right)
        assert "journal.sqlite" in log.read_text(), "it was brought over meanwhile"
        assert max(waited) < SECONDS / 2
