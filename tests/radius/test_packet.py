"""The codec against the RFCs' own packets, against pyrad, and against anything that a network can bring."""

import hmac
import warnings

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from auth.radius.attributes import Attribute
from auth.radius.packet import (
    Code,
    MalformedPacket,
    Packet,
    Proof,
    UnverifiedResponse,
    _hmac_md5,
    decode,
    encode,
    encode_request,
    encode_response,
    hide,
    reveal,
    seal_response,
    verify_request,
    verify_response,
)
from schema.errors import Fault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyrad.packet import AccessReject, AuthPacket

RFC_SECRET = b"xyzzy5461"
SECRET = b"correct horse battery staple"
PROOF = Attribute.MESSAGE_AUTHENTICATOR

RFC2865_7_1_REQUEST = bytes.fromhex(
    "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d"
    "93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03"
)
RFC2865_7_1_RESPONSE = bytes.fromhex(
    "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 000e 06 c0 a8 01 03"
)
RFC2865_7_2_REQUEST = bytes.fromhex(
    "01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2 01 08 66 6c 6f 70 73 79 03 13 16 e9"
    "75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75 04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00"
    "02 07 06 00 00 00 01"
)
RFC2865_7_2_RESPONSE = bytes.fromhex(
    "02 01 00 38 15 ef bc 7d ab 26 cf a3 dc 34 d9 c0 3c 86 01 a4 06 06 00 00 00 02 07 06 00 00 00 01"
    "08 06 ff ff ff fe 0a 06 00 00 00 02 0d 06 00 00 00 01 0c 06 00 00 05 dc"
)
RFC2865_7_3_REQUEST = bytes.fromhex(
    "01 02 00 39 f3 a4 7a 1f 6a 6d 76 71 0b 94 7a b9 30 41 a0 39 01 07 6d 6f 70 73 79 02 12 33 65 75"
    "73 77 82 89 b5 70 88 5e 15 08 48 25 c5 04 06 c0 a8 01 10 05 06 00 00 00 07"
)
RFC2865_7_3_CHALLENGE = bytes.fromhex(
    "0b 02 00 4e 36 f3 c8 76 4a e8 c7 11 57 40 3c 0c 71 ff 9c 45 12 30 43 68 61 6c 6c 65 6e 67 65 20"
    "33 32 37 36 39 34 33 30 2e 20 20 45 6e 74 65 72 20 72 65 73 70 6f 6e 73 65 20 61 74 20 70 72 6f"
    "6d 70 74 2e 18 0a 33 32 37 36 39 34 33 30"
)
RFC5997_6_1_REQUEST = bytes.fromhex(
    "0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 50 12 5a 66 5e 2e 1e 84 11 f3 e2 4382 20 97 c8 4f a3"
)
RFC5997_6_1_RESPONSE = bytes.fromhex("02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66")

octets16 = st.binary(min_size=16, max_size=16)
secrets = st.binary(min_size=1, max_size=100)
passwords = st.binary(max_size=128).map(lambda octets: octets.rstrip(b"\0"))
pairs = st.tuples(st.integers(1, 255).filter(lambda number: number != PROOF), st.binary(max_size=253))
packets = st.builds(
    Packet,
    st.sampled_from(Code),
    st.integers(0, 255),
    octets16,
    st.lists(pairs, max_size=15).map(tuple),
)


def request_of(*attributes: tuple[int, bytes], code: Code = Code.ACCESS_REQUEST) -> Packet:
    return Packet(code, 7, bytes(range(16)), attributes)


def corrupted(datagram: bytes, at: int, octet: int) -> bytes:
    return datagram[:at] + bytes((octet,)) + datagram[at + 1 :]


# the RFCs' own packets


@pytest.mark.parametrize(
    "datagram",
    [
        *(RFC2865_7_1_REQUEST, RFC2865_7_1_RESPONSE, RFC2865_7_2_REQUEST, RFC2865_7_2_RESPONSE),
        *(RFC2865_7_3_REQUEST, RFC2865_7_3_CHALLENGE, RFC5997_6_1_REQUEST, RFC5997_6_1_RESPONSE),
    ],
)
def test_the_rfcs_packets_come_out_as_they_went_in(datagram):
    assert encode(decode(datagram)) == datagram


