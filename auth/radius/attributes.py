"""RADIUS attributes: their numbers, by the RFC that defines them, and the octets of those that a policy may return."""

import ipaddress
import re
from collections.abc import Callable
from enum import IntEnum

from auth.request import ReplyAttribute
from schema.errors import Fault

LONGEST_VALUE = 253
"""Octets that fit into one attribute (RFC 2865 section 5)."""

Pair = tuple[int, bytes]
"""One attribute: its number, and the octets of its value."""


class Attribute(IntEnum):
    """The attributes that we read, send or allow a policy to return."""

    # RFC 2865
    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    NAS_PORT = 5
    SERVICE_TYPE = 6
    FRAMED_PROTOCOL = 7
    FRAMED_IP_ADDRESS = 8
    FRAMED_IP_NETMASK = 9
    FRAMED_ROUTING = 10
    FILTER_ID = 11
    FRAMED_MTU = 12
    FRAMED_COMPRESSION = 13
    LOGIN_IP_HOST = 14
    LOGIN_SERVICE = 15
    LOGIN_TCP_PORT = 16
    REPLY_MESSAGE = 18
    CALLBACK_NUMBER = 19
    CALLBACK_ID = 20
    FRAMED_ROUTE = 22
    STATE = 24
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    IDLE_TIMEOUT = 28
    TERMINATION_ACTION = 29
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    PORT_LIMIT = 62
    # RFC 2866
    ACCT_SESSION_ID = 44
    # RFC 2868
    TUNNEL_TYPE = 64
    TUNNEL_MEDIUM_TYPE = 65
    TUNNEL_PRIVATE_GROUP_ID = 81
    # RFC 2869
    PROMPT = 76
    ACCT_INTERIM_INTERVAL = 85
    FRAMED_POOL = 88
    # RFC 3579
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80


def integer(value: int) -> bytes:
    """An unsigned number in four octets; one that does not fit becomes the nearest that does (RFC 2865 section 5)."""
    return min(max(value, 0), 0xFFFFFFFF).to_bytes(4, "big")


def prose(text: str) -> bytes:
    """Text for a person as UTF-8, cut before the character that would pass 253 octets (RFC 2865 section 5.18)."""
    return text.encode("utf-8", "replace")[:LONGEST_VALUE].decode("utf-8", "ignore").encode()


def reply_attribute(reply: ReplyAttribute) -> Pair:
    """The attribute that `reply` names, ready to be sent in an Access-Accept.

    Names are those of the RFCs, in any case; a vendor's attribute is `Vendor-Specific.12356.1`: the vendor's number and
    its attribute's (RFC 2865 section 5.26). Numbers are whole and unsigned, addresses are IPv4, Class and vendors'
    values are text or, as `0x0A1B`, octets.

    Raises:
        Fault: no policy may return such an attribute, or not with this value. What is too long is refused and not cut,
            because a cut group name may be another group's.
    """
    name = reply.name.strip().lower()
    vendors = _VENDORS_NAME.fullmatch(name)
    try:
        if vendors:
            return Attribute.VENDOR_SPECIFIC, _vendor_specific(int(vendors[1]), int(vendors[2]), reply.value)
        if name in _RETURNABLE:
            number, octets_of = _RETURNABLE[name]
            return number, _fitting(octets_of(reply.value), LONGEST_VALUE)
    except ValueError as error:
        raise Fault(
            f"reply attribute {reply.name}={reply.value!r}: {error}", remedy="change dirfactorReplyAttribute"
        ) from error
    raise Fault(
        f"unknown reply attribute {reply.name!r}",
        remedy=f"use one of {', '.join(_RETURNABLE_NAMES)}, or Vendor-Specific.VENDOR.TYPE with numbers",
    )


def _vendor_specific(vendor: int, number: int, text: str) -> bytes:
    if not (1 <= vendor <= _LAST_VENDOR and 1 <= number <= _LAST_NUMBER):
        raise ValueError(f"vendors are numbered 1 to {_LAST_VENDOR}, their attributes 1 to {_LAST_NUMBER}")
    value = _fitting(_octets(text), LONGEST_VALUE - _VENDOR_HEADER)
    return vendor.to_bytes(4, "big") + bytes((number, len(value) + 2)) + value


def _fitting(value: bytes, room: int) -> bytes:
    if not value:
        raise ValueError("the value is empty")
    if len(value) > room:
        raise ValueError(f"{len(value)} octets, at most {room} fit")
    return value


def _text(text: str) -> bytes:
    return text.encode()


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if _HEXADECIMAL.fullmatch(text) else text.encode()


def _whole_number(text: str) -> bytes:
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > _LAST_INTEGER:
        raise ValueError(f"expected a whole number from 0 to {_LAST_INTEGER}")
    return integer(int(text))


def _address(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


_LAST_INTEGER = 0xFFFFFFFF
_LAST_VENDOR = 0xFFFFFF  # RFC 2865 section 5.26: the high octet is 0
_LAST_NUMBER = 255
_VENDOR_HEADER = 6  # vendor, its attribute's number and length
_VENDORS_NAME = re.compile(r"vendor-specific\.([0-9]{1,8})\.([0-9]{1,3})")
_HEXADECIMAL = re.compile("0x(?:[0-9A-Fa-f]{2})+")

_KINDS: tuple[tuple[Callable[[str], bytes], tuple[str, ...]], ...] = (
    (prose, ("Reply-Message",)),
    (_octets, ("Class",)),
    (_address, ("Framed-IP-Address", "Framed-IP-Netmask", "Login-IP-Host")),
    (
        _text,
        ("Filter-Id", "Callback-Number", "Callback-Id", "Framed-Route", "Framed-Pool", "Tunnel-Private-Group-Id"),
    ),
    (
        _whole_number,
        (
            *("Service-Type", "Framed-Protocol", "Framed-Routing", "Framed-MTU", "Framed-Compression"),
            *("Login-Service", "Login-TCP-Port", "Session-Timeout", "Idle-Timeout", "Termination-Action"),
            *("Port-Limit", "Acct-Interim-Interval", "Tunnel-Type", "Tunnel-Medium-Type"),
        ),
    ),
)
_RETURNABLE = {
    name.lower(): (Attribute[name.upper().replace("-", "_")], kind) for kind, names in _KINDS for name in names
}
_RETURNABLE_NAMES = sorted(name for _, names in _KINDS for name in names)
