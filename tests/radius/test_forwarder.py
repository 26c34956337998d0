"""Another server is asked in a packet of our own, and only what it has proven counts."""

import asyncio
import socket
import threading

import pytest

from auth.clock import SYSTEM_ENTROPY
from auth.forwarding import Denied, Granted, Passed, Wanted
from auth.radius.attributes import Attribute, integer
from auth.radius.forwarder import RadiusForwarder
from auth.radius.node import Upstream
from auth.radius.packet import Code, Packet, decode, encode, encode_response, seal_response
from rig.old_server import old_server
from schema.errors import Fault
from schema.secret import Secret

SECRET = b"correct horse battery staple"
PASSED = Passed(
    "vpn",
    "bäre",
    Secret("Wönder 41"),
    None,
    ((Attribute.NAS_IP_ADDRESS, b"\x7f\0\0\1"), (33, b"first"), (33, b"second")),
)
REPLIES = ((Attribute.FILTER_ID, b"old"), (Attribute.CLASS, b"\xff\0"), (Attribute.REPLY_MESSAGE, b"Hello"))
PATIENCE = 0.4


def respond(code, *attributes, secret=SECRET):
    return lambda _, octets: encode_response(code, decode(octets), attributes, secret)


def bare(code, *attributes, lose=()):
    """A response as old servers make it: without a Message-Authenticator, and perhaps without some attributes."""

    def answer(_, octets):
        request = decode(octets)
        forwarded = [pair for pair in request.attributes if pair[0] == Attribute.PROXY_STATE]
        kept = tuple(pair for pair in (*attributes, *forwarded) if pair[0] not in lose)
        return seal_response(encode(Packet(code, request.identifier, request.authenticator, kept)), SECRET)

    return answer


def changed(answer, at):
    def spoilt(packet, octets):
        reply = bytearray(answer(packet, octets))
        reply[at] ^= 1
        return bytes(reply)

    return spoilt


def wrong_proof(_, octets):
    """The Response Authenticator is right, the Message-Authenticator is not."""
    reply = bytearray(respond(Code.ACCESS_ACCEPT)(None, octets))
    reply[22] ^= 1
    return seal_response(bytes(reply[:4]) + octets[4:20] + bytes(reply[20:]), SECRET)


def forwarder(server, *, require=True, **arguments):
    upstream = Upstream("127.0.0.1", server.port, server.secret, "utf-8", require)
    return RadiusForwarder(lambda _: upstream, SYSTEM_ENTROPY, **{"patience": PATIENCE, "repeat": 0.1} | arguments)


async def test_the_request_is_our_own_and_says_the_same():
    async with old_server(SECRET, respond(Code.ACCESS_REJECT)) as server:
        asking = forwarder(server)
        assert await asking.ask(PASSED) == await asking.ask(PASSED) == Denied()
        assert server.asked() == [(PASSED.name, PASSED.typed.text)] * 2
        one, other = map(decode, server.seen)
        assert one.authenticator != other.authenticator
        assert one.values(Attribute.USER_PASSWORD) != other.values(Attribute.USER_PASSWORD)
        assert all(server.read(octets).verify_message_authenticator() for octets in server.seen)
        assert one.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
        assert one.values(Attribute.NAS_IP_ADDRESS) == (b"\x7f\0\0\1",)
        assert one.values(Attribute.PROXY_STATE)[:2] == (b"first", b"second"), "RFC 2865 section 5.33"
        assert len(one.values(Attribute.PROXY_STATE)) == len((b"first", b"second", b"ours"))


async def test_what_a_proven_accept_brings_comes_back_without_what_is_between_the_servers():
    hidden = (
        (Attribute.STATE, b"s"),
        (69, b"\0tunnel"),
        (Attribute.VENDOR_SPECIFIC, integer(311) + b"\x10\x12" + b"k" * 16),
    )
    fortinet = (Attribute.VENDOR_SPECIFIC, integer(12356) + b"\x01\x05vpn")
    async with old_server(SECRET, respond(Code.ACCESS_ACCEPT, *REPLIES, *hidden, fortinet)) as server:
        assert await forwarder(server).ask(PASSED) == Granted((*REPLIES, fortinet))


async def test_a_challenge_is_a_state_a_line_and_a_time():
    asked = (
        (Attribute.STATE, b"\0theirs"),
        (Attribute.REPLY_MESSAGE, b"Code\r\n"),
        (Attribute.REPLY_MESSAGE, b"\x07please:" + b"x" * 240),
        (Attribute.SESSION_TIMEOUT, integer(45)),
    )
    async with old_server(SECRET, respond(Code.ACCESS_CHALLENGE, *asked)) as server:
        found = await forwarder(server).ask(PASSED)
    assert found == Wanted(b"\0theirs", ("Code please:" + "x" * 240)[:200], 45)


