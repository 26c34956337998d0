"""RADIUS over TLS: who may ask, and what ends a connection (RFC 6614, RFC 6613)."""

import asyncio
import contextlib
import logging
import socket
import ssl
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import trustme
import uvloop

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import Attribute, Code, NodeDoor, Packet, RadiusDoor
from auth.radius.packet import encode, encode_request, hide, seal_response, verify_response
from auth.radius.radsec import Limits, RadsecListener
from auth.reason import Reason
from auth.request import Accepted, Refused
from radius.over_tls import connected, heard, opened
from schema.secret import Secret

SECRET = b"radsec"
NODE = NodeDoor("vpn1", SECRET, require_message_authenticator=False, limit_proxy_state=False)
QUICK = Limits(connections=3, handshake_seconds=1, packet_seconds=0.3, idle_seconds=1.5)
MANY = 12_000  # packets of 4 KB: more than the sockets of both sides hold by themselves


class Desk:
    """Lets everybody in who types the right word."""

    async def begin(self, request):
        right = request.password.matches(Secret("wonderland"))
        return Accepted(()) if right else Refused(Reason.PASSWORD_WRONG)


@pytest.fixture
async def place(tmp_path):
    """The door, with a node whose certificate is for vpn1.example."""
    known = {"vpn1.example": NODE}

    def lookup(names, _):
        return next((known[name] for name in names if name in known), None)

    async with opened(tmp_path, Desk(), lookup, limits=QUICK) as found:
        yield SimpleNamespace(**vars(found), known=known)


async def ended(reader):
    """Whether the other side has closed without a word."""
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def login(password=b"wonderland", identifier=1):
    authenticator = bytes((identifier,)) * 16
    pairs = ((Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, hide(password, SECRET, authenticator)))
    return Packet(Code.ACCESS_REQUEST, identifier, authenticator, pairs)


async def test_logons_come_one_after_the_other_and_many_at_once_over_one_connection(place):
    async with connected(place) as (reader, writer):
        for identifier, password in ((1, b"wonderland"), (2, b"wrong")):
            request = login(password, identifier)
            writer.write(encode(request))
            reply = verify_response(await heard(reader), request, SECRET)
            assert reply.code is (Code.ACCESS_ACCEPT if identifier == 1 else Code.ACCESS_REJECT)
            assert reply.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
        requests = {identifier: login(identifier=identifier) for identifier in range(10, 30)}
        writer.write(b"".join(map(encode, requests.values())))
        for _ in range(20):
            octets = await heard(reader)
            assert verify_response(octets, requests.pop(octets[1]), SECRET).code is Code.ACCESS_ACCEPT


async def test_accounting_and_status_server_come_over_the_same_connection(place):
    async with connected(place) as (reader, writer):
        writer.write(seal_response(bytes((4, 9, 0, 20)) + bytes(16), SECRET))
        assert (await heard(reader))[:2] == bytes((Code.ACCOUNTING_RESPONSE, 9))
        writer.write(encode_request(Packet(Code.STATUS_SERVER, 5, b"\x05" * 16), SECRET))
        assert (await heard(reader))[:2] == bytes((Code.ACCESS_ACCEPT, 5))


