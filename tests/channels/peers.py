"""The demo's programs as processes, and peers that misbehave as no real one would on demand."""

import asyncio
import json
import queue
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "canary-Password-7"


@dataclass
class DemoProgram:
    """A demo program and the JSON lines that it prints."""

    process: subprocess.Popen
    events: queue.Queue = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        self.port = self.next("ready")["port"]

    def next(self, event: str) -> dict:
        """The next line, which must be about this event."""
        seen = self.events.get(timeout=10)
        assert seen["event"] == event
        return seen

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self._listener.join()
        self.process.stdout.close()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.events.put(json.loads(line))


def run_demo_program(module: str, *arguments: str) -> DemoProgram:
    command = [sys.executable, "-m", f"auth.demo.{module}", *arguments]
    return DemoProgram(subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True))


@dataclass
class RawHttp:
    """Reads requests to their end and answers each with the same octets, or never."""

    answer: bytes | None
    requests: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            self.requests.append(head + await reader.readexactly(length))
            self.arrived.set()
            if self.answer is None:
                await asyncio.Event().wait()
            elif not self.answer:
                return
            writer.write(self.answer)
            await writer.drain()


def http_answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def everything_said(error: BaseException) -> str:
    """All that anybody could print of an exception: text, remedy, arguments, traceback, and those of what led to it."""
    said = ["".join(traceback.format_exception(error))]
    cause: BaseException | None = error
    while cause is not None:
        said += [str(cause), repr(cause), repr(cause.args), repr(vars(cause))]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(said)
