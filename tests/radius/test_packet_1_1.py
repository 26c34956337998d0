"""RADIUS/1.1 (RFC 9765): its framing, and what of a packet is no longer hidden. Vectors are named for their section."""

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.chap.response import ChapResponse, MsChap2Success
from auth.radius import Attribute, Code, NodeDoor
from auth.radius.chap import response_of, success_attributes
from auth.radius.dialogue import Declined, objection, read
from auth.radius.packet import HEADER, MalformedPacket, Proof, encode, hide
from auth.radius.packet import decode as decode_1_0
from auth.radius.packet_1_1 import RADIUS_1_1, framed, needs_1_1
from auth.radius.reply import reply_to
from auth.reason import Reason
from auth.request import Accepted, Challenged, Door, LoginRequest, Origin, Refused, ReplyAttribute
from schema.secret import Secret

SECRET = b"radsec"
NODE = NodeDoor("vpn", SECRET)
ORIGIN = Origin(Door.RADIUS, "vpn", "c", "192.0.2.1")
# section 4.1: Code, Reserved-1, Length, Token, Reserved-2, then attributes: User-Name alice, User-Password wonderland
SECTION_4_1 = bytes.fromhex("0100 0027 deadbeef 000000000000000000000000 0107616c696365 020c776f6e6465726c616e64")
pairs = st.lists(
    st.tuples(
        st.integers(0, 255).filter(lambda number: number != Attribute.MESSAGE_AUTHENTICATOR), st.binary(max_size=253)
    ),
    max_size=12,
)
tokens = st.integers(0, 2**32 - 1)


def request(*attributes, token=7, code=Code.ACCESS_REQUEST):
    return RADIUS_1_1.decode(framed(code, token, attributes))


def login(*attributes):
    packet = request((Attribute.USER_NAME, b"alice"), *attributes)
    return read(packet, RADIUS_1_1.proof(b"", packet, SECRET), NODE, ORIGIN)


def test_section_4_1_the_header_and_5_1_1_the_password_as_it_is():
    packet = RADIUS_1_1.decode(SECTION_4_1)
    assert (packet.code, packet.identifier) == (Code.ACCESS_REQUEST, 0xDEADBEEF)
    found = read(packet, Proof.VALID, NODE, ORIGIN)
    assert isinstance(found, LoginRequest)
    assert (found.user, found.password.text) == ("alice", "wonderland")
    assert framed(packet.code, packet.identifier, packet.attributes) == SECTION_4_1


def test_section_4_1_what_is_reserved_is_ignored_when_it_comes_and_zero_when_it_goes():
    odd = bytearray(SECTION_4_1)
    odd[1], odd[8:20] = 200, bytes(range(1, 13))
    packet = RADIUS_1_1.decode(bytes(odd))
    plain = RADIUS_1_1.decode(SECTION_4_1)
    assert packet == plain, "also for what tells one request from another"
    reply = reply_to(Refused(Reason.PASSWORD_WRONG), packet, NODE).octets
    assert (reply[1], reply[4:8], reply[8:20]) == (0, b"\xde\xad\xbe\xef", bytes(12))


@given(tokens, pairs, st.sampled_from([Accepted([ReplyAttribute("Filter-Id", "staff")]), Refused(Reason.NO_TOKEN)]))
def test_sections_4_2_and_5_2_a_response_has_token_and_proxy_state_and_no_message_authenticator(token, sent, outcome):
    packet = request(*[pair for pair in sent if pair[0] != Attribute.EAP_MESSAGE], token=token)
    octets = reply_to(outcome, packet, NODE).octets
    told = RADIUS_1_1.decode(octets)
    assert told.identifier == token
    assert Attribute.MESSAGE_AUTHENTICATOR not in {number for number, _ in decode_1_0_attributes(octets)}
    assert told.values(Attribute.PROXY_STATE) == packet.values(Attribute.PROXY_STATE)


def decode_1_0_attributes(octets):
    """Everything that stands there, what RADIUS/1.1 leaves out included."""
    return decode_1_0(octets).attributes


def test_section_5_2_a_message_authenticator_that_comes_says_nothing_wherever_and_however_often():
    proofs = [(Attribute.MESSAGE_AUTHENTICATOR, bytes(size)) for size in (16, 16, 3)]
    plain = request((Attribute.USER_NAME, b"alice"))
    odd = request(proofs[0], (Attribute.USER_NAME, b"alice"), *proofs[1:])
    assert odd.attributes == plain.attributes
    assert objection(odd, RADIUS_1_1.proof(b"", odd, SECRET), NODE) is None


def test_section_5_5_an_original_packet_code_is_not_kept_and_other_extended_attributes_are():
    packet = request((241, b"\x04\0\0\0\x01"), (241, b"\x01x"), (Attribute.USER_NAME, b"alice"))
    assert packet.attributes == ((241, b"\x01x"), (Attribute.USER_NAME, b"alice"))