REFUSED = {
    "no-certificate": (
        {"name": None},
        "the client shows no certificate: give it one of an authority in client_ca_file of [radsec]",
    ),
    "bad-certificate": (
        {"authority": trustme.CA()},
        "its chain, or add its authority to client_ca_file of [radsec]",
    ),
    "bad-certificate of the past": (
        {"ends": datetime(2020, 1, 1, tzinfo=UTC)},
        "not believed (certificate has expired): give the client one that is good now",
    ),
    "old-tls": ({"newest": ssl.TLSVersion.TLSv1_2}, "does not speak TLS 1.3: update it"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_nobody_gets_in_without_a_certificate_that_is_believed_and_tls_1_3_and_the_operator_is_told(
    place, caplog, what
):
    """Once a minute for each cause and address; each time is counted."""
    client, told = REFUSED[what]
    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        for _ in range(2):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                async with connected(place, **client) as (reader, writer):
                    writer.write(encode(login()))
                    assert await ended(reader)
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("127.0.0.1, RadSec: closed, ")
    assert told in said
    assert place.door.discarded == {what.partition(" ")[0]: 2}


async def test_a_client_that_does_not_believe_our_certificate_is_told_to_the_operator(place, caplog):
    def knock():
        strict = ssl.create_default_context()
        with (
            socket.create_connection(("127.0.0.1", place.port)) as client,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            strict.wrap_socket(client, server_hostname="radius.example")

    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        await asyncio.to_thread(knock)
        async with asyncio.timeout(5):
            while not place.door.discarded:
                await asyncio.sleep(0.01)
    assert "TLSV1_ALERT_UNKNOWN_CA): let it trust the authority of certificate of [radsec]" in caplog.text
    assert place.door.discarded == {"not-believed": 1}


@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["nothing", "another protocol"])
async def test_whoever_knocks_and_does_not_speak_tls_is_no_news(place, caplog, octets):
    """A balancer that looks whether somebody listens, or a stranger's scan, is no client that cannot connect."""
    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(octets)
        writer.write_eof()
        assert await ended(reader)
        writer.close()
    assert (caplog.text, place.door.discarded) == ("", {})


async def test_a_certificate_of_no_access_node_is_closed_and_the_operator_told_its_name(place, caplog):
    with caplog.at_level(logging.WARNING, "dirfactor.radius"):
        async with connected(place, name="stranger.example") as (reader, writer):
            writer.write(encode(login()))
            assert await ended(reader)
    assert "set dirfactorCertificateName of the access node to one of its names (stranger.example, " in caplog.text
    assert place.door.discarded == {"unknown-certificate": 1}


async def test_a_node_that_is_taken_out_of_the_directory_is_closed_at_its_next_packet(place):
    async with connected(place) as (reader, writer):
        writer.write(encode(login()))
        assert await heard(reader)
        place.known.clear()
        writer.write(encode(login(identifier=2)))
        assert await ended(reader)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x01\x01\x00\x13" + bytes(15),
        b"\x01\x01\xff\xff" + bytes(100),
        b"GET / HTTP/1.1\r\n\r\n" + bytes(20),
        encode_request(login(), b"another secret"),
    ],
    ids=["too short", "too long", "another protocol", "a wrong Message-Authenticator"],
)
async def test_what_no_client_sends_ends_the_connection_rfc_6613_section_2_6_4(place, octets):
    async with connected(place) as (reader, writer):
        writer.write(octets)
        assert await ended(reader)
    assert sum(place.door.discarded.values()) == 1


async def test_half_a_packet_is_not_waited_for(place):
    async with connected(place) as (reader, writer):
        writer.write(encode(login())[:30])
        assert await ended(reader)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_who_asks_on_and_never_reads_the_answers_is_cut_off(tmp_path, run):
    """What the door answers at once is not counted among what is in flight, and its answers must not pile up."""
    long = ((Attribute.PROXY_STATE, bytes(250)),) * 15
    request = encode_request(Packet(Code.STATUS_SERVER, 5, b"\x05" * 16, long), SECRET)

    async def ask_on():
        async with opened(tmp_path, Desk(), lambda *_: NODE, limits=QUICK) as door, connected(door) as (_, writer):
            for _ in range(MANY):
                writer.write(request)
                await writer.drain()

    with pytest.raises((ConnectionError, ssl.SSLError)):
        run(ask_on())


async def test_who_reads_late_but_in_time_gets_every_answer(tmp_path):
    long = ((Attribute.PROXY_STATE, bytes(250)),) * 15
    asked = 1000
    async with opened(tmp_path, Desk(), lambda *_: NODE) as door, connected(door) as (reader, writer):
        for number in range(asked):
            writer.write(encode_request(Packet(Code.STATUS_SERVER, number % 256, b"\x05" * 16, long), SECRET))
        await asyncio.sleep(0.1)
        assert [(await heard(reader))[1] for _ in range(asked)] == [number % 256 for number in range(asked)]


async def test_a_client_that_has_reset_its_connection_already_is_closed_and_no_fault():
    class Gone:
        closed = False

        def get_extra_info(self, name):
            return None

        def close(self):
            self.closed = True

    writer = Gone()
    door = RadiusDoor(service=Desk(), clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY)
    await RadsecListener(lambda *_: NODE, door)._serve(asyncio.StreamReader(), writer)
    assert writer.closed


async def test_of_too_many_connections_the_last_is_closed_unread_and_the_operator_told(place, caplog):
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(caplog.at_level(logging.WARNING, "dirfactor.radius"))
        for _ in range(3):
            reader, writer = await stack.enter_async_context(connected(place))
            writer.write(encode(login()))
            assert await heard(reader)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await stack.enter_async_context(connected(place))
    assert "closed unread, 3 connections are open already: find out which clients hold so many" in caplog.text
    assert place.door.discarded == {"too-many-connections": 1}


async def test_a_certificate_that_was_renewed_is_shown_to_the_next_connection(place):
    async with connected(place) as (_, writer):
        before = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
    place.authority.issue_cert("radius.example").private_key_and_cert_chain_pem.write_to_path(
        place.folder / "server.pem"
    )
    for _ in range(100):
        await asyncio.sleep(0.05)
        async with connected(place) as (_, writer):
            after = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        if after != before:
            break
    assert after != before