def test_rfc2865_section_7_1_user_telnet_to_specified_host():
    request = decode(RFC2865_7_1_REQUEST)
    hidden = request.single(Attribute.USER_PASSWORD)
    assert (request.code, request.identifier) == (Code.ACCESS_REQUEST, 0)
    assert request.single(Attribute.USER_NAME) == b"nemo"
    assert reveal(hidden, RFC_SECRET, request.authenticator) == b"arctangent"
    assert hide(b"arctangent", RFC_SECRET, request.authenticator) == hidden
    assert request.single(Attribute.NAS_PORT) == bytes((0, 0, 0, 3))
    response = Packet(
        Code.ACCESS_ACCEPT,
        0,
        request.authenticator,
        (
            (Attribute.SERVICE_TYPE, bytes((0, 0, 0, 1))),
            (Attribute.LOGIN_SERVICE, bytes(4)),
            (Attribute.LOGIN_IP_HOST, bytes((192, 168, 1, 3))),
        ),
    )
    assert seal_response(encode(response), RFC_SECRET) == RFC2865_7_1_RESPONSE


def test_rfc2865_section_7_2_framed_user_authenticating_with_chap():
    request = decode(RFC2865_7_2_REQUEST)
    assert (request.identifier, request.single(Attribute.USER_NAME)) == (1, b"flopsy")
    assert request.single(Attribute.CHAP_PASSWORD) == RFC2865_7_2_REQUEST[30:47]
    assert request.single(Attribute.USER_PASSWORD) is None
    attributes = decode(RFC2865_7_2_RESPONSE).attributes
    assert [number for number, _ in attributes] == [6, 7, 8, 10, 13, 12]
    response = Packet(Code.ACCESS_ACCEPT, 1, request.authenticator, attributes)
    assert seal_response(encode(response), RFC_SECRET) == RFC2865_7_2_RESPONSE


def test_rfc2865_section_7_3_user_with_challenge_response_card():
    request = decode(RFC2865_7_3_REQUEST)
    assert reveal(request.single(Attribute.USER_PASSWORD), RFC_SECRET, request.authenticator) == b"challenge"
    challenge = Packet(
        Code.ACCESS_CHALLENGE,
        2,
        request.authenticator,
        (
            (Attribute.REPLY_MESSAGE, b"Challenge 32769430.  Enter response at prompt."),
            (Attribute.STATE, b"32769430"),
        ),
    )
    assert seal_response(encode(challenge), RFC_SECRET) == RFC2865_7_3_CHALLENGE


def test_rfc5997_section_6_1_minimal_query_to_authentication_port():
    request = decode(RFC5997_6_1_REQUEST)
    assert verify_request(RFC5997_6_1_REQUEST, request, RFC_SECRET) is Proof.VALID
    assert verify_request(RFC5997_6_1_REQUEST, request, b"xyzzy5462") is Proof.WRONG
    bare = Packet(Code.STATUS_SERVER, 218, request.authenticator)
    assert encode_request(bare, RFC_SECRET) == RFC5997_6_1_REQUEST
    response = Packet(Code.ACCESS_ACCEPT, 218, request.authenticator)
    assert seal_response(encode(response), RFC_SECRET) == RFC5997_6_1_RESPONSE


def test_responses_of_rfc2865_without_message_authenticator_no_longer_verify():
    """CVE-2024-3596: a response with a right Response Authenticator alone can be forged."""
    for request, response in [
        (RFC2865_7_1_REQUEST, RFC2865_7_1_RESPONSE),
        (RFC2865_7_3_REQUEST, RFC2865_7_3_CHALLENGE),
        (RFC5997_6_1_REQUEST, RFC5997_6_1_RESPONSE),
    ]:
        with pytest.raises(UnverifiedResponse, match="Message-Authenticator"):
            verify_response(response, decode(request), RFC_SECRET)


