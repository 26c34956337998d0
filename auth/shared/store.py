"""The state of logins on a server that several nodes share: each verb is one command, or one script, of it."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from auth.receipts import records
from auth.shared.line import Command, scripted
from auth.shared.names import Names, dated, instants, microseconds, pairs
from auth.shared.questions import FAILURES_KEPT, recalled, recalling, tallied
from auth.shared.scripts import (
    ATTEMPT,
    BEGIN,
    CLAIM,
    CONSUME,
    COUNT,
    FIRST,
    GIVE_BACK,
    LAY_IN,
    RENEW,
    REPLACE,
    RESERVE,
    STRIKE,
    SUPERSEDE,
    TAKE,
    WITHDRAW,
    Script,
)
from auth.shared.session import Session
from auth.spend import ledger
from auth.state import Challenge, Limit, Recalled, SentMessage, StateUnavailable, Struck, Wanted, state_key
from schema.entry import EntryId
from schema.secret import Secret

EVENTS_KEPT = timedelta(days=1)
OVERDUE = timedelta(minutes=5)
_MOST_MARK = 2**53  # what Lua's numbers hold exactly
_MINUTE = 60
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Challenge).decode
_decode_message = msgspec.msgpack.Decoder(SentMessage).decode


class SharedStore:
    """`auth.state.Store` on Valkey or Redis.

    A verb has been carried out when it returns; what the server promises then about a crash of its own is a matter of
    its configuration, and of `replicas` in [state]. Verbs that have nothing to say go with the next question of whoever
    runs; `settled` waits for them, and for this node's own copy.

    Args:
        session: asks the server.
        names: of the keys.
    """

    def __init__(self, session: Session, names: Names) -> None:
        self._session = session
        self._names = names

    async def settled(self) -> None:
        """Wait for what nobody waited for, and for this node's own copy; see `Store.settled`."""
        await self._session.settled()

    async def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered; see `Store.recall`."""
        commands = recalling(self._names, wanted)
        return recalled(wanted, await self._session.ask(*commands), now) if commands else Recalled()

    async def begin(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge; see `Store.begin`."""
        if not await self._open(BEGIN, state, challenge):
            raise StateUnavailable("a challenge of this state is open already", remedy="report this with the log")

    async def renew(self, state: Secret, challenge: Challenge) -> None:
        """Open a challenge in the place of another; see `Store.renew`."""
        await self._open(RENEW, state, challenge)

    async def attempt(self, state: Secret, node: str) -> Challenge | None:
        """Take the challenge; see `Store.attempt`."""
        return _challenge(await self._run(ATTEMPT, self._names.challenge(state_key(state)), _octets(node)))

    async def claim(self, state: Secret, challenge: Challenge) -> bool:
        """Take this challenge; see `Store.claim`."""
        key = self._names.challenge(state_key(state))
        return bool(await self._run(CLAIM, key, _octets(challenge.node), _encode(challenge)))

    async def waiting(self, state: Secret, node: str) -> Challenge | None:
        """Look at the challenge; see `Store.waiting`."""
        key = self._names.challenge(state_key(state))
        ((found, value),) = await self._session.ask(("HMGET", key, "node", "value"))
        return _challenge(value) if found == _octets(node) else None

    async def strike(self, user: EntryId, at: datetime, guesses: Sequence[Limit] = ()) -> Struck:
        """Count a wrong code; see `Store.strike`. The first limit, which is the usual one, goes in the same batch."""
        oldest = microseconds(at) - _microseconds_of(FAILURES_KEPT)
        values = (microseconds(at), oldest, _milliseconds_of(FAILURES_KEPT))
        struck = scripted(STRIKE, (self._names.failures(user),), *values)
        had, *reached = await self._session.ask(struck, *(self._reserving(guesses[:1], at) if guesses else ()))
        earlier = instants(pairs(had), oldest)
        if reached and not reached[0]:
            return Struck(earlier, guesses[0])
        for guess in guesses[1:]:
            if await self.reserve((guess,), at) is None:
                return Struck(earlier, guess)
        return Struck(earlier)

    async def forgive(self, user: EntryId) -> None:
        """Forget the failures; see `Store.forgive`."""
        self._session.tell(("DEL", self._names.failures(user)))

    async def withdraw(self, user: EntryId, at: datetime, guess: Limit | None = None) -> None:
        """Take back one strike; see `Store.withdraw`."""
        withdrawn = scripted(WITHDRAW, (self._names.failures(user),), microseconds(at))
        self._session.tell(withdrawn, *(self._giving_back((guess,), at) if guess is not None else ()))

    async def count(self, key: str, at: datetime, window_seconds: int, limit: int) -> bool:
        """Count one event; see `Store.count`."""
        number = microseconds(at)
        oldest, since = number - _microseconds_of(EVENTS_KEPT), number - window_seconds * 1_000_000
        values = (number, oldest, _milliseconds_of(EVENTS_KEPT), since, limit)
        return bool(await self._run(COUNT, self._names.events(key), *values))

    async def consume(self, key: str, mark: int) -> bool:
        """Move a mark up; see `Store.consume`."""
        if abs(mark) >= _MOST_MARK:
            raise StateUnavailable(f"a mark of {mark} is out of range", remedy="assign the token anew")
        moved = bool(await self._run(CONSUME, self._names.mark(key), mark))
        if moved:
            await self._session.written_mark(key, mark)
        return moved

    async def lay_in(self, key: str, digests: Sequence[bytes], expires_at: datetime) -> None:
        """Put codes on stock; see `Store.lay_in`."""
        if digests:
            await self._run(LAY_IN, self._names.stock(key), microseconds(expires_at), *digests)

    async def take(self, key: str, digest: bytes, now: datetime) -> int | None:
        """Use up a code on stock; see `Store.take`."""
        left = int(await self._run(TAKE, self._names.stock(key), digest, microseconds(now)))
        return None if left < 0 else left

    async def keep(self, key: str, octets: bytes) -> None:
        """Remember a value; see `Store.keep`."""
        value = dated(octets, self._session.now())
        await self._session.ask(("SET", self._names.kept(key), value))
        await self._session.written_value(key, value)

    async def first(self, key: str, octets: bytes, now: datetime, until: datetime) -> bytes | None:
        """Note a value if none is; see `Store.first`."""
        span = (microseconds(now) // 1000, microseconds(until) // 1000)
        found: bytes | None = await self._run(FIRST, self._names.note(key), octets, *span)
        return found

    async def supersede(self, key: str, octets: bytes, until: datetime) -> None:
        """Note another value; see `Store.supersede`."""
        self._session.tell(scripted(SUPERSEDE, (self._names.note(key),), octets, microseconds(until) // 1000))

    async def replace(self, key: str, before: bytes, octets: bytes, until: datetime) -> bool:
        """Note another value in place of this one; see `Store.replace`."""
        values = (before, octets, microseconds(until) // 1000)
        return bool(await self._run(REPLACE, self._names.note(key), *values))

    async def reserve(self, limits: Sequence[Limit], at: datetime) -> Limit | None:
        """Count all or none; see `Store.reserve`."""
        if not limits:
            return None
        (reached,) = await self._session.ask(*self._reserving(limits, at))
        return limits[int(reached) - 1] if reached else None

    def _reserving(self, limits: Sequence[Limit], at: datetime) -> Iterator[Command]:
        amounts = self._amounts(limits)
        places = {key: number for number, key in enumerate(amounts, 1)}
        values: list[bytes | str | int] = [_minute(at), _minute(at - ledger.KEPT), _milliseconds_of(ledger.KEPT)]
        values.append(len(limits))
        for limit in limits:
            since = repr(at.timestamp() - limit.window_seconds)
            most = "" if limit.most is None else limit.most
            values += [places[self._names.spend(limit.key, limit.scope)], since, most, limit.amount]
        yield scripted(RESERVE, tuple(amounts), *values, *amounts.values())

    async def give_back(self, limits: Sequence[Limit], at: datetime) -> None:
        """Take back; see `Store.give_back`."""
        if limits:
            self._session.tell(*self._giving_back(limits, at))

    def _giving_back(self, limits: Sequence[Limit], at: datetime) -> Iterator[Command]:
        amounts = self._amounts(limits)
        yield scripted(GIVE_BACK, tuple(amounts), _minute(at), *amounts.values())

    def _amounts(self, limits: Sequence[Limit]) -> dict[str, int]:
        """What is counted under each key, once."""
        return {self._names.spend(limit.key, limit.scope): limit.amount for limit in limits}

    async def tally(self, key: str, at: datetime, window_seconds: int) -> int:
        """Add up; see `Store.tally`."""
        (answer,) = await self._session.ask(("HGETALL", self._names.spend(key, "")))
        return tallied(answer, at, window_seconds)

    async def remember(self, message: SentMessage) -> None:
        """Remember a message; see `Store.remember`."""
        key = self._names.message(message.gateway, message.id)
        await self._session.ask(("SET", key, _encode(message), "PX", _milliseconds_of(records.KEPT)))

    async def remembered(self, gateway: str, identity: str) -> SentMessage | None:
        """The message; see `Store.remembered`."""
        (octets,) = await self._session.ask(("GET", self._names.message(gateway, identity)))
        try:
            return None if octets is None else _decode_message(octets)
        except msgspec.DecodeError as error:
            raise _strange(error) from error

    async def purge(self, now: datetime) -> int:  # noqa: ARG002 - the server has a clock
        """The server forgets by itself."""
        return 0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    async def _open(self, script: Script, state: Secret, challenge: Challenge) -> Any:
        until = math.ceil(microseconds(challenge.expires_at + OVERDUE) / 1000)
        key = self._names.challenge(state_key(state))
        return await self._run(script, key, _octets(challenge.node), _encode(challenge), until)

    async def _run(self, script: Script, key: str, *values: bytes | str | int) -> Any:
        (answer,) = await self._session.ask(scripted(script, (key,), *values))
        return answer


def _challenge(value: bytes | None) -> Challenge | None:
    try:
        return _decode(value) if value else None
    except msgspec.DecodeError as error:
        raise _strange(error) from error


def _strange(error: Exception) -> StateUnavailable:
    return StateUnavailable(
        f"the state store holds what this release cannot read: {error}",
        remedy="let all nodes run releases that may run together; see CHANGELOG.md",
    )


def _octets(node: str) -> bytes:
    return node.encode(errors="surrogatepass")


def _minute(at: datetime) -> int:
    return math.ceil(at.timestamp() / _MINUTE) * _MINUTE


def _microseconds_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _milliseconds_of(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
