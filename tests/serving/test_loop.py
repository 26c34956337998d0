"""The event loop of the service looks names up, and none of them behind another."""

import asyncio
import socket
import ssl
import threading

import pytest
import uvloop

from auth.http_client import http_client
from auth.serving.loop import Loop
from dirsync.wire import lookups
from rig.certificates import issue

HERE = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))


class Resolver:
    """A resolver of which names are hanging until they are let go; all others are this machine."""

    def __init__(self):
        self.hanging = {}
        self.asked = []

    def __call__(self, host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002 - as socket.getaddrinfo has it
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        waiting = self.hanging.get(name)
        if waiting is not None:
            waiting.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return (
            [(*HERE[:4], ("127.0.0.1", int(port)))]
            if type != socket.SOCK_DGRAM
            else [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", int(port)))]
        )


@pytest.fixture
def resolver(monkeypatch):
    made = Resolver()
    monkeypatch.setattr(lookups.Lookups.__init__, "__defaults__", (made,))
    yield made
    for waiting in made.hanging.values():
        waiting.set()


def run(scenario):
    """In a loop of the service; what it must not wait for would take longer than these seconds."""

    async def bounded():
        async with asyncio.timeout(10):
            return await scenario()

    return uvloop.run(bounded(), loop_factory=Loop)


async def given_up(asking, seconds=0.05):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await asking


@pytest.mark.parametrize("count", [1, 64])
def test_names_whose_look_ups_hang_keep_no_other_from_being_looked_up(resolver, count):
    resolver.hanging = {f"gone{number}.example": threading.Event() for number in range(count)}

    async def scenario():
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(given_up(loop.getaddrinfo(name, 80)) for name in resolver.hanging))
        assert (await loop.getaddrinfo("there.example", 80))[0][4] == ("127.0.0.1", 80)
        assert (await loop.getaddrinfo("192.0.2.7", 80))[0][4] == ("192.0.2.7", 80)

    run(scenario)


def test_many_who_want_the_same_name_are_one_look_up_however_soon_they_give_up(resolver):
    resolver.hanging = {"gone.example": threading.Event()}

    async def scenario():
        loop = asyncio.get_running_loop()
        for _ in range(3):
            await asyncio.gather(*(given_up(loop.getaddrinfo("gone.example", 80)) for _ in range(64)))

    run(scenario)
    assert resolver.asked == ["gone.example"]


def test_a_look_up_that_hangs_is_begun_again_beside_so_that_who_waits_goes_on_when_the_resolver_is_back(resolver):
    resolver.hanging = {"back.example": threading.Event()}

    async def scenario():
        loop = asyncio.get_running_loop()
        waiting = asyncio.ensure_future(loop.getaddrinfo("back.example", 80))
        await asyncio.sleep(0.1)
        held = resolver.hanging.pop("back.example")
        begun = loop.time()
        assert await waiting
        assert loop.time() - begun < 2.0
        held.set()
        await asyncio.sleep(0.05)
        assert await loop.getaddrinfo("back.example", 80), "the failure of an older one is nobody's"

    run(scenario)


def test_a_failure_is_told_when_nobody_younger_still_asks():
    ends = [threading.Event(), threading.Event()]
    now, begun = [0.0], []

    def resolve(*_, **__):
        begun.append(1)
        mine = len(begun) - 1
        ends[mine].wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, f"number {mine}")

    asked = lookups.Lookups(lambda: now[0], resolve)
    question = lookups.Question("gone.example", 80)
    first = asked.ask(question)
    now[0] = lookups.AGAIN_SECONDS
    assert asked.ask(question) is first
    ends[0].set()
    with pytest.raises(TimeoutError):
        first.result(0.1)
    ends[1].set()
    with pytest.raises(socket.gaierror, match="number 1"):
        first.result(10)


def test_a_name_that_hangs_for_ever_has_so_many_threads_and_no_more():
    ended, now = threading.Event(), [0.0]
    asked = lookups.Lookups(lambda: now[0], lambda *_, **__: ended.wait(10) and [])
    before = threading.active_count()
    for _ in range(5 * lookups.MOST_THREADS):
        answer = asked.ask(lookups.Question("gone.example", 80))
        now[0] += lookups.AGAIN_SECONDS
    assert threading.active_count() - before == lookups.MOST_THREADS
    ended.set()
    assert answer.result(10) == []


def test_a_look_up_for_which_there_is_no_thread_fails_as_one_that_finds_nothing(monkeypatch):
    def no_thread(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    asked = lookups.Lookups(lambda: 0.0)
    for _ in range(2):
        with pytest.raises(OSError, match="thread"):
            asked.ask(lookups.Question("some.example", 80)).result(10)


@pytest.mark.parametrize("how", ["a stream", "TLS", "HTTP", "datagrams"])
def test_whatever_connects_by_name_has_it_looked_up_so_and_no_other_way(resolver, tmp_path, how):
    files = issue(tmp_path, "server.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    async def answer(reader, writer):
        await reader.readuntil(b"\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async def scenario():
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context if how in {"TLS", "HTTP"} else None)
        port = server.sockets[0].getsockname()[1]
        if how == "datagrams":
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("server.example", port)
            )
            assert transport.get_extra_info("peername")[:2] == ("127.0.0.1", port)
            transport.close()
        elif how == "HTTP":
            async with http_client(files.ca) as client:
                assert (await client.get(f"https://server.example:{port}/")).status_code == 204
        else:
            trusting = ssl.create_default_context(cafile=files.ca) if how == "TLS" else None
            reader, writer = await asyncio.open_connection("server.example", port, ssl=trusting)
            writer.write(b"GET\n")
            assert (await reader.readline()).endswith(b"204 No Content\r\n")
            writer.close()
        server.close()

    run(scenario)
    assert set(resolver.asked) == {"server.example"}


def test_of_the_addresses_of_a_name_the_first_that_takes_the_connection_counts(resolver, monkeypatch):
    async def scenario():
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        both = [(*HERE[:4], ("127.0.0.2", port)), (*HERE[:4], ("127.0.0.1", port))]
        monkeypatch.setattr(Resolver, "__call__", lambda *_, **__: both)
        _, writer = await asyncio.open_connection("server.example", port)
        assert writer.get_extra_info("peername") == ("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("server.example", port)

    run(scenario)
