"""Name servers that say nothing keep those waiting who need a name that only they know, and nobody else."""

import asyncio
import re
import shutil
import time

import pytest

from auth.otp.token import SoftwareToken
from faults.kinds import PIN
from faults.name_server import name_server
from scenarios.company import person, policy, policy_dn, texted
from scenarios.office import beside, open_office, until
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

pytestmark = pytest.mark.servers
MANY = 64
GONE = "gateway.gone.example"
NO_TIME_SECONDS = 2.0
"""Such a logon takes a tenth of it; a look-up that hangs takes six times as long."""


async def test_texts_that_hang_at_a_name_server_delay_nobody_who_does_not_need_it(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    sealed, token = SealedPeople(site), SoftwareToken(TokenKind.HOTP, "T-PAULA", b"a-seed-of-an-authenticator")
    patient = {"dirfactorViolationLimit": "100", "dirfactorCodesPerWindow": "100"}
    entries = [
        *(texted(f"waiting{number}", number, dirfactorPolicy=policy_dn("gone")) for number in range(MANY)),
        texted("by-address", 100, dirfactorPolicy=policy_dn("address")),
        texted("by-name", 101, dirfactorPolicy=policy_dn("named")),
        person("by-mail", "email", dirfactorPolicy=policy_dn("named")),
        sealed.with_token("paula", token, pin=PIN, dirfactorPolicy=policy_dn("pins")),
        policy("gone", dirfactorSmsGateways="gone", **patient),
        policy("address", dirfactorSmsGateways="gateway", **patient),
        policy("named", dirfactorSmsGateways="named", **patient),
        policy("pins", dirfactorFirstMethod="token", dirfactorSecondMethod="none", dirfactorPinWithToken="TRUE"),
    ]
    async with open_office(site, *entries) as office:
        with name_server(tmp_path / "dns") as names:
            names.silent = {GONE}
            text = office.service.config.read_text()
            section = re.search(r"\[sms:gateway\]\n(?:.+\n)+", text)[0]
            more = "".join(
                section.replace("sms:gateway", f"sms:{name}").replace("127.0.0.1", host) + "allow_plain_http = yes\n\n"
                for name, host in (("gone", GONE), ("named", "localhost"))
            )
            (site / "beside" / "state").mkdir(mode=0o700, parents=True)
            shutil.copy2(site / "state" / "keys.ring", site / "beside" / "state" / "keys.ring")
            async with beside(office, section, f"{section}\n{more}\n", under=names.under) as named:
                await met(named, token, office)


async def met(office, token, other):
    """Meanwhile 64 people wait for the gateway whose name nobody knows."""

    async def in_time(user, password=None):
        begun = time.monotonic()
        reply = await office.log_on("radius", user, password=password)
        assert time.monotonic() - begun < NO_TIME_SECONDS, user
        return reply.outcome

    mark = office.site.mark()
    waiting = [asyncio.ensure_future(office.log_on("radius", f"waiting{number}")) for number in range(MANY)]
    await asyncio.sleep(1.0)
    assert not any(each.done() for each in waiting)
    assert await in_time("paula", f"{PIN}{token.code(0).text}") == "accepted"
    assert await in_time("by-address") == "challenged"
    before = await office.version()
    other.edit("uid=paula", mail="new@demo.example")
    await until(lambda: office.later_than(before))
    for user in ("by-name", "by-mail"):
        assert await in_time(user) == "challenged", "a name that is known is not looked up behind one that is not"
    assert {reply.outcome for reply in await asyncio.gather(*waiting)} == {"refused"}
    assert {office.reasons(f"waiting{number}")[-1] for number in range(MANY)} == {"delivery-failed"}
    assert office.texts_since(mark) == 2
    begun = time.monotonic()
    await office.service.pause()
    assert time.monotonic() - begun < 3.0, "what still hangs holds nothing up at the end either"
    await office.service.start()
    await until(lambda: _ready(office))


async def _ready(office):
    return (await office.service.get("/readyz")).status_code == 200
