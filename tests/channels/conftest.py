"""The demo's gateways, an authority for TLS, and servers on loopback that talk as a test wants."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import trustme

from auth.channels.sms.http.gateway import HttpSmsGateway
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.clock import SYSTEM_CLOCK
from auth.http_client import http_client
from channels.peers import PASSWORD, run_demo_program
from microsoft.running import microsoft_double

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


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
def microsoft_program(tmp_path_factory):
    with microsoft_double(tmp_path_factory.mktemp("microsoft")) as double:
        yield double


@pytest.fixture
def microsoft(microsoft_program):
    """The run's double of Microsoft, which has said nothing yet."""
    microsoft_program.events()
    return microsoft_program


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


@pytest.fixture
async def gateway():
    """Build HTTP gateways from settings; closes their clients."""
    built = []

    def build(settings: HttpSmsSettings, client: httpx.AsyncClient | None = None) -> HttpSmsGateway:
        built.append(HttpSmsGateway("test", settings, client or http_client(settings.ca_file), SYSTEM_CLOCK))
        return built[-1]

    yield build
    for each in built:
        await each.aclose()
