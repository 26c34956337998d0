"""What somebody does who wants in, or wants to harm, for a day of virtual time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from attack.house import START, House, Time, open_house
from auth.otp.token import SoftwareToken
from auth.request import Challenged, Door, Outcome
from scenarios.company import NODE_MEMBERS, Entry, password_of, person, phone, policy, policy_dn
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

NODES = f"""
[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = {NODE_MEMBERS}

[node:wiki]
dirfactorAddress = 127.0.0.2
secret = file:radius.secret
dirfactorMember = {NODE_MEMBERS}

[node:desk]
dirfactorAddress = 127.0.0.3
secret = file:radius.secret
dirfactorLoginMode = codeOnly
dirfactorMember = {NODE_MEMBERS}
"""
TOTP = SoftwareToken(TokenKind.TOTP, "T-TOTP", b"canary-of-a-seed-of-time")
HOTP = SoftwareToken(TokenKind.HOTP, "T-HOTP", b"canary-of-a-seed-of-events")
LOCKED_PAUSE = 60.0
CROWD = 100
LEGITIMATE_SECONDS = 3_600.0


@dataclass
class Report:
    """What a day came to."""

    name: str
    comparisons: int = 0
    likely: float = 0.0
    texts: int = 0
    let_in: int = 0
    locked: bool = False
    still_served: bool | None = None
    notes: list[str] = field(default_factory=list)


def entries(folder: Path) -> list[Entry]:
    """A person for each strategy; their policies are as shipped but for the methods."""
    sealed = SealedPeople(folder)
    twofold = {"dirfactorPolicy": policy_dn("twofold")}
    return [
        policy("twofold", dirfactorFirstMethod="password", dirfactorSecondMethod="token"),
        policy("shipped"),
        person("sms", "sms", mobile=phone(1), **twofold),
        person("mail", "email", **twofold),
        sealed.with_token("totp", TOTP, **twofold),
        sealed.with_token("hotp", HOTP, **twofold),
        sealed.with_token("busy", HOTP, **twofold),
        sealed.with_token("roamed", TOTP, **twofold),
        person("many", "sms", "email", mobile=phone(2), **twofold),
        person("parallel", "sms", mobile=phone(3), **twofold),
        sealed.with_token("restarted", TOTP, **twofold),
        person("named", "sms", mobile=phone(4), dirfactorPolicy=policy_dn("shipped")),
        person("victim", "sms", mobile=phone(5), **twofold),
        sealed.with_token("exposed", TOTP, dirfactorPolicy=policy_dn("shipped")),
        *(person(f"crowd{number}", "sms", mobile=phone(100 + number), **twofold) for number in range(CROWD)),
    ]


class Attacker:
    """One strategy after the other, each against somebody of its own and with a day of its own.

    Args:
        folder: empty.
        hours: of virtual time.
        seed: for guesses, codes and all else.
    """

    def __init__(self, folder: Path, hours: float, seed: int) -> None:
        self._folder = folder
        self._entries = entries(folder)
        self._hours = hours
        self._seed = seed
        self._days = 0

    async def reports(self) -> list[Report]:
        """All of them."""
        guessing = {
            "text, password known": ("sms", self._by_message),
            "mail, password known": ("mail", self._by_message),
            "TOTP, password known": ("totp", self._by_code),
            "HOTP, password known": ("hotp", self._by_code),
            "HOTP, its owner logs on every hour": ("busy", self._beside_the_owner),
            "TOTP, two nodes, both doors": ("roamed", self._roaming),
            "text and mail in turn": ("many", self._by_message),
            "text, twenty challenges at once": ("parallel", self._in_parallel),
            "TOTP, the service begun anew every hour": ("restarted", self._over_restarts),
            "text, name known, codeOnly node": ("named", self._by_name),
        }
        found = []
        for name, (user, strategy) in guessing.items():
            async with self._house() as house:
                found.append(await strategy(house, user, Report(name)))
        return found

    def _house(self):
        """The service at the beginning of a day that nobody has had yet."""
        self._days += 1
        time = Time(START + timedelta(days=10 * self._days))
        return open_house(self._folder, self._entries, NODES, random.Random(self._seed + self._days), time)

    async def _all_day(self, house: House, report: Report, user: str, act: Callable[[], Awaitable[Outcome]]) -> Report:
        """Go on as long as the day lasts; while nothing is compared, wait a minute."""
        end = house.time.now + timedelta(hours=self._hours)
        while house.time.now < end:
            before = self._compared(house)
            outcome = await act()
            if outcome.reason.value == "accepted":
                report.let_in += 1
            report.locked = report.locked or outcome.reason.value == "violations-locked"
            house.time.later(1.0 if self._compared(house) > before else LOCKED_PAUSE)
        return self._told(house, report)

    def _told(self, house: House, report: Report) -> Report:
        report.comparisons = self._compared(house)
        report.likely = sum(meter.likely for meter in house.meters.values())
        report.texts = len(house.texts.sent)
        return report

    def _compared(self, house: House) -> int:
        return sum(meter.compared for meter in house.meters.values())

    def _guess(self, house: House) -> str:
        return f"{random.Random(house.requests).randrange(10**6):06d}"

    async def _by_message(self, house: House, user: str, report: Report) -> Report:
        """A challenge until its tries are used up, then another one."""
        asked: Challenged | None = None

        async def act() -> Outcome:
            nonlocal asked
            if asked is None:
                outcome = await house.begin(user, password=password_of(user))
            else:
                outcome = await house.answer(asked, self._guess(house))
            asked = outcome if isinstance(outcome, Challenged) else None
            return outcome

        return await self._all_day(house, report, user, act)

    async def _by_code(self, house: House, user: str, report: Report) -> Report:
        async def act() -> Outcome:
            return await house.begin(user, password=password_of(user), code=self._guess(house))

        return await self._all_day(house, report, user, act)

    async def _beside_the_owner(self, house: House, user: str, report: Report) -> Report:
        """Each right code of the owner's forgets wrong ones, and is no help."""
        counter, next_logon = 0, house.time.now

        async def act() -> Outcome:
            nonlocal counter, next_logon
            if house.time.now >= next_logon:
                next_logon += timedelta(seconds=LEGITIMATE_SECONDS)
                worth = [(meter, meter.likely, meter.compared) for meter in house.meters.values()]
                own = await house.begin(user, password=password_of(user), code=HOTP.code(counter).text)
                counter += own.reason.value == "accepted"
                for meter, likely, compared in worth:
                    meter.likely, meter.compared = likely, compared
            return await house.begin(user, password=password_of(user), code=self._guess(house))

        return await self._all_day(house, report, user, act)

    async def _roaming(self, house: House, user: str, report: Report) -> Report:
        places = [(node, door) for node in ("vpn", "wiki") for door in (Door.RADIUS, Door.HTTP)]

        async def act() -> Outcome:
            node, door = places[house.requests % len(places)]
            return await house.begin(user, password=password_of(user), code=self._guess(house), node=node, door=door)

        return await self._all_day(house, report, user, act)

    async def _in_parallel(self, house: House, user: str, report: Report) -> Report:
        async def act() -> Outcome:
            begun = await asyncio.gather(*(house.begin(user, password=password_of(user)) for _ in range(20)))
            asked = [each for each in begun if isinstance(each, Challenged)]
            answers = await asyncio.gather(
                *(house.answer(each, self._guess(house)) for each in asked for _ in range(2))
            )
            return (answers or begun)[-1]

        return await self._all_day(house, report, user, act)

    async def _over_restarts(self, house: House, user: str, report: Report) -> Report:
        """Nothing is forgotten by the service, so that nothing is to be had by its restarts."""
        time, hours = house.time, self._hours
        self._hours = min(1.0, hours)
        try:
            while hours > 0:
                dice = random.Random(self._seed + int(hours * 60))
                async with open_house(self._folder, self._entries, NODES, dice, time) as begun:
                    part = await self._by_code(begun, user, Report(report.name))
                report.comparisons += part.comparisons
                report.likely += part.likely
                report.let_in += part.let_in
                report.locked = report.locked or part.locked
                hours -= self._hours
        finally:
            self._hours = max(self._hours, hours)
        return report

    async def _by_name(self, house: House, user: str, report: Report) -> Report:
        """Nothing is known but a name, at a node that asks for no password."""
        asked: Challenged | None = None

        async def act() -> Outcome:
            nonlocal asked
            if asked is None:
                outcome = await house.begin(user, code="", node="desk")
            else:
                outcome = await house.answer(asked, self._guess(house), node="desk")
            asked = outcome if isinstance(outcome, Challenged) else None
            return outcome

        return await self._all_day(house, report, user, act)

    async def locked_out(self) -> list[Report]:
        """Whether somebody who knows nothing but a name can lock its owner out."""
        found = []
        async with self._house() as house:
            report = Report("wrong passwords and made-up States, by name")
            for number in range(2_000):
                await house.begin("victim", password=f"guess-{number}")
                house.time.later(1.0)
            outcome = await house.begin("victim", password=password_of("victim"))
            report.still_served = isinstance(outcome, Challenged)
            report.locked = outcome.reason.value == "violations-locked"
            found.append(self._told(house, report))
        async with self._house() as house:
            report = Report("wrong codes, by name, where no password is asked first")
            number = 0
            while number < 2_000 and not report.locked:
                number += 1
                outcome = await house.begin("exposed", code=self._guess(house), node="desk")
                report.locked = outcome.reason.value == "violations-locked"
                house.time.later(1.0)
            report.notes.append(f"after {number} requests")
            house.time.later(15 * 60.0)
            step = TOTP.step(house.time.now)
            outcome = await house.begin("exposed", code=TOTP.code(step).text, node="desk")
            report.still_served = outcome.reason.value == "accepted"
            found.append(self._told(house, report))
        return found

    async def pumped(self) -> list[Report]:
        """How many texts somebody can cause who is after the texts."""
        found = []
        for name, users, known in (
            ("texts, one password known", ["victim"], True),
            (f"texts, {CROWD} passwords known", [f"crowd{number}" for number in range(CROWD)], True),
            (f"texts, {CROWD} names, codeOnly node", [f"crowd{number}" for number in range(CROWD)], False),
        ):
            async with self._house() as house:
                end = house.time.now + timedelta(hours=self._hours)
                while house.time.now < end:
                    for user in users:
                        if known:
                            await house.begin(user, password=password_of(user))
                        else:
                            await house.begin(user, code="", node="desk")
                    house.time.later(150.0)
                found.append(self._told(house, Report(name)))
        return found

    async def calibrated(self) -> tuple[int, float]:
        """Where there are ten codes only: how many guesses were right, and how many should have been."""
        async with self._house() as house:
            entropy = random.Random(self._seed)
            performer = house.app.service._parts.performer
            object.__setattr__(performer.minted, "below", lambda _: entropy.randrange(10))
            right = 0
            tries = 0
            for number in range(CROWD):
                user = f"crowd{number}"
                asked = await house.begin(user, password=password_of(user))
                for _ in range(2):
                    if not isinstance(asked, Challenged):
                        break
                    tries += 1
                    asked = await house.answer(asked, f"{entropy.randrange(10):06d}")
                    right += asked.reason.value == "accepted"
                house.time.later(200.0)
            return right, tries / 10
