"""What a packet asks, what must be discarded, and how an outcome is said; all without a socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.radius.attributes import Attribute
from auth.radius.complaints import Complaint
from auth.radius.dialogue import Declined, caller, objection, read, say, session
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, Packet, Proof, hide
from auth.reason import Reason
from auth.request import (
    Accepted,
    AnswerRequest,
    Challenged,
    Door,
    LoginRequest,
    Origin,
    Refused,
    ReplyAttribute,
)
from schema.errors import Fault
from schema.secret import Secret

SECRET = b"correct horse battery staple"
AUTHENTICATOR = bytes(range(16))
NODE = NodeDoor("vpn1", SECRET)
LENIENT = NodeDoor("vpn1", SECRET, require_message_authenticator=False)
OPEN = NodeDoor("vpn1", SECRET, require_message_authenticator=False, limit_proxy_state=False)
ORIGIN = Origin(Door.RADIUS, "vpn1", "0" * 16, "192.0.2.7")
NAME = (Attribute.USER_NAME, b"alice")
PROXY_STATE = (Attribute.PROXY_STATE, b"p")
EAP = (Attribute.EAP_MESSAGE, b"\x02\x01\x00\x05\x01")
PAP = Packet(Code.ACCESS_REQUEST, 1, AUTHENTICATOR, (NAME,))


def packet_of(*attributes, code=Code.ACCESS_REQUEST):
    return Packet(code, 1, AUTHENTICATOR, attributes)


def password(octets):
    return Attribute.USER_PASSWORD, hide(octets, SECRET, AUTHENTICATOR)


def reading(*attributes, node=NODE, proof=Proof.VALID):
    return read(packet_of(*attributes), proof, node, ORIGIN)


# what must be discarded


@pytest.mark.parametrize(
    ("attributes", "proof", "node", "complaint"),
    [
        ((NAME,), Proof.VALID, NODE, None),
        ((NAME,), Proof.WRONG, NODE, Complaint.WRONG_PROOF),
        ((NAME,), Proof.WRONG, OPEN, Complaint.WRONG_PROOF),
        ((NAME,), Proof.ABSENT, NODE, Complaint.NO_PROOF),
        ((NAME,), Proof.ABSENT, LENIENT, None),
        ((NAME, PROXY_STATE), Proof.VALID, NODE, None),
        ((NAME, PROXY_STATE), Proof.VALID, LENIENT, None),
        ((NAME, PROXY_STATE), Proof.ABSENT, LENIENT, Complaint.NO_PROOF_PROXY),
        ((NAME, PROXY_STATE), Proof.ABSENT, OPEN, None),
        ((NAME, EAP), Proof.ABSENT, OPEN, Complaint.NO_PROOF_EAP),
        ((NAME, EAP), Proof.VALID, OPEN, None),
    ],
)
def test_an_access_request_without_the_proof_that_its_node_demands_is_discarded(attributes, proof, node, complaint):
    assert objection(packet_of(*attributes), proof, node) is complaint


@pytest.mark.parametrize(
    ("proof", "complaint"),
    [
        (Proof.VALID, None),
        (Proof.ABSENT, Complaint.NO_PROOF_STATUS),
        (Proof.WRONG, Complaint.WRONG_PROOF),
    ],
)
def test_status_server_needs_its_proof_whatever_the_node_says_rfc5997_section_3(proof, complaint):
    assert objection(packet_of(code=Code.STATUS_SERVER), proof, OPEN) is complaint


@pytest.mark.parametrize("code", sorted(set(Code) - {Code.ACCESS_REQUEST, Code.STATUS_SERVER}))
def test_other_codes_are_not_served(code):
    assert objection(packet_of(code=code), Proof.VALID, OPEN) is Complaint.NOT_SERVED


# what is asked


def test_without_state_it_is_a_login():
    request = reading(NAME, password(b"pa ss"))
    assert isinstance(request, LoginRequest)
    assert (request.origin, request.user, request.password.text, request.passcode) == (ORIGIN, "alice", "pa ss", None)


def test_with_state_it_is_an_answer():
    request = reading(NAME, password(b"123456"), (Attribute.STATE, b"s-t-a-t-e"))
    assert isinstance(request, AnswerRequest)
    assert (request.state.text, request.answer.text, request.user) == ("s-t-a-t-e", "123456", "alice")


def test_an_answer_need_not_repeat_the_name_and_its_state_may_be_anything():
    request = reading(password(b"123456"), (Attribute.STATE, b"\xff\xfe\x00"))
    assert isinstance(request, AnswerRequest)
    assert request.user is None
    assert not request.state.text.isascii()


def unreadable(complaint, user=""):
    return Declined(Reason.REQUEST_UNREADABLE, complaint, user)


def test_an_empty_password_goes_to_the_service():
    assert reading(NAME, password(b"")).password.text == ""


@pytest.mark.parametrize("octets", [b"a\0b", b"\0a", b"a\0b\0"])
def test_a_nul_inside_the_password_is_declined(octets):
    assert reading(NAME, password(octets)) == unreadable(Complaint.UNREADABLE_PROVEN, "alice")


def test_a_nul_in_the_name_is_declined():
    assert reading((Attribute.USER_NAME, b"alice\0"), password(b"x")) == unreadable(Complaint.UNREADABLE_PROVEN)


def test_name_and_password_are_read_in_the_nodes_character_set():
    latin = NodeDoor("vpn1", SECRET, character_set="iso-8859-1")
    name, typed = (Attribute.USER_NAME, b"j\xfcrgen"), password(b"gr\xfc\xdfe")
    request = reading(name, typed, node=latin)
    assert (request.user, request.password.text) == ("jürgen", "grüße")
    assert reading(NAME, typed, proof=Proof.ABSENT) == unreadable(Complaint.UNREADABLE, "alice")
    assert reading(NAME, typed, proof=Proof.VALID) == unreadable(Complaint.UNREADABLE_PROVEN, "alice")
    assert reading(name, password(b"x")) == unreadable(Complaint.UNREADABLE_PROVEN)


@given(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=32))
def test_a_password_arrives_as_it_was_typed(typed):
    assert reading(NAME, password(typed.encode())).password.text == typed


def test_other_vendors_and_other_microsoft_attributes_are_no_ms_chap():
    for vendors in (bytes((0, 0, 0, 9, 1, 3, 65)), bytes((0, 0, 1, 0x37, 18, 3, 65)), bytes((0, 0, 1, 0x37)), b""):
        assert isinstance(reading(NAME, password(b"x"), (Attribute.VENDOR_SPECIFIC, vendors)), LoginRequest)


@pytest.mark.parametrize(
    "attributes",
    [
        (NAME,),
        (NAME, (Attribute.STATE, b"s")),
        (password(b"x"),),
        ((Attribute.USER_NAME, b""), password(b"x")),
        (NAME, NAME, password(b"x")),
        (NAME, password(b"x"), password(b"x")),
        (NAME, password(b"x"), (Attribute.STATE, b"s"), (Attribute.STATE, b"t")),
        (NAME, (Attribute.USER_PASSWORD, bytes(15))),
        (NAME, (Attribute.USER_PASSWORD, bytes(144))),
    ],
)
def test_what_is_missing_repeated_or_of_wrong_length_is_declined_rfc2865_section_5(attributes):
    declined = reading(*attributes)
    assert isinstance(declined, Declined)
    assert (declined.complaint, declined.message) == (Complaint.INCOMPLETE, "")
    assert declined.detail


def test_caller_joins_what_tells_simultaneous_logins_apart():
    everything = packet_of(
        (Attribute.ACCT_SESSION_ID, b"4D2BB8AC"),
        (Attribute.NAS_PORT, bytes((0, 0, 1, 4))),
        (Attribute.CALLING_STATION_ID, b"198.51.100.9"),
    )
    assert caller(everything) == "Calling-Station-Id=198.51.100.9 NAS-Port=260"
    assert caller(packet_of((Attribute.CALLING_STATION_ID, b"a\nb\xff"))) == "Calling-Station-Id=a?b\ufffd"
    assert caller(packet_of((Attribute.NAS_PORT, b"\0\0\0\1"), (Attribute.NAS_PORT, b"\0\0\0\2"))) == "NAS-Port=1"


def test_only_acct_session_id_names_a_session_and_different_octets_name_different_ones():
    def named(*octets):
        return session(packet_of(*((Attribute.ACCT_SESSION_ID, each) for each in octets)))

    assert session(packet_of((Attribute.NAS_PORT, bytes(4)), (Attribute.CALLING_STATION_ID, b"198.51.100.9"))) == ""
    assert named(b"") == ""
    assert named(b"1", b"2") == named(b"1")
    assert len({named(each) for each in (b"1", b"2", b"\xff", b"\xfe", b"?")}) == 5


# how an outcome is said


def challenge(message="Code?", expires_in=120):
    return Challenged(Secret("s-t-a-t-e"), message, "sms", expires_in, Reason.CODE_SENT)


def test_accepted_is_access_accept_with_the_reply_attributes_in_order():
    replies = (ReplyAttribute("Filter-Id", "staff"), ReplyAttribute("Class", "x"), ReplyAttribute("Filter-Id", "more"))
    assert say(Accepted(replies), PAP, NODE) == (Code.ACCESS_ACCEPT, ((11, b"staff"), (25, b"x"), (11, b"more")))


def test_accepted_with_an_attribute_that_cannot_be_sent_is_a_fault_and_no_accept():
    with pytest.raises(Fault):
        say(Accepted((ReplyAttribute("Filter-Ib", "staff"),)), PAP, NODE)


def test_challenged_is_access_challenge_with_state_one_message_no_echo_and_the_time():
    assert say(challenge(), PAP, NODE) == (
        Code.ACCESS_CHALLENGE,
        (
            (Attribute.STATE, b"s-t-a-t-e"),
            (Attribute.REPLY_MESSAGE, b"Code?"),
            (Attribute.PROMPT, bytes(4)),
            (Attribute.SESSION_TIMEOUT, bytes((0, 0, 0, 120))),
        ),
    )


def test_refused_is_access_reject_with_its_message_and_never_the_reason():
    for reason in Reason:
        assert say(Refused(reason), PAP, NODE) == (Code.ACCESS_REJECT, ((Attribute.REPLY_MESSAGE, b"Logon failed."),))


@given(st.text(max_size=400), st.booleans())
def test_a_prompt_is_one_printable_line_of_at_most_253_octets(message, ascii_prompts):
    node = NodeDoor("vpn1", SECRET, ascii_prompts=ascii_prompts)
    _, attributes = say(challenge(message), PAP, node)
    lines = [value for number, value in attributes if number == Attribute.REPLY_MESSAGE]
    assert len(lines) == (1 if message else 0)
    for line in lines:
        assert 1 <= len(line) <= 253
        assert line.decode().isprintable()
        assert line.isascii() or not ascii_prompts


def test_ascii_prompts_keep_what_can_be_read():
    node = NodeDoor("vpn1", SECRET, ascii_prompts=True)
    said = {
        "Gerät: „Größe“ … don\u2019t \u2013 naïve": 'Geraet: "Groesse" ... don\'t - naive',
        "код": "???",
        "two\nlines": "two lines",
    }
    for message, line in said.items():
        assert say(Refused(Reason.CODE_EMPTY, message), PAP, node)[1] == ((Attribute.REPLY_MESSAGE, line.encode()),)


# the node


@pytest.mark.parametrize("character_set", ["utf-16", "rot13", "no-such", "", "utf-8-sig", "cp037"])
def test_a_node_has_a_character_set_in_which_ascii_is_ascii(character_set):
    with pytest.raises(Fault, match="character set"):
        NodeDoor("vpn1", SECRET, character_set=character_set)


def test_a_node_has_a_secret_and_does_not_show_it():
    with pytest.raises(Fault, match="empty shared secret"):
        NodeDoor("vpn1", b"")
    assert "horse" not in repr(NODE)
