"""The Python client at the running service, with a key and with a certificate."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from auth.client import (
    Accepted,
    AsyncClient,
    Challenged,
    Client,
    LogonError,
    Refused,
    RequestRefused,
    ServiceUnavailable,
)
from auth.clock import SYSTEM_CLOCK
from auth.demo.certificates import Authority
from auth.http.answer import Answer
from auth.http.door import HttpDoor
from auth.http.operation import Access, Operation
from auth.http.server import http_tls, open_http
from auth.settings import HttpSettings
from scenarios.company import password_of, texted
from scenarios.office import Office, open_office
from sockets import connections_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    async with open_office(tmp_path_factory.mktemp("client"), texted("alice", 1)) as running:
        yield running


def place(office: Office) -> str:
    return f"http://127.0.0.1:{office.service.http_port}"


async def test_a_logon_by_a_program_that_waits(office: Office):
    with Client(place(office), api_key=office.service.api_key.text) as client:
        mark = office.site.mark()
        challenge = await asyncio.to_thread(client.authenticate, "alice", password_of("alice"))
        assert isinstance(challenge, Challenged)
        assert (challenge.method, challenge.user) == ("sms", "alice")
        code = await office.site.text_code(mark)
        accepted = await asyncio.to_thread(client.answer, challenge, code)
        assert isinstance(accepted, Accepted)
        assert accepted.attributes == {"Filter-Id": ("staff",)}
        assert office.last()["correlation"] == accepted.correlation
        assert isinstance(await asyncio.to_thread(client.answer, challenge, code), Refused), "good for one answer"


async def test_a_logon_by_asyncio(office: Office):
    async with AsyncClient(place(office), api_key=office.service.api_key.text) as client:
        mark = office.site.mark()
        challenge = await client.authenticate("alice", password_of("alice"))
        assert isinstance(challenge, Challenged)
        code = await office.site.text_code(mark)
        assert isinstance(await client.answer(challenge, code), Accepted)
        assert isinstance(await client.authenticate("alice", "wrong"), Refused)


async def test_a_wrong_key_and_a_service_that_is_away_are_no_outcomes(office: Office):
    async with AsyncClient(place(office), api_key="wrong") as client:
        with pytest.raises(RequestRefused, match="401"):
            await client.authenticate("alice", password_of("alice"))
    async with AsyncClient("http://127.0.0.1:1", api_key="k") as client:
        with pytest.raises(ServiceUnavailable) as raised:
            await client.authenticate("alice", password_of("alice"))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert password_of("alice") not in str(raised.value)


async def test_a_service_that_is_silent_is_not_waited_for(office: Office):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        async with AsyncClient(url, api_key="k", seconds=0.2) as client:
            with pytest.raises(LogonError):
                await client.authenticate("alice", "x")
        with Client(url, api_key="k", seconds=0.2) as waiting, pytest.raises(LogonError):
            await asyncio.to_thread(waiting.authenticate, "alice", "x")


async def test_it_shows_its_certificate_and_looks_at_that_of_the_service(tmp_path):
    authority, stranger = (Authority.make(name, SYSTEM_CLOCK.now()) for name in ("Ours", "Another"))
    files = {name: tmp_path / name for name in ("ca.pem", "other.pem", "server.pem", "client.pem")}
    files["ca.pem"].write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    files["other.pem"].write_bytes(stranger.certificate.public_bytes(Encoding.PEM))
    files["server.pem"].write_bytes(authority.server().pem())
    files["client.pem"].write_bytes(authority.client("portal").pem())

    async def handle(call) -> Answer:
        names = " ".join(call.certificate_names).encode()
        return Answer(b'{"outcome":"refused","correlation":"","message":"' + names + b'"}')

    settings = HttpSettings(port=0, certificate=files["server.pem"], client_ca_file=files["ca.pem"])
    door = HttpDoor([Operation("POST", "/v1/authenticate", "", "", Access.NODE, handle)], lambda *_: None)
    async with AsyncExitStack() as stack:
        opened = await open_http(connections_at(), http_tls(settings, SYSTEM_CLOCK), door.answer, SYSTEM_CLOCK, stack)
        url = f"https://localhost:{opened.rpartition(':')[2]}"
        async with AsyncClient(url, certificate=files["client.pem"], ca_file=files["ca.pem"]) as client:
            assert await client.authenticate("alice", "x") == Refused("", "portal CN=portal")
        async with AsyncClient(url, certificate=files["client.pem"], ca_file=files["other.pem"]) as client:
            with pytest.raises(ServiceUnavailable):
                await client.authenticate("alice", "x")
