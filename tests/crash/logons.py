"""Logons that are under way: a code is shown several times at once, and wrong ones are typed."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx

from auth.demo.service import Reply
from auth.embedded_state import StateFile
from auth.otp.token import SoftwareToken
from crash.moment import Seen
from scenarios.office import Office, another
from scenarios.sealed import id_of
from schema.errors import Fault

Show = Callable[[str], Awaitable[Reply]]
"""Show it at a door."""
DOORS = ("http", "radius")
_TIMES = 3
"""That it is shown at each door at once."""


@dataclass
class Shown:
    """One code of one person, shown several times at once, then once more at each door.

    Attributes:
        office: the service.
        seen: where it is counted.
    """

    office: Office
    seen: Seen
    _user: str = ""
    _before: int = 0
    _show: Show | None = None
    _heard: Counter[str] = field(default_factory=Counter)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def begin(self, user: str, show: Show) -> None:
        """Show it; nobody has answered when this returns."""
        self._user, self._show, self._heard = user, show, Counter()
        self._before = self._accepts()
        self._tasks = [asyncio.ensure_future(self._once(door)) for door in DOORS * _TIMES]

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)

    def was_over(self) -> bool:
        """Whether each had its answer."""
        return self._heard.total() == len(self._tasks)

    async def check(self) -> list[str]:
        """It counts once at most, and what was said to be accepted is in the audit."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        before = self._heard.total()
        await asyncio.gather(*(self._once(door) for door in DOORS))
        self.seen.shown_again += self._heard.total() - before
        accepts, recorded = self._heard["accepted"], self._accepts() - self._before
        self.seen.accepted += recorded
        wrong = []
        if max(recorded, accepts) > 1:
            self.seen.accepted_twice += 1
            wrong.append(f"a code of {self._user} was accepted {max(recorded, accepts)} times")
        if accepts > recorded:
            wrong.append(f"an accept of {self._user} is in no audit")
        return wrong

    async def _once(self, door: str) -> None:
        assert self._show is not None
        with contextlib.suppress(Fault, httpx.HTTPError):  # the service died before it answered
            self._heard[(await self._show(door)).outcome] += 1

    def _accepts(self) -> int:
        return len(self.office.audit(name=self._user, outcome="accepted"))


@dataclass
class Holders:
    """Those who have an authenticator, and which code of it comes next.

    Attributes:
        tokens: by login name.
    """

    tokens: dict[str, SoftwareToken]
    _next: Counter[str] = field(default_factory=Counter)

    def code(self, user: str) -> str:
        """The next one, which is used up by this."""
        code = self.tokens[user].code(self._next[user]).text
        self._next[user] += 1
        return code

    def far_ahead(self, user: str) -> str:
        """One that no window reaches."""
        return self.tokens[user].code(self._next[user] + 500).text


async def shown(office: Office, door: str, user: str, code: str) -> Reply:
    """A code alone, at a door."""
    if door == "http":
        return await office.service.http(user, passcode=code)
    return await office.service.radius(user, code)


@dataclass
class ByAuthenticator:
    """Somebody shows the code of an authenticator."""

    office: Office
    holders: Holders
    dice: random.Random
    seen: Seen
    name: str = "a logon by an authenticator's code"
    changes: bool = False

    def __post_init__(self) -> None:
        self._shown = Shown(self.office, self.seen)

    async def begin(self) -> None:
        user = self.dice.choice(list(self.holders.tokens))
        code = self.holders.code(user)
        self._shown.begin(user, lambda door: shown(self.office, door, user, code))

    async def end(self) -> None:
        await self._shown.end()

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        return self._shown.was_over()

    async def check(self) -> Sequence[str]:
        return await self._shown.check()


@dataclass
class ByText:
    """Somebody answers with a code that was texted."""

    office: Office
    people: Sequence[str]
    dice: random.Random
    seen: Seen
    name: str = "a logon by a text"
    changes: bool = False

    def __post_init__(self) -> None:
        self._shown = Shown(self.office, self.seen)

    async def begin(self) -> None:
        user = self.dice.choice(self.people)
        asked, code = await self.office.texted("http", user)
        self._shown.begin(user, lambda door: self.office.answer(door, user, asked.state, code))

    async def end(self) -> None:
        await self._shown.end()

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        return self._shown.was_over()

    async def check(self) -> Sequence[str]:
        return await self._shown.check()


@dataclass
class WrongCodes:
    """Somebody types wrong codes: what was told to be wrong is counted afterwards."""

    office: Office
    holders: Holders
    dice: random.Random
    name: str = "wrong codes"
    changes: bool = False
    _user: str = ""
    _before: int = 0
    _told: int = 0
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def begin(self) -> None:
        self._user = self.dice.choice(list(self.holders.tokens))
        self._before, self._told = len(self._failures()), 0
        self._tasks = [asyncio.ensure_future(self._mistype(number)) for number in range(_TIMES)]

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)

    async def kill(self) -> None:
        await self.office.service.kill()

    def was_over(self) -> bool:
        return self._told == len(self._tasks)

    async def check(self) -> Sequence[str]:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        counted = len(self._failures()) - self._before
        wrong = []
        if not self._told <= counted <= len(self._tasks):
            wrong.append(f"{self._told} wrong codes of {self._user} were told, and {counted} are counted")
        right = await shown(self.office, "http", self._user, self.holders.code(self._user))  # forgets them
        if right.outcome != "accepted":
            wrong.append(f"after {counted} wrong codes a right one of {self._user} is {right.outcome}")
        return wrong

    async def _mistype(self, number: int) -> None:
        code = self.holders.far_ahead(self._user)
        with contextlib.suppress(Fault, httpx.HTTPError):  # the service died before it answered
            await shown(self.office, "http", self._user, another(f"{(int(code) + number) % 10**6:06d}"))
            self._told += 1

    def _failures(self) -> tuple[object, ...]:
        return StateFile(self.office.site.folder / "state" / "state.sqlite").failures(id_of(self._user))
