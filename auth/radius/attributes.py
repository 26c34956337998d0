"""RADIUS attributes: their numbers, by the RFC that defines them, and the octets of those that a policy may return."""

from enum import IntEnum

from auth.request import ReplyAttribute
from schema import reply as returnable
from schema.errors import Fault
from schema.reply import NUMBERS, UnknownReplyAttributeError

LONGEST_VALUE = returnable.LONGEST_VALUE
"""Octets that fit into one attribute (RFC 2865 section 5)."""

Pair = tuple[int, bytes]
"""One attribute: its number, and the octets of its value."""


class Attribute(IntEnum):
    """The attributes that we read, send or name; `schema.reply` has all those that a policy may return."""

    # RFC 2865
    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    NAS_PORT = 5
    SERVICE_TYPE = NUMBERS["Service-Type"]
    FILTER_ID = NUMBERS["Filter-Id"]
    LOGIN_IP_HOST = NUMBERS["Login-IP-Host"]
    LOGIN_SERVICE = NUMBERS["Login-Service"]
    REPLY_MESSAGE = NUMBERS["Reply-Message"]
    STATE = 24
    CLASS = NUMBERS["Class"]
    VENDOR_SPECIFIC = returnable.VENDOR_SPECIFIC
    SESSION_TIMEOUT = NUMBERS["Session-Timeout"]
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    CHAP_CHALLENGE = 60
    # RFC 2866
    ACCT_SESSION_ID = 44
    # RFC 2869
    PROMPT = 76
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
    """The attribute that `reply` names, ready to be sent in an Access-Accept; names and values as in `schema.reply`.

    Raises:
        Fault: no policy may return such an attribute, or not with this value.
    """
    try:
        return returnable.encode(reply.name, reply.value)
    except UnknownReplyAttributeError as error:
        raise Fault(
            str(error), remedy=f"use one of {', '.join(sorted(NUMBERS))}, or Vendor-Specific.VENDOR.TYPE with numbers"
        ) from error
    except ValueError as error:
        raise Fault(
            f"reply attribute {reply.name}={reply.value!r}: {error}", remedy="change dirfactorReplyAttribute"
        ) from error
