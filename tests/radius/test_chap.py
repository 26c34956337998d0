"""CHAP and MS-CHAP in RADIUS: what is read of them, what is declined, and what an outcome tells back."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.chap.ms_chap import challenge_hash, challenge_response, nt_password_hash
from auth.chap.response import ChapResponse, MsChap2Response, MsChap2Success, MsChapResponse
from auth.radius.attributes import Attribute
from auth.radius.chap import chap_protocol
from auth.radius.complaints import Complaint
from auth.radius.dialogue import Declined, read, say
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, Packet, Proof, hide, hide_key
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Refused, ReplyAttribute
from schema.secret import Secret

SECRET = b"correct horse battery staple"
AUTHENTICATOR = bytes(range(16))
CODES = NodeDoor("vpn1", SECRET, code_only=True)
PASSWORDS = NodeDoor("vpn1", SECRET)
ORIGIN = Origin(Door.RADIUS, "vpn1", "0" * 16, "192.0.2.7")
NAME = (Attribute.USER_NAME, b"alice")
STATE = (Attribute.STATE, b"5t4t3")
CODE = Secret("481516")


def microsoft(*attributes):
    inner = b"".join(bytes((number, len(octets) + 2)) + octets for number, octets in attributes)
    return Attribute.VENDOR_SPECIFIC, bytes((0, 0, 1, 0x37)) + inner


def chap(code, challenge=AUTHENTICATOR, identifier=9):
    digest = hashlib.md5(bytes((identifier,)) + code.octets + challenge, usedforsecurity=False).digest()
    return Attribute.CHAP_PASSWORD, bytes((identifier,)) + digest


def ms_chap2(code, challenge=AUTHENTICATOR, peer=b"p" * 16, name=b"alice"):
    """MS-CHAP-Challenge and MS-CHAP2-Response of RFC 2548 sections 2.1.2 and 2.3.2."""
    octets = challenge_response(challenge_hash(peer, challenge, name), nt_password_hash(code.text))
    return microsoft((11, challenge)), microsoft((25, b"\x09\0" + peer + bytes(8) + octets))


def ms_chap(code, challenge=b"8 octets"):
    octets = challenge_response(challenge, nt_password_hash(code.text))
    return microsoft((11, challenge)), microsoft((1, b"\x09\x01" + bytes(24) + octets))


EACH = {"CHAP": (chap(CODE),), "MS-CHAP": ms_chap(CODE), "MS-CHAPv2": ms_chap2(CODE)}
KINDS = {"CHAP": ChapResponse, "MS-CHAP": MsChapResponse, "MS-CHAPv2": MsChap2Response}
each = pytest.mark.parametrize("protocol", EACH)


def request(*attributes):
    return Packet(Code.ACCESS_REQUEST, 1, AUTHENTICATOR, attributes)


def reading(*attributes, node=CODES):
    return read(request(*attributes), Proof.VALID, node, ORIGIN)


@each
def test_at_a_node_that_asks_with_codes_a_response_begins_a_login(protocol):
    begun = reading(NAME, *EACH[protocol])
    assert isinstance(begun, LoginRequest)
    assert isinstance(begun.password, KINDS[protocol])
    assert (begun.user, begun.password.identifier) == ("alice", 9)
    assert begun.password.proves(CODE)
    assert not begun.password.proves(Secret("481517"))


@each
@pytest.mark.parametrize("node", [CODES, PASSWORDS])
def test_with_state_a_response_is_an_answer_at_any_node(protocol, node):
    answer = reading(NAME, STATE, *EACH[protocol], node=node)
    assert isinstance(answer, AnswerRequest)
    assert (answer.state.text, answer.user, answer.answer.proves(CODE)) == ("5t4t3", "alice", True)


@each
def test_where_it_may_be_of_a_password_it_is_declined_before_anybody_is_looked_up(protocol):
    for name in (b"alice", b"nobody"):
        declined = reading((Attribute.USER_NAME, name), *EACH[protocol], node=PASSWORDS)
        assert declined == Declined(
            Reason.PASSWORD_PROTOCOL, Complaint.NOT_PAP, name.decode(), protocol, "PAP required"
        )


@given(st.binary(min_size=1, max_size=64))
def test_the_challenge_of_chap_is_its_own_attribute_or_the_request_authenticator_rfc2865_section_5_3(challenge):
    own = reading(NAME, chap(CODE, challenge), (Attribute.CHAP_CHALLENGE, challenge))
    assert own.password.proves(CODE)
    assert reading(NAME, chap(CODE)).password.proves(CODE)
    assert reading(NAME, chap(CODE, challenge)).password.proves(CODE) is (challenge == AUTHENTICATOR)


def test_microsofts_attributes_may_share_one_vendor_specific():
    (_, challenge), (_, response) = ms_chap2(CODE)
    both = Attribute.VENDOR_SPECIFIC, challenge + response[4:]
    assert reading(NAME, both).password.proves(CODE)


MS_CHAP_UNFIT = "MS-CHAP-Challenge or MS-CHAP response is missing or of a wrong length"


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [
        *(
            (attributes, MS_CHAP_UNFIT)
            for attributes in (
                (EACH["MS-CHAPv2"][1],),  # no challenge
                (EACH["MS-CHAPv2"][0],),  # no response
                (EACH["MS-CHAP"][0], EACH["MS-CHAPv2"][1]),  # a challenge of 8 octets for version 2
                (EACH["MS-CHAPv2"][0], EACH["MS-CHAP"][1]),
                (microsoft((11, bytes(16))), microsoft((25, bytes(49)))),
            )
        ),
        ((*EACH["MS-CHAPv2"], EACH["MS-CHAPv2"][1]), "Microsoft's attribute 25 is there 2 times"),
        ((*EACH["MS-CHAPv2"], EACH["MS-CHAPv2"][0]), "Microsoft's attribute 11 is there 2 times"),
        # LM alone
        ((microsoft((11, bytes(8))), microsoft((1, bytes(50)))), "MS-CHAP-Response has no Windows NT response"),
        (((Attribute.CHAP_PASSWORD, bytes(16)),), "CHAP-Password has 16 octets"),
        (((Attribute.CHAP_PASSWORD, bytes(18)),), "CHAP-Password has 18 octets"),
        ((chap(CODE), chap(CODE)), "attribute 3 is there 2 times"),
        (
            (chap(CODE), (Attribute.CHAP_CHALLENGE, b"a"), (Attribute.CHAP_CHALLENGE, b"b")),
            "attribute 60 is there 2 times",
        ),
    ],
)
def test_what_is_missing_repeated_or_of_a_wrong_length_is_declined(attributes, detail):
    assert reading(NAME, *attributes) == Declined(Reason.REQUEST_INCOMPLETE, Complaint.INCOMPLETE, "alice", detail)


@pytest.mark.parametrize(
    "octets",
    [
        bytes((0, 0, 0, 9)) + EACH["MS-CHAPv2"][1][1][4:],  # another vendor
        bytes((0, 0, 1, 0x37)),
        bytes((0, 0, 1, 0x37, 25)),
        bytes((0, 0, 1, 0x37, 25, 1)) + bytes(50),
        bytes((0, 0, 1, 0x37, 25, 53)) + bytes(50),  # longer than it is
        bytes((0, 0, 1, 0x37, 18, 3, 65)),
        b"",
    ],
)
def test_what_is_none_of_these_protocols_is_none(octets):
    assert chap_protocol(request(NAME, (Attribute.VENDOR_SPECIFIC, octets))) == ""
    assert chap_protocol(request(NAME)) == ""


def test_an_attribute_without_octets_is_stepped_over():
    (_, challenge), (_, response) = ms_chap2(CODE)
    both = Attribute.VENDOR_SPECIFIC, challenge[:4] + bytes((30, 2)) + challenge[4:] + response[4:]
    assert reading(NAME, both).password.proves(CODE)


def test_ms_chapv2_without_a_name_is_computed_for_none():
    nameless = ms_chap2(CODE, name=b"")
    assert reading(STATE, *nameless).answer.proves(CODE)


@each
def test_a_response_and_a_password_in_one_request_are_declined_rfc2865_section_4_1(protocol):
    password = (Attribute.USER_PASSWORD, hide(b"x", SECRET, AUTHENTICATOR))
    for node in (CODES, PASSWORDS):
        declined = reading(NAME, password, *EACH[protocol], node=node)
        assert (declined.reason, declined.detail) == (Reason.REQUEST_INCOMPLETE, f"PAP and {protocol} at once")


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_vendor_specific_octets_of_any_kind_are_read_or_declined(values):
    attributes = [(Attribute.VENDOR_SPECIFIC, bytes((0, 0, 1, 0x37)) + octets) for octets in values]
    chap_protocol(request(NAME, *attributes))
    assert isinstance(reading(NAME, *attributes), Declined | LoginRequest)


# what is told back


SUCCESS = MsChap2Success(9, "S=" + "0" * 40, b"s" * 16, b"r" * 16)


def revealed(octets, authenticator=AUTHENTICATOR):
    """A key as RFC 2548 section 2.4.2 has it read, by the rule there."""
    salt, hidden = octets[:2], octets[2:]
    plain, previous = b"", authenticator + salt
    for at in range(0, len(hidden), 16):
        mask = hashlib.md5(SECRET + previous, usedforsecurity=False).digest()
        previous = hidden[at : at + 16]
        plain += bytes(left ^ right for left, right in zip(previous, mask, strict=True))
    return plain[1 : 1 + plain[0]]


def told(attributes):
    assert all(octets[5] == len(octets) - 4 for number, octets in attributes if number == Attribute.VENDOR_SPECIFIC)
    return {octets[4]: octets[6:] for number, octets in attributes if number == Attribute.VENDOR_SPECIFIC}


def test_an_accept_proves_that_the_code_is_known_and_brings_the_keys_rfc2548_section_2():
    code, attributes = say(
        Accepted((ReplyAttribute("Filter-Id", "staff"),), success=SUCCESS), request(NAME, *ms_chap2(CODE)), CODES
    )
    microsofts = told(attributes)
    assert code is Code.ACCESS_ACCEPT
    assert microsofts[26] == b"\x09S=" + b"0" * 40
    assert (revealed(microsofts[16]), revealed(microsofts[17])) == (b"s" * 16, b"r" * 16)
    assert (microsofts[7], microsofts[8]) == (bytes((0, 0, 0, 1)), bytes((0, 0, 0, 4)))
    salts = {microsofts[16][:2], microsofts[17][:2]}
    assert len(salts) == 2
    assert all(salt[0] & 0x80 for salt in salts)
    assert attributes[-1] == (11, b"staff")


@given(st.binary(max_size=40), st.integers(0x8000, 0xFFFF), st.binary(min_size=16, max_size=16))
def test_a_hidden_key_can_be_revealed(key, salt, authenticator):
    hidden = hide_key(key, SECRET, authenticator, salt)
    assert len(hidden) - 2 >= len(key) + 1
    assert revealed(hidden, authenticator) == key
    assert len(hidden) % 16 == 2
    assert hidden[:2] == salt.to_bytes(2, "big")


def test_a_reject_of_ms_chapv2_says_no_and_no_retry_rfc2759_section_6():
    refusals = {say(Refused(reason), request(NAME, *ms_chap2(CODE)), CODES) for reason in Reason}
    assert len(refusals) == 1
    code, attributes = refusals.pop()
    assert code is Code.ACCESS_REJECT
    error = told(attributes)[2]
    assert error.startswith(b"\x09E=691 R=0 C=")
    assert error.endswith(b" V=3 M=Logon failed.")
    assert re.search(rb" C=[0-9A-F]{32} V", error)
    assert attributes[-1] == (Attribute.REPLY_MESSAGE, b"Logon failed.")


@pytest.mark.parametrize("protocol", ["CHAP", "MS-CHAP"])
def test_the_others_are_told_what_pap_is_told(protocol):
    asked = request(NAME, *EACH[protocol])
    assert say(Refused(Reason.CODE_EMPTY), asked, CODES)[1] == ((Attribute.REPLY_MESSAGE, b"Logon failed."),)
    assert say(Accepted(), asked, CODES) == (Code.ACCESS_ACCEPT, ())


@each
def test_a_challenge_is_told_as_by_pap(protocol):
    challenge = Challenged(Secret("5t4t3"), "Code?", "sms", 120, Reason.CODE_SENT)
    assert say(challenge, request(NAME, *EACH[protocol]), CODES) == say(challenge, request(NAME), CODES)
