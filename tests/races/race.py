"""Races at three nodes: the same code, the same State and wrong codes, shown at all of them at once."""

import asyncio
import contextlib
import itertools
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from auth.clock import SYSTEM_CLOCK
from auth.config import read_config
from auth.otp.token import SoftwareToken
from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet
from auth.reason import Reason
from auth.shared.reader import SharedReader
from auth.state import Wanted
from cluster.nodes import Cluster, open_cluster
from races.node_link import NodeLink
from scenarios.company import ONE_ACCESS_NODE, Entry, password_of, phone, policy, policy_dn, texted
from scenarios.office import calling
from scenarios.sealed import SealedPeople, id_of
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

NODES = 3
SUBMISSIONS = 6
HOLDERS_AT_ONCE = 60
CODES_EACH = 8
"""Codes that one holder shows: of six submissions of each five are wrong, and sixty wrong ones within a day lock."""
WRONG_CODES_THAT_LOCK = 5
AT_ONCE = 30
_RACE_SECONDS = 0.02
"""What the answers to one State, or the wrong codes of one person, take at least."""
_PATIENCE = 15.0
_ATTEMPTS = 2 * NODES


def holders(submissions: int) -> dict[str, SoftwareToken]:
    """Login name -> token, of as many people as so many submissions need: the same number for each turn, or those of
    a turn with fewer would come to their sixtieth wrong code and be locked."""
    each_turn = max(1, math.ceil(submissions / SUBMISSIONS / CODES_EACH / HOLDERS_AT_ONCE))
    return {
        f"holly{each}": SoftwareToken(TokenKind.HOTP, f"T-{each}", each.to_bytes(4, "big") * 5)
        for each in range(HOLDERS_AT_ONCE * each_turn)
    }


