"""EAP in RADIUS: what is asked next, what reaches the service, and how an outcome is said; all without a socket."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.radius.attributes import Attribute
from auth.radius.complaints import Complaint
from auth.radius.dialogue import Declined, objection, read, say
from auth.radius.eap.dialogue import Posed
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message, eap_of
from auth.radius.eap.state import first_state, is_first_state, next_state, service_state
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, Proof, hide
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Refused, ReplyAttribute
from schema.secret import Secret

SECRET = b"correct horse battery staple"
NODE = NodeDoor("vpn1", SECRET)
OTHER = NodeDoor("vpn2", SECRET)
ORIGIN = Origin(Door.RADIUS, "vpn1", "0" * 16, "192.0.2.7")
AUTHENTICATOR = bytes(range(16))
NAME = (Attribute.USER_NAME, b"alice")
START = (Attribute.EAP_MESSAGE, b"")
# as RFC 3748 section 4.1 lays it out: Code, Identifier, Length, Type, Data
IDENTITY = EapPacket(EapCode.RESPONSE, 7, EapType.IDENTITY, b"alice")


def request(*attributes, authenticator=AUTHENTICATOR):
    return Packet(Code.ACCESS_REQUEST, 1, authenticator, attributes)


def reading(*attributes, node=NODE):
    packet = request(*attributes)
    assert objection(packet, Proof.VALID, node) is None
    return read(packet, Proof.VALID, node, ORIGIN)


def response(identifier, kind, data):
    return eap_message(EapPacket(EapCode.RESPONSE, identifier, kind, data))


def values(pairs, number):
    return [value for found, value in pairs if found == number]


def posed(asked):
    """The State and the EAP request of the door's own question."""
    assert isinstance(asked, Posed)
    (state,) = values(asked.attributes, Attribute.STATE)
    return state, eap_of(request(*asked.attributes))


def first_question(identifier=7, node=NODE):
    return posed(reading(NAME, *response(identifier, EapType.IDENTITY, b"alice"), node=node))


# packets


def test_an_eap_packet_is_laid_out_as_in_rfc3748_section_4():
    assert eap_message(IDENTITY) == ((79, b"\x02\x07\x00\x0a\x01alice"),)
    assert eap_message(EapPacket(EapCode.SUCCESS, 9)) == ((79, b"\x03\x09\x00\x04"),)
    assert eap_message(EapPacket(EapCode.REQUEST, 255, EapType.GTC, b"Code?")) == ((79, b"\x01\xff\x00\x0a\x06Code?"),)


@given(st.sampled_from(list(EapCode)), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=1000))
def test_an_eap_packet_comes_back_from_its_fragments_rfc3579_section_3_1(code, identifier, kind, data):
    typed = code in {EapCode.REQUEST, EapCode.RESPONSE}
    sent = EapPacket(code, identifier, kind, data) if typed else EapPacket(code, identifier)
    fragments = eap_message(sent)
    assert all(number == Attribute.EAP_MESSAGE and 1 <= len(value) <= 253 for number, value in fragments)
    assert eap_of(request(NAME, *fragments)) == sent


def test_fragments_are_joined_wherever_they_were_cut_and_padding_is_left_out():
    cut = ((79, b"\x02\x07"), (79, b"\x00\x0a\x01ali"), (79, b"ce++"))
    assert eap_of(request(NAME, *cut, (Attribute.STATE, b"s"))) == IDENTITY


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        (((79, b"\x02\x07\x00\x0a\x01"), NAME, (79, b"alice")), "^the EAP-Message attributes do not stand together$"),
        *(
            (((79, octets),), "^EAP-Message carries no EAP packet$")
            for octets in (
                b"\x02\x07\x00\x0b\x01alice",  # Length beyond the end
                b"\x02\x07\x00\x04",  # a response without Type
                b"\x01\x07\x00\x04",
                b"\x03\x07\x00\x03",
                b"\x05\x07\x00\x05\x01",  # unknown Code
                b"\x00\x07\x00\x05\x01",
                b"\x02",
                b"\x02\x07\x00",
            )
        ),
    ],
)
def test_what_is_no_eap_packet_is_discarded(attributes, problem):
    with pytest.raises(MalformedPacket, match=problem):
        eap_of(request(*attributes))
    assert objection(request(*attributes), Proof.VALID, NODE) is Complaint.MALFORMED_EAP


# State without memory


