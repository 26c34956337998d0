"""Every response, whatever was asked and whatever came of it: its form, and what happens when there is no room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.chap.response import MsChap2Success
from auth.radius.attributes import Attribute
from auth.radius.dialogue import FAILED, Declined, objection, read
from auth.radius.eap.dialogue import Posed
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message
from auth.radius.eap.state import first_state, next_state
from auth.radius.node import NodeDoor
from auth.radius.packet import (
    LONGEST_PACKET,
    Code,
    Packet,
    PacketTooLong,
    Proof,
    encode_response,
    hide,
    verify_response,
)
from auth.radius.passing import verdict
from auth.radius.reply import reply_to
from auth.reason import Reason
from auth.request import Accepted, Challenged, Door, Origin, Refused, ReplyAttribute
from schema.secret import Secret

SECRET = b"correct horse battery staple"
ORIGIN = Origin(Door.RADIUS, "vpn1", "0" * 16, "192.0.2.7")
NODE = NodeDoor("vpn1", SECRET)
AUTHENTICATOR = bytes(range(16))
NAME = (Attribute.USER_NAME, b"alice")
MICROSOFT = bytes((0, 0, 1, 0x37))
SUCCESS = MsChap2Success(9, "S=" + "0" * 40, b"s" * 16, b"r" * 16)

nodes = st.builds(
    NodeDoor,
    st.just("vpn1"),
    st.just(SECRET),
    st.booleans(),
    st.booleans(),
    ascii_prompts=st.booleans(),
    code_only=st.booleans(),
)
eaps = st.builds(
    EapPacket,
    st.sampled_from([EapCode.RESPONSE] * 5 + [EapCode.REQUEST]),
    st.integers(0, 255),
    st.sampled_from([EapType.IDENTITY, EapType.GTC, EapType.NAK, 4, 26]),
    st.binary(max_size=300),
) | st.builds(EapPacket, st.sampled_from(EapCode), st.integers(0, 255))
ways = st.one_of(
    st.binary(max_size=40).map(lambda typed: ((Attribute.USER_PASSWORD, hide(typed, SECRET, AUTHENTICATOR)),)),
    st.binary(min_size=17, max_size=17).map(lambda octets: ((Attribute.CHAP_PASSWORD, octets),)),
    st.binary(min_size=50, max_size=50).map(
        lambda octets: (
            (Attribute.VENDOR_SPECIFIC, MICROSOFT + bytes((11, 18)) + bytes(16)),
            (Attribute.VENDOR_SPECIFIC, MICROSOFT + bytes((25, 52)) + octets),
        )
    ),
    eaps.map(eap_message),
    st.just(((Attribute.EAP_MESSAGE, b""),)),
    st.just(()),
)
states = st.sampled_from(
    [
        *((), ((Attribute.STATE, b"5t4t3"),), ((Attribute.STATE, next_state(Secret("5t4t3"), 7)),)),
        ((Attribute.STATE, first_state(NODE, b"alice", 7, AUTHENTICATOR)),),
    ]
)
proxies = st.lists(st.binary(max_size=100), max_size=4)
whatever = st.lists(st.tuples(st.sampled_from([4, 5, 6, 26, 31, 32, 44, 87, 255]), st.binary(max_size=20)), max_size=4)


@st.composite
def requests(draw):
    """An Access-Request of any protocol, with its parts in any order; EAP-Message attributes stay together."""
    parts = [draw(ways), draw(states), *((pair,) for pair in draw(whatever))]
    parts += [((Attribute.PROXY_STATE, octets),) for octets in draw(proxies)]
    parts += [(NAME,)] * draw(st.sampled_from([1, 1, 1, 0, 2]))
    pairs = [pair for part in draw(st.permutations(parts)) for pair in part]
    return Packet(Code.ACCESS_REQUEST, draw(st.integers(0, 255)), AUTHENTICATOR, tuple(pairs))


replies = st.lists(
    st.builds(
        ReplyAttribute,
        st.sampled_from(["Filter-Id", "Class", "Reply-Message", "Vendor-Specific.12356.1"]),
        st.text(alphabet="abcxyz\u00fc", min_size=1, max_size=120),
    ),
    max_size=60,
).map(tuple)
others = st.sampled_from([1, 6, 18, 24, 25, 26, 33, 64, 69, 79, 80, 255]) | st.integers(1, 255)
granted = st.lists(
    st.tuples(
        others, st.binary(min_size=1, max_size=40) | st.binary(max_size=20).map(lambda octets: MICROSOFT + octets)
    ),
    max_size=20,
).map(lambda pairs: verdict(Packet(Code.ACCESS_ACCEPT, 1, AUTHENTICATOR, tuple(pairs))).attributes)
"""What comes back of an Access-Accept of another server, whatever stands in it and wherever."""
outcomes = st.one_of(
    st.builds(Accepted, replies, success=st.none() | st.just(SUCCESS)),
    st.builds(Accepted, reason=st.just(Reason.FORWARD_ACCEPTED), passed_back=granted),
    st.builds(
        Challenged,
        st.text(alphabet="0123456789abcdef", min_size=1, max_size=64).map(Secret),
        st.text(max_size=200),
        st.just("sms"),
        st.integers(-5, 2**33),
        st.sampled_from(Reason),
    ),
    st.builds(Refused, st.sampled_from(Reason), st.text(max_size=300)),
    st.just(FAILED),
)


def attributes_of(octets):
    """The attributes as they lie in the octets, read without our decoder."""
    found, at = [], 20
    while at < len(octets):
        found.append((octets[at], octets[at + 2 : at + octets[at + 1]]))
        at += octets[at + 1]
    return found


def assert_in_form(octets, request):
    pairs = attributes_of(octets)
    numbers = [number for number, _ in pairs]
    assert numbers[0] == 80, "Message-Authenticator stands first (CVE-2024-3596)"
    assert numbers.count(80) == 1
    assert [value for number, value in pairs if number == 33] == list(request.values(33)), "RFC 2865 section 5.33"
    assert len(octets) == int.from_bytes(octets[2:4], "big") <= 4096
    assert octets[1] == request.identifier
    verify_response(octets, request, SECRET)
    return numbers


@given(requests(), nodes, outcomes)
def test_every_response_to_every_request_is_in_form(request, node, outcome):
    """First attribute 80, Proxy-State in order, verified by the request; over all protocols, outcomes and nodes."""
    if objection(request, Proof.VALID, node) is not None:
        return
    asked = read(request, Proof.VALID, node, ORIGIN)
    if isinstance(asked, Posed):
        octets = encode_response(Code.ACCESS_CHALLENGE, request, asked.attributes, node.secret)
        numbers = assert_in_form(octets, request)
        assert numbers.count(Attribute.STATE) == 1
        return
    if isinstance(asked, Declined):
        assert_told(Refused(asked.reason, asked.message or FAILED.message), request, node)
    assert_told(outcome, request, node)


def assert_told(outcome, request, node):
    octets = reply_to(outcome, request, node).octets
    numbers = assert_in_form(octets, request)
    code = {Accepted: Code.ACCESS_ACCEPT, Challenged: Code.ACCESS_CHALLENGE, Refused: Code.ACCESS_REJECT}[type(outcome)]
    assert octets[0] == code
    assert numbers.count(Attribute.STATE) == (1 if code is Code.ACCESS_CHALLENGE else 0)
    speaks_eap = bool(request.values(Attribute.EAP_MESSAGE))
    assert (Attribute.EAP_MESSAGE in numbers) is speaks_eap
    if code is Code.ACCESS_ACCEPT:
        assert_passed_back(outcome.passed_back, octets, speaks_eap=speaks_eap)
    if speaks_eap:
        assert Attribute.REPLY_MESSAGE not in numbers, "RFC 3579 section 2.6.5"
        eap = b"".join(value for number, value in attributes_of(octets) if number == Attribute.EAP_MESSAGE)
        wanted = {Code.ACCESS_ACCEPT: (3,), Code.ACCESS_CHALLENGE: (1,), Code.ACCESS_REJECT: (4, 2)}[code]
        assert eap[0] in wanted, "Success in an accept, Failure in a reject, neither in a challenge"


def assert_passed_back(given_pairs, octets, *, speaks_eap):
    """All of it is there as it came and in its order, but what may not stand beside EAP-Message."""
    wanted = [pair for pair in given_pairs if not (speaks_eap and pair[0] == Attribute.REPLY_MESSAGE)]
    sent = iter(attributes_of(octets))
    assert all(pair in sent for pair in wanted)


many_replies = st.lists(
    st.builds(
        ReplyAttribute,
        st.sampled_from(["Filter-Id", "Class", "Vendor-Specific.12356.1"]),
        st.integers(1, 240).map(lambda length: "x" * length),
    ),
    min_size=10,
    max_size=60,
).map(tuple)


@given(requests(), nodes, many_replies)
def test_what_has_no_room_is_left_out_from_the_end_and_named(request, node, given_replies):
    if objection(request, Proof.VALID, node) is not None or request.values(Attribute.EAP_MESSAGE):
        return
    reply = reply_to(Accepted(given_replies), request, node)
    sent = [pair for pair in attributes_of(reply.octets) if pair[0] not in {80, 33}]
    names = [one.name for one in given_replies]
    assert names[len(sent) :] == list(reply.left_out)
    assert reply_to(Accepted(given_replies), request, node) == reply
    if reply.left_out:
        first = reply_to(Accepted(given_replies[len(sent) : len(sent) + 1]), request, node)
        (pair,) = [pair for pair in attributes_of(first.octets) if pair[0] not in {80, 33}]
        assert len(reply.octets) + 2 + len(pair[1]) > LONGEST_PACKET, "and no more than that"


def request_with(*proxy_states):
    proxies = [(Attribute.PROXY_STATE, octets) for octets in proxy_states]
    password = (Attribute.USER_PASSWORD, hide(b"x", SECRET, AUTHENTICATOR))
    return Packet(Code.ACCESS_REQUEST, 1, AUTHENTICATOR, (NAME, password, *proxies))


def test_what_comes_later_is_left_out_though_it_would_fit():
    """So it does not depend on lengths whether the last of the order is there without the one before it."""
    many = (
        *[ReplyAttribute("Class", "x" * 250)] * 16,
        ReplyAttribute("Filter-Id", "y" * 50),
        ReplyAttribute("Class", "z"),
    )
    reply = reply_to(Accepted(many), request_with(), NODE)
    assert reply.left_out == ("Filter-Id", "Class")
    assert b"z" not in [value for _, value in attributes_of(reply.octets)]


def test_a_packet_may_be_full_to_the_last_octet():
    filling = LONGEST_PACKET - 20 - 18 - 15 * 255 - 2
    many = (*[ReplyAttribute("Class", "x" * 253)] * 15, ReplyAttribute("Filter-Id", "y" * filling))
    reply = reply_to(Accepted((*many, ReplyAttribute("Class", "z"))), request_with(), NODE)
    assert (len(reply.octets), reply.left_out) == (LONGEST_PACKET, ("Class",))


def test_the_keys_of_ms_chapv2_and_proxy_state_keep_their_room():
    many = tuple(ReplyAttribute("Class", "x" * 253) for _ in range(30))
    octets = MICROSOFT + bytes((25, 52)) + bytes(50)
    asked = Packet(
        Code.ACCESS_REQUEST,
        *(1, AUTHENTICATOR),
        (NAME, (Attribute.VENDOR_SPECIFIC, octets), *[(Attribute.PROXY_STATE, bytes([n]) * 200) for n in range(3)]),
    )
    reply = reply_to(Accepted(many, success=SUCCESS), asked, NODE)
    pairs = attributes_of(reply.octets)
    assert [value[4] for number, value in pairs if number == 26] == [26, 7, 8, 16, 17]
    assert [value[0] for number, value in pairs if number == 33] == [0, 1, 2]
    assert len(reply.left_out) == 30 - [number for number, _ in pairs].count(Attribute.CLASS)


def test_where_proxy_state_leaves_no_room_at_all_nothing_is_said():
    full = request_with(*[bytes(253)] * 15, bytes(235))
    for outcome in (Accepted((ReplyAttribute("Class", "x"),)), Refused(Reason.CODE_EMPTY)):
        with pytest.raises(PacketTooLong):
            reply_to(outcome, full, NODE)
