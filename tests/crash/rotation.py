"""A new key while the service runs: the command, the service or both are killed, and everything still opens."""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from auth.keys.ring_file import RingFile
from crash.changes import command
from crash.logons import Holders, Shown, shown
from crash.moment import Seen
from scenarios.office import Office, until

_RESUMED_SECONDS = 30.0
_RETIRED_EVERY = 4


@dataclass
class Rotation:
    """`dirfactor keys rotate`, and after whatever died of it `--resume` and now and then `keys retire`.

    Attributes:
        office: the service, whose directory is a server.
        holders: whose seeds are sealed anew.
        signed_in: the options of the administrator who may write.
        dice: for who is killed.
        seen: where codes are counted.
    """

    office: Office
    holders: Holders
    signed_in: Sequence[str]
    dice: random.Random
    seen: Seen
    name: str = "a rotation of keys"
    changes: bool = True
    _process: "asyncio.subprocess.Process | None" = None
    _said: "asyncio.Task[tuple[bytes, bytes]] | None" = None
    _rounds: int = 0
    _codes: list[Shown] = field(default_factory=list)

    def __post_init__(self) -> None:
        # in turn: a used code that is shown again is a wrong one, and sixty of them a day are the most
        self._turns = cycle(self.holders.tokens)
        self._was_running = False

    async def begin(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "auth", "keys", "rotate", "--json", *self._where(), *self.signed_in),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._said = asyncio.ensure_future(self._process.communicate())
        self._codes = [self._show(next(self._turns)) for _ in range(2)]

    async def end(self) -> None:
        assert self._said is not None
        await self._said
        for code in self._codes:
            await code.end()

    async def kill(self) -> None:
        assert self._process is not None
        who = self.dice.choice(["the command", "the service", "both"])
        self._was_running = self._process.returncode is None
        if who != "the service" and self._was_running:
            self._process.kill()
        if who != "the command":
            await self.office.service.kill()

    def was_over(self) -> bool:
        return not self._was_running

    async def check(self) -> Sequence[str]:
        assert self._said is not None
        said, _ = await self._said
        told = json.loads(said)["current"] if said.strip() else None
        wrong = []
        ring = RingFile(self._ring).ring()  # raises when it is none
        if told is not None and told not in {key.id for key in ring.keys}:
            wrong.append(f"key {told} was told and is gone")
        for code in self._codes:
            wrong += await code.check()
        wrong += await self._resumed()
        self._rounds += 1
        if self._rounds % _RETIRED_EVERY == 0:
            wrong += await self._retired()
        for user in self.holders.tokens:
            reply = await shown(self.office, "http", user, self.holders.code(user))
            if reply.outcome != "accepted":
                wrong.append(f"after a rotation a right code of {user} is {reply.outcome}: {self.office.reason()}")
        return wrong

    async def _resumed(self) -> list[str]:
        """What was broken off is done: everything is sealed under the current key, as soon as the replica says so."""
        said = ""

        async def is_done() -> bool:
            nonlocal said
            status, said = await command("keys", "rotate", "--resume", *self._where(), *self.signed_in)
            return status == 0 and await self._needs_only_the_current()

        try:
            await until(is_done, _RESUMED_SECONDS)
        except AssertionError:
            return [f"a rotation does not come to its end: {said}"]
        return []

    async def _retired(self) -> list[str]:
        """Old keys go; nothing needs them."""
        said = ""

        async def is_done() -> bool:
            nonlocal said
            status, said = await command("keys", "retire", *self._where())
            return status == 0  # until the directory has been read after the ring was changed it is refused

        try:
            await until(is_done, _RESUMED_SECONDS)
        except AssertionError:
            return [f"old keys do not go: {said}"]
        return []

    async def _needs_only_the_current(self) -> bool:
        status, said = await command("keys", "list", "--json", *self._where())
        rows: list[dict[str, Any]] = json.loads(said)["keys"]
        return status == 0 and not any(row["needed_by"] for row in rows if not row["current"])

    def _show(self, user: str) -> Shown:
        code, what = self.holders.code(user), Shown(self.office, self.seen)
        what.begin(user, lambda door: shown(self.office, door, user, code))
        return what

    def _where(self) -> tuple[str, ...]:
        return "--config", str(self.office.service.config)

    @property
    def _ring(self) -> Path:
        return self.office.site.folder / "state" / "keys.ring"
