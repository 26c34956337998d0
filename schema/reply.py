"""The RADIUS attributes that a policy may return: their names, numbers and kinds, and the octets of their values."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_VALUE = 253
"""Octets that fit into one attribute (RFC 2865 section 5)."""

VENDOR_SPECIFIC = 26
"""The number of the attribute that carries a vendor's own (RFC 2865 section 5.26)."""

_LAST_INTEGER = 0xFFFFFFFF
_LAST_VENDOR = 0xFFFFFF  # RFC 2865 section 5.26: the high octet is 0
_LAST_NUMBER = 255
_VENDOR_HEADER = 6  # vendor, its attribute's number and length
_VENDORS_NAME = re.compile(r"vendor-specific\.([0-9]{1,8})\.([0-9]{1,3})")
_NUMBER = re.compile("[0-9]{1,10}")
_HEXADECIMAL = re.compile("0x(?:[0-9A-Fa-f]{2})+")


class UnknownReplyAttributeError(ValueError):
    """No policy may return an attribute of this name."""


def encode(name: str, value: str) -> tuple[int, bytes]:
    """The number of an attribute and the 1 to 253 octets of its value.

    Names are those of the RFCs, in any case; a vendor's attribute is `Vendor-Specific.12356.1`: the vendor's number and
    its attribute's (RFC 2865 section 5.26). Numbers are whole and unsigned, addresses are IPv4, Class and vendors'
    values are text or, as `0x0A1B`, octets.

    Raises:
        UnknownReplyAttributeError: no policy may return such an attribute.
        ValueError: not with this value. What is too long is refused and not cut, because a cut group name may be
            another group's.
    """
    folded = name.strip().lower()
    vendors = _VENDORS_NAME.fullmatch(folded)
    if vendors:
        return VENDOR_SPECIFIC, _vendor_specific(int(vendors[1]), int(vendors[2]), value)
    if folded not in _BY_NAME:
        msg = f"unknown reply attribute {name!r}"
        raise UnknownReplyAttributeError(msg)
    number, kind = _BY_NAME[folded]
    return number, _fitting(kind.octets_of(value), LONGEST_VALUE)


def _vendor_specific(vendor: int, number: int, text: str) -> bytes:
    if not (1 <= vendor <= _LAST_VENDOR and 1 <= number <= _LAST_NUMBER):
        msg = f"vendors are numbered 1 to {_LAST_VENDOR}, their attributes 1 to {_LAST_NUMBER}"
        raise ValueError(msg)
    value = _fitting(_octets(text), LONGEST_VALUE - _VENDOR_HEADER)
    return vendor.to_bytes(4, "big") + bytes((number, len(value) + 2)) + value


def _fitting(value: bytes, room: int) -> bytes:
    if not value:
        msg = "the value is empty"
        raise ValueError(msg)
    if len(value) > room:
        msg = f"{len(value)} octets, at most {room} fit"
        raise ValueError(msg)
    return value


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if _HEXADECIMAL.fullmatch(text) else text.encode()


def _whole_number(text: str) -> bytes:
    if not _NUMBER.fullmatch(text) or int(text) > _LAST_INTEGER:
        msg = f"expected a whole number from 0 to {_LAST_INTEGER}"
        raise ValueError(msg)
    return int(text).to_bytes(4, "big")


def _address(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the values of some attributes are written.

    Attributes:
        accepts: what a value may be, as a phrase.
        octets_of: text -> octets of any length; raises ValueError for text that is no such value.
        numbers: the attributes of this kind, by name.
    """

    accepts: str
    octets_of: Callable[[str], bytes]
    numbers: Mapping[str, int]


_KINDS = (
    _Kind(
        f"text of at most {LONGEST_VALUE} octets",
        str.encode,
        {
            # RFC 2865
            "Filter-Id": 11,
            "Reply-Message": 18,
            "Callback-Number": 19,
            "Callback-Id": 20,
            "Framed-Route": 22,
            # RFC 2868
            "Tunnel-Private-Group-Id": 81,
            # RFC 2869
            "Framed-Pool": 88,
        },
    ),
    _Kind("text or octets such as 0x0A1B", _octets, {"Class": 25}),  # RFC 2865
    _Kind(
        "an IPv4 address",
        _address,
        {
            # RFC 2865
            "Framed-IP-Address": 8,
            "Framed-IP-Netmask": 9,
            "Login-IP-Host": 14,
        },
    ),
    _Kind(
        f"a whole number from 0 to {_LAST_INTEGER}",
        _whole_number,
        {
            # RFC 2865
            "Service-Type": 6,
            "Framed-Protocol": 7,
            "Framed-Routing": 10,
            "Framed-MTU": 12,
            "Framed-Compression": 13,
            "Login-Service": 15,
            "Login-TCP-Port": 16,
            "Session-Timeout": 27,
            "Idle-Timeout": 28,
            "Termination-Action": 29,
            "Port-Limit": 62,
            # RFC 2868
            "Tunnel-Type": 64,
            "Tunnel-Medium-Type": 65,
            # RFC 2869
            "Acct-Interim-Interval": 85,
        },
    ),
)
_BY_NAME = {name.lower(): (number, kind) for kind in _KINDS for name, number in kind.numbers.items()}

NUMBERS: Mapping[str, int] = {name: number for kind in _KINDS for name, number in kind.numbers.items()}
"""The numbers of the attributes that a policy may return, by their names in the RFCs; vendors' are not among them."""

EXPECTED = (
    "NAME=VALUE such as Filter-Id=vpn-staff: "
    + "; ".join(f"{kind.accepts} for {', '.join(sorted(kind.numbers))}" for kind in _KINDS)
    + f"; text or octets, at most {LONGEST_VALUE - _VENDOR_HEADER}, for Vendor-Specific.VENDOR.TYPE with numbers"
)
"""Which names and values `encode` accepts, as a phrase that follows "expected"."""
