"""What was asked over one connection is no repeat of what was asked over another, whoever it comes from.

Several access nodes may stand behind one address, and a client may bind its port: address and port tell nobody apart
who is told apart by a certificate (RFC 9765 section 4.2.2; RFC 6613 section 2.6.1 has no repeats over TCP at all).
"""

import asyncio
import contextlib
import socket

import pytest

from auth.radius import Attribute, Code, NodeDoor, Packet
from auth.radius.packet import encode_request, hide
from auth.radius.packet_1_1 import framed
from auth.reason import Reason
from auth.request import Accepted, Refused
from radius.over_tls import connected, heard, opened

SECRET = b"radsec"
EASY, STRICT = (NodeDoor(name, SECRET) for name in ("easy", "strict"))
AUTHENTICATOR = b"a" * 16
LOGIN = {
    "1.0": encode_request(
        Packet(
            Code.ACCESS_REQUEST,
            7,
            AUTHENTICATOR,
            ((Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, hide(b"wonderland", SECRET, AUTHENTICATOR))),
        ),
        SECRET,
    ),
    "1.1": framed(Code.ACCESS_REQUEST, 7, [(Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, b"wonderland")]),
}
"""The same octets each time."""
each_version = pytest.mark.parametrize("version", LOGIN)


class Desk:
    """Lets everybody in through one of the nodes; through the other one nobody."""

    def __init__(self):
        self.asked = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def begin(self, request):
        self.asked.append(request.origin.node)
        await self.go_on.wait()
        return Accepted(()) if request.origin.node == "easy" else Refused(Reason.NOT_MEMBER)


@pytest.fixture
async def place(tmp_path):
    """Both nodes, each with its certificate."""
    desk, known = Desk(), {"easy.example": EASY, "strict.example": STRICT}

    def lookup(names, _):
        return next((known[name] for name in names if name in known), None)

    async with opened(tmp_path, desk, lookup, versions=("1.0", "1.1")) as found:
        found.desk = desk
        yield found


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def of(place, name, version, port):
    return connected(place, f"{name}.example", offered=(version,), port=port)


@each_version
async def test_the_accept_of_one_node_is_none_of_another_from_the_same_address_and_port(place, version):
    port = a_port()
    async with of(place, "easy", version, port) as (reader, writer):
        writer.write(LOGIN[version])
        assert (await heard(reader))[0] == Code.ACCESS_ACCEPT
    async with of(place, "strict", version, port) as (reader, writer):
        writer.write(LOGIN[version])
        assert (await heard(reader))[0] == Code.ACCESS_REJECT
    assert place.desk.asked == ["easy", "strict"]


@each_version
async def test_a_client_that_connects_again_is_answered_for_what_it_asks_then(place, version):
    port = a_port()
    for _ in range(2):
        async with of(place, "easy", version, port) as (reader, writer):
            writer.write(LOGIN[version])
            assert (await heard(reader))[0] == Code.ACCESS_ACCEPT
    assert place.desk.asked == ["easy", "easy"]


@each_version
async def test_what_died_with_its_connection_keeps_nobody_from_being_answered(place, version):
    port = a_port()
    place.desk.go_on.clear()
    async with of(place, "easy", version, port) as (_, writer):
        writer.write(LOGIN[version])
        async with asyncio.timeout(5):
            while not place.desk.asked:
                await asyncio.sleep(0.01)
    async with of(place, "easy", version, port) as (reader, writer):
        writer.write(LOGIN[version])
        async with asyncio.timeout(5):
            while len(place.desk.asked) < 2:
                await asyncio.sleep(0.01)
        place.desk.go_on.set()
        assert (await heard(reader))[0] == Code.ACCESS_ACCEPT
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                assert not await reader.read(1), "one answer, and not also that of the connection before"


@each_version
async def test_over_one_connection_a_repeat_is_still_one(place, version):
    async with of(place, "easy", version, 0) as (reader, writer):
        for _ in range(2):
            writer.write(LOGIN[version])
            assert (await heard(reader))[0] == Code.ACCESS_ACCEPT
    assert place.desk.asked == ["easy"]
