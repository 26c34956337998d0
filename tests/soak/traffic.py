"""The requests of a company at work: each kind knows what must come of it."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from auth.demo.service import Reply, reply_of
from auth.otp.token import SoftwareToken
from auth.radius.attributes import Attribute
from auth.radius.packet import Code
from races.node_link import NodeLink
from races.race import outcome
from scenarios.company import Entry, password_of, person, phone, policy, policy_dn, texted
from scenarios.office import Office, another, calling
from scenarios.sealed import SealedPeople
from schema.words import TokenKind
from soak.spells import Spells

HOLDERS, TEXTED, MAILED = 200, 200, 100
"""So many that nobody comes near the most that may be sent to one in a quarter of an hour."""
GATEWAY, MAIL_SERVER = "SMS gateway", "mail server"
WEIGHTS = {
    "code": 60,
    "code over HTTP": 8,
    "wrong code": 4,
    "text": 6,
    "text over HTTP": 6,
    "wrong text, then right": 2,
    "mail": 4,
    "mail over HTTP": 2,
    "gone away": 3,
    "Status-Server": 3,
    "health": 3,
    "metrics": 3,
}
"""The kinds, and how often each comes."""
NO_LOGONS = ("gone away", "Status-Server", "health", "metrics")
TOKENS = {
    f"holly{number}": SoftwareToken(TokenKind.HOTP, f"T-{number}", bytes([number % 251, 7]) * 10)
    for number in range(HOLDERS)
}
_PATIENCE = 15.0
_REACH = 600
"""More codes than anybody types in half an hour, and those of the widest window behind them."""
_IN_PROGRESS = "dirfactor_logons_in_progress"


@dataclass
class Done:
    """What was asked, and what was wrong with the answers."""

    requests: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0))
    wrong: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def logons(self) -> int:
        return sum(number for kind, number in self.requests.items() if kind not in NO_LOGONS)


class Traffic:
    """One request of a kind at a time, as many as wanted side by side.

    Args:
        office: the service.
        spells: the faults that it meets.
        dice: for who it is.
        done: where it is noted.
    """

    def __init__(self, office: Office, spells: Spells, dice: random.Random, done: Done) -> None:
        self._office = office
        self._spells = spells
        self._dice = dice
        self._done = done
        self._link = NodeLink(office.service.radius_port, office.service.secret.octets)
        self._counters = dict.fromkeys(TOKENS, 0)
        self._free = {
            "holder": list(TOKENS),
            "texted": [f"tess{number}" for number in range(TEXTED)],
            "mailed": [f"mia{number}" for number in range(MAILED)],
        }
        self._stations = 0
        self._kinds: dict[str, Callable[[], Awaitable[bool]]] = {
            "code": self._code,
            "code over HTTP": self._code_over_http,
            "wrong code": self._wrong_code,
            "text": lambda: self._sent("texted", GATEWAY, self._by_radius),
            "text over HTTP": lambda: self._sent("texted", GATEWAY, self._by_http),
            "wrong text, then right": lambda: self._sent("texted", GATEWAY, self._by_radius_at_the_second_try),
            "mail": lambda: self._sent("mailed", MAIL_SERVER, self._by_radius),
            "mail over HTTP": lambda: self._sent("mailed", MAIL_SERVER, self._by_http),
            "gone away": self._gone_away,
            "Status-Server": self._status_server,
            "health": self._health,
            "metrics": self._metrics,
        }

    async def one(self, kind: str) -> None:
        """A request; whatever comes of it that should not is noted."""
        try:
            self._done.requests[kind] += await self._kinds[kind]()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._wrong(f"{kind}: {type(error).__name__}: {error}")

    async def at_rest(self, seconds: float = 20.0) -> None:
        """Nothing is asked any more: soon nothing is in progress."""
        deadline = time.monotonic() + seconds
        while (left := await self._in_progress()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        if left:
            self._wrong(f"{left:.0f} logons are still in progress when nobody asks")

    def close(self) -> None:
        self._link.close()

    def _wrong(self, what: str, user: str = "") -> None:
        """Note it, and what the audit says of it."""
        last = self._office.audit(name=user)[-1:] if user else []
        self._done.wrong.append(what + "".join(f": {line['reason']} {line.get('detail', '')}" for line in last))

    async def _code(self) -> bool:
        """Whether somebody was free to do it, as for the others."""
        async with self._somebody("holder") as user:
            if user is None:
                return False
            begun = time.monotonic()
            reply = await self._by_radius(user, TOKENS[user].code(self._counters[user]).text, None)
            self._done.took.append(time.monotonic() - begun)
            self._counters[user] += 1
            if reply.outcome != "accepted":
                self._wrong(f"a right code was {reply.outcome}", user)
            return True

    async def _code_over_http(self) -> bool:
        async with self._somebody("holder") as user:
            if user is None:
                return False
            code = TOKENS[user].code(self._counters[user]).text
            self._counters[user] += 1
            reply = await self._office.service.http(user, passcode=code)
            if reply.outcome != "accepted":
                self._wrong(f"a right code over HTTP was {reply.outcome}", user)
            return True

    async def _wrong_code(self) -> bool:
        user = self._dice.choice(list(TOKENS))
        typed = _wrong_for(TOKENS[user], self._counters[user])
        reply = await self._by_radius(user, typed, None)
        if reply.outcome not in {"refused", "challenged"}:  # challenged: it may be typed again
            self._wrong(f"a wrong code was {reply.outcome}", user)
        return True

    async def _sent(self, people: str, thing: str, ask: Callable[[str, str, Reply | None], Awaitable[Reply]]) -> bool:
        """A password, a code that is sent, and that code."""
        async with self._somebody(people) as user:
            if user is None:
                return False
            mark, begun = self._office.site.mark(), time.monotonic()
            asked = await ask(user, password_of(user), None)
            if asked.outcome != "challenged":
                if asked.outcome == "accepted" or not self._spells.touch(thing, begun, time.monotonic()):
                    self._wrong(f"a first step that needs the {thing} was {asked.outcome}", user)
                return False
            code = await self._code_for(user, people, mark)
            answered = await ask(user, code, asked)
            if answered.outcome != "accepted":
                self._wrong(f"the code that the {thing} took was {answered.outcome}", user)
            return True

    async def _code_for(self, user: str, people: str, mark: int) -> str:
        if people == "mailed":
            return await self._office.site.mail_code(mark, f"{user}@demo.example")
        return await self._office.site.text_code(mark, phone(int(user.removeprefix("tess"))))

    async def _by_radius(self, user: str, typed: str, asked: Reply | None) -> Reply:
        extra = [calling(self._station())]
        if asked is not None and asked.state is not None:
            extra.append((Attribute.STATE, asked.state.octets))
        packet = await self._link.ask(user, typed, extra=extra, seconds=_PATIENCE)
        return Reply("not answered") if packet is None else reply_of(packet)

    async def _by_radius_at_the_second_try(self, user: str, typed: str, asked: Reply | None) -> Reply:
        """The code that was sent is typed behind another one, after which it is asked for again."""
        if asked is not None:
            asked = await self._by_radius(user, another(typed), asked)
            if asked.outcome != "challenged":
                self._wrong(f"a wrong code that was the first of several tries was {asked.outcome}")
        return await self._by_radius(user, typed, asked)

    async def _by_http(self, user: str, typed: str, asked: Reply | None) -> Reply:
        if asked is None:
            return await self._office.service.http(user, password=typed)
        return await self._office.service.http(user, passcode=typed, state=asked.state)

    async def _gone_away(self) -> bool:
        """A client that goes away in the middle of its request."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._office.service.http_port)
        writer.write(b"POST /v1/authenticate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()
        return True

    async def _status_server(self) -> bool:
        packet = await self._link.status(seconds=_PATIENCE)
        if packet is None or packet.code is not Code.ACCESS_ACCEPT:
            self._wrong(f"Status-Server was {outcome(packet) or 'not answered'}")
        return True

    async def _health(self) -> bool:
        answer = await self._office.service.get("/healthz")
        if answer.status_code != httpx.codes.OK:
            self._wrong(f"/healthz said {answer.status_code}")
        return True

    async def _metrics(self) -> bool:
        await self._in_progress()
        return True

    async def _in_progress(self) -> float:
        """How many logons the service itself says are under way."""
        answer = await self._office.service.get("/metrics")
        # one for each door
        found = re.findall(rf"^{_IN_PROGRESS}(?:\{{.*\}})? (\S+)$", answer.text, re.MULTILINE)
        if answer.status_code != httpx.codes.OK or not found:
            self._wrong(f"/metrics said {answer.status_code}, and {_IN_PROGRESS} {'is' if found else 'is not'} there")
        return sum(map(float, found))

    @asynccontextmanager
    async def _somebody(self, people: str) -> AsyncIterator[str | None]:
        """Somebody for whom nothing else is under way; None when there is nobody."""
        free = self._free[people]
        user = free.pop(self._dice.randrange(len(free))) if free else None
        try:
            yield user
        finally:
            if user is not None:
                free.append(user)

    def _station(self) -> str:
        self._stations += 1
        return f"192.0.2.{self._stations % 250}-{self._stations}"


def _wrong_for(token: SoftwareToken, counter: int) -> str:
    """A code that is wrong for as long as the course takes.

    One that comes later would be told to be too far ahead, and would be good for nothing when it is its turn.
    """
    later = {each.decode() for each in token.codes(range(counter, counter + _REACH))}
    typed = another(token.code(counter + 700).text)
    while typed in later:
        typed = another(typed)
    return typed


def company(sealed: SealedPeople) -> list[Entry]:
    """Everybody, and their policies."""
    return [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in TOKENS.items()),
        *(texted(f"tess{number}", number, dirfactorPolicy=policy_dn("sent")) for number in range(TEXTED)),
        *(person(f"mia{number}", "email", dirfactorPolicy=policy_dn("sent")) for number in range(MAILED)),
        policy(
            "codes",
            dirfactorFirstMethod="token",
            dirfactorSecondMethod="none",
            dirfactorLogonAttempts="10",
            dirfactorViolationLimit="100",
        ),
        policy("sent", dirfactorFirstMethod="password", dirfactorSecondMethod="token", dirfactorCodesPerWindow="100"),
    ]