# the form of a packet


@given(st.binary(max_size=300))
def test_any_octets_are_a_packet_or_malformed(datagram):
    try:
        packet = decode(datagram)
    except MalformedPacket:
        return
    assert encode(packet) == datagram[: int.from_bytes(datagram[2:4], "big")]


@given(packets, st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4), st.integers(0, 4200))
def test_a_damaged_packet_is_a_packet_or_malformed(packet, damages, kept):
    """Length fields 0, 1, 2 and 255 at every place among them; nothing else may come out, whatever is damaged."""
    datagram = encode_request(packet, SECRET)
    for at, octet in damages:
        datagram = corrupted(datagram, at % len(datagram), octet)
    datagram = datagram[:kept]
    try:
        damaged = decode(datagram)
        verify_request(datagram, damaged, SECRET)
    except MalformedPacket:
        return
    assert encode(damaged) == datagram[: int.from_bytes(datagram[2:4], "big")]


@given(packets)
def test_what_is_encoded_decodes_to_itself(packet):
    assert decode(encode(packet)) == packet


@given(packets, st.binary(min_size=1, max_size=50))
def test_octets_beyond_length_are_padding_rfc2865_section_3(packet, padding):
    datagram = encode_request(packet, SECRET)
    assert decode(datagram + padding) == decode(datagram)
    assert verify_request(datagram + padding, decode(datagram), SECRET) is Proof.VALID


@given(packets, st.integers(1, 4096))
def test_a_truncated_packet_is_malformed_rfc2865_section_3(packet, missing):
    datagram = encode(packet)
    with pytest.raises(MalformedPacket):
        decode(datagram[: max(0, len(datagram) - missing)])


@pytest.mark.parametrize("length", [0, 1, 19, 4097, 65535])
def test_length_is_20_to_4096_rfc2865_section_3(length):
    datagram = bytes((1, 0)) + length.to_bytes(2, "big") + bytes(5000)
    with pytest.raises(MalformedPacket, match=f"Length is {length}"):
        decode(datagram)


def test_the_longest_packet_is_4096_octets():
    longest = request_of(*[(26, bytes(253))] * 15, (26, bytes(4096 - 20 - 15 * 255 - 2)))
    assert len(encode(longest)) == 4096
    assert decode(encode(longest)) == longest
    with pytest.raises(Fault, match="4097 octets"):
        encode(request_of(*[(26, bytes(253))] * 15, (26, bytes(4096 - 20 - 15 * 255 - 1))))


@pytest.mark.parametrize("length", [0, 1, 3, 7, 255])
def test_an_attribute_with_an_impossible_length_is_malformed(length):
    datagram = bytes((1, 0, 0, 26)) + bytes(16) + bytes((1, length)) + b"nemo"
    with pytest.raises(MalformedPacket):
        decode(datagram)


def test_an_attribute_may_be_empty_when_it_comes():
    assert decode(bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 2))).attributes == ((1, b""),)


def test_an_attribute_header_cut_by_length_is_malformed_even_if_padding_completes_it():
    with pytest.raises(MalformedPacket):
        decode(bytes((1, 0, 0, 21)) + bytes(16) + bytes((1, 2, 0, 0)))


def test_200_attributes_are_read_and_201_are_not():
    assert len(decode(encode(request_of(*[(1, b"x")] * 200))).attributes) == 200
    with pytest.raises(MalformedPacket, match="more than 200"):
        decode(encode(request_of(*[(1, b"x")] * 201)))


def test_an_unknown_code_is_malformed():
    for code in set(range(256)) - set(Code):
        with pytest.raises(MalformedPacket, match=f"unknown Code {code}"):
            decode(bytes((code, 0, 0, 20)) + bytes(16))


def test_a_value_longer_than_253_octets_is_not_encoded():
    with pytest.raises(ValueError, match="254 octets"):
        encode(request_of((18, bytes(254))))