@given(st.binary(max_size=253), st.integers(0, 255), st.binary(min_size=8, max_size=16))
def test_a_first_state_is_good_for_its_node_name_and_identifier_alone(name, identifier, nonce):
    state = first_state(NODE, name, identifier, nonce)
    assert is_first_state(state, NODE, name, identifier)
    assert len(state) <= 253
    assert not is_first_state(state, OTHER, name, identifier)
    assert not is_first_state(state, NodeDoor("vpn1", b"another secret"), name, identifier)
    assert not is_first_state(state, NODE, name + b"x", identifier)
    assert not is_first_state(state, NODE, name, identifier ^ 1)


def test_a_first_state_is_the_same_on_every_server_that_has_the_nodes_secret():
    """So a dialogue may go on at another worker, another server, or after a restart."""
    head = b"eap.first.08.0001020304050607."
    framed = b"".join(bytes((0, 0, 0, len(part))) + part for part in (b"dirfactor EAP", b"vpn1", b"alice", head))
    sealed = hmac.new(SECRET, framed, hashlib.sha256).hexdigest().encode()
    assert first_state(NODE, b"alice", 8, AUTHENTICATOR) == head + sealed


@given(st.integers(0, 90), st.integers(0, 255))
def test_a_first_state_that_was_changed_is_none(at, octet):
    state = bytearray(first_state(NODE, b"alice", 8, AUTHENTICATOR))
    changed = state[at % len(state)] != octet
    state[at % len(state)] = octet
    assert is_first_state(bytes(state), NODE, b"alice", 8) is not changed


@given(st.binary(max_size=100))
def test_octets_that_we_did_not_give_are_no_first_state(octets):
    assert not is_first_state(octets, NODE, b"alice", 8)
    assert not is_first_state(b"eap.first.08." + octets, NODE, b"alice", 8)


def test_a_next_state_has_the_services_own_in_it_for_one_identifier():
    state = next_state(Secret("5t4t3"), 9)
    assert service_state(state, 9).text == "5t4t3"
    assert service_state(state, 8) is None
    assert service_state(b"5t4t3", 9) is None
    assert not service_state(state + b"\xff", 9).text.isascii(), "no challenge is known by it, and it is no fault"
    assert not is_first_state(state, NODE, b"alice", 9)
    assert service_state(first_state(NODE, b"alice", 9, AUTHENTICATOR), 9) is None


def test_two_dialogues_of_one_name_have_two_states():
    packets = (request(NAME, *eap_message(IDENTITY), authenticator=bytes((one,)) * 16) for one in (1, 2))
    states = {posed(read(packet, Proof.VALID, NODE, ORIGIN))[0] for packet in packets}
    assert len(states) == 2


# the dialogue


def test_an_identity_is_answered_with_a_gtc_request_of_the_next_identifier():
    _, asked = first_question(7)
    assert asked == EapPacket(EapCode.REQUEST, 8, EapType.GTC, b"Enter your password.")
    assert first_question(255)[1].identifier == 0


def test_what_is_asked_first_is_the_nodes_and_the_same_for_every_name():
    german = NodeDoor("vpn1", SECRET, eap_prompt="Geben Sie Ihren Schlüssel ein.", ascii_prompts=True)
    assert first_question(node=german)[1].data == b"Geben Sie Ihren Schluessel ein."
    for name in (b"alice", b"nobody", "jürgen".encode()):
        _, asked = posed(reading((Attribute.USER_NAME, name), *response(7, EapType.IDENTITY, name)))
        assert asked.data == b"Enter your password."


def test_an_identity_begins_anew_whatever_state_it_brings():
    for state in (b"", b"x", next_state(Secret("5t4t3"), 7)):
        _, asked = posed(reading(NAME, *eap_message(IDENTITY), (Attribute.STATE, state)))
        assert asked.type == EapType.GTC


def test_an_eap_start_is_answered_with_an_identity_request_rfc3579_section_2_1():
    for attributes in ((START,), (NAME, START)):
        _, asked = posed(reading(*attributes))
        assert asked == EapPacket(EapCode.REQUEST, 0, EapType.IDENTITY)


def test_the_response_to_the_first_question_begins_a_login():
    state, asked = first_question()
    begun = reading(NAME, *response(asked.identifier, EapType.GTC, b"wonder land"), (Attribute.STATE, state))
    assert isinstance(begun, LoginRequest)
    assert (begun.origin, begun.user, begun.password.text) == (ORIGIN, "alice", "wonder land")


def test_an_empty_response_goes_to_the_service():
    state, asked = first_question()
    assert reading(NAME, *response(asked.identifier, EapType.GTC, b""), (Attribute.STATE, state)).password.text == ""


