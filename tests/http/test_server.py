"""The HTTP door's listener: nobody holds it up by not finishing, and nobody uses up its connections for long."""

import asyncio
import ssl
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
import uvloop

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.limits import Limits
from auth.http.server import http_tls, open_http
from auth.settings import HttpSettings
from sockets import connections_at

ARRIVAL = 0.4
SLOW = 1.0
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: loc",
    "half a body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
    "half a chunked body": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
}
on_each_loop = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> CertificateFolder:
    folder = CertificateFolder(tmp_path_factory.mktemp("certificates"))
    folder.make(datetime.now(UTC), SYSTEM_ENTROPY)
    return folder


async def answer(call: Call) -> Answer:
    """At /slow after a while; otherwise what was posted."""
    if call.path == "/slow":
        await asyncio.sleep(SLOW)
        return Answer(b"at last")
    return Answer(call.body or b"hello")


async def door(stack: AsyncExitStack, http: HttpSettings | None = None, **limits) -> int:
    """Open one, with short limits; its port."""
    http = http or HttpSettings(port=0)
    limited = Limits(**({"arrival_seconds": ARRIVAL} | limits))
    place = await open_http(connections_at(), http_tls(http, SYSTEM_CLOCK), answer, SYSTEM_CLOCK, stack, limited)
    return int(place.rpartition(":")[2])


async def caller(stack: AsyncExitStack, port: int, octets: bytes = b"", tls: ssl.SSLContext | None = None):
    reader, writer = await asyncio.open_connection("localhost" if tls else "127.0.0.1", port, ssl=tls)
    stack.callback(writer.close)
    writer.write(octets)
    return reader, writer


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side closes, which it has to do."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


@on_each_loop
@pytest.mark.parametrize("what", HALF)
def test_a_request_that_is_never_finished_is_cut_in_time(run, what):
    async def scenario():
        async with AsyncExitStack() as stack:
            reader, _ = await caller(stack, await door(stack), HALF[what])
            begun = time.monotonic()
            assert await heard(reader) == b""
            assert ARRIVAL * 0.8 < time.monotonic() - begun < 4 * ARRIVAL

    run(scenario())


@on_each_loop
def test_octet_by_octet_buys_no_time(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            reader, writer = await caller(stack, await door(stack))
            begun = time.monotonic()
            for octet in GET * 10:
                if reader.at_eof() or writer.is_closing():
                    break
                writer.write(bytes([octet]))
                await asyncio.sleep(ARRIVAL / 20)
            assert await heard(reader) == b""
            assert time.monotonic() - begun < 4 * ARRIVAL

    run(scenario())


@on_each_loop
def test_the_second_request_of_a_connection_has_as_little_time(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            reader, writer = await caller(stack, await door(stack), GET)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            begun = time.monotonic()
            writer.write(HALF["half a head"])
            assert await heard(reader) == b""
            assert time.monotonic() - begun < 4 * ARRIVAL

    run(scenario())


@on_each_loop
def test_the_second_half_of_two_requests_at_once_has_as_little_time(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            reader, _ = await caller(stack, await door(stack), GET + HALF["half a body"])
            begun = time.monotonic()
            assert (await heard(reader)).count(b"HTTP/1.1") == 1
            assert time.monotonic() - begun < 4 * ARRIVAL

    run(scenario())


@on_each_loop
def test_an_answer_may_take_longer_than_a_request(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            reader, _ = await caller(stack, await door(stack), GET.replace(b"/ ", b"/slow ", 1))
            assert (await reader.readuntil(b"at last")).startswith(b"HTTP/1.1 200")

    assert SLOW > 2 * ARRIVAL
    run(scenario())


@on_each_loop
def test_what_is_too_much_is_answered_503_and_what_is_more_is_closed(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            port = await door(stack, answered=3, connections=4, arrival_seconds=5.0)
            idle = [await caller(stack, port, HALF["half a head"]) for _ in range(2)]
            await asyncio.sleep(0.1)
            reader, writer = await caller(stack, port, GET)
            assert (await reader.readline()).startswith(b"HTTP/1.1 503")
            # more than there is room for, whether or not the connection of that answer is closed by now
            idle += [await caller(stack, port, HALF["half a head"]) for _ in range(4)]
            await asyncio.sleep(0.1)
            assert await heard((await caller(stack, port, GET))[0]) == b"", "one more"
            for _, each in (*idle, (reader, writer)):
                each.close()
            await asyncio.sleep(0.1)
            reader, _ = await caller(stack, port, GET)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200"), "once the others are gone"

    run(scenario())


@on_each_loop
def test_more_half_requests_than_connections_do_not_close_the_door_for_long(run):
    async def scenario():
        async with AsyncExitStack() as stack:
            port = await door(stack, answered=10, connections=20)
            for _ in range(60):
                await caller(stack, port, HALF["half a head"])
            await asyncio.sleep(2 * ARRIVAL)
            reader, _ = await caller(stack, port, GET)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")

    run(scenario())


@on_each_loop
def test_a_tls_handshake_counts_and_is_cut_as_well(run, certificates):
    http = HttpSettings(port=0, certificate=certificates.server)
    trusting = ssl.create_default_context(cafile=certificates.authority)

    async def scenario():
        async with AsyncExitStack() as stack:
            port = await door(stack, http, answered=2, connections=3)
            begun = time.monotonic()
            silent = [(await caller(stack, port))[0] for _ in range(3)]
            await asyncio.sleep(0.1)
            assert await heard((await caller(stack, port))[0]) == b""
            assert time.monotonic() - begun < ARRIVAL, "the fourth is closed at once"
            for reader in silent:
                assert await heard(reader) == b""
            assert time.monotonic() - begun < 4 * ARRIVAL
            reader, _ = await caller(stack, port, GET, trusting)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            reader, _ = await caller(stack, port, HALF["half a head"], trusting)
            assert await heard(reader) == b""

    run(scenario())
