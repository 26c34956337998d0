"""Several URLs, a proxy and two certificates: what is asked elsewhere, and that no code is ever judged twice."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pyotp
import pytest

from auth.vip.faults import VipTlsFailed, VipUnavailable
from auth.vip.reasons import Kind
from auth.vip.settings import CertificateFile, Proxy
from schema.errors import Fault
from schema.secret import Secret
from vip.conftest import PAIRS, start

FIRST = dict(
    zip(PAIRS, ["reason:4879", "reason:6005", "half-open", "http-500", "garbage", "reason:49B5"], strict=False)
)


@pytest.fixture(scope="module")
def first(tmp_path_factory, certificates):
    """The service at its first address, where something goes wrong about each credential."""
    entries = [
        {"id": name, "seed": pyotp.random_base32(), "status": "ENABLED", "misbehave": how}
        for name, how in FIRST.items()
    ]
    with closing(start(tmp_path_factory.mktemp("first"), certificates, entries)) as running:
        yield next(running)


@asynccontextmanager
async def refusing() -> AsyncIterator[tuple[str, list[float]]]:
    """A host that closes every connection, so that TLS never comes about, and when it did."""
    closed = []

    async def close(_reader, writer):
        closed.append(time.monotonic())
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", closed


async def test_where_nobody_is_nothing_was_sent_and_the_next_url_is_asked(simulator, unused_tcp_port):
    urls = {"url": f"https://localhost:{unused_tcp_port}", "fallback_urls": (simulator.url,)}
    async with simulator.client(**urls) as vip:
        assert (await vip.validate(["PAIR-9"], simulator.code("PAIR-9"))).kind is Kind.SUCCESS
    assert simulator.outcomes("PAIR-9", 1) == ["0000"]


async def test_where_tls_does_not_come_about_nothing_was_sent_and_that_url_is_asked_last_for_a_while(simulator):
    async with refusing() as (url, closed), simulator.client(url=url, fallback_urls=(simulator.url,)) as vip:
        for _ in range(3):
            assert (await vip.server_time()).kind is Kind.SUCCESS
        assert len(closed) == 1


async def test_a_certificate_of_the_service_that_is_not_accepted_sends_nothing(simulator, start_simulator):
    entries = [{"id": "A", "seed": pyotp.random_base32(), "status": "ENABLED"}]
    elsewhere = start_simulator(entries, "--host", "127.0.0.2")
    urls = {"url": f"https://127.0.0.2:{elsewhere.port}", "fallback_urls": (simulator.url,)}
    async with simulator.client(**urls) as vip:
        assert (await vip.validate(["PAIR-8"], simulator.code("PAIR-8"))).kind is Kind.SUCCESS


async def test_what_the_service_did_not_look_at_is_asked_at_the_next_url(simulator, first):
    async with simulator.client(url=first.url, fallback_urls=(simulator.url,)) as vip:
        assert (await vip.validate(["PAIR-0"], simulator.code("PAIR-0"))).kind is Kind.SUCCESS


@pytest.mark.parametrize("credential", ["PAIR-1", "PAIR-2", "PAIR-3", "PAIR-4", "PAIR-5"])
async def test_a_code_that_may_have_been_judged_is_not_judged_again(simulator, first, credential):
    """6005, an answer that breaks off, HTTP 500, garbage, and a judgement."""
    async with simulator.client(url=first.url, fallback_urls=(simulator.url,), deadline=1.0) as vip:
        try:
            kind = (await vip.validate([credential], simulator.code(credential))).kind
        except VipUnavailable:
            kind = Kind.SERVICE
    assert kind is (Kind.PERSON if credential == "PAIR-5" else Kind.SERVICE)
    assert [event for event in simulator.events if event.get("credential") == credential] == []


@pytest.mark.parametrize("credential", ["PAIR-1", "PAIR-3", "PAIR-4"])
async def test_a_question_that_changes_nothing_is(simulator, first, credential):
    async with simulator.client(url=first.url, fallback_urls=(simulator.url,)) as vip:
        assert (await vip.information(credential)).information.credential == credential


async def test_when_no_url_can_be_reached_that_is_said_and_one_answer_of_the_service_is_better(
    simulator, first, unused_tcp_port
):
    nobody = f"https://localhost:{unused_tcp_port}"
    async with simulator.client(url=nobody, fallback_urls=(nobody + "/two",)) as vip:
        with pytest.raises(VipUnavailable, match="could not be reached"):
            await vip.validate(["PAIR-0"], Secret("123456"))
    async with simulator.client(url=first.url, fallback_urls=(nobody,)) as vip:
        assert (await vip.validate(["PAIR-0"], Secret("123456"))).reason_code == "4879"


async def test_one_deadline_holds_for_all_urls_and_a_silent_one_takes_its_share_only(simulator):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        async with simulator.client(url=url, fallback_urls=(simulator.url,), deadline=3.0) as vip:
            assert (await vip.server_time()).kind is Kind.SUCCESS
        async with simulator.client(url=url, fallback_urls=(url + "/a", url + "/b"), deadline=0.6) as vip:
            with pytest.raises(VipUnavailable):
                await asyncio.wait_for(vip.server_time(), 5)


# --- the proxy


@asynccontextmanager
async def proxy(password: str = "") -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that passes CONNECT on to whoever knows the password, and what it was asked."""
    asked: list[str] = []
    wanted = base64.b64encode(f"dirfactor:{password}".encode()).decode()
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader, writer):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
        writer.close()

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.partition("\r\n")[0])
        if password and f"Basic {wanted}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        host, port = head.split()[1].split(":")
        there, back = await asyncio.open_connection(host, int(port))
        writers.extend((writer, back))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tasks.update({asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))})

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for each in writers:
            each.close()
        await asyncio.gather(*tasks, *(each.wait_closed() for each in writers), return_exceptions=True)


