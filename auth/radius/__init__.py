"""The RADIUS door: packets, access nodes as the door sees them, its transports, and a client for the demo."""

from auth.radius.attributes import Attribute, reply_attribute
from auth.radius.client import RadiusTarget, ask
from auth.radius.door import RadiusDoor
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, MalformedPacket, Packet, UnverifiedResponse
from auth.radius.udp import Lookup, UdpListener, listen

__all__ = [
    "Attribute",
    "Code",
    "Lookup",
    "MalformedPacket",
    "NodeDoor",
    "Packet",
    "RadiusDoor",
    "RadiusTarget",
    "UdpListener",
    "UnverifiedResponse",
    "ask",
    "listen",
    "reply_attribute",
]