def test_single_refuses_a_repeated_attribute_and_values_keeps_the_order():
    packet = request_of((1, b"a"), (24, b"x"), (1, b"b"))
    assert packet.values(1) == (b"a", b"b")
    assert packet.single(24) == b"x"
    assert packet.single(25) is None
    with pytest.raises(MalformedPacket):
        packet.single(1)


def test_a_packets_repr_shows_no_value():
    packet = request_of((Attribute.STATE, b"opaque-state"), (Attribute.USER_NAME, b"nemo"))
    assert repr(packet) == "<ACCESS_REQUEST 7, 2 attributes>"


# Message-Authenticator


@given(secrets, st.binary(max_size=300))
@example(bytes(64), b"")
@example(bytes(65), b"")
def test_our_hmac_is_rfc2104s(key, message):
    assert _hmac_md5(key, message) == hmac.digest(key, message, "md5")


@given(packets, secrets)
def test_message_authenticator_stands_first_and_proves_the_request(packet, secret):
    datagram = encode_request(packet, secret)
    received = decode(datagram)
    assert received.attributes[0][0] == PROOF
    assert received.attributes[1:] == packet.attributes
    assert verify_request(datagram, received, secret) is Proof.VALID
    assert verify_request(datagram, received, secret + b"!") is Proof.WRONG


@given(packets, st.integers(0), st.integers(1, 255))
def test_one_changed_octet_and_nothing_is_proven(packet, at, change):
    datagram = encode_request(packet, SECRET)
    at %= len(datagram)
    damaged = corrupted(datagram, at, datagram[at] ^ change)
    try:
        assert verify_request(damaged, decode(damaged), SECRET) is not Proof.VALID
    except MalformedPacket:
        assert damaged != datagram


def test_a_request_without_message_authenticator_is_unproven():
    request = decode(RFC2865_7_1_REQUEST)
    assert verify_request(RFC2865_7_1_REQUEST, request, RFC_SECRET) is Proof.ABSENT


def test_message_authenticator_may_stand_anywhere_in_a_request():
    for place in range(3):
        attributes = [(1, b"nemo"), (5, bytes(4))]
        attributes.insert(place, (PROOF, bytes(16)))
        blank = encode(request_of(*attributes))
        at = blank.index(bytes((PROOF, 18)) + bytes(16)) + 2
        datagram = blank[:at] + hmac.digest(SECRET, blank, "md5") + blank[at + 16 :]
        assert verify_request(datagram, decode(datagram), SECRET) is Proof.VALID


@pytest.mark.parametrize("order", [(Attribute.CLASS, PROOF), (PROOF, Attribute.CLASS)])
def test_the_same_16_octets_elsewhere_are_not_blanked_rfc3579_section_3_2(order):
    """The proof of a packet whose Class is zero does not prove the packet whose Class is that proof."""
    blank = encode(request_of(*((number, bytes(16)) for number in order)))
    proof = hmac.digest(SECRET, blank, "md5")
    datagram = encode(request_of(*((number, proof) for number in order)))
    assert verify_request(datagram, decode(datagram), SECRET) is Proof.WRONG


def test_two_message_authenticators_are_malformed():
    datagram = encode_request(request_of((1, b"nemo"), (PROOF, bytes(16))), SECRET)
    with pytest.raises(MalformedPacket, match="twice"):
        decode(datagram)


@pytest.mark.parametrize("length", [0, 1, 15, 17, 253])
def test_message_authenticator_has_16_octets(length):
    with pytest.raises(MalformedPacket, match="16 octets"):
        decode(encode(request_of((PROOF, bytes(length)))))


# responses

replies = st.sampled_from([Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE])
reply_pairs = st.lists(pairs.filter(lambda pair: pair[0] != Attribute.PROXY_STATE), max_size=6)
proxy_states = st.lists(st.tuples(st.just(Attribute.PROXY_STATE), st.binary(max_size=60)), max_size=4)


