"""Between RADIUS attributes and the service's words, both ways: pure."""

from dataclasses import dataclass
from typing import assert_never

from auth.chap.response import Shown
from auth.radius.attributes import Attribute, Pair, integer, reply_attribute
from auth.radius.chap import chap_protocol, error_attributes, response_of, success_attributes
from auth.radius.complaints import Complaint
from auth.radius.eap.dialogue import OutOfTurn, Posed, Typed, WrongMethod, hear, tell
from auth.radius.eap.packet import EapPacket, eap_of
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, Proof
from auth.radius.wording import line
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, LoginRequest, Origin, Outcome, Refused
from schema.secret import Secret

FAILED = Refused(Reason.INTERNAL_FAULT)
"""What is answered when the service fails: not to be told from any other refusal."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A request that is neither a login nor an answer, and is rejected.

    Attributes:
        reason: for the audit.
        complaint: for the operator.
        user: the login name, where there is one that can be read; else empty.
        detail: of the complaint.
        message: for the person, where it is not that of all refusals.
    """

    reason: Reason
    complaint: Complaint
    user: str = ""
    detail: str = ""
    message: str = ""


def objection(packet: Packet, proof: Proof, node: NodeDoor) -> Complaint | None:
    """Why a request must be discarded without an answer; None when it may be answered.

    The rules are those of RFC 3579 section 3.2, RFC 5997 section 3 and, against CVE-2024-3596, of
    draft-ietf-radext-deprecating-radius.
    """
    if packet.code not in _SERVED:
        return Complaint.NOT_SERVED
    if proof is Proof.WRONG:
        return Complaint.WRONG_PROOF
    if proof.proves:
        return _malformed_eap(packet)
    if packet.code is Code.STATUS_SERVER:
        return Complaint.NO_PROOF_STATUS
    if node.require_message_authenticator:
        return Complaint.NO_PROOF
    if packet.values(Attribute.EAP_MESSAGE):
        return Complaint.NO_PROOF_EAP
    if node.limit_proxy_state and packet.values(Attribute.PROXY_STATE):
        return Complaint.NO_PROOF_PROXY
    return None


def read(
    packet: Packet, proof: Proof, node: NodeDoor, origin: Origin
) -> LoginRequest | AnswerRequest | Declined | Posed:
    """What an Access-Request asks: to begin, or, where it brings State, to go on.

    A response of CHAP or MS-CHAP can only be compared with codes that we know: where what was typed may be a password
    it is declined for everybody, before anybody is looked up. An empty password is the service's to judge, some nodes
    send it to ask for a code. One with a NUL inside, or not in the node's character set, never gets there.

    Args:
        packet: the request, to which there is no `objection`.
        proof: what its Message-Authenticator says.
        node: the access node.
        origin: where it came from.
    """
    readable = _readable_name(packet, node)
    protocols = _protocols(packet)
    if len(protocols) > 1:
        return _incomplete(readable, f"{' and '.join(protocols)} at once")
    try:
        name = packet.single(Attribute.USER_NAME)
        state = packet.single(Attribute.STATE)
        eap = eap_of(packet)
        if eap is not None:
            return _read_eap(eap, packet, state, node, origin, readable)
        if not protocols:
            return _incomplete(readable, "no User-Password")
        if protocols != [_PAP] and state is None and not node.code_only:
            return Declined(Reason.PASSWORD_PROTOCOL, Complaint.NOT_PAP, readable, protocols[0], "PAP required")
        shown = _shown(packet, node)
    except MalformedPacket as error:
        return _incomplete(readable, str(error))
    user = _text(name or b"", node)
    if user is None or shown is None:
        return _unreadable(readable, proof)
    if state is not None:
        # a State that is not ASCII is not ours; as what it becomes here, the service finds no challenge for it
        return AnswerRequest(origin, Secret(state.decode("ascii", "replace")), shown, user or None)
    if not user:
        return _incomplete("", "no User-Name")
    return LoginRequest(origin, user, shown)


def _shown(packet: Packet, node: NodeDoor) -> Shown | None:
    """What was typed, or the response that was computed from it; None when it cannot be read."""
    hidden = packet.single(Attribute.USER_PASSWORD)
    if hidden is None:
        return response_of(packet)
    typed = _text(packet.version.reveal(hidden, packet, node.secret), node)
    return None if typed is None else Secret(typed)