def test_section_5_1_1_a_password_has_1_to_128_octets_and_what_is_hidden_for_1_0_is_only_another_word():
    assert login((Attribute.USER_PASSWORD, b"x" * 128)).password.matches(Secret("x" * 128))
    for octets in (b"", b"x" * 129):
        assert isinstance(login((Attribute.USER_PASSWORD, octets)), Declined)
    hidden = hide(b"wonderland", SECRET, bytes(16))
    found = login((Attribute.USER_PASSWORD, hidden))
    assert isinstance(found, Declined) or found.password.text != "wonderland"


def test_section_5_1_2_chap_needs_its_challenge():
    answer = b"\1" + md5(b"\1" + b"471100" + b"c" * 16, usedforsecurity=False).digest()
    packet = request((Attribute.CHAP_PASSWORD, answer), (Attribute.CHAP_CHALLENGE, b"c" * 16))
    assert response_of(packet) == ChapResponse(1, b"c" * 16, answer[1:])
    with pytest.raises(MalformedPacket, match="CHAP-Challenge"):
        response_of(request((Attribute.CHAP_PASSWORD, answer)))


def test_section_5_1_4_the_keys_of_ms_chap_stand_there_as_they_are():
    success = MsChap2Success(5, "S=" + "0" * 40, b"s" * 16, b"r" * 16)
    told = success_attributes(success, request(), SECRET)
    values = {value[4]: value[6:] for _, value in told}
    assert (values[16], values[17]) == (b"s" * 16, b"r" * 16)


@given(tokens, pairs, pairs)
def test_a_token_that_is_used_again_is_another_request(token, one, other):
    """Section 4.2.1 allows it: the answer to the earlier one must not be taken for the answer to this one."""
    first, second = (request(*each, token=token) for each in (one, other))
    assert (first.authenticator == second.authenticator) == (one == other)


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: framed(Code.ACCESS_REQUEST, 1, [(1, rest)])))
def test_whatever_comes_is_a_packet_or_malformed(octets):
    try:
        packet = RADIUS_1_1.decode(octets)
    except MalformedPacket:
        return
    assert framed(packet.code, packet.identifier, packet.attributes)[0] == octets[0]


def test_a_challenge_has_what_it_has_in_1_0():
    asked = Challenged(Secret("s" * 32), "Code?", "sms", 60, Reason.CODE_SENT)
    told = RADIUS_1_1.decode(reply_to(asked, request(), NODE).octets)
    assert told.code is Code.ACCESS_CHALLENGE
    assert told.values(Attribute.STATE) == (b"s" * 32,)
    assert told.values(Attribute.REPLY_MESSAGE) == (b"Code?",)


def test_section_3_3_1_the_protocol_error_for_those_who_do_not_offer_it():
    octets = needs_1_1()
    assert octets[:2] == b"\x34\0"
    assert octets[4:HEADER] == bytes(16)
    assert int.from_bytes(octets[2:4], "big") == len(octets)
    assert octets[HEADER : HEADER + 6] == bytes((101, 6, 0, 0, 1, 150))  # Error-Cause 406, Unsupported Extension
    assert b"RADIUS/1.1" in octets


def test_accounting_and_status_need_no_secret():
    packet = request(code=Code.ACCOUNTING_REQUEST, token=9)
    assert RADIUS_1_1.is_accounting(b"", packet, b"another")
    assert RADIUS_1_1.acknowledge(packet, SECRET) == framed(Code.ACCOUNTING_RESPONSE, 9, ())
    assert objection(request(code=Code.STATUS_SERVER), Proof.VALID, NODE) is None
    assert encode(packet)  # a packet of 1.1 can be shown as one of 1.0 in a test's message


def test_a_long_packet_says_so():
    attributes = [(Attribute.REPLY_MESSAGE, b"x" * 253)] * 15
    octets = framed(Code.ACCESS_ACCEPT, 1, attributes)
    assert int.from_bytes(octets[2:4], "big") == len(octets) == HEADER + 15 * 255


def test_the_protocol_error_says_it_in_words():
    octets = needs_1_1()
    assert octets[HEADER + 6 :] == bytes((18, 47)) + b"this server speaks RADIUS/1.1 only (RFC 9765)"


def test_octets_beyond_the_length_are_no_part_of_a_request():
    octets = framed(Code.ACCESS_REQUEST, 1, [(Attribute.REPLY_MESSAGE, b"x" * 253)] * 3)
    assert RADIUS_1_1.decode(octets + b"padding") == RADIUS_1_1.decode(octets)


def test_what_is_wrong_with_a_password_is_told():
    assert login((Attribute.USER_PASSWORD, b"x")).password.text == "x"
    assert login((Attribute.USER_PASSWORD, b"")).detail == "User-Password has 0 octets"
    assert repr(RADIUS_1_1) == "RADIUS/1.1"