@given(replies, packets, reply_pairs, proxy_states, secrets)
def test_a_response_has_message_authenticator_first_and_proxy_state_unmodified_in_order(
    code, packet, attributes, states, secret
):
    """CVE-2024-3596, and RFC 2865 section 5.33."""
    others = tuple(pair for pair in packet.attributes if pair[0] != Attribute.PROXY_STATE)
    request = Packet(packet.code, packet.identifier, packet.authenticator, (*others, *states))
    datagram = encode_response(code, request, attributes, secret)
    response = verify_response(datagram, request, secret)
    assert response.attributes[0][0] == PROOF
    assert response.attributes[1:] == (*attributes, *states)
    assert (response.code, response.identifier) == (code, packet.identifier)


@given(st.integers(0), st.integers(1, 255))
def test_a_changed_response_is_not_verified(at, change):
    request = request_of((1, b"nemo"), (Attribute.PROXY_STATE, b"p"))
    datagram = encode_response(Code.ACCESS_REJECT, request, [(18, b"no")], SECRET)
    at %= len(datagram)
    with pytest.raises((UnverifiedResponse, MalformedPacket)):
        verify_response(corrupted(datagram, at, datagram[at] ^ change), request, SECRET)


def test_a_response_to_another_request_or_by_another_server_is_not_verified():
    request = request_of((1, b"nemo"))
    datagram = encode_response(Code.ACCESS_ACCEPT, request, (), SECRET)
    assert verify_response(datagram, request, SECRET).code is Code.ACCESS_ACCEPT
    with pytest.raises(UnverifiedResponse, match="another request"):
        verify_response(datagram, Packet(request.code, 8, request.authenticator), SECRET)
    with pytest.raises(UnverifiedResponse, match="Response Authenticator"):
        verify_response(datagram, Packet(request.code, 7, bytes(16)), SECRET)
    with pytest.raises(UnverifiedResponse, match="Response Authenticator"):
        verify_response(datagram, request, b"another secret")


def test_a_response_with_a_proxy_state_that_was_not_sent_is_not_verified():
    """The shape of the CVE-2024-3596 attack: Proxy-State is where the attacker's octets go."""
    with_state = request_of((1, b"nemo"), (Attribute.PROXY_STATE, b"forged"))
    datagram = encode_response(Code.ACCESS_ACCEPT, with_state, (), SECRET)
    with pytest.raises(UnverifiedResponse, match="Proxy-State"):
        verify_response(datagram, request_of((1, b"nemo")), SECRET)


def test_a_wrong_message_authenticator_under_a_right_response_authenticator_is_not_verified():
    request = request_of((1, b"nemo"))
    forged = Packet(Code.ACCESS_ACCEPT, 7, request.authenticator, ((PROOF, bytes(16)),))
    with pytest.raises(UnverifiedResponse, match="Message-Authenticator"):
        verify_response(seal_response(encode(forged), SECRET), request, SECRET)


def test_a_request_is_no_response():
    request = request_of((1, b"nemo"))
    datagram = encode_response(Code.ACCESS_REQUEST, request, (), SECRET)
    with pytest.raises(UnverifiedResponse, match="another request"):
        verify_response(datagram, request, SECRET)


@pytest.mark.parametrize("number", [PROOF, Attribute.PROXY_STATE])
def test_nobody_else_adds_message_authenticator_or_proxy_state(number):
    with pytest.raises(ValueError, match="added by the codec"):
        encode_response(Code.ACCESS_ACCEPT, request_of(), [(number, bytes(16))], SECRET)


# User-Password


@given(passwords, secrets, octets16)
def test_reveal_undoes_hide_rfc2865_section_5_2(password, secret, authenticator):
    hidden = hide(password, secret, authenticator)
    assert len(hidden) % 16 == 0
    assert 16 <= len(hidden) <= 128
    assert reveal(hidden, secret, authenticator) == password


@given(octets16, octets16, octets16, octets16)
def test_hidden_blocks_are_chained_rfc2865_section_5_2(first, other, second, authenticator):
    assume(first != other)
    hidden, differently = (hide(block + second, SECRET, authenticator) for block in (first, other))
    assert hidden[16:] != differently[16:]


