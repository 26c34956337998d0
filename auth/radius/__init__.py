"""The RADIUS door: packets, access nodes as the door sees them, the UDP server, and a client for the demo."""

from auth.radius.attributes import Attribute, reply_attribute
from auth.radius.client import RadiusTarget, ask
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, UnverifiedResponse
from auth.radius.server import Lookup, RadiusServer, listen

__all__ = [
    "Attribute",
    "Code",
    "Lookup",
    "MalformedPacket",
    "NodeDoor",
    "Packet",
    "RadiusServer",
    "RadiusTarget",
    "UnverifiedResponse",
    "ask",
    "listen",
    "reply_attribute",
]
