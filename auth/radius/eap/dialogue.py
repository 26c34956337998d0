"""Between EAP packets and the service's words, both ways: what a peer says, and how it is told an outcome."""

from dataclasses import dataclass
from typing import assert_never

from auth.radius.attributes import Attribute, Pair, integer, reply_attribute
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message
from auth.radius.eap.state import first_state, is_first_state, next_state, service_state
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, Packet
from auth.radius.wording import line
from auth.request import Accepted, Challenged, Outcome, Refused
from schema.secret import Secret

_PATIENCE_SECONDS = 120
_IDENTIFIERS = 256
_NOTHING = b"?"  # RFC 3748 section 5.6: never no octets


@dataclass(frozen=True, slots=True)
class Posed:
    """The door's own next question, for which the service need not be asked.

    Attributes:
        attributes: of the Access-Challenge that asks it.
    """

    attributes: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person typed where the EAP dialogue asked.

    Attributes:
        octets: in whatever character set the client uses.
        state: of the service's challenge that is answered; None where a login begins.
    """

    octets: bytes = b""
    state: Secret | None = None

    def __repr__(self) -> str:
        return "<typed>"


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The peer wants another EAP method than GTC.

    Attributes:
        wanted: the numbers of those that it names.
    """

    wanted: str


@dataclass(frozen=True, slots=True)
class OutOfTurn:
    """The peer says what nobody has asked for."""


Heard = Posed | Typed | WrongMethod | OutOfTurn


def hear(
    eap: EapPacket, packet: Packet, state: bytes | None, node: NodeDoor
) -> Posed | Typed | WrongMethod | OutOfTurn:
    """What an EAP packet says at its place in the dialogue: name, then GTC as often as there is something to ask.

    Args:
        eap: the packet.
        packet: the Access-Request that it came in.
        state: its State.
        node: the access node.
    """
    name = b"".join(packet.values(Attribute.USER_NAME))
    if eap is EapPacket.START:
        return _posed(EapType.IDENTITY, b"", packet, eap, node, name)
    if eap.code is not EapCode.RESPONSE:
        return OutOfTurn()
    ours = state is not None and is_first_state(state, node, name, eap.identifier)
    match eap.type:
        case EapType.IDENTITY:
            return _posed(EapType.GTC, line(node.eap_prompt, node), packet, eap, node, name)
        case EapType.NAK if ours and EapType.GTC in eap.data:
            return _posed(EapType.GTC, line(node.eap_prompt, node), packet, eap, node, name)
        case EapType.GTC if ours:
            return Typed(eap.data)
        case EapType.GTC:
            inner = None if state is None else service_state(state, eap.identifier)
            return OutOfTurn() if inner is None else Typed(eap.data, inner)
        case EapType.NAK if ours:
            return WrongMethod(", ".join(map(str, eap.data)))
        case _:
            return OutOfTurn()


def tell(outcome: Outcome, eap: EapPacket, node: NodeDoor) -> tuple[Code, tuple[Pair, ...]]:
    """The response's code and attributes, in order: as by PAP, but what a person reads is in the EAP packet.

    Reply-Message may not stand beside EAP-Message, and Success and Failure not in an Access-Challenge (RFC 3579
    sections 2.6.5 and 2.6.3).

    Raises:
        Fault: an Accepted brings a reply attribute that cannot be sent.
    """
    match outcome:
        case Accepted():
            replies = (*outcome.passed_back, *map(reply_attribute, outcome.reply_attributes))
            kept = tuple(pair for pair in replies if pair[0] != Attribute.REPLY_MESSAGE)
            return Code.ACCESS_ACCEPT, (*kept, *eap_message(EapPacket(EapCode.SUCCESS, eap.identifier)))
        case Challenged():
            request = EapPacket(EapCode.REQUEST, _next(eap), EapType.GTC, line(outcome.message, node) or _NOTHING)
            return Code.ACCESS_CHALLENGE, (
                (Attribute.STATE, next_state(outcome.state, request.identifier)),
                *eap_message(request),
                (Attribute.SESSION_TIMEOUT, integer(outcome.expires_in)),
            )
        case Refused() if eap.code is EapCode.REQUEST:
            # the peer would authenticate us, which we do not offer (RFC 3579 section 2.6.1)
            return Code.ACCESS_REJECT, eap_message(EapPacket(EapCode.RESPONSE, eap.identifier, EapType.NAK, b"\0"))
        case Refused():
            return Code.ACCESS_REJECT, eap_message(EapPacket(EapCode.FAILURE, eap.identifier))
        case _:
            assert_never(outcome)


def _posed(kind: EapType, words: bytes, packet: Packet, eap: EapPacket, node: NodeDoor, name: bytes) -> Posed:
    request = EapPacket(EapCode.REQUEST, _next(eap), kind, words)
    state = first_state(node, name, request.identifier, packet.authenticator)
    return Posed(
        (
            (Attribute.STATE, state),
            *eap_message(request),
            # for how long the client may wait for the person (RFC 3579 section 2.3)
            (Attribute.SESSION_TIMEOUT, integer(_PATIENCE_SECONDS)),
        )
    )


def _next(eap: EapPacket) -> int:
    return (eap.identifier + 1) % _IDENTIFIERS
