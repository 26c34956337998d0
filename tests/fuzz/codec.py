"""Fuzzed datagrams through all that reads and answers them, each held against a reading of our own (rig.datagram)."""

import random
from collections import Counter
from itertools import islice

from auth.radius.dialogue import Declined, objection, read
from auth.radius.eap.dialogue import Posed
from auth.radius.node import NodeDoor
from auth.radius.packet import (
    Code,
    MalformedPacket,
    Packet,
    Proof,
    UnverifiedResponse,
    acknowledge,
    decode,
    encode_response,
    is_accounting,
    verify_request,
    verify_response,
)
from auth.radius.packet_1_1 import RADIUS_1_1
from auth.radius.reply import reply_to
from auth.reason import Reason
from auth.request import AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome, Refused
from fuzz.mutations import mutated
from fuzz.seeds import ASKED, SECRET, seeds
from rig.datagram import KNOWN_CODES, MESSAGE_AUTHENTICATOR, PROXY_STATE, answers, attributes_of, is_proven, sealed
from schema.errors import Fault
from schema.secret import Secret

_MOST_ATTRIBUTES = 200
_ORIGIN = Origin(Door.RADIUS, "strict", "0" * 16, "192.0.2.7")
_NODES = (
    NodeDoor("strict", SECRET),
    NodeDoor("lenient", SECRET, require_message_authenticator=False, character_set="iso-8859-1"),
    NodeDoor("code-only", SECRET, require_message_authenticator=False, code_only=True, ascii_prompts=True),
)
_REPLIES = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})
_OUTCOMES: tuple[Outcome, ...] = (
    Refused(Reason.PASSWORD_WRONG),
    Challenged(Secret("c3RhdGU"), "Enter the code … we sent.", "sms", 120, Reason.CODE_SENT),
)


def fuzz(count: int, seed: int) -> Counter[str]:
    """How many datagrams of which kind there were; the same for the same seed.

    Raises:
        AssertionError: something was read, or answered, otherwise than the documents have it, or an exception that is
            none of the codec's own came out; the message has the datagram.
    """
    draw, tally = random.Random(seed), Counter[str]()
    for number, datagram in enumerate(islice(mutated(seeds(), draw), count)):
        try:
            node = _NODES[number % len(_NODES)]
            tally[_kind(datagram, node)] += 1
            _read_as_1_1(datagram, node)
        except Exception as error:
            raise AssertionError(f"datagram {number} of seed {seed}: {datagram.hex()}") from error
    return tally


def well_formed(datagram: bytes) -> bool:
    """Whether it is a RADIUS packet of a kind that there is, within what is promised of its attributes."""
    attributes = attributes_of(datagram)
    if attributes is None or datagram[0] not in KNOWN_CODES or len(attributes) > _MOST_ATTRIBUTES:
        return False
    proofs = [value for number, value in attributes if number == MESSAGE_AUTHENTICATOR]
    return len(proofs) <= 1 and all(len(value) == 16 for value in proofs)


def _read_as_1_1(datagram: bytes, node: NodeDoor) -> None:
    """The same octets, come over a connection on which RADIUS/1.1 is spoken (RFC 9765)."""
    try:
        packet = RADIUS_1_1.decode(datagram)
    except MalformedPacket:
        assert not well_formed(datagram)
        return
    found = attributes_of(datagram)
    assert found is not None
    original_code = {pair for pair in found if pair[0] == 241 and pair[1][:1] == b"\x04"}
    assert list(packet.attributes) == [
        pair for pair in found if pair[0] != MESSAGE_AUTHENTICATOR and pair not in original_code
    ]
    if packet.code is not Code.ACCESS_REQUEST or objection(packet, Proof.BY_TLS, node) is not None:
        return
    read(packet, Proof.BY_TLS, node, _ORIGIN)
    for outcome in _OUTCOMES:
        try:
            octets = reply_to(outcome, packet, node).octets
        except Fault:
            continue  # no room for all that Proxy-State
        assert octets[1:2] + octets[4:20] == b"\0" + datagram[4:8] + bytes(12)
        answered = attributes_of(octets)
        assert answered is not None
        assert MESSAGE_AUTHENTICATOR not in dict(answered)
        states = [pair for pair in packet.attributes if pair[0] == PROXY_STATE]
        assert [pair for pair in answered if pair[0] == PROXY_STATE] == states


def _kind(datagram: bytes, node: NodeDoor) -> str:
    try:
        packet = decode(datagram)
    except MalformedPacket:
        assert not well_formed(datagram)
        return "malformed"
    assert well_formed(datagram)
    assert list(packet.attributes) == attributes_of(datagram)
    proof = verify_request(datagram, packet, node.secret)
    assert (proof is Proof.VALID) == is_proven(datagram, node.secret)
    if objection(packet, proof, node) is None and packet.code is Code.ACCESS_REQUEST:
        assert proof is Proof.VALID or not node.require_message_authenticator
    # whoever has the secret can prove anything: the inside must stand that as well
    if packet.code is Code.ACCOUNTING_REQUEST:
        return _accounted(datagram, packet, node)
    if packet.code in _REPLIES:
        return _replied(datagram)
    if packet.code is not Code.ACCESS_REQUEST or objection(packet, Proof.VALID, node) is not None:
        return "objected"
    return _asked(datagram, packet, node)


def _asked(datagram: bytes, packet: Packet, node: NodeDoor) -> str:
    request = read(packet, Proof.VALID, node, _ORIGIN)
    match request:
        case Posed():
            _check(encode_response(Code.ACCESS_CHALLENGE, packet, request.attributes, node.secret), datagram, node)
            return "posed"
        case Declined() | LoginRequest() | AnswerRequest():
            for outcome in _OUTCOMES:
                try:
                    reply = reply_to(outcome, packet, node).octets
                except Fault:
                    # Proxy-State leaves no room, and without it there must be no answer
                    assert len(datagram) > 3000
                    continue
                _check(reply, datagram, node)
            return type(request).__name__


def _accounted(datagram: bytes, packet: Packet, node: NodeDoor) -> str:
    again = sealed(datagram, bytes(16), node.secret)
    # sealing changes nothing of what is sealed already
    assert is_accounting(datagram, packet, node.secret) == (again[: len(datagram)] == datagram[: len(again)])
    known = decode(again)
    assert is_accounting(again, known, node.secret)
    acknowledged = acknowledge(known, node.secret)
    assert answers(acknowledged, again, node.secret)
    assert _proxies(attributes_of(acknowledged) or []) == _proxies(attributes_of(again) or [])
    return "accounted"


def _replied(datagram: bytes) -> str:
    """What another server says to us, who asked `ASKED`."""
    again = sealed(datagram, ASKED.authenticator, SECRET)
    attributes = attributes_of(again) or []
    proven = any(number == MESSAGE_AUTHENTICATOR for number, _ in attributes)
    ours = again[1] == ASKED.identifier and _proxies(attributes) == list(ASKED.values(PROXY_STATE))
    try:
        verify_response(again, ASKED, SECRET)
    except UnverifiedResponse:
        assert not (proven and ours)
        return "not believed"
    assert proven
    assert ours
    return "believed"


def _check(reply: bytes, request: bytes, node: NodeDoor) -> None:
    attributes, asked = attributes_of(reply), attributes_of(request)
    assert attributes is not None
    assert asked is not None
    assert answers(reply, request, node.secret)
    assert attributes[0][0] == MESSAGE_AUTHENTICATOR
    assert _proxies(attributes) == _proxies(asked)


def _proxies(attributes: list[tuple[int, bytes]]) -> list[bytes]:
    return [value for number, value in attributes if number == PROXY_STATE]
