"""docs/backup.md, as an administrator follows it: a running service is copied, and a copy is brought back."""

import asyncio
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from auth.otp.token import SoftwareToken
from docs.blocks import ROOT, blocks
from scenarios.company import policy, policy_dn
from scenarios.office import Office, open_office
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

pytestmark = pytest.mark.servers  # sqlite3 is a program of its own
TOKEN = SoftwareToken(TokenKind.HOTP, "T-TOM", b"a-seed-of-an-authenticator")
OWNER = "-o dirfactor -g dirfactor "


async def run(number: int, names: dict[str, str]) -> None:
    """The page's block of this number, with other names."""
    text = blocks(ROOT / "docs" / "backup.md")[number].text
    for name, other in names.items():
        assert name in text
        text = text.replace(name, other)
    await asyncio.to_thread(subprocess.run, ["sh", "-euc", text], check=True)


@dataclass
class Kept:
    """Tom's office, and how it is copied."""

    office: Office
    names: dict[str, str]

    async def lets_tom_in(self, *counts: int) -> list[bool]:
        """With each of these codes."""
        replies = [await self.office.log_on("radius", "tom", password=TOKEN.code(count).text) for count in counts]
        return [reply.outcome == "accepted" for reply in replies]

    async def make(self) -> None:
        await run(0, self.names)

    async def bring_back(self, *numbers: int) -> None:
        for number in numbers:
            await run(number, {**self.names, OWNER: ""})
        await self.office.service.start()
        await self.office.service.until_ready()


@pytest.fixture
async def kept(tmp_path):
    site, copies = tmp_path / "site", tmp_path / "copies"
    site.mkdir()
    copies.mkdir()
    tom = SealedPeople(site).with_token("tom", TOKEN, dirfactorPolicy=policy_dn("codes"))
    codes = policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none")
    async with open_office(site, tom, codes) as office:
        yield Kept(office, {"/var/lib/dirfactor": str(site / "state"), "/srv/backup": str(copies)})


async def test_a_copy_of_a_running_service_brings_back_its_keys_and_which_codes_were_used(kept, tmp_path):
    assert await kept.lets_tom_in(0, 1) == [True, True]
    await kept.make()
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "copies" / "today").iterdir()} == {0o600}
    await kept.office.service.pause()
    shutil.rmtree(tmp_path / "site" / "state")
    (tmp_path / "site" / "state").mkdir(mode=0o700)
    await kept.bring_back(1, 2)
    assert await kept.lets_tom_in(0, 1, 2) == [False, False, True]


async def test_a_copy_is_brought_back_where_the_files_before_it_still_lie(kept, tmp_path):
    assert await kept.lets_tom_in(0) == [True]
    await kept.make()
    assert await kept.lets_tom_in(1) == [True]
    await kept.office.service.kill()
    assert (tmp_path / "site" / "state" / "state.sqlite-wal").stat().st_size, "which is of the file before"
    await kept.bring_back(1)
    assert await kept.lets_tom_in(0, 1) == [False, True], "the copy does not know of the second"
