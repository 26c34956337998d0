"""Reads a shared store for commands, which are no nodes: nothing is written, and nobody joins."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from auth.shared.connection import Exchanger, exchanger
from auth.shared.demands import Demands, demand_the_time, persists
from auth.shared.line import Command
from auth.shared.names import Names, undated
from auth.shared.questions import recalled, recalling
from auth.shared.settings import SharedSettings
from auth.state import Recalled, StateUnavailable, Wanted

_Answer = TypeVar("_Answer")
_SECONDS = 10.0
_LONGEST = 300


class SharedReader:
    """`auth.state.StateReader` on Valkey or Redis.

    Args:
        settings: the [state] section.
    """

    def __init__(self, settings: SharedSettings) -> None:
        self._settings = settings
        self._names = Names(settings.prefix, settings.parts)

    def recall(self, wanted: Wanted, now: datetime) -> Recalled:
        """What is remembered; see `Store.recall`."""
        commands = recalling(self._names, wanted)
        if not commands:
            return Recalled()
        return recalled(wanted, self._asked(lambda servers: _good(servers, commands)), now)

    def kept_under(self, prefix: str) -> tuple[bytes, ...]:
        """The values that are remembered under keys which begin with this."""

        async def found(servers: Exchanger) -> tuple[bytes, ...]:
            keys = await servers.keys(self._names.kept_under(prefix))
            values = await _good(servers, [("GET", key) for key in keys]) if keys else []
            return tuple(undated(value) for value in values if value is not None)

        return self._asked(found)

    def open_challenges(self, now: datetime) -> int | None:  # noqa: ARG002 - the same at any time
        """Nobody counts them."""
        return None

    def examine(self, now: datetime) -> bool:
        """See that the server can be used, and its clock agrees with ours; whether it persists what it holds.

        Raises:
            Fault: it cannot be used.
        """

        async def examined(servers: Exchanger) -> bool:
            await Demands(self._names, self._settings.arrangement).examine(servers)
            await demand_the_time(servers, now)
            return await persists(servers)

        return self._asked(examined)

    def awaited(self) -> tuple[str, ...]:
        """The nodes whose marks are waited for."""
        names = self._names
        asked: list[Command] = [("SMEMBERS", names.awaited(part)) for part in range(names.parts)]
        answers = self._asked(lambda servers: _good(servers, asked))
        return tuple(sorted({name.decode() for answer in answers for name in answer}))

    def members(self) -> dict[str, int]:
        """The nodes that take part, and when each was last heard of, in microseconds since 1970."""
        names = self._names
        fields, times = self._asked(
            lambda servers: _good(servers, [("HKEYS", names.members), ("HVALS", names.members)])
        )
        return {name.decode(): int(at) for name, at in zip(fields, times, strict=True)}

    def forget(self, node: str) -> bool:
        """Wait for a node no more, which is gone for good; whether it was known."""
        names = self._names
        commands: list[Command] = [("SREM", names.awaited(part), node) for part in range(names.parts)]
        commands.append(("HDEL", names.members, node))
        return any(self._asked(lambda servers: _good(servers, commands)))

    def _asked(self, question: Callable[[Exchanger], Awaitable[_Answer]]) -> _Answer:
        async def run() -> _Answer:
            servers = exchanger(self._settings)
            try:
                async with asyncio.timeout(_SECONDS):
                    return await question(servers)
            except TimeoutError:
                raise StateUnavailable(
                    f"the state store has not answered within {_SECONDS:g} s", remedy="look at the servers of [state]"
                ) from None
            finally:
                await servers.aclose()

        return asyncio.run(run())


async def _good(servers: Exchanger, commands: list[Command]) -> list[Any]:
    answers = await servers.exchange(commands)
    for answer in answers:
        if isinstance(answer, Exception):
            raise StateUnavailable(
                f"the state store refuses: {answer}"[:300], remedy="docs/nodes.md has what it must allow"
            )
    return answers
