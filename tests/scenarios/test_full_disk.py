"""The state's disk is really full: who needs a write is refused and the log says why; room is all that it takes."""

import shutil

import pytest

from auth.demo.service import audit_lines
from auth.otp.token import SoftwareToken
from faults.plant import fill, small_disk
from scenarios.company import person, policy, policy_dn, texted
from scenarios.office import beside, open_office, until
from scenarios.sealed import SealedPeople
from schema.secret import Secret
from schema.words import TokenKind

TOKEN = SoftwareToken(TokenKind.HOTP, "T-TOM", b"a-seed-of-an-authenticator")
LOGONS = 90
"""After how many the pages that the files have left over are used up, at the latest."""

pytestmark = pytest.mark.servers  # who mounts a disk is root


async def test_with_a_full_disk_who_needs_a_write_is_refused_and_is_let_in_when_there_is_room_again(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    people = [
        texted("alice", 1, dirfactorPolicy=policy_dn("often")),
        SealedPeople(site).with_token("tom", TOKEN, dirfactorPolicy=policy_dn("codes")),
        person("paul", dirfactorPolicy=policy_dn("alone")),
        policy("often", dirfactorCodesPerWindow="100", dirfactorFirstMethod="password", dirfactorSecondMethod="token"),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none"),
        policy("alone", dirfactorFirstMethod="password", dirfactorSecondMethod="none"),
    ]
    spend = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\n"
    audit = site / "elsewhere" / "audit.jsonl"
    elsewhere = "[service]\njournal_days = 0\naudit_file = elsewhere/audit.jsonl\n"
    async with open_office(site, *people, more_config=spend) as office:
        audit.parent.mkdir()
        (site / "full").mkdir()
        with small_disk(tmp_path / "disk") as disk:
            (site / "full" / "state").symlink_to(disk)
            shutil.copy2(site / "state" / "keys.ring", disk / "keys.ring")
            async with beside(office, "[service]\n", elsewhere, "full") as other:

                async def reason(user: str, code: str | None = None) -> str:
                    await other.log_on("radius", user, password=code)
                    return audit_lines(audit)[-1]["reason"]

                async def asked_for_a_code() -> tuple[Secret, str]:
                    mark = other.site.mark()
                    asked = await other.log_on("radius", "alice")
                    return asked.state, await other.site.text_code(mark)

                assert await reason("paul") == "accepted"
                assert await reason("tom", TOKEN.code(0).text) == "accepted"
                state, code = await asked_for_a_code()
                for _ in range(LOGONS):
                    fill(disk)
                    if await reason("alice") == "state-unavailable":
                        break
                mark = other.site.mark()
                assert await reason("alice") == "state-unavailable"
                assert await reason("tom", TOKEN.code(1).text) == "state-unavailable"
                assert (await other.answer("radius", "alice", state, code)).outcome == "refused"
                assert audit_lines(audit)[-1]["reason"] == "state-unavailable"
                assert other.texts_since(mark) == 0
                assert await reason("paul") == "accepted", "who needs no write goes on"
                assert "database or disk is full" in other.site.log.read_text()

                office.edit("uid=paul", dirfactorPolicy=policy_dn("often"))
                (disk / "ballast").unlink()

                async def is_back() -> bool:
                    return await reason("alice") == "code-sent"

                await until(is_back)
                state, code = await asked_for_a_code()
                assert (await other.answer("radius", "alice", state, code)).outcome == "accepted"
                assert await reason("tom", TOKEN.code(2).text) == "accepted"
                assert await reason("tom", TOKEN.code(1).text) != "accepted", "a code from before is no longer good"

                async def is_in_force() -> bool:
                    return await reason("paul") != "accepted"

                await until(is_in_force)