FORGERIES = {
    "by whom does not know the secret": respond(Code.ACCESS_ACCEPT, secret=b"another secret"),
    "with another identifier": changed(respond(Code.ACCESS_ACCEPT), 1),
    "a reject that was made an accept": changed(respond(Code.ACCESS_REJECT), 0),
    "changed on the way": changed(respond(Code.ACCESS_ACCEPT, *REPLIES), -1),
    "with a wrong Message-Authenticator": wrong_proof,
    "without the Proxy-State that was sent": bare(Code.ACCESS_ACCEPT, lose=(Attribute.PROXY_STATE,)),
    "the request itself": lambda _, octets: octets,
    "a challenge without State": respond(Code.ACCESS_CHALLENGE, (Attribute.REPLY_MESSAGE, b"?")),
    "a challenge of EAP": respond(Code.ACCESS_CHALLENGE, (Attribute.STATE, b"s"), (Attribute.EAP_MESSAGE, b"\1\1\0\4")),
    "no packet": lambda *_: b"\2",
    "nothing": lambda *_: None,
}


@pytest.mark.parametrize("require", [True, False], ids=["required", "not required"])
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_nothing_that_is_not_proven_is_a_verdict(forgery, require):
    async with old_server(SECRET, FORGERIES[forgery]) as server:
        with pytest.raises(Fault):
            await forwarder(server, require=require).ask(PASSED)
        assert server.seen


async def test_a_message_authenticator_may_be_missing_only_where_the_node_says_so():
    async with old_server(SECRET, bare(Code.ACCESS_ACCEPT, *REPLIES)) as server:
        assert await forwarder(server, require=False).ask(PASSED) == Granted(REPLIES)
        with pytest.raises(Fault, match="could not be verified"):
            await forwarder(server).ask(PASSED)


async def test_a_forged_response_does_not_keep_the_right_one_out():
    async with old_server(SECRET, lambda *_: None) as server:
        right = respond(Code.ACCESS_REJECT)
        forged = FORGERIES["by whom does not know the secret"]

        def answer(packet, octets):
            return forged(packet, octets) if len(server.seen) == 1 else right(packet, octets)

        server.answer = answer
        assert await forwarder(server).ask(PASSED) == Denied()


async def test_what_is_lost_on_the_way_is_sent_again_with_the_same_octets():
    async with old_server(SECRET, lambda *_: None) as server:
        right = respond(Code.ACCESS_ACCEPT)
        server.answer = lambda packet, octets: right(packet, octets) if len(server.seen) == 3 else None
        assert await forwarder(server, patience=5.0).ask(PASSED) == Granted(())
        assert len(server.seen) == 3
        assert len(set(server.seen)) == 1


async def test_nobody_there_is_a_fault():
    async with old_server(SECRET, lambda *_: None) as server:
        asking = forwarder(server)
    with pytest.raises(Fault, match="RADIUS server 127"):
        await asking.ask(PASSED)


async def test_whoever_goes_round_in_circles_is_not_sent_on():
    async with old_server(SECRET, respond(Code.ACCESS_ACCEPT)) as server:
        circling = Passed("vpn", "bare", Secret("x"), None, ((Attribute.PROXY_STATE, b"hop"),) * 8)
        with pytest.raises(Fault, match="too many servers"):
            await forwarder(server).ask(circling)
        assert server.seen == []


async def test_not_more_than_so_many_wait_at_once():
    async with old_server(SECRET, lambda *_: None) as server:
        asking = forwarder(server, most_at_once=2)
        waiting = [asyncio.ensure_future(asking.ask(PASSED)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Fault, match="2 logins wait"):
            await asking.ask(PASSED)
        assert all(isinstance(found, Fault) for found in await asyncio.gather(*waiting, return_exceptions=True))
        server.answer = respond(Code.ACCESS_REJECT)
        assert await asking.ask(PASSED) == Denied(), "there is room again"


@pytest.mark.parametrize(
    "passed", [Passed("vpn", "x" * 254, Secret("x"), None, ()), Passed("vpn", "x", Secret("x" * 129), None, ())]
)
async def test_what_radius_cannot_carry_is_a_fault_and_not_cut(passed):
    async with old_server(SECRET, respond(Code.ACCESS_ACCEPT)) as server:
        with pytest.raises(Fault, match="too long"):
            await forwarder(server).ask(passed)
        assert server.seen == []


async def test_a_node_without_another_server_is_a_fault():
    with pytest.raises(Fault, match="nowhere"):
        await RadiusForwarder(lambda _: None, SYSTEM_ENTROPY).ask(PASSED)


def test_what_is_passed_on_is_not_printed():
    assert "Wönder" not in repr(PASSED)
    assert "bäre" not in repr(PASSED)


async def test_a_name_that_nobody_resolves_takes_no_longer_than_a_server_that_says_nothing(monkeypatch):
    """A resolver waits for its own name servers, one after the other, much longer than any client waits for us."""
    ended = threading.Event()

    def silent(*_, **__):
        ended.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    upstream = Upstream("old.example.org", 1812, SECRET, "utf-8", True)
    asking = asyncio.ensure_future(RadiusForwarder(lambda _: upstream, SYSTEM_ENTROPY, patience=0.1).ask(PASSED))
    try:
        done, _ = await asyncio.wait({asking}, timeout=5)
        assert done, "it is given up while the name is still asked for"
        with pytest.raises(Fault, match=r"no response in 0\.1 s"):
            await asking
    finally:
        ended.set()
