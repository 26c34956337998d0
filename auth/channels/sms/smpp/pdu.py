"""The protocol data units of SMPP 3.4 that a client needs: octets to values and back. No I/O.

Sections are those of the Short Message Peer to Peer Protocol Specification v3.4, issue 1.2.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from schema.secret import Secret

_HEADER = struct.Struct(">IIII")
_RESPONSE: Final = 0x80000000
_LARGEST: Final = 70_000  # a message_payload has at most 64 KiB
_VERSION: Final = 0x34
_LARGEST_SHORT_MESSAGE: Final = 254  # section 5.2.21
_MESSAGE_ID: Final = re.compile(rb"([!-~]{1,65})(?:\0|\Z)")  # section 5.2.23; audit and terminal are shown it


class Command(IntEnum):
    """Section 5.1.2.1."""

    GENERIC_NACK = 0x80000000
    BIND_TRANSCEIVER = 0x00000009
    UNBIND = 0x00000006
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    ENQUIRE_LINK = 0x00000015


class Tag(IntEnum):
    """Optional parameters, section 5.3.2."""

    RECEIPTED_MESSAGE_ID = 0x001E
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    NETWORK_ERROR_CODE = 0x0423


class MalformedPdu(Exception):
    """What came is no SMPP; the connection cannot be used any longer."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit; its body holds numbers, codes and credentials, so it is never shown.

    Attributes:
        command: `Command`, with the highest bit set in responses; may be one that we don't know.
        status: 0 is success, section 5.1.3.
        sequence: by which a response is found again.
        body: everything after the header.
    """

    command: int
    status: int
    sequence: int
    body: bytes = field(default=b"", repr=False)

    @property
    def is_response(self) -> bool:
        """Whether it answers a unit of the other side."""
        return bool(self.command & _RESPONSE)

    def response(self, status: int = 0, body: bytes = b"") -> "Pdu":
        """What answers it."""
        return Pdu(self.command | _RESPONSE, status, self.sequence, body)

    def encode(self) -> bytes:
        """Section 3.2."""
        return _HEADER.pack(_HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


class Decoder:
    """Cuts a stream into units."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> Iterator[Pdu]:
        """The units that are whole now.

        Raises:
            MalformedPdu: a length that no unit has.
        """
        self._octets += octets
        while len(self._octets) >= _HEADER.size:
            length, command, status, sequence = _HEADER.unpack_from(self._octets)
            if not _HEADER.size <= length <= _LARGEST:
                raise MalformedPdu
            if len(self._octets) < length:
                return
            body = bytes(self._octets[_HEADER.size : length])
            del self._octets[:length]
            yield Pdu(command, status, sequence, body)


@dataclass(frozen=True, slots=True)
class Address:
    """A sender or receiver, sections 5.2.5 to 5.2.9: type of number, numbering plan, and the number or name."""

    ton: int
    npi: int
    digits: str = field(repr=False)

    def encode(self) -> bytes:
        """Both octets and the C-octet string. Raises ValueError for what has no such form."""
        return bytes((self.ton, self.npi)) + c_string(self.digits)


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of a submit_sm, section 4.4.1.

    Attributes:
        service_type: may be empty.
        source: who it comes from.
        destination: whom it goes to.
        esm_class: 0x40 when the message begins with a user data header.
        registered_delivery: 1 asks for a delivery receipt.
        data_coding: alphabet of the message.
        message: its octets.
        in_payload: whether they travel in message_payload.
    """

    service_type: str
    source: Address
    destination: Address
    esm_class: int
    registered_delivery: int
    data_coding: int
    message: bytes = field(repr=False)
    in_payload: bool = False

    def encode(self) -> bytes:
        """The body. Raises ValueError for what does not fit."""
        short = b"" if self.in_payload else self.message
        if len(short) > _LARGEST_SHORT_MESSAGE:
            msg = "the message does not fit into short_message"
            raise ValueError(msg)
        body = c_string(self.service_type) + self.source.encode() + self.destination.encode()
        # protocol_id, priority_flag, schedule_delivery_time, validity_period; then replace and sm_default_msg_id
        body += bytes((self.esm_class, 0, 0, 0, 0, self.registered_delivery, 0, self.data_coding, 0))
        body += bytes((len(short),)) + short
        if self.in_payload:
            body += struct.pack(">HH", Tag.MESSAGE_PAYLOAD, len(self.message)) + self.message
        return body


@dataclass(frozen=True, slots=True)
class Delivery:
    """The body of a deliver_sm, section 4.6.1, as far as receipts need it."""

    esm_class: int
    message: bytes = field(repr=False)
    options: Mapping[int, bytes] = field(repr=False)


def bind_body(system_id: str, password: Secret, system_type: str) -> bytes:
    """The body of a bind_transceiver, section 4.1.5. Raises ValueError for what is no ASCII."""
    names = c_string(system_id) + c_string(password.text) + c_string(system_type)
    return names + bytes((_VERSION, 0, 0, 0))  # any addr_ton, addr_npi, and an empty address_range


def read_message_id(body: bytes) -> str:
    """The message_id of a submit_sm_resp, section 4.4.2; empty when it gives none, or one that cannot be shown."""
    found = _MESSAGE_ID.match(body)
    return found[1].decode("ascii") if found else ""


def read_delivery(body: bytes) -> Delivery:
    """The body of a deliver_sm.

    Raises:
        MalformedPdu: it is none.
    """
    try:
        _, rest = _take_string(body)
        for _ in ("source", "destination"):
            _, rest = _take_string(rest[2:])
        esm_class, rest = rest[0], rest[3:]
        for _ in ("schedule_delivery_time", "validity_period"):
            _, rest = _take_string(rest)
        length, rest = rest[4], rest[5:]
        if length > len(rest):
            raise MalformedPdu
        options = _options(rest[length:])
    except (IndexError, struct.error):
        raise MalformedPdu from None
    return Delivery(esm_class, rest[:length] or options.get(Tag.MESSAGE_PAYLOAD, b""), options)


def c_string(text: str) -> bytes:
    """A C-octet string, section 3.1. Raises ValueError for what is not printable ASCII."""
    if not text.isascii() or not (text.isprintable() or not text):
        msg = "not printable ASCII"
        raise ValueError(msg)
    return text.encode("ascii") + b"\0"


def _take_string(octets: bytes) -> tuple[bytes, bytes]:
    text, end, rest = octets.partition(b"\0")
    if not end:
        raise MalformedPdu
    return text, rest


def _options(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    begin = 0
    while begin < len(octets):
        tag, length = struct.unpack_from(">HH", octets, begin)
        begin, end = begin + 4, begin + 4 + length
        if len(octets) < end:
            raise MalformedPdu
        found[tag], begin = octets[begin:end], end
    return found