def challenged(identifier, message="Code?"):
    """The State and the EAP request with which a challenge of the service is said."""
    asked = request(NAME, *response(identifier, EapType.GTC, b"wonderland"))
    code, attributes = say(Challenged(Secret("5t4t3"), message, "sms", 120, Reason.CODE_SENT), asked, NODE)
    assert code is Code.ACCESS_CHALLENGE
    (state,) = values(attributes, Attribute.STATE)
    return state, eap_of(request(*attributes)), attributes


def test_a_challenge_is_a_gtc_request_with_state_and_no_reply_message():
    state, asked, attributes = challenged(8, "Type the code … we sent")
    assert asked == EapPacket(EapCode.REQUEST, 9, EapType.GTC, "Type the code … we sent".encode())
    assert state == next_state(Secret("5t4t3"), 9)
    assert [number for number, _ in attributes] == [Attribute.STATE, Attribute.EAP_MESSAGE, Attribute.SESSION_TIMEOUT]
    assert values(attributes, Attribute.SESSION_TIMEOUT) == [bytes((0, 0, 0, 120))]


def test_the_response_to_a_challenge_is_an_answer():
    state, asked, _ = challenged(8)
    answer = reading(NAME, *response(asked.identifier, EapType.GTC, b"123456"), (Attribute.STATE, state))
    assert isinstance(answer, AnswerRequest)
    assert (answer.state.text, answer.answer.text, answer.user) == ("5t4t3", "123456", "alice")


def out_of_turn(user="alice"):
    return Declined(Reason.CHALLENGE_UNKNOWN, Complaint.EAP_OUT_OF_TURN, user)


def test_a_response_without_the_state_of_its_question_is_out_of_turn():
    first, asked = first_question()
    following, _, _ = challenged(asked.identifier)
    for state in (b"x", first[:-1], following):
        pair = (Attribute.STATE, state)
        assert reading(NAME, *response(asked.identifier, EapType.GTC, b"wonderland"), pair) == out_of_turn()
    assert reading(NAME, *response(asked.identifier, EapType.GTC, b"wonderland")) == out_of_turn()


def test_a_response_with_another_identifier_than_its_question_is_out_of_turn_rfc3748_section_4_1():
    state, asked = first_question()
    following, again, _ = challenged(asked.identifier)
    for its_state, identifier in ((state, asked.identifier), (following, again.identifier)):
        for other in {0, 1, identifier + 1, identifier - 1} - {identifier}:
            heard = reading(NAME, *response(other, EapType.GTC, b"x"), (Attribute.STATE, its_state))
            assert heard == out_of_turn()


def test_a_state_of_another_name_is_out_of_turn():
    state, asked = first_question()
    mallory = (Attribute.USER_NAME, b"mallory")
    heard = reading(mallory, *response(asked.identifier, EapType.GTC, b"x"), (Attribute.STATE, state))
    assert heard == out_of_turn("mallory")


def test_a_state_of_eap_is_none_that_the_service_would_know_by_pap():
    state, _, _ = challenged(8)
    answer = reading(NAME, (Attribute.USER_PASSWORD, hide(b"1", SECRET, AUTHENTICATOR)), (Attribute.STATE, state))
    assert answer.state.text != "5t4t3"


def test_a_nak_that_names_gtc_is_asked_again():
    state, asked = first_question()
    again = posed(reading(NAME, *response(asked.identifier, EapType.NAK, b"\x19\x06"), (Attribute.STATE, state)))
    assert again[1] == EapPacket(EapCode.REQUEST, 9, EapType.GTC, b"Enter your password.")
    begun = reading(NAME, *response(9, EapType.GTC, b"wonderland"), (Attribute.STATE, again[0]))
    assert isinstance(begun, LoginRequest)


def test_a_nak_without_gtc_is_declined_and_says_what_the_peer_wants():
    state, asked = first_question()
    heard = reading(NAME, *response(asked.identifier, EapType.NAK, b"\x19\x15"), (Attribute.STATE, state))
    assert heard == Declined(Reason.PASSWORD_PROTOCOL, Complaint.NO_GTC, "alice", "25, 21")


@pytest.mark.parametrize(
    "eap",
    [
        EapPacket(EapCode.REQUEST, 7, EapType.IDENTITY),
        EapPacket(EapCode.REQUEST, 7, EapType.GTC, b"Code?"),
        EapPacket(EapCode.SUCCESS, 7),
        EapPacket(EapCode.FAILURE, 7),
        EapPacket(EapCode.RESPONSE, 7, EapType.NAK, b"\x06"),
        EapPacket(EapCode.RESPONSE, 7, 4, bytes(17)),  # MD5-Challenge
        EapPacket(EapCode.RESPONSE, 7, 26, b"x"),  # MSCHAPv2
    ],
)
def test_what_nobody_has_asked_for_is_declined(eap):
    assert reading(NAME, *eap_message(eap)) == out_of_turn()


