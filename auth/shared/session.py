"""A node's part in a shared store: what it asks, what it does when the store has forgotten, who else takes part.

A store that was emptied would let used codes be used again. So every node keeps its own marks and chosen PINs in a
file as well; each part of the store has an epoch, which every batch of questions to it looks at; and when the epoch is
another one, all nodes that took part before bring back what they have, before anybody is answered from that part again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import msgspec

from auth.clock import Clock
from auth.shared.connection import Exchanger, NoScriptError, OutOfMemoryError, ResponseError, Timely
from auth.shared.demands import Demands, demand_the_time
from auth.shared.line import Asked, Command, Line, Unanswered, scripted, unanswered
from auth.shared.names import Names, microseconds, pairs
from auth.shared.own import OwnCopy
from auth.shared.scripts import ALL, BEGIN_EPOCH, CONSUME, NEW_RUN, RESTORE
from auth.shared.settings import SharedSettings
from auth.state import StateUnavailable
from schema.errors import Fault

_log = logging.getLogger("dirfactor.state")
_SOURCES = {script.digest: script.source for script in ALL}
_BEAT_SECONDS = 1.0
_BATCH = 500
_LATELY_SECONDS = 60
"""Longer than any server waits before it writes to its disk, and than replicas lag."""


_TOLD: ContextVar[tuple[Asked, ...]] = ContextVar("told", default=())
"""What whoever runs has told a store without waiting whether it was carried out."""


class Node(msgspec.Struct, frozen=True):
    """Who takes part.

    Attributes:
        name: what the others know it by.
        key: what tells the server's key from others, and does not tell the key.
    """

    name: str
    key: str


class Session:
    """Asks the server for one node.

    Args:
        settings: the [state] section.
        node: who takes part.
        names: of the keys.
        servers: the connections.
        own: this node's own copy of what must outlive the store.
        clock: where time comes from.
        epoch: draws the name of an epoch.
    """

    def __init__(
        self,
        settings: SharedSettings,
        node: Node,
        names: Names,
        servers: Exchanger,
        own: OwnCopy,
        clock: Clock,
        epoch: Callable[[], str],
    ) -> None:
        self.now: Callable[[], datetime] = clock.now
        self._node = node.name
        self._key = node.key
        self._names = names
        self._servers = servers
        self._seconds = settings.timeout_seconds
        self._timely = Timely(servers, self._seconds)
        self._own = own
        self._draw = epoch
        self._replicas = settings.replicas
        self._wait_milliseconds = int(settings.timeout_seconds * 500)
        self._demands = Demands(names, settings.arrangement)
        self._line = Line(self._exchange, self._seconds)
        self._plain = Line(servers.exchange, self._seconds)
        self._fault: Fault | None = _NOT_YET
        self._beating: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._brought_back = 0

    async def open(self) -> None:
        """Join the others, and keep in touch until the end.

        Raises:
            Fault: the server cannot be used as it is set up. That it cannot be reached is no such reason: whoever needs
                it is refused until it can.
        """
        await self._beat()
        if self._fault is not None and not isinstance(self._fault, StateUnavailable):
            raise self._fault
        self._beating = asyncio.get_running_loop().create_task(self._keep_in_touch())

    async def aclose(self) -> None:
        """Break off what is on its way, and close the connections."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        self._fault = _CLOSED
        await self._line.aclose()
        await self._plain.aclose()
        await self._servers.aclose()
        self._own.close()

    async def ask(self, *commands: Command) -> list[Any]:
        """The answers to commands, which are carried out after all that whoever asks has told before.

        Raises:
            StateUnavailable: there are none, or the store may have forgotten what was there before.
        """
        if self._fault is not None:
            raise _for_whoever_asks(self._fault)
        if any(told.sent for told in _TOLD.get()):
            await self._heard()  # another batch might overtake it
        answers = await self._answers(self._line.put(*commands))
        if any(isinstance(answer, Exception) for answer in answers):
            answers = [await self._mended(*pair) for pair in zip(commands, answers, strict=True)]
        await self._heard()
        return answers

    def tell(self, *commands: Command) -> None:
        """Have commands carried out with whatever is asked next; `settled` waits for it.

        Scripts go by their sources: what is asked next must find them done.

        Raises:
            StateUnavailable: nobody can be told.
        """
        if self._fault is not None:
            raise _for_whoever_asks(self._fault)
        _TOLD.set((*_TOLD.get(), self._line.put(*map(_by_source, commands))))

    async def _answers(self, asked: Asked) -> list[Any]:
        try:
            return await self._line.answers(asked)
        except Unanswered as fault:
            self._lost(fault)  # who asks again at once must not be answered by somebody else
            raise

    async def _heard(self) -> None:
        """Wait until what was told is carried out. Raises StateUnavailable."""
        told = _TOLD.get()
        if told:
            _TOLD.set(())
            for each in told:
                for answer in await self._answers(each):
                    _good(answer)

    async def settled(self) -> None:
        """Wait for what was told, and for the copies. Raises StateUnavailable."""
        await self._heard()
        await self._own.settled()

    async def written_mark(self, key: str, mark: int) -> None:
        """A mark has moved; it is copied when `settled` has returned. Raises StateUnavailable."""
        await self._own.copy_mark(key, mark)

    async def written_value(self, key: str, value: bytes) -> None:
        """A value was kept; it is copied when `settled` has returned. Raises StateUnavailable."""
        await self._own.copy_value(key, value)

    async def _mended(self, command: Command, answer: Any) -> Any:
        """The answer, of a script that the server did not know by its digest from its source."""
        if isinstance(answer, NoScriptError):
            (answer,) = await self._answers(self._line.put(_by_source(command)))
        return _good(answer)

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        """With looks before whether anybody is waited for, and looks after whether the store still knows what it knew.

        In this order, and within the part of each command, which is at one server: whatever happens between the looks,
        a part that had forgotten shows it in one of them. What happens after them, while the answers are on their way
        or replicas are waited for, shows in whether this node has begun to bring back what it knew.
        """
        names = self._names
        parts = sorted({names.part(_key(command)) for command in commands})
        known, brought_back = [self._own.epoch(part) for part in parts], self._brought_back
        before: list[Command] = [("SCARD", names.awaited(part)) for part in parts]
        after: list[Command] = [("GET", names.epoch(part)) for part in parts]
        waits: list[Command] = [("WAIT", self._replicas, self._wait_milliseconds)] if self._replicas else []
        try:
            told = await self._servers.exchange((*before, *commands, *after, *waits))
        except StateUnavailable as fault:
            raise self._lost(fault) from fault  # who answers next may be another one, which must be looked at first
        except asyncio.CancelledError:  # there was no answer in time, which is the same
            self._lost(unanswered(self._seconds))
            raise
        written = told.pop() if waits else 0
        awaited, answers, epochs = told[: len(parts)], told[len(parts) : -len(parts)], told[-len(parts) :]
        for look in (*awaited, *epochs):
            if isinstance(look, Exception):
                raise self._lost(_refused(look))
        for answer in answers:
            # of a cluster, where the connection over which one command was sent again may have ended
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise self._lost(_refused(answer))
        if brought_back != self._brought_back:
            raise self._lost(_forgotten())  # what this has used up may have been too late to be brought back
        if any(awaited) or None in epochs or [epoch.decode() for epoch in epochs] != known:
            raise self._lost(_forgotten())
        if waits and (isinstance(written, Exception) or written < self._replicas):
            raise StateUnavailable(
                f"not all {self._replicas} replicas have what was written",
                remedy="look at the replicas of [state]; a logon counts only where they have it",
            )
        return answers

    def _lost(self, fault: StateUnavailable) -> StateUnavailable:
        """Nobody is answered from here on, until a look that begins later has found all well."""
        if self._fault is None:
            _log.error("%s", fault)
        self._fault = fault
        self._wake.set()
        return fault

    async def _keep_in_touch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_BEAT_SECONDS if self._fault is None else _BEAT_SECONDS / 4):
                    await self._wake.wait()
                    await asyncio.sleep(_BEAT_SECONDS / 20)  # whoever wakes us may do so at once again
            except TimeoutError:
                pass
            self._wake.clear()  # whoever wakes us while we look has us look again
            await self._beat()

    async def _beat(self) -> None:
        """Look at the server, take part, and bring back what it has forgotten."""
        before = self._fault
        try:
            await self._look_safely()
        except Fault as fault:
            if self._fault is None or str(self._fault) != str(fault):
                _log.error("%s", fault)
            self._fault = fault
            return
        if self._fault is not before:
            return  # it was lost meanwhile, and this look may have come too early, or have passed over who runs
        if self._fault is not None and self._fault is not _NOT_YET:
            _log.warning("the state store is in use again")
        self._fault = None

    async def _look_safely(self) -> None:
        """Raises Fault, and nothing else: whoever keeps in touch must not break off."""
        try:
            await self._look()
        except Fault:
            raise
        except Exception as error:
            raise StateUnavailable(
                f"the state store answers what cannot be understood ({type(error).__name__})",
                remedy="see that the servers of [state] are Valkey or Redis",
            ) from error

    async def _look(self) -> None:
        names = self._names
        if self._fault is not None:
            await self._look_who_runs(await self._demands.examine(self._timely))
        await demand_the_time(self._timely, self.now())
        parts = range(names.parts)
        _, key, _, *epochs = map(
            _good,
            await self._plain.ask(
                ("SET", names.key, self._key, "NX"),
                ("GET", names.key),
                ("HSET", names.members, self._node, microseconds(self.now())),
                *(("GET", names.epoch(part)) for part in parts),
            ),
        )
        if key.decode() != self._key:
            raise Fault(
                "[state]: the other nodes have another server.key, so that no code of theirs could be compared here",
                remedy="copy server.key and keys.ring from another node, stop all nodes before a key is exchanged",
            )
        awaited = await self._awaited()
        known = [epoch and epoch.decode() for epoch in epochs]
        others = {
            part: epoch
            for part, epoch in enumerate(known)
            if epoch is None or epoch != self._own.epoch(part) or self._node in awaited[part]
        }
        if others:
            await self._bring_back(others)
            awaited = await self._awaited()
        if any(awaited):
            waited_for = ", ".join(sorted(set().union(*awaited)))
            raise StateUnavailable(
                f"the state store had forgotten what it knew, and waits for what these nodes know: {waited_for}",
                remedy="start them; one that is gone for good is let go by: dirfactor state forget NODE",
            )
        # asked for now: whoever was waited for before has joined by then, and is not taken for one who never did
        (members,) = map(_good, await self._plain.ask(("HKEYS", names.members)))
        await self._own.know_members([member.decode() for member in members])

    async def _awaited(self) -> list[set[str]]:
        """Who is waited for, by part."""
        names = self._names
        answers = await self._plain.ask(*(("SMEMBERS", names.awaited(part)) for part in range(names.parts)))
        return [{member.decode() for member in _good(answer)} for answer in answers]

    async def _look_who_runs(self, run: str) -> None:
        """A server that was started again, or took another's place, may lack what was written last.

        Those who wrote lately bring it back, in an epoch of its own. Whoever was away for longer has nothing to bring
        that the servers had not kept.
        """
        names, now = self._names, microseconds(self.now())
        (told,) = map(_good, await self._plain.ask(("HGETALL", names.members)))
        lately = [name.decode() for name, at in pairs(told) if now - int(at) < _LATELY_SECONDS * 1_000_000]
        changed = await self._evaluated(
            scripted(
                NEW_RUN,
                (names.run(part), names.epoch(part), names.awaited(part), names.over(part)),
                *(run, self._draw(), *lately),
            )
            for part in range(names.parts)
        )
        if any(changed):
            _log.warning(
                "a server of the state store is another one, or was started again; the nodes bring back what they know"
            )

    async def _bring_back(self, others: Mapping[int, str | None]) -> None:
        """Have the others wait for us and we for them; tell what we know; take part in the epochs.

        Args:
            others: part -> its epoch, of those that are in another one than we, or wait for us.
        """
        names, own = self._names, self._own
        # what has its answer by now is in the copy before that is read, a round trip from here; the rest has none
        self._brought_back += 1
        if any(epoch is None and own.epoch(part) for part, epoch in others.items()):
            _log.error("the state store has forgotten what it knew; all nodes bring back what they know")
        begun = await self._evaluated(
            scripted(
                BEGIN_EPOCH,
                (names.epoch(part), names.awaited(part), names.over(part)),
                *(self._draw(), own.epoch(part) or "", *own.members),
            )
            for part in others
        )
        marks = [(names.mark(key), mark) for key, mark in own.marks()]
        values = [(names.kept(key), value) for key, value in own.values()]
        commands = [scripted(CONSUME, (name,), mark) for name, mark in marks if names.part(name) in others]
        commands += [scripted(RESTORE, (name,), value) for name, value in values if names.part(name) in others]
        for at in range(0, len(commands), _BATCH):
            await self._evaluated(commands[at : at + _BATCH])
        await own.know_epochs({part: epoch.decode() for part, epoch in zip(others, begun, strict=True)})
        for answer in await self._plain.ask(*(("SREM", names.awaited(part), self._node) for part in others)):
            _good(answer)

    async def _evaluated(self, commands: Iterable[Command]) -> list[Any]:
        """Scripts by their sources, for the server knows none."""
        return [_good(answer) for answer in await self._plain.ask(*map(_by_source, commands))]