def test_only_nuls_at_the_end_are_padding():
    authenticator = bytes(16)
    assert reveal(hide(b"a\0b\0\0", SECRET, authenticator), SECRET, authenticator) == b"a\0b"
    assert reveal(hide(b"", SECRET, authenticator), SECRET, authenticator) == b""


@pytest.mark.parametrize("length", [0, 1, 15, 17, 127, 144, 240])
def test_user_password_has_16_to_128_octets_and_whole_blocks(length):
    with pytest.raises(MalformedPacket):
        reveal(bytes(length), SECRET, bytes(16))


def test_a_password_of_128_octets_can_be_hidden_and_one_of_129_cannot():
    assert len(hide(b"x" * 128, SECRET, bytes(16))) == 128
    with pytest.raises(ValueError, match="128"):
        hide(b"x" * 129, SECRET, bytes(16))


# pyrad, a foreign implementation


@given(passwords, secrets, octets16)
def test_hide_and_reveal_agree_with_pyrad(password, secret, authenticator):
    foreign = AuthPacket(secret=secret, authenticator=authenticator, id=1)
    assert hide(password, secret, authenticator) == foreign.PwCrypt(password)
    assert reveal(foreign.PwCrypt(password), secret, authenticator) == password


@given(passwords, secrets, octets16, st.integers(0, 255), st.lists(st.binary(max_size=253), max_size=3))
def test_what_pyrad_asks_we_understand_and_what_we_answer_pyrad_verifies(
    password, secret, authenticator, number, states
):
    foreign = AuthPacket(secret=secret, authenticator=authenticator, id=number)
    foreign[int(Attribute.USER_NAME)] = [b"nemo"]
    foreign[int(Attribute.USER_PASSWORD)] = [foreign.PwCrypt(password)]
    foreign[int(Attribute.PROXY_STATE)] = states
    foreign.add_message_authenticator()
    datagram = foreign.RequestPacket()

    request = decode(datagram)
    assert verify_request(datagram, request, secret) is Proof.VALID
    assert (request.identifier, request.authenticator) == (number, authenticator)
    assert request.single(Attribute.USER_NAME) == b"nemo"
    assert reveal(request.single(Attribute.USER_PASSWORD), secret, authenticator) == password
    assert request.values(Attribute.PROXY_STATE) == tuple(states)

    raw = encode_response(Code.ACCESS_CHALLENGE, request, [(24, b"state"), (18, b"code?"), (18, b"now")], secret)
    reply = foreign.CreateReply(packet=raw)
    assert foreign.VerifyReply(reply, enforce_ma=True)
    assert reply[int(Attribute.REPLY_MESSAGE)] == [b"code?", b"now"]
    assert not foreign.VerifyReply(foreign.CreateReply(packet=corrupted(raw, 30, raw[30] ^ 1)), enforce_ma=True)


@given(passwords, secrets, octets16)
def test_what_we_ask_pyrad_understands_and_what_it_answers_we_verify(password, secret, authenticator):
    hidden = hide(password, secret, authenticator)
    request = Packet(Code.ACCESS_REQUEST, 3, authenticator, ((1, b"nemo"), (2, hidden), (33, b"one"), (33, b"two")))
    foreign = AuthPacket(packet=encode_request(request, secret), secret=secret)
    assert foreign.message_authenticator
    assert foreign.verify_message_authenticator()
    # pyrad drops what is not UTF-8 when it reveals a password, so it is asked to hide it instead
    assert foreign.PwCrypt(password) == foreign[2][0]

    answer = foreign.CreateReply()
    answer.code = AccessReject
    answer[18] = [b"Logon failed."]
    response = verify_response(answer.ReplyPacket(), request, secret)
    assert response.code is Code.ACCESS_REJECT
    assert response.values(18) == (b"Logon failed.",)
    assert response.values(33) == (b"one", b"two")
