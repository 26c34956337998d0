"""The demo's SMS gateway as a process, and peers that misbehave as no real one would on demand."""

import asyncio
import json
import queue
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import trustme

from auth.channels.sms import HttpSmsGateway, SmsGatewaySettings
from auth.http_client import http_client

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "canary-Password-7"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


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


@pytest.fixture(scope="session")
def password_file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("channels") / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture(scope="session")
def sms_program(password_file):
    with closing(run_demo_program("sms_gateway", "--username", "us", "--password-file", str(password_file))) as program:
        yield program


@pytest.fixture(scope="session")
def mail_program(password_file, tmp_path_factory, authority):
    pem = tmp_path_factory.mktemp("mail") / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    account = ("--username", "us", "--password-file", str(password_file))
    with closing(run_demo_program("mail_server", "--certificate", str(pem), *account)) as program:
        yield program


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="session")
def server_tls(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
async def serve():
    """Start a TCP server on loopback that talks to each client as told; gives its port."""
    servers = []
    talks = set()

    async def start(talk: Talk, tls: ssl.SSLContext | None = None) -> int:
        async def client(reader, writer):
            talks.add(asyncio.current_task())
            try:
                await talk(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass  # the client went away, as some tests want
            finally:
                talks.discard(asyncio.current_task())
                writer.close()

        servers.append(await asyncio.start_server(client, "127.0.0.1", 0, ssl=tls))
        return servers[-1].sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()
    for talk in list(talks):
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)


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


@pytest.fixture
async def gateway():
    """Build HTTP gateways from settings; closes their clients."""
    built = []

    def build(settings: SmsGatewaySettings, client: httpx.AsyncClient | None = None) -> HttpSmsGateway:
        built.append(HttpSmsGateway("test", settings, client or http_client(settings.ca_file)))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()


def everything_said(error: BaseException) -> str:
    """All that anybody could print of an exception: text, remedy, arguments, traceback, and those of what led to it."""
    said = ["".join(traceback.format_exception(error))]
    cause: BaseException | None = error
    while cause is not None:
        said += [str(cause), repr(cause), repr(cause.args), repr(vars(cause))]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(said)
