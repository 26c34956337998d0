"""The response to an Access-Request as octets, and what of it had to be left out."""

from dataclasses import dataclass

from msgspec.structs import replace

from auth.radius.attributes import reply_attribute
from auth.radius.dialogue import say
from auth.radius.node import NodeDoor
from auth.radius.packet import LONGEST_PACKET, Packet, PacketTooLong
from auth.request import Accepted, Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """A response.

    Attributes:
        octets: to be sent.
        left_out: names of the reply attributes for which there was no room, in order.
    """

    octets: bytes
    left_out: tuple[str, ...] = ()


def reply_to(outcome: Outcome, request: Packet, node: NodeDoor) -> Reply:
    """The response that tells an outcome, to a request to which there is no `objection`.

    A packet has at most 4096 octets (RFC 2865 section 3). Of an accept that would have more the last reply attributes
    are left out, each as a whole: their order is fixed, so the same ones are missing every time.

    Raises:
        Fault: an Accepted brings a reply attribute that cannot be sent, or Proxy-State of the request leaves no room.
    """
    try:
        return Reply(_octets(outcome, request, node))
    except PacketTooLong:
        if not isinstance(outcome, Accepted):
            raise
        return _shortened(outcome, request, node)


def _shortened(outcome: Accepted, request: Packet, node: NodeDoor) -> Reply:
    room = LONGEST_PACKET - len(_octets(replace(outcome, reply_attributes=()), request, node))
    kept = 0
    for reply in outcome.reply_attributes:
        _, value = reply_attribute(reply)
        room -= 2 + len(value)
        if room < 0:
            break
        kept += 1
    fits = replace(outcome, reply_attributes=tuple(outcome.reply_attributes)[:kept])
    return Reply(_octets(fits, request, node), tuple(reply.name for reply in outcome.reply_attributes[kept:]))


def _octets(outcome: Outcome, request: Packet, node: NodeDoor) -> bytes:
    code, attributes = say(outcome, request, node)
    return request.version.response(code, request, attributes, node.secret)
