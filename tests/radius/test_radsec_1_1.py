"""Which version of RADIUS is spoken over a connection (RFC 9765 section 3), and logons in 1.1 by a client of ours.

No RADIUS client that can be had here speaks RADIUS/1.1. This one refuses what section 4.1 says must not come.
"""

import logging
from hashlib import md5

import pytest

from auth.radius import Attribute, Code, NodeDoor, Packet
from auth.radius.packet import encode, encode_request, hide, verify_response
from auth.radius.packet_1_1 import framed
from auth.reason import Reason
from auth.request import Accepted, Refused
from radius.over_tls import connected, heard, opened
from schema.secret import Secret

SECRET = b"radsec"
NODE = NodeDoor("vpn1", SECRET, code_only=True)


class Desk:
    """Lets everybody in who types the right word, or shows that they know it."""

    async def begin(self, request):
        shown = request.password
        right = shown.matches(Secret("wonderland")) if isinstance(shown, Secret) else knows(shown)
        return Accepted(()) if right else Refused(Reason.PASSWORD_WRONG)


def knows(shown):
    return (
        shown.octets
        == md5(bytes((shown.identifier,)) + b"wonderland" + shown.challenge, usedforsecurity=False).digest()
    )


@pytest.fixture
def door(tmp_path):
    """Opens doors that speak these versions."""
    return lambda *versions: opened(tmp_path, Desk(), lambda *_: NODE, versions=versions)


async def told(reader, token):
    """The response with this token, as a client must see it (section 4.1)."""
    octets = await heard(reader)
    assert octets[1] == 0, "Reserved-1"
    assert octets[4:8] == token.to_bytes(4, "big")
    assert octets[8:20] == bytes(12), "Reserved-2"
    attributes, rest = [], octets[20:]
    while rest:
        attributes.append((rest[0], rest[2 : rest[1]]))
        rest = rest[rest[1] :]
    assert Attribute.MESSAGE_AUTHENTICATOR not in dict(attributes)
    return Code(octets[0]), attributes


async def version_spoken(reader, writer):
    """Asks in the version that was agreed upon, and is understood."""
    agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    if agreed == "radius/1.1":
        writer.write(framed(Code.ACCESS_REQUEST, 77, login()))
        code, _ = await told(reader, 77)
    else:
        authenticator = b"a" * 16
        pairs = ((Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, hide(b"wonderland", SECRET, authenticator)))
        request = Packet(Code.ACCESS_REQUEST, 7, authenticator, pairs)
        writer.write(encode_request(request, SECRET))
        code = verify_response(await heard(reader), request, SECRET).code
    assert code is Code.ACCESS_ACCEPT
    return agreed


def login(password=b"wonderland", *further):
    return [(Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, password), *further]


@pytest.mark.parametrize(
    ("ours", "offered", "agreed"),
    [
        (("1.0",), (), None),
        (("1.0",), ("1.0",), None),
        (("1.0",), ("1.1", "1.0"), None),
        (("1.0", "1.1"), (), None),
        (("1.0", "1.1"), ("1.0",), "radius/1.0"),
        (("1.0", "1.1"), ("1.0", "1.1"), "radius/1.1"),
        (("1.0", "1.1"), ("1.1",), "radius/1.1"),
        (("1.1",), ("1.0", "1.1"), "radius/1.1"),
        (("1.1",), ("1.1",), "radius/1.1"),
    ],
)
async def test_section_3_3_the_newest_that_both_speak_is_spoken(door, ours, offered, agreed):
    async with door(*ours) as place, connected(place, offered=offered) as (reader, writer):
        assert await version_spoken(reader, writer) == agreed


@pytest.mark.parametrize("offered", [(), ("1.0",)])
async def test_section_3_3_where_only_1_1_is_spoken_others_are_told_why_and_closed(door, offered, caplog):
    async with door("1.1") as place:
        with caplog.at_level(logging.WARNING, "dirfactor.radius"):
            async with connected(place, offered=offered) as (reader, _):
                octets = await heard(reader)
                assert (octets[0], octets[4:20]) == (52, bytes(16))
                assert b"RADIUS/1.1 only" in octets
                assert await reader.read() == b""
        assert place.door.discarded == {"no-version": 1}
    assert "does not offer RADIUS/1.1 (ALPN radius/1.1): update it, or allow 1.0 as well" in caplog.text


async def test_section_3_5_no_session_is_resumed_with_another_version(door):
    async with door("1.0", "1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        await version_spoken(reader, writer)
        assert not writer.get_extra_info("ssl_object").session.has_ticket


async def test_logons_with_right_and_wrong_words_by_pap_and_chap_with_proxy_state_in_order(door):
    challenge = b"c" * 16
    proof = b"\1" + md5(b"\1wonderland" + challenge, usedforsecurity=False).digest()
    chap = [(Attribute.USER_NAME, b"alice"), (Attribute.CHAP_PASSWORD, proof)]
    states = [(Attribute.PROXY_STATE, octets) for octets in (b"1", b"22", b"3")]
    steps = [
        (login(b"wonderland", *states), Code.ACCESS_ACCEPT),
        (login(b"wrong", *states), Code.ACCESS_REJECT),
        ([*chap, (Attribute.CHAP_CHALLENGE, challenge), *states], Code.ACCESS_ACCEPT),
        ([*chap, (Attribute.CHAP_CHALLENGE, b"d" * 16), *states], Code.ACCESS_REJECT),
    ]
    async with door("1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        for token, (attributes, wanted) in enumerate(steps, 2**32 - 4):
            writer.write(framed(Code.ACCESS_REQUEST, token, attributes))
            code, answered = await told(reader, token)
            assert code is wanted
            assert [pair for pair in answered if pair[0] == Attribute.PROXY_STATE] == states


async def test_more_than_256_are_under_way_over_one_connection_and_each_gets_its_own_answer(door):
    async with door("1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        words = {token: b"wonderland" if token % 3 else b"wrong" for token in range(600)}
        writer.write(b"".join(framed(Code.ACCESS_REQUEST, token, login(word)) for token, word in words.items()))
        for _ in range(600):
            octets = await heard(reader)
            word = words.pop(int.from_bytes(octets[4:8], "big"))
            assert octets[0] == (Code.ACCESS_ACCEPT if word == b"wonderland" else Code.ACCESS_REJECT)


async def test_status_and_accounting_come_without_any_proof_but_the_connection(door):
    async with door("1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        writer.write(framed(Code.STATUS_SERVER, 1, ()))
        assert await told(reader, 1) == (Code.ACCESS_ACCEPT, [])
        writer.write(framed(Code.ACCOUNTING_REQUEST, 2, [(40, b"\0\0\0\1")]))
        assert await told(reader, 2) == (Code.ACCOUNTING_RESPONSE, [])


async def test_what_is_no_packet_ends_the_connection(door):
    async with door("1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        writer.write(bytes((Code.ACCESS_REQUEST, 0, 0, 19)))
        assert await reader.read() == b""
        assert place.door.discarded == {"malformed": 1}


async def test_a_packet_of_1_0_is_none_of_1_1(door):
    """Its hidden password is only a wrong word: nobody is let in, and nothing is answered with a secret's help."""
    hidden = hide(b"wonderland", SECRET, bytes(16))
    pairs = ((Attribute.USER_NAME, b"alice"), (Attribute.USER_PASSWORD, hidden))
    async with door("1.1") as place, connected(place, offered=("1.1",)) as (reader, writer):
        writer.write(encode(Packet(Code.ACCESS_REQUEST, 0, bytes(16), pairs)))
        code, _ = await told(reader, 0)
        assert code is Code.ACCESS_REJECT