@dataclass
class Seen:
    """What the races have come to; `met` counts those in the middle of which a node was killed, by what was raced."""

    submissions: int = 0
    by_http: int = 0
    unanswered: int = 0
    codes: int = 0
    states: int = 0
    locks: int = 0
    crowd: int = 0
    accepts: int = 0
    kills: int = 0
    met: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Races:
    """Three nodes and their links."""

    cluster: Cluster
    dice: random.Random
    seen: Seen
    tokens: Mapping[str, SoftwareToken]
    lockable: Mapping[str, SoftwareToken]
    links: list[NodeLink] = field(default_factory=list)
    down: set[int] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        names = list(self.tokens)
        self._next = dict.fromkeys(names, 0)
        self._turns = [itertools.cycle(names[first::HOLDERS_AT_ONCE]) for first in range(HOLDERS_AT_ONCE)]

    def link(self) -> None:
        """Open a link to each node."""
        self.links = [self._link_to(at) for at in range(NODES)]

    def _link_to(self, at: int) -> NodeLink:
        return NodeLink(self.cluster.nodes[at].service.radius_port, self.cluster.first.service.secret.octets)

    def close(self) -> None:
        for each in self.links:
            each.close()

    async def codes(self, submissions: int) -> None:
        """So many holders at a time show a code each, at all nodes at once; so many submissions in all."""
        end = self.seen.submissions + submissions

        async def show(turns: Iterator[str]) -> None:
            while self.seen.submissions < end:
                user = next(turns)
                counter = self._next[user]
                self._next[user] += 1
                await self._code(user, self.tokens[user].code(counter).text)

        await asyncio.gather(*map(show, self._turns))

    async def _code(self, user: str, code: str) -> None:
        """Once at most; where no node was away, everybody is answered, and one of them by an accept."""
        kills, down = self.seen.kills, bool(self.down)
        outcomes = await asyncio.gather(*(self._show(number % NODES, user, code) for number in range(SUBMISSIONS)))
        accepts = outcomes.count("accepted")
        self.seen.codes += 1
        self.seen.accepts += accepts
        self.seen.unanswered += outcomes.count(None)
        if accepts > 1:
            self.seen.wrong.append(f"a code of {user} was accepted {accepts} times")
        elif (accepts != 1 or None in outcomes) and not down and kills == self.seen.kills:
            self.seen.wrong.append(f"no node was away, and a code of {user} came to {Counter(outcomes)}")

    async def _show(self, at: int, user: str, code: str) -> str | None:
        """Half of them tell another station, so that they are no repeats of each other."""
        self.seen.submissions += 1
        await asyncio.sleep(self.dice.random() * 0.002)
        if self.dice.random() < 1 / 30:
            self.seen.by_http += 1
            with contextlib.suppress(httpx.HTTPError):
                return (await self.cluster.nodes[at].service.http(user, passcode=code)).outcome
            return None
        extra = [calling(f"192.0.2.{self.dice.randrange(256)}")] if self.dice.random() < 1 / 2 else []
        return outcome(await self.links[at].ask(user, code, extra=extra))

    async def state(self, number: int) -> None:
        """A challenge is answered by everybody at once, over both doors of all nodes: by one of them.

        Of a node that is killed meanwhile the accept may be lost, and never comes from another.
        """
        user = f"sam{number}"
        state, code = await self._asked(number, user)
        kills, down = self.seen.kills, bool(self.down)

        async def answer(at: int, door: str) -> str | None:
            if door == "radius":
                extra = [(Attribute.STATE, state)]
                return outcome(await self.links[at].ask(user, code, extra=extra, seconds=_PATIENCE))
            with contextlib.suppress(Fault, httpx.HTTPError):
                return (await self.cluster.answer(at, door, user, Secret(state.decode()), code)).outcome
            return None

        shown = [answer(at, door) for at in range(NODES) for door in ("http", "radius") * 3]
        self.begun.set()
        outcomes = await asyncio.gather(*shown)
        accepts, met = outcomes.count("accepted"), kills != self.seen.kills
        self.seen.submissions += len(shown)
        self.seen.states += 1
        self.seen.accepts += accepts
        self.seen.unanswered += outcomes.count(None)
        self.seen.met["State"] += met
        if accepts > 1 or (accepts != 1 and not met):  # at a node that was away before, nothing can be lost
            self.seen.wrong.append(f"a State of {user} was answered {accepts} times")
        if None in outcomes and not met and not down:
            self.seen.wrong.append(f"no node was away, and a State of {user} came to {Counter(outcomes)}")

    async def _asked(self, first: int, user: str) -> tuple[bytes, str]:
        """A challenge of the first node that is there, and the code that was texted for it."""
        number = phone(int(user.removeprefix("sam")))
        for attempt in range(_ATTEMPTS):
            mark = self.cluster.first.site.mark()
            station = [calling(f"192.0.2.{attempt}")]
            asked = await self.links[(first + attempt) % NODES].ask(user, password_of(user), extra=station)
            states = [value for key, value in asked.attributes if key == Attribute.STATE] if asked else []
            if states:
                return states[0], await self.cluster.first.site.text_code(mark, number)
        raise AssertionError(f"{user} is asked for a code by no node")

    async def lock(self, number: int) -> None:
        """Wrong codes at all nodes at once: as many are counted as lock, whatever comes between, and then it holds.

        Each is counted before it is compared, and taken back where the lock was reached meanwhile: what a node had not
        taken back when it was killed stays counted.
        """
        user = f"loki{number}"
        kills = self.seen.kills
        stations = [[calling(f"198.51.100.{each}")] for each in range(AT_ONCE)]
        self.begun.set()
        await asyncio.gather(
            *(self.links[each % NODES].ask(user, f"{each:06d}", extra=station) for each, station in enumerate(stations))
        )
        self.seen.submissions += AT_ONCE
        self.seen.locks += 1
        met = kills != self.seen.kills
        self.seen.met["lock"] += met
        counted = len(await asyncio.to_thread(self._failures, user))
        if counted < WRONG_CODES_THAT_LOCK or (counted > WRONG_CODES_THAT_LOCK and not met):
            self.seen.wrong.append(f"{counted} wrong codes of {user} were counted")
        right = self.lockable[user].code(0).text
        outcomes = [outcome(await each.ask(user, right, extra=[calling("198.51.100.99")])) for each in self.links]
        self.seen.submissions += len(outcomes)
        if "accepted" in outcomes:
            self.seen.wrong.append(f"{user} is locked, and a right code came to {Counter(outcomes)}")

    def audited(self) -> None:
        """What the audits of all nodes say of States and locks, those answers included that nobody heard any more."""
        lines = [line for node in self.cluster.nodes for line in node.audit()]
        accepted = Counter(line["name"] for line in lines if line["outcome"] == "accepted")
        compared = Counter(line["name"] for line in lines if line["reason"] == Reason.CODE_WRONG_RETRY)
        for number in range(self.seen.states):
            if accepted[f"sam{number}"] > 1:
                self.seen.wrong.append(f"say the audits, sam{number} was accepted {accepted[f'sam{number}']} times")
        for user in self.lockable:
            if accepted[user] or compared[user] > WRONG_CODES_THAT_LOCK:
                told = f"{compared[user]} wrong codes and {accepted[user]} accepts"
                self.seen.wrong.append(f"say the audits, {user} came to {told}")

    def _failures(self, user: str) -> tuple:
        section = read_config(self.cluster.first.service.config).state
        return SharedReader(section).recall(Wanted(id_of(user)), SYSTEM_CLOCK.now()).failures

    async def killing(self, seconds: float, over: asyncio.Event) -> None:
        """About every so many seconds a node is killed and begins anew, until it is over; then all are up."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), seconds * self.dice.uniform(0.5, 1.5))
                return
            await self._kill()

    async def killing_within(self, over: asyncio.Event) -> None:
        """Hardly are all up, a node is killed in the middle of the next State or lock, until it is over."""
        while True:
            self.begun.clear()
            await asyncio.wait(
                waiting := [asyncio.ensure_future(each.wait()) for each in (over, self.begun)],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for each in waiting:
                each.cancel()
            if over.is_set():
                return
            await asyncio.sleep(self.dice.random() * _RACE_SECONDS)
            await self._kill()

    async def _kill(self) -> None:
        at = self.dice.randrange(NODES)
        service = self.cluster.nodes[at].service
        self.down.add(at)
        self.seen.kills += 1
        await service.kill()
        self.links[at].close()  # whoever waits for it hears nothing any more
        await service.start()
        await service.until_ready()
        self.links[at] = self._link_to(at)  # its port may be another one
        self.down.discard(at)


def outcome(reply: Packet | None) -> str | None:
    """What a door of RADIUS said."""
    if reply is None:
        return None
    return {Code.ACCESS_ACCEPT: "accepted", Code.ACCESS_REJECT: "refused"}.get(reply.code, "challenged")


@asynccontextmanager
async def opened(
    folder: Path, server: str, dice: random.Random, seen: Seen, *, submissions: int = 0, states: int = 0, locks: int = 0
) -> AsyncIterator[Races]:
    """The nodes of a company in which there is somebody for each race."""
    sealed, tokens = SealedPeople(folder), holders(submissions)
    lockable = {
        f"loki{each}": SoftwareToken(TokenKind.HOTP, f"L-{each}", each.to_bytes(5, "big") * 4) for each in range(locks)
    }
    entries: Sequence[Entry] = [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in tokens.items()),
        *(texted(f"sam{number}", number) for number in range(states)),
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("strict")) for uid, token in lockable.items()),
        policy(
            "codes",
            dirfactorFirstMethod="token",
            dirfactorSecondMethod="none",
            dirfactorLogonAttempts="10",
            dirfactorViolationLimit="100",
        ),
        policy(
            "strict",
            dirfactorFirstMethod="token",
            dirfactorSecondMethod="none",
            dirfactorLogonAttempts=str(WRONG_CODES_THAT_LOCK),
            dirfactorViolationLimit="1",
        ),
    ]
    spend = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\nper_prefix_day = 100000\n"
    async with open_cluster(folder, server, NODES, *entries, nodes=ONE_ACCESS_NODE, more_config=spend) as cluster:
        races = Races(cluster, dice, seen, tokens, lockable)
        races.link()
        try:
            yield races
        finally:
            races.close()
