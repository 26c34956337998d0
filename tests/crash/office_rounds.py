"""Rounds at the real service: it is killed in the middle of something, started again, and must know what it knew."""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from auth.audit.files import AuditFiles
from auth.audit.keys import AuditKey
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify
from auth.embedded_state import StateFile
from auth.otp.token import SoftwareToken
from conformance.compare import unlike_a_full_read
from dirsync.replica import Replica
from dirsync.settings import DirectoryKind, DirectorySettings
from scenarios.company import NODE_MEMBERS, policy, policy_dn, texted
from scenarios.office import Office, another, open_office, until
from scenarios.sealed import SealedPeople, id_of
from schema.errors import Fault
from schema.words import TokenKind

PEOPLE = 24
SUBMISSIONS = 6
PENDING_SECONDS = 0.04
NODES = f"""
[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorApiKeyHash = {{api_key_hash}}
dirfactorMember = {NODE_MEMBERS}
"""
TOKENS = {
    f"holly{number}": SoftwareToken(TokenKind.HOTP, f"T-{number}", bytes([number]) * 20) for number in range(PEOPLE)
}


@dataclass
class Seen:
    """What all rounds together have come to."""

    rounds: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    shown_again: int = 0
    accepted_twice: int = 0
    edits: int = 0
    lost: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)


class OfficeRounds:
    """Rounds by their names; each is about somebody of its own."""

    def __init__(self, office: Office, dice: random.Random, seen: Seen) -> None:
        self._office = office
        self._dice = dice
        self._seen = seen
        self._next = dict.fromkeys(TOKENS, 0)
        self.moments: dict[str, Callable[[], Awaitable[None]]] = {
            "logon by an authenticator's code": self.authenticator,
            "logon by a text": self.text,
            "wrong codes": self.wrong_codes,
            "an edit": self.edit,
            "the configuration read again": self.reload,
        }

    async def round(self, name: str) -> None:
        """One, whose kill comes at a random moment, and the look at everything that must hold after any."""
        await self.moments[name]()
        self._seen.rounds[name] += 1

    async def look(self) -> None:
        """That audit, databases and replica are whole, and the replica says what the directory says."""
        folder = self._office.site.folder / "state"
        files = AuditFiles(self._office.site.audit, folder / "audit.key")
        own = AuditKey((folder / "audit.key").read_bytes())
        verdict = await asyncio.to_thread(verify, files, Keys(own.public, own), lambda lines, _: lines)
        self._seen.torn = verdict.torn
        if verdict.found is not None:
            self._seen.wrong.append(f"the audit does not verify: {verdict.found}")
        settings = DirectorySettings(kind=DirectoryKind.LDIF, file=self._office.site.folder / "directory.ldif")
        with closing(Replica(folder / "replica.sqlite")) as replica:
            self._seen.wrong += list(unlike_a_full_read(settings, replica))[:3]

    async def authenticator(self) -> None:
        user = self._dice.choice(list(TOKENS))
        counter = self._next[user]
        self._next[user] += 1
        await self._once(user, TOKENS[user].code(counter).text)

    async def text(self) -> None:
        user = f"tess{self._dice.randrange(PEOPLE)}"
        asked, code = await self._office.texted("http", user)
        await self._once(user, code, lambda door: self._office.answer(door, user, asked.state, code))

    async def _once(self, user: str, code: str, show=None) -> None:
        """Show a code several times at once, kill, start, show it again: it must count once at most."""
        show = show or (lambda door: self._show(door, user, code))
        before, heard = self._accepts(user), Counter()

        async def submit(door: str) -> None:
            with contextlib.suppress(Fault, httpx.HTTPError):
                heard[(await show(door)).outcome] += 1

        async with self._killed(*(submit(door) for door in ("http", "radius") * (SUBMISSIONS // 2))):
            pass
        await asyncio.gather(*(submit(door) for door in ("http", "radius")))
        recorded = self._accepts(user) - before
        self._seen.accepted += recorded
        self._seen.shown_again += 2
        if recorded > 1 or heard["accepted"] > 1:
            self._seen.accepted_twice += 1
            self._seen.wrong.append(f"a code of {user} was accepted {max(recorded, heard['accepted'])} times")
        if heard["accepted"] > recorded:
            self._seen.wrong.append(f"an accept of {user} is in no audit")

    async def wrong_codes(self) -> None:
        """What was told to be wrong is counted afterwards."""
        user = self._dice.choice(list(TOKENS))
        right = TOKENS[user].code(self._next[user] + 500).text
        before, told = len(self._failures(user)), 0

        async def mistype(number: int) -> None:
            nonlocal told
            with contextlib.suppress(Fault, httpx.HTTPError):
                await self._show("http", user, another(f"{(int(right) + number) % 10**6:06d}"))
                told += 1

        async with self._killed(*(mistype(number) for number in range(3))):
            pass
        after = len(self._failures(user))
        if not before + told <= after <= before + 3:
            self._seen.wrong.append(f"{told} wrong codes of {user} were told, and {after - before} are counted")
        await self._show("http", user, TOKENS[user].code(self._next[user]).text)  # forgets them
        self._next[user] += 1

    async def edit(self) -> None:
        """What was saved is in the replica after the next start, and nothing else."""
        mail = f"mail-{self._seen.edits}@demo.example"
        async with self._killed():
            self._office.edit(f"uid=tess{self._dice.randrange(PEOPLE)}", mail=mail)
            self._seen.edits += 1
        await until(lambda: self._says(mail), 20.0)

    async def reload(self) -> None:
        program = self._office.service.program
        async with self._killed():
            os.kill(program.process.pid, signal.SIGHUP)

    async def _says(self, mail: str) -> bool:
        with closing(Replica(self._office.site.folder / "state" / "replica.sqlite")) as replica:
            return bool(replica.find((("mail", mail),)))

    async def _show(self, door: str, user: str, code: str):
        if door == "http":
            return await self._office.service.http(user, passcode=code)
        return await self._office.service.radius(user, code)

    @asynccontextmanager
    async def _killed(self, *doing: Awaitable[None]) -> AsyncIterator[None]:
        """The block, with things under way; the service is killed soon after it, and started again."""
        tasks = [asyncio.ensure_future(each) for each in doing]
        yield
        await asyncio.sleep(self._dice.uniform(0.0, PENDING_SECONDS))
        await self._office.service.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._office.service.start()
        await self._office.service.until_ready()

    def _accepts(self, user: str) -> int:
        return len(self._office.audit(name=user, outcome="accepted"))

    def _failures(self, user: str) -> tuple:
        return StateFile(self._office.site.folder / "state" / "state.sqlite").failures(id_of(user))


@asynccontextmanager
async def opened(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[OfficeRounds]:
    """The rounds of a company of their own."""
    sealed = SealedPeople(folder)
    patient = {"dirfactorLogonAttempts": "10", "dirfactorViolationLimit": "100"}
    entries = [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in TOKENS.items()),
        *(texted(f"tess{number}", number, dirfactorPolicy=policy_dn("texts")) for number in range(PEOPLE)),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none", **patient),
        policy("texts", dirfactorCodesPerWindow="100", **patient),
    ]
    spend = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\nper_prefix_day = 100000\n"
    async with open_office(folder, *entries, nodes=NODES, more_config=spend) as office:
        yield OfficeRounds(office, dice, seen)
