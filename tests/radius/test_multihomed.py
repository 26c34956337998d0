"""A door at every address of the machine: who asks one of them is answered by that one, whatever the route says."""

import asyncio
import contextlib
import socket
from collections import Counter

import pytest
import uvloop

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import Code, NodeDoor, Packet, RadiusDoor, listen
from auth.radius.packet import encode_request, verify_response
from sockets import datagrams_at

SECRET = b"correct horse battery staple"
NODE = NodeDoor("vpn1", SECRET)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested
on_each_loop = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@contextlib.asynccontextmanager
async def opened(host):
    """A door, and which clients it was asked about."""
    asked = Counter()

    def lookup(address):
        asked[address] += 1
        return NODE

    door = RadiusDoor(service=None, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY)
    listener = await listen(datagrams_at(host), lookup, door)
    try:
        yield listener, asked
    finally:
        await listener.drain(1.0)


@contextlib.contextmanager
def client_of(address, port):
    """A socket that hears nobody but `address`."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect((address, port))
        yield client


def status(identifier=1):
    return Packet(Code.STATUS_SERVER, identifier, SYSTEM_ENTROPY.octets(16))


async def heard(client):
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 5000), 5)


@on_each_loop
@pytest.mark.parametrize(
    ("host", "address"),
    [
        (EVERYWHERE, "127.0.0.1"),
        (EVERYWHERE, "127.0.0.2"),
        ("::", "127.0.0.2"),
        ("::", "::1"),
        ("127.0.0.2", "127.0.0.2"),
    ],
)
def test_the_address_that_was_asked_answers(run, host, address):
    async def ask():
        request = status()
        async with opened(host) as (listener, asked):
            with client_of(address, listener.address[1]) as client:
                client.send(encode_request(request, SECRET))
                reply = verify_response(await heard(client), request, SECRET)
                return reply.code, dict(asked), client.getsockname()[0]

    code, asked, own = run(ask())
    assert (code, asked) == (Code.ACCESS_ACCEPT, {own: 1})


@on_each_loop
def test_many_datagrams_at_once_are_all_answered_and_what_is_empty_or_too_long_stops_none(run):
    async def ask():
        requests = {number: status(number) for number in range(100)}
        async with opened(EVERYWHERE) as (listener, _):
            with client_of("127.0.0.2", listener.address[1]) as client:
                client.send(b"")
                client.send(bytes((1, 1)) + (4097).to_bytes(2, "big") + bytes(4093))
                for request in requests.values():
                    client.send(encode_request(request, SECRET))
                for _ in range(100):
                    octets = await heard(client)
                    verify_response(octets, requests.pop(octets[1]), SECRET)
                return listener.door.discarded

    assert run(ask()) == {"malformed": 2}


@on_each_loop
def test_when_it_is_closed_the_port_is_free_and_a_late_answer_goes_nowhere(run):
    async def ask():
        late = []
        async with opened(EVERYWHERE) as (listener, _):
            listener.door.receive = lambda _data, _node, peer: late.append(peer.send)
            with client_of("127.0.0.2", listener.address[1]) as client:
                client.send(b"x")
                while not late:
                    await asyncio.sleep(0.01)
        late[0](b"too late")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(listener.address)

    run(ask())
