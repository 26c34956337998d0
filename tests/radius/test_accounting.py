"""Accounting is acknowledged and nothing is kept of it (RFC 2866); pyrad is the client."""

import asyncio
import contextlib
import logging

import pytest
from pyrad.client_async import ClientAsync  # noqa: F401 - the import proves which pyrad is there
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import Attribute, Code, NodeDoor, Packet, RadiusDoor, listen
from auth.radius.door import ACCOUNTING
from auth.radius.packet import encode_request, seal_response, verify_response
from sockets import datagrams_at

SECRET = b"s3cret-of-the-vpn"
NODE = NodeDoor("vpn1", SECRET)


class Nobody:
    """A service that is never asked."""


@pytest.fixture
async def port():
    door = RadiusDoor(service=Nobody(), clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY, served=ACCOUNTING)
    listener = await listen(datagrams_at("127.0.0.1"), {"127.0.0.1": NODE}.get, door)
    listener.door = door
    yield listener
    await listener.drain(1)


class _Client(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.Queue()

    def datagram_received(self, data, _):
        self.heard.put_nowait(data)


@contextlib.asynccontextmanager
async def client(port):
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(_Client, remote_addr=port.address)
    try:
        yield transport, protocol.heard
    finally:
        transport.close()


async def exchange(port, octets, patience=5.0):
    async with client(port) as (transport, heard):
        transport.sendto(octets)
        return await asyncio.wait_for(heard.get(), patience)


async def silent(port, octets):
    with contextlib.suppress(TimeoutError):
        await exchange(port, octets, 0.2)
        return False
    return True


def start(secret=SECRET, *further):
    packet = AcctPacket(id=7, secret=secret, dict=Dictionary())
    packet[Attribute.USER_NAME] = [b"alice"]
    packet[40] = [(1).to_bytes(4, "big")]  # Acct-Status-Type = Start
    for number, value in further:
        packet.setdefault(number, []).append(value)
    return packet


async def test_an_accounting_request_is_acknowledged_as_rfc_2866_wants_it(port):
    request = start()
    octets = request.RequestPacket()
    reply = await exchange(port, octets)
    assert request.VerifyReply(request.CreateReply(packet=reply), reply)
    assert reply[0] == Code.ACCOUNTING_RESPONSE
    assert len(reply) == 20, "RFC 2866 section 4.2: no attributes are needed"


async def test_proxy_state_comes_back_in_order(port):
    states = (b"one", b"two", b"three")
    reply = await exchange(port, start(SECRET, *((Attribute.PROXY_STATE, state) for state in states)).RequestPacket())
    assert reply[20:] == b"".join(bytes((33, len(state) + 2)) + state for state in states)


async def test_one_that_the_secret_does_not_prove_is_not_acknowledged_and_counted(port, caplog):
    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        assert await silent(port, start(b"another-secret").RequestPacket())
    assert "an Accounting-Request that the shared secret does not prove" in caplog.text
    assert port.door.discarded == {"wrong-accounting": 1}


async def test_a_message_authenticator_that_is_wrong_is_not_acknowledged(port):
    forged = Packet(Code.ACCOUNTING_REQUEST, 9, bytes(16), ((Attribute.MESSAGE_AUTHENTICATOR, b"x" * 16),))
    octets = bytes((4, 9)) + (38).to_bytes(2, "big") + bytes(16) + bytes((80, 18)) + b"x" * 16
    assert forged.attributes
    assert await silent(port, seal_response(octets, SECRET))


async def test_status_server_is_answered_with_accounting_response_rfc_5997_section_4_2(port):
    request = Packet(Code.STATUS_SERVER, 3, b"\x07" * 16)
    reply = await exchange(port, encode_request(request, SECRET))
    assert reply[0] == Code.ACCOUNTING_RESPONSE
    assert reply[20] == Attribute.MESSAGE_AUTHENTICATOR


async def test_a_logon_is_not_answered_here(port, caplog):
    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        assert await silent(port, encode_request(Packet(Code.ACCESS_REQUEST, 3, b"\x07" * 16), SECRET))
    assert "ACCESS_REQUEST is not answered on this port" in caplog.text
    assert port.door.discarded == {"not-served": 1}


async def test_what_is_no_packet_is_silence(port):
    assert await silent(port, b"\x04\x01\x00\x14")
    assert port.door.discarded == {"malformed": 1}


def test_the_response_is_no_answer_to_a_logon():
    request = Packet(Code.ACCESS_REQUEST, 7, b"\x01" * 16)
    with pytest.raises(Exception, match="answers another request"):
        verify_response(seal_response(bytes((5, 7, 0, 20)) + b"\x01" * 16, SECRET), request, SECRET)