def test_every_packet_of_a_dialogue_names_the_user_rfc3579_section_2_1():
    state, asked = first_question()
    told = ((Attribute.STATE, state), *response(asked.identifier, EapType.GTC, b"x"))
    unnamed = posed(reading(START))
    for attributes in (
        eap_message(IDENTITY),
        (*response(0, EapType.GTC, b"x"), (Attribute.STATE, unnamed[0])),
        (NAME, NAME, *told),
        ((Attribute.USER_NAME, b"\xff"), *eap_message(IDENTITY)),
    ):
        declined = reading(*attributes)
        assert isinstance(declined, Declined)
        assert declined.complaint is Complaint.INCOMPLETE


@pytest.mark.parametrize("octets", [b"a\0b", b"gr\xfc\xdfe", b"x" * 254])
def test_a_response_that_cannot_be_read_or_is_too_long_is_declined(octets):
    state, asked = first_question()
    heard = reading(NAME, *response(asked.identifier, EapType.GTC, octets), (Attribute.STATE, state))
    assert heard == Declined(Reason.REQUEST_UNREADABLE, Complaint.UNREADABLE_PROVEN, "alice")


def test_a_response_is_read_in_the_nodes_character_set():
    latin = NodeDoor("vpn1", SECRET, character_set="iso-8859-1")
    state, asked = first_question(node=latin)
    typed = response(asked.identifier, EapType.GTC, b"gr\xfc\xdfe")
    assert reading(NAME, *typed, (Attribute.STATE, state), node=latin).password.text == "grüße"


@pytest.mark.parametrize(
    "other",
    [
        (Attribute.USER_PASSWORD, hide(b"x", SECRET, AUTHENTICATOR)),
        (Attribute.CHAP_PASSWORD, bytes(17)),
        (Attribute.VENDOR_SPECIFIC, bytes((0, 0, 1, 0x37, 25, 52)) + bytes(50)),
    ],
)
def test_eap_and_another_protocol_in_one_request_are_declined_rfc3579_section_3_3(other):
    declined = reading(NAME, other, *eap_message(IDENTITY))
    assert isinstance(declined, Declined)
    assert (declined.reason, declined.complaint) == (Reason.REQUEST_INCOMPLETE, Complaint.INCOMPLETE)


# outcomes


def test_an_accept_has_success_and_its_attributes_but_no_reply_message_rfc3579_section_2_6():
    asked = request(NAME, *response(9, EapType.GTC, b"123456"))
    replies = (ReplyAttribute("Filter-Id", "staff"), ReplyAttribute("Reply-Message", "Welcome."))
    code, attributes = say(Accepted(replies), asked, NODE)
    assert code is Code.ACCESS_ACCEPT
    assert attributes == ((11, b"staff"), (79, b"\x03\x09\x00\x04"))


def test_a_reject_has_failure_alone_whatever_the_reason():
    asked = request(NAME, *response(9, EapType.GTC, b"123456"))
    for reason in Reason:
        assert say(Refused(reason, "No."), asked, NODE) == (Code.ACCESS_REJECT, ((79, b"\x04\x09\x00\x04"),))


def test_an_eap_request_is_rejected_with_a_nak_that_offers_nothing_rfc3579_section_2_6_1():
    asked = request(NAME, *eap_message(EapPacket(EapCode.REQUEST, 5, 4, b"x")))
    assert isinstance(reading(*asked.attributes), Declined)
    assert say(Refused(Reason.CHALLENGE_UNKNOWN), asked, NODE) == (
        Code.ACCESS_REJECT,
        ((79, b"\x02\x05\x00\x06\x03\x00"),),
    )


@given(st.text(max_size=300), st.booleans())
def test_a_gtc_request_is_one_printable_line_and_never_empty_rfc3748_section_5_6(message, ascii_prompts):
    node = NodeDoor("vpn1", SECRET, ascii_prompts=ascii_prompts)
    asked = request(NAME, *response(8, EapType.GTC, b"x"))
    _, attributes = say(Challenged(Secret("s"), message, "sms", 120, Reason.CODE_SENT), asked, node)
    shown = eap_of(request(*attributes)).data
    assert shown.decode().isprintable()
    assert shown
    assert shown.isascii() or not ascii_prompts


def test_passwords_are_not_in_the_text_form_of_a_packet():
    assert "wonderland" not in repr(EapPacket(EapCode.RESPONSE, 8, EapType.GTC, b"wonderland"))
