"""Who is shut out of a UDP socket takes no room in it, nobody else is, and when the round ends all are heard again."""

import asyncio
import contextlib
import ipaddress
import socket
from pathlib import Path

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import NodeDoor, RadiusDoor, listen, shutter
from auth.radius.shutter import MOST_SHUT_OUT, Shutter
from sockets import datagrams_at

NODE, FLOODER = "127.0.0.2", "127.0.0.3"
FIRST = int(ipaddress.ip_address("127.0.3.1"))


@pytest.fixture
def short(monkeypatch):
    """Rounds that a test can wait for."""
    monkeypatch.setattr(shutter, "ROUND_SECONDS", 0.3)


@contextlib.contextmanager
def sending(place, source):
    """Sends to a socket of ours from an address."""
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        to = "::1" if ":" in source else "127.0.0.1"
        yield lambda octets: client.sendto(octets, (to, place.getsockname()[1]))


async def bursts(send):
    """Four hundred packets, twenty at a time, all of them read."""
    for _ in range(20):
        for _ in range(20):
            send(b"x")
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.1)


def arrived(place):
    """What waits in the socket, read."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(place.recv(100))
    return found


@pytest.mark.parametrize(
    ("host", "shut_out", "other"),
    [
        ("127.0.0.1", FLOODER, NODE),
        ("::", FLOODER, NODE),
        ("::", "::1", NODE),
        ("::", FLOODER, "::1"),
        ("::1", "2001:db8::1", "::1"),
        ("::1", "::2", "::1"),
    ],
)
async def test_nothing_comes_from_whom_is_shut_out_and_all_of_everybody_else(host, shut_out, other):
    with datagrams_at(host) as place:
        shut = Shutter(place, lambda _: None)
        shut.shut_out("127.0.0.77")
        shut.shut_out("2001:db8::77")
        shut.shut_out(shut_out)
        with sending(place, other) as send:
            send(b"of another")
        if shut_out in (FLOODER, "::1"):
            with sending(place, shut_out) as send:
                send(b"of the flood")
        assert arrived(place) == [b"of another"]
        shut.close()


async def test_when_the_round_ends_they_are_heard_again_and_what_was_discarded_is_counted(short):
    counted = []
    with datagrams_at() as place, sending(place, FLOODER) as send:
        shut = Shutter(place, counted.append)
        for number in (1, 2):
            shut.shut_out(FLOODER)
            for _ in range(30):
                send(b"flood")
            assert arrived(place) == []
            await asyncio.sleep(0.5)
            assert counted == [30] * number
            send(b"asks again")
            assert arrived(place) == [b"asks again"]


async def test_so_many_are_shut_out_and_what_comes_from_more_is_read():
    with datagrams_at() as place:
        shut = Shutter(place, lambda _: None)
        for number in range(MOST_SHUT_OUT + 1):
            shut.shut_out(str(ipaddress.ip_address(FIRST + number)))
        for number in (0, 1, MOST_SHUT_OUT - 1, MOST_SHUT_OUT):
            with sending(place, str(ipaddress.ip_address(FIRST + number))) as send:
                send(str(number).encode())
        assert arrived(place) == [str(MOST_SHUT_OUT).encode()]
        shut.close()


async def test_as_many_of_ipv6_are_as_well():
    with datagrams_at("::1") as place:
        shut = Shutter(place, lambda _: None)
        for number in range(1, MOST_SHUT_OUT):
            shut.shut_out(f"2001:db8::{number:x}")
        with sending(place, "::1") as send:
            send(b"of another")
            assert arrived(place) == [b"of another"]
            shut.shut_out("::1")
            send(b"of the flood")
            assert arrived(place) == []
        shut.close()


async def test_an_address_of_one_link_is_not_shut_out_for_on_another_link_it_is_somebody_elses():
    with datagrams_at("::1") as place:
        shut = Shutter(place, lambda _: None)
        shut.shut_out("fe80::1%lo")
        assert not shut._shut


def test_a_burst_finds_as_much_room_as_the_kernel_grants():
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    with datagrams_at() as place:
        granted = place.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert granted == 2 * min(most, 4 * 1024 * 1024)  # socket(7): it doubles what it is asked for


@contextlib.asynccontextmanager
async def opened(host, **settings):
    """A door that knows one access node, and whom it was asked about."""
    asked = []

    def lookup(address):
        asked.append(address)
        return NodeDoor("vpn", b"correct horse battery staple") if address == NODE else None

    door = RadiusDoor(service=None, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY, **settings)
    place = datagrams_at(host)
    listener = await listen(place, lookup, door)
    try:
        yield place, listener, asked
    finally:
        await listener.drain(1.0)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what is tested
async def test_a_stranger_who_goes_on_is_not_even_read_and_is_counted_all_the_same(host, short):
    async with opened(host, packets_per_second=100) as (place, listener, asked):
        with sending(place, FLOODER) as flood, sending(place, NODE) as node:
            for _ in range(50):
                for _ in range(20):
                    flood(b"x")
                await asyncio.sleep(0.002)
            assert len(asked) < 100
            node(b"x")
            await asyncio.sleep(0.5)
            assert asked[-1] == NODE
        discarded = listener.door.discarded
        assert discarded["malformed"] == 1
        assert discarded["unknown-client"] + discarded["too-many"] == 1000


async def test_who_keeps_to_its_rate_is_read_whatever_it_sends():
    async with opened("127.0.0.1", packets_per_second=1000) as (place, listener, asked):
        with sending(place, NODE) as node:
            await bursts(node)
        assert listener.door.discarded == {"malformed": 400}
        assert asked == [NODE] * 400


async def test_without_a_limit_nobody_is_shut_out():
    async with opened("127.0.0.1", packets_per_second=0) as (place, _listener, asked):
        with sending(place, FLOODER) as flood:
            await bursts(flood)
        assert asked == [FLOODER] * 400
