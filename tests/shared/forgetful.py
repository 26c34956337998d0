"""A server without a network, for tests of what a node does when answers are late, wrong, or from somebody else."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.shared.line import Command
from auth.shared.names import Names
from auth.shared.own import OwnCopy, OwnFiles
from auth.shared.scripts import ALL, BEGIN_EPOCH, CONSUME, NEW_RUN
from auth.shared.session import Node, Session
from auth.shared.settings import SharedSettings
from auth.shared.store import SharedStore
from auth.turn import Turns

_BY_TEXT = {text: script for script in ALL for text in (script.source, script.digest)}
Answers = list[Any]


class Forgetful:
    """Keeps marks and epochs in memory, as the server's scripts would.

    Attributes:
        run: what changes when another server takes its place.
        asked: the first words of all commands so far.
        held: while it is set, answers do not go out; what was asked is carried out.
        altered: is shown the commands of every batch and their answers, and returns those that go out.
    """

    def __init__(self) -> None:
        self.run = "a"
        self.asked: list[str] = []
        self.held: asyncio.Event | None = None
        self.altered: Callable[[Sequence[Command], Answers], Answers] = lambda _, answers: answers
        self.values: dict[str, bytes] = {}
        self.hashes: dict[str, dict[str, bytes]] = {}
        self.sets: dict[str, set[bytes]] = {}

    def flush(self) -> None:
        """Forget everything."""
        self.values, self.hashes, self.sets = {}, {}, {}

    def forget_marks(self) -> None:
        """Forget them alone, as a replica does that takes over before it had them."""
        self.values = {key: value for key, value in self.values.items() if ":mark:" not in key}

    async def exchange(self, commands: Sequence[Command]) -> Answers:
        answers = self.altered(commands, [self._carried_out(*command) for command in commands])
        return await self._out(answers)

    async def everywhere(self, command: Command) -> Answers:
        return await self._out([self._carried_out(*command)])

    async def keys(self, pattern: str) -> list[bytes]:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass

    async def _out(self, answers: Answers) -> Answers:
        if self.held is not None:
            await self.held.wait()
        return answers

    def _carried_out(self, word: str, *rest: Any) -> Any:
        self.asked.append(word)
        match word, *rest:
            case "INFO", _:
                return f"valkey_version:8.0.0\r\nrun_id:{self.run}".encode()
            case ("TIME",):
                return [int(time.time()), 0]
            case "WAIT", replicas, _:
                return replicas
            case "GET", key:
                return self.values.get(key)
            case "SET", key, value, *rest:
                return self.values.setdefault(key, value.encode()) if rest else self._put(key, value)
            case "EVAL" | "EVALSHA", text, number, *rest:
                return self._run(_BY_TEXT.get(text), rest[:number], rest[number:])
        return self._of_many(word, *rest)

    def _of_many(self, word: str, *rest: Any) -> Any:
        match word, *rest:
            case "HSET", key, field, value:
                self.hashes.setdefault(key, {})[field] = str(value).encode()
            case "HKEYS", key:
                return [field.encode() for field in self.hashes.get(key, {})]
            case "HGETALL", key:
                return [octets for pair in self.hashes.get(key, {}).items() for octets in (pair[0].encode(), pair[1])]
            case "SCARD", key:
                return len(self.sets.get(key, ()))
            case "SMEMBERS", key:
                return list(self.sets.get(key, ()))
            case "SREM", key, member:
                self.sets.get(key, set()).discard(member.encode())
        return 0

    def _run(self, script: Any, keys: list[str], values: list[Any]) -> Any:
        if script is CONSUME:
            had = self.values.get(keys[0])
            return 0 if had is not None and int(had) >= values[0] else self._put(keys[0], values[0])
        if script is BEGIN_EPOCH:
            epoch = self.values.setdefault(keys[0], values[0].encode())
            if values[1] and values[1].encode() != epoch:
                self.sets.setdefault(keys[1], set()).update(name.encode() for name in values[2:])
            return epoch
        if script is NEW_RUN:
            before = self.values.get(keys[0])
            self._put(keys[0], values[0])
            if before in (None, values[0].encode()) or keys[1] not in self.values:
                return 0
            self.sets.setdefault(keys[2], set()).update(name.encode() for name in values[2:])
            return self._put(keys[1], values[1])
        return 0  # CLAIM among them: there is nothing to take

    def _put(self, key: str, value: Any) -> int:
        self.values[key] = str(value).encode()
        return 1


def node_of(servers: Forgetful, folder: Path, **values: Any) -> tuple[SharedStore, Session]:
    """A node that has not looked at the server yet, and looks only when it is told to."""
    section = SharedSettings(**{"servers": ("none",), "timeout_seconds": 0.1, **values})
    names = Names("dirfactor", 1)
    own = OwnCopy(OwnFiles(folder / "shared.sqlite", folder / "state.sqlite"), Turns())
    session = Session(
        section, Node("node-a", "key"), names, servers, own, SYSTEM_CLOCK, lambda: SYSTEM_ENTROPY.octets(8).hex()
    )
    return SharedStore(session, names), session