async def test_questions_go_through_the_proxy_and_tls_is_ours_from_end_to_end(simulator):
    async with proxy() as (url, asked):
        async with simulator.client(proxy=Proxy(url)) as vip:
            assert (await vip.validate(["PAIR-7"], simulator.code("PAIR-7"))).kind is Kind.SUCCESS
            assert (await vip.server_time()).kind is Kind.SUCCESS
        assert asked == [f"CONNECT localhost:{simulator.port} HTTP/1.1"], "one connection, kept alive"
        async with simulator.client(proxy=Proxy(url), ca_file=None) as vip:
            with pytest.raises(VipTlsFailed, match="certificate was not accepted"):
                await vip.server_time()


async def test_the_proxys_password_is_sent_to_it_and_one_that_is_wrong_is_told(simulator):
    async with proxy("a word") as (url, _):
        async with simulator.client(proxy=Proxy(url, "dirfactor", Secret("a word"))) as vip:
            assert (await vip.server_time()).kind is Kind.SUCCESS
        async with simulator.client(proxy=Proxy(url, "dirfactor", Secret("another"))) as vip:
            with pytest.raises(VipUnavailable, match="407") as caught:
                await vip.server_time()
        assert "proxy" in caught.value.remedy
        assert "another" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "https://proxy:1", "proxy:3128", "http://u:p@proxy:1", "http://[x"])
def test_a_proxy_is_an_http_address_without_a_password_in_it(simulator, url):
    with pytest.raises(Fault, match="no proxy"):
        simulator.client(proxy=Proxy(url))


# --- certificates


async def test_the_next_certificate_takes_over_once_vip_has_accepted_it(simulator):
    files = simulator.certificates
    pair = {"certificate": simulator.certificate(files.ending_client), "next_certificate": simulator.certificate()}
    async with simulator.client(**pair) as vip:
        assert (await vip.server_time()).kind is Kind.SUCCESS
        assert [state.shown for state in vip.certificates()] == [True, False]
        assert await vip.hand_over()
        assert [state.shown for state in vip.certificates()] == [False, True]
        assert (await vip.server_time()).kind is Kind.SUCCESS
        assert not await vip.hand_over(), "once"


async def test_one_that_vip_does_not_accept_never_does(simulator):
    files = simulator.certificates
    foreign = simulator.certificate(files.foreign_client)
    async with simulator.client(
        certificate=simulator.certificate(files.ending_client), next_certificate=foreign
    ) as vip:
        with pytest.raises(VipUnavailable):
            await vip.hand_over()
        assert [state.shown for state in vip.certificates()] == [True, False]
        assert (await vip.server_time()).kind is Kind.SUCCESS


async def test_an_ended_one_is_never_shown_and_the_next_one_is(simulator):
    files = simulator.certificates
    ended = simulator.certificate(files.ended_client)
    async with simulator.client(certificate=ended) as vip:
        with pytest.raises(Fault, match="expired"):
            await vip.server_time()
    async with simulator.client(certificate=ended, next_certificate=simulator.certificate()) as vip:
        assert (await vip.server_time()).kind is Kind.SUCCESS


async def test_a_certificate_that_is_replaced_on_disk_is_shown_from_the_next_question_on(simulator, tmp_path):
    file = CertificateFile(tmp_path / "client.p12", simulator.password)
    file.path.write_bytes(simulator.certificates.foreign_client.read_bytes())
    async with simulator.client(certificate=file) as vip:
        with pytest.raises(VipUnavailable):
            await vip.server_time()
        beside = tmp_path / "beside"
        beside.write_bytes(simulator.certificates.client.read_bytes())
        beside.rename(file.path)
        assert (await vip.server_time()).kind is Kind.SUCCESS


async def test_an_answer_under_way_is_still_heard_when_the_certificate_changes(simulator, tmp_path):
    file = CertificateFile(tmp_path / "client.p12", simulator.password)
    file.path.write_bytes(simulator.certificates.ending_client.read_bytes())
    async with simulator.client(certificate=file) as vip:
        slow = asyncio.create_task(vip.validate(["SLOW"], simulator.code("SLOW")))
        await asyncio.to_thread(simulator.outcomes, "SLOW", 1)
        file.path.write_bytes(simulator.certificates.client.read_bytes())
        assert (await vip.server_time()).kind is Kind.SUCCESS
        assert (await slow).kind is Kind.SUCCESS
