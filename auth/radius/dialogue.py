"""Between RADIUS attributes and the service's words, both ways: pure."""

import unicodedata
from dataclasses import dataclass
from typing import assert_never

from auth.radius.attributes import Attribute, Pair, integer, prose, reply_attribute
from auth.radius.complaints import Complaint
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, Proof, reveal
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
        message: for the person.
    """

    reason: Reason
    complaint: Complaint
    user: str = ""
    detail: str = ""
    message: str = FAILED.message


def objection(packet: Packet, proof: Proof, node: NodeDoor) -> Complaint | None:
    """Why a request must be discarded without an answer; None when it may be answered.

    The rules are those of RFC 3579 section 3.2, RFC 5997 section 3 and, against CVE-2024-3596, of
    draft-ietf-radext-deprecating-radius.
    """
    if packet.code not in _SERVED:
        return Complaint.NOT_SERVED
    if proof is Proof.WRONG:
        return Complaint.WRONG_PROOF
    if proof is Proof.VALID:
        return None
    if packet.code is Code.STATUS_SERVER:
        return Complaint.NO_PROOF_STATUS
    if node.require_message_authenticator:
        return Complaint.NO_PROOF
    if packet.values(Attribute.EAP_MESSAGE):
        return Complaint.NO_PROOF_EAP
    if node.limit_proxy_state and packet.values(Attribute.PROXY_STATE):
        return Complaint.NO_PROOF_PROXY
    return None


def read(packet: Packet, proof: Proof, node: NodeDoor, origin: Origin) -> LoginRequest | AnswerRequest | Declined:
    """What an Access-Request asks: to begin, or, where it brings State, to go on.

    An empty password is the service's to judge, some nodes send it to ask for a code. One with a NUL inside, or not in
    the node's character set, never gets there.
    """
    readable = _readable_name(packet, node)
    protocol = _other_protocol(packet)
    if protocol:
        return Declined(Reason.PASSWORD_PROTOCOL, Complaint.NOT_PAP, readable, protocol, "PAP required")
    try:
        name = packet.single(Attribute.USER_NAME)
        hidden = packet.single(Attribute.USER_PASSWORD)
        state = packet.single(Attribute.STATE)
        if hidden is None:
            return _incomplete(readable, "no User-Password")
        octets = reveal(hidden, node.secret, packet.authenticator)
    except MalformedPacket as error:
        return _incomplete(readable, str(error))
    user = _text(name or b"", node)
    password = _text(octets, node)
    if user is None or password is None:
        complaint = Complaint.UNREADABLE_PROVEN if proof is Proof.VALID else Complaint.UNREADABLE
        return Declined(Reason.REQUEST_UNREADABLE, complaint, readable)
    if state is not None:
        # a State that is not ASCII is not ours; as what it becomes here, the service finds no challenge for it
        return AnswerRequest(origin, Secret(state.decode("ascii", "replace")), Secret(password), user or None)
    if not user:
        return _incomplete("", "no User-Name")
    return LoginRequest(origin, user, Secret(password))


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


def say(outcome: Outcome, node: NodeDoor) -> tuple[Code, tuple[Pair, ...]]:
    """The response's code and attributes, in order.

    Raises:
        Fault: an Accepted brings a reply attribute that cannot be sent.
    """
    match outcome:
        case Accepted():
            return Code.ACCESS_ACCEPT, tuple(reply_attribute(reply) for reply in outcome.reply_attributes)
        case Challenged():
            return Code.ACCESS_CHALLENGE, (
                (Attribute.STATE, outcome.state.octets),
                *_reply_message(outcome.message, node),
                (Attribute.PROMPT, _NO_ECHO),
                (Attribute.SESSION_TIMEOUT, integer(outcome.expires_in)),
            )
        case Refused():
            return Code.ACCESS_REJECT, _reply_message(outcome.message, node)
        case _:
            assert_never(outcome)


def _reply_message(message: str, node: NodeDoor) -> tuple[Pair, ...]:
    # clients show it as it is, so it is one line
    line = message if message.isprintable() else "".join(c if c.isprintable() else " " for c in message)
    octets = prose(_ascii(line) if node.ascii_prompts else line)
    return ((Attribute.REPLY_MESSAGE, octets),) if octets else ()


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


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


def _other_protocol(packet: Packet) -> str:
    numbers = {number for number, _ in packet.attributes}
    if Attribute.EAP_MESSAGE in numbers:
        return "EAP"
    if Attribute.CHAP_PASSWORD in numbers:
        return "CHAP"
    if any(map(_is_ms_chap, packet.values(Attribute.VENDOR_SPECIFIC))):
        return "MS-CHAP"
    return ""


def _is_ms_chap(vendors: bytes) -> bool:
    return vendors[:4] == _MICROSOFT and vendors[4:5] in _MS_CHAP


_SERVED = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
_NO_ECHO = integer(0)  # RFC 2869 section 5.10
_MICROSOFT = (311).to_bytes(4, "big")
_MS_CHAP = frozenset({b"\x01", b"\x0b", b"\x19"})  # RFC 2548 section 2: MS-CHAP-Response, -Challenge, MS-CHAP2-Response
# what Unicode's own decomposition leaves out: quotation marks, dashes, sharp s
_PLAIN = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"', 0x2013: "-", 0x2014: "-", 0xDF: "ss"}
