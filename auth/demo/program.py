"""A child process of the demo: started, waited for, listened to, and gone when the demo is."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from schema.errors import Fault

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 5.0
Event = Mapping[str, Any]


@dataclass(slots=True)
class Program:
    """A process whose standard output, or error, is a stream of lines.

    Attributes:
        name: for error texts.
        process: the process.
        lines: every line so far.
    """

    name: str
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reader: "asyncio.Task[None] | None" = None

    async def line(self, wanted: Callable[[str], bool], *, since: int = 0, patience: float = 10.0) -> str:
        """The first line from number `since` on that is wanted.

        Raises:
            Fault: it did not come in `patience` seconds, or the process ended.
        """
        deadline = asyncio.get_running_loop().time() + patience
        async with self._news:
            while True:
                for line in self.lines[since:]:
                    if wanted(line):
                        return line
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or (self._reader is not None and self._reader.done()):
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), left)
        tail = "\n".join(self.lines[-20:])
        raise Fault(f"{self.name} did not say what was waited for; its last lines:\n{tail}", remedy="see its log above")

    async def event(self, wanted: Callable[[Event], bool], *, since: int = 0, patience: float = 10.0) -> Event:
        """The first JSON line that is wanted; raises Fault as `line` does."""
        line = await self.line(
            lambda text: (event := _event(text)) is not None and wanted(event), since=since, patience=patience
        )
        return json.loads(line)  # type: ignore[no-any-return] # an object, or it were not wanted

    def events(self) -> list[Event]:
        """Every JSON line so far."""
        return [event for line in self.lines if (event := _event(line)) is not None]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process and return its exit status; after some seconds without mercy."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        try:
            await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
        if self._reader is not None:
            await self._reader  # its last lines count as well
        return await self.process.wait()

    async def listen(self, stream: asyncio.StreamReader, log: Path | None) -> None:
        """Read lines until the stream ends."""
        with log.open("ab") if log else contextlib.nullcontext() as file:
            while octets := await stream.readline():
                if file is not None:
                    file.write(octets)
                    file.flush()
                async with self._news:
                    self.lines.append(octets.decode(errors="replace").rstrip("\n"))
                    self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    def start_listening(self, log: Path | None) -> None:
        """Begin to read the process's lines."""
        if self.process.stdout is None:
            raise Fault(f"{self.name} has no output", remedy="report this")
        self._reader = asyncio.get_running_loop().create_task(self.listen(self.process.stdout, log))


@asynccontextmanager
async def started(name: str, arguments: Sequence[str], log: Path | None = None) -> AsyncIterator[Program]:
    """`python -m ...` as a child with both outputs in one stream; stopped at the end.

    Args:
        name: for error texts.
        arguments: what follows `python -m`.
        log: where its lines are kept as well.
    """
    program = await start(name, arguments, log)
    try:
        yield program
    finally:
        await program.stop()


async def start(
    name: str,
    arguments: Sequence[str],
    log: Path | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    under: Sequence[str] = (),
) -> Program:
    """As `started`, for callers that stop it themselves.

    Args:
        name: see `started`.
        arguments: see `started`.
        log: see `started`.
        environment: comes on top of ours.
        under: a program, with its arguments, that becomes the one that follows, such as nice or unshare.
    """
    process = await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environment,
        preexec_fn=_die_with_parent,
        limit=1024 * 1024,
    )
    program = Program(name, process)
    program.start_listening(log)
    return program


def _event(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _die_with_parent() -> None:
    """The kernel ends the child when we are gone, however we went (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