def _read_eap(
    eap: EapPacket, packet: Packet, state: bytes | None, node: NodeDoor, origin: Origin, readable: str
) -> LoginRequest | AnswerRequest | Declined | Posed:
    heard = hear(eap, packet, state, node)
    match heard:
        case Posed() if readable or eap is EapPacket.START:
            return heard
        case Typed(octets=octets, state=answered) if readable:
            typed = _text(octets, node)
            if typed is None or len(octets) > _LONGEST_TYPED:
                return _unreadable(readable, Proof.VALID)
            if answered is not None:
                return AnswerRequest(origin, answered, Secret(typed), readable)
            return LoginRequest(origin, readable, Secret(typed))
        case WrongMethod(wanted=wanted):
            return Declined(Reason.PASSWORD_PROTOCOL, Complaint.NO_GTC, readable, wanted)
        case OutOfTurn():
            return Declined(Reason.CHALLENGE_UNKNOWN, Complaint.EAP_OUT_OF_TURN, readable)
        case _:
            return _incomplete("", "no User-Name that can be read (RFC 3579 section 2.1)")


def caller(packet: Packet) -> str:
    """What tells two simultaneous logins of one person apart, see `Origin.caller`; empty when there is nothing."""
    first = dict(reversed(packet.attributes))  # of repeated ones, the first
    calling = station(packet)
    parts = [f"Calling-Station-Id={calling}"] if calling else []
    if Attribute.NAS_PORT in first:
        parts.append(f"NAS-Port={int.from_bytes(first[Attribute.NAS_PORT], 'big')}")
    return " ".join(parts)


def station(packet: Packet) -> str:
    """From where the person calls, see `Origin.station`; empty when the client does not say."""
    return _printable(next(iter(packet.values(Attribute.CALLING_STATION_ID)), b""))


def session(packet: Packet) -> str:
    """The client's own name for this login, see `Origin.session`; empty when it gives none."""
    return next(iter(packet.values(Attribute.ACCT_SESSION_ID)), b"").hex()


def say(outcome: Outcome, request: Packet, node: NodeDoor) -> tuple[Code, tuple[Pair, ...]]:
    """The code and attributes, in order, of the response to a request to which there is no `objection`.

    Raises:
        Fault: an Accepted brings a reply attribute that cannot be sent.
    """
    eap = eap_of(request)
    if eap is not None:
        return tell(outcome, eap, node)
    match outcome:
        case Accepted():
            told = success_attributes(outcome.success, request, node.secret) if outcome.success else ()
            replies = (reply_attribute(reply) for reply in outcome.reply_attributes)
            return Code.ACCESS_ACCEPT, (*told, *outcome.passed_back, *replies)
        case Challenged():
            return Code.ACCESS_CHALLENGE, (
                (Attribute.STATE, outcome.state.octets),
                *_reply_message(outcome.message, node),
                (Attribute.PROMPT, _NO_ECHO),
                (Attribute.SESSION_TIMEOUT, integer(outcome.expires_in)),
            )
        case Refused():
            words = line(outcome.message, node)
            return Code.ACCESS_REJECT, (*error_attributes(request, words), *_reply_message(outcome.message, node))
        case _:
            assert_never(outcome)


def _reply_message(message: str, node: NodeDoor) -> tuple[Pair, ...]:
    octets = line(message, node)
    return ((Attribute.REPLY_MESSAGE, octets),) if octets else ()


def _incomplete(user: str, detail: str) -> Declined:
    return Declined(Reason.REQUEST_INCOMPLETE, Complaint.INCOMPLETE, user, detail)


def _readable_name(packet: Packet, node: NodeDoor) -> str:
    names = packet.values(Attribute.USER_NAME)
    return (_text(names[0], node) or "") if len(names) == 1 else ""


def _text(octets: bytes, node: NodeDoor) -> str | None:
    try:
        text = octets.decode(node.character_set)
    except UnicodeError:
        return None
    return None if "\0" in text else text


def _printable(octets: bytes) -> str:
    text = octets.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _malformed_eap(packet: Packet) -> Complaint | None:
    try:
        eap_of(packet)
    except MalformedPacket:
        return Complaint.MALFORMED_EAP
    return None


def _unreadable(user: str, proof: Proof) -> Declined:
    complaint = Complaint.UNREADABLE_PROVEN if proof.proves else Complaint.UNREADABLE
    return Declined(Reason.REQUEST_UNREADABLE, complaint, user)


def _protocols(packet: Packet) -> list[str]:
    """How the request proves who asks; one packet does it in one way (RFC 3579 section 3.3, note 1)."""
    numbers = {number for number, _ in packet.attributes}
    found = [name for number, name in _PROTOCOLS if number in numbers]
    chap = "" if _CHAPS.isdisjoint(numbers) else chap_protocol(packet)
    return [*found, chap] if chap else found


_SERVED = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
_NO_ECHO = integer(0)  # RFC 2869 section 5.10
_PAP = "PAP"
_CHAPS = frozenset({Attribute.CHAP_PASSWORD, Attribute.VENDOR_SPECIFIC})
_PROTOCOLS = ((Attribute.USER_PASSWORD, _PAP), (Attribute.EAP_MESSAGE, "EAP"))
_LONGEST_TYPED = 253