_NOT_YET = StateUnavailable("the state store has not been reached yet", remedy="look at [state], and at its servers")
_CLOSED = StateUnavailable("the state store is not asked any more, for this node stops", remedy="start it again")


def _forgotten() -> StateUnavailable:
    """Another one each time, so that it can be told whether it was lost again."""
    return StateUnavailable(
        "the state store has forgotten what it knew",
        remedy="have it persist what it holds, and let nobody flush it; the nodes bring back what they know",
    )


def _by_source(command: Command) -> Command:
    """The same with a script's source in place of its digest."""
    return ("EVAL", _SOURCES[str(command[1])], *command[2:]) if command[0] == "EVALSHA" else command


def _key(command: Command) -> str:
    """The first key of a command of ours, by which its part is known."""
    return str(command[3] if command[0] in {"EVALSHA", "EVAL"} else command[1])


def _good(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise _refused(answer)
    return answer


def _refused(error: Exception) -> StateUnavailable:
    return StateUnavailable(f"the state store refuses: {_said(error)}", remedy=_remedy(error))


def _for_whoever_asks(fault: Fault) -> StateUnavailable:
    return StateUnavailable(fault.problem, remedy=fault.remedy)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _remedy(error: Exception) -> str:
    if isinstance(error, OutOfMemoryError):
        return "give the server more memory (maxmemory); logons go on by themselves then"
    return "look at the server's log; docs/nodes.md has what it must allow"
