"""Requests at once over kept connections: none waits for another, and one that was cut short spoils nothing."""

import asyncio
import contextlib

import httpx
import pytest

from auth.http_lanes import Lanes


class Server:
    """Answers each request on a connection in turn; /slow when it is told to, /cut with half an answer."""

    def __init__(self):
        self.connections = 0
        self.go_on = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split()[1]
                if path == b"/slow":
                    await self.go_on.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
                if path == b"/cut":
                    writer.write(b"do")
                    break
                writer.write(b"done")
        writer.close()


@pytest.fixture
async def server():
    found = Server()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = "http://127.0.0.1:{}".format(*listening.sockets[0].getsockname()[1:])
    yield found
    found.go_on.set()
    listening.close()


@contextlib.asynccontextmanager
async def client(most=100):
    lanes = Lanes(lambda: httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1)), most)
    async with httpx.AsyncClient(transport=lanes) as opened:
        opened.lanes = lanes
        yield opened


async def test_one_after_the_other_they_share_a_connection(server):
    async with client() as asking:
        for _ in range(20):
            assert (await asking.get(server.url + "/")).text == "done"
    assert server.connections == 1


async def test_none_waits_for_one_that_takes_long(server):
    async with client() as asking:
        slow = [asyncio.ensure_future(asking.get(server.url + "/slow")) for _ in range(10)]
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(asking.get(server.url + "/"), 5)).text == "done"
        server.go_on.set()
        assert [answer.text for answer in await asyncio.gather(*slow)] == ["done"] * 10
    assert server.connections == 11


async def test_no_more_go_at_once_than_there_are_lanes(server):
    async with client(most=3) as asking:
        slow = [asyncio.ensure_future(asking.get(server.url + "/slow")) for _ in range(10)]
        async with asyncio.timeout(5):
            while server.connections < 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert server.connections == 3
        server.go_on.set()
        assert [answer.text for answer in await asyncio.gather(*slow)] == ["done"] * 10
    assert server.connections == 3


async def test_a_request_that_its_deadline_cuts_leaves_all_lanes_free(server):
    async with client(most=2) as asking:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await asking.get(server.url + "/slow")
        assert (await asyncio.wait_for(asking.get(server.url + "/"), 5)).text == "done"
        assert not asking.lanes._busy


async def test_an_answer_that_breaks_off_leaves_all_lanes_free(server):
    async with client(most=1) as asking:
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                await asking.get(server.url + "/cut")
        assert (await asyncio.wait_for(asking.get(server.url + "/"), 5)).text == "done"


async def test_an_answer_of_which_no_more_is_wanted_leaves_all_lanes_free(server):
    async with client(most=1) as asking:
        for _ in range(3):
            async with asking.stream("GET", server.url + "/") as answer:
                assert answer.status_code == 200
        assert (await asyncio.wait_for(asking.get(server.url + "/"), 5)).text == "done"


async def test_where_nobody_listens_is_told_each_time(server):
    async with client(most=1) as asking:
        for _ in range(3):
            with pytest.raises(httpx.ConnectError):
                await asking.get("http://127.0.0.1:1/")
        assert (await asking.get(server.url + "/")).text == "done"
