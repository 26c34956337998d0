"""One bound session with an SMS centre, from the client's side. No I/O: octets in, octets and events out."""

from dataclasses import dataclass
from typing import Final

from auth.channels.sms.smpp.pdu import (
    Command,
    Decoder,
    Delivery,
    MalformedPdu,
    Pdu,
    Submission,
    bind_body,
    read_delivery,
)
from schema.secret import Secret

_INVALID_COMMAND: Final = 0x03  # ESME_RINVCMDID
_LAST_SEQUENCE: Final = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Answered:
    """The other side has answered one of our units."""

    sequence: int
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has handed us something: a receipt, or a person's text."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Ended:
    """The other side wants no more of us."""


Event = Answered | Delivered | Ended


class Session:
    """Numbers what we send, answers what we are asked, and says what has happened."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._sequence = 0

    def bind(self, system_id: str, password: Secret, system_type: str) -> Pdu:
        """The first unit of a connection."""
        return self._next(Command.BIND_TRANSCEIVER, bind_body(system_id, password, system_type))

    def submit(self, submission: Submission) -> Pdu:
        """A text, or a part of one."""
        return self._next(Command.SUBMIT_SM, submission.encode())

    def enquire(self) -> Pdu:
        """A question whether the other side is there."""
        return self._next(Command.ENQUIRE_LINK)

    def unbind(self) -> Pdu:
        """The last unit of a connection."""
        return self._next(Command.UNBIND)

    def receive(self, octets: bytes) -> tuple[list[Event], bytes]:
        """What has come, and what is to be sent back.

        Raises:
            MalformedPdu: it is no SMPP; nothing of this connection can be trusted any longer.
        """
        events: list[Event] = []
        answers = b""
        for pdu in self._decoder.feed(octets):
            event, answer = _taken(pdu)
            events += [event] if event else []
            answers += answer
        return events, answers

    def _next(self, command: Command, body: bytes = b"") -> Pdu:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1  # section 3.2
        return Pdu(command, 0, self._sequence, body)


def _taken(pdu: Pdu) -> tuple[Event | None, bytes]:
    """What a unit means, and what answers it."""
    if pdu.is_response:
        return Answered(pdu.sequence, pdu.status, pdu.body), b""
    match pdu.command:
        case Command.ENQUIRE_LINK:
            return None, pdu.response().encode()
        case Command.UNBIND:
            return Ended(), pdu.response().encode()
        case Command.DELIVER_SM:
            # taken whatever it is: the centre would offer it again and again; message_id is unused, section 4.6.2
            answer = pdu.response(body=b"\0").encode()
            try:
                return Delivered(read_delivery(pdu.body)), answer
            except MalformedPdu:
                return None, answer
        case _:
            return None, Pdu(Command.GENERIC_NACK, _INVALID_COMMAND, pdu.sequence).encode()
