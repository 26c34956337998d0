"""Attempts at either door, by a connection of their own."""

import http.client
import itertools
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet, encode_request, hide
from clients.house import API_KEY, SECRET, House, address_of
from rig.datagram import ACCESS_CHALLENGE, ACCESS_REJECT, attributes_of
from rig.ports import LOOPBACK

NODE = "strict"
_STATE = 24


@dataclass(frozen=True)
class Attempt:
    """Somebody types something; with a State it is the answer to a challenge."""

    user: str
    typed: str
    state: str = ""


@dataclass(frozen=True)
class Heard:
    """What was said to it.

    Attributes:
        outcome: refused, challenged, or something else.
        state: of a challenge.
        octets: of the whole answer, without what is of this one exchange: identifier, proofs, correlation, date.
    """

    outcome: str
    state: str
    octets: bytes


class Line(Protocol):
    """Carries one attempt at a time."""

    def say(self, attempt: Attempt) -> None: ...

    def hear(self) -> Heard: ...

    def close(self) -> None: ...


class RadiusLine:
    """A port of a RADIUS client."""

    _numbers: Iterator[int] = itertools.count()

    def __init__(self, house: House) -> None:
        self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client.bind((address_of(NODE), 0))
        self._client.connect((LOOPBACK, house.radius_port))
        self._client.settimeout(5.0)

    def say(self, attempt: Attempt) -> None:
        number = next(self._numbers)
        authenticator = number.to_bytes(16, "big")
        attributes = [
            (Attribute.USER_NAME, attempt.user.encode()),
            (Attribute.USER_PASSWORD, hide(attempt.typed.encode(), SECRET.encode(), authenticator)),
            # so that it joins no other login
            (Attribute.CALLING_STATION_ID, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}".encode()),
        ]
        attributes += [(Attribute.STATE, attempt.state.encode())] if attempt.state else []
        packet = Packet(Code.ACCESS_REQUEST, number % 256, authenticator, tuple(attributes))
        self._client.send(encode_request(packet, SECRET.encode()))

    def hear(self) -> Heard:
        reply = self._client.recv(4096)
        pairs = attributes_of(reply) or []
        outcome = {ACCESS_CHALLENGE: "challenged", ACCESS_REJECT: "refused"}.get(reply[0], "other")
        state = next((value.decode() for number, value in pairs if number == _STATE), "")
        return Heard(outcome, state, reply[:1] + reply[2:4] + reply[20:22] + reply[38:])

    def close(self) -> None:
        self._client.close()


@dataclass
class HttpLine:
    """A connection that is kept."""

    house: House
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, self.house.http_port, timeout=5.0)

    def say(self, attempt: Attempt) -> None:
        answer = {"passcode": attempt.typed, "state": attempt.state} if attempt.state else {"password": attempt.typed}
        headers = {"Authorization": f"Bearer {API_KEY.text}", "Content-Type": "application/json"}
        self._connection.request("POST", "/v1/authenticate", json.dumps({"user": attempt.user, **answer}), headers)

    def hear(self) -> Heard:
        response = self._connection.getresponse()
        body = response.read()
        said = json.loads(body)
        headers = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() != "date"]
        octets = "\n".join((str(response.status), *headers)).encode() + body.replace(said["correlation"].encode(), b"")
        return Heard(said["outcome"], said.get("state", ""), octets)

    def close(self) -> None:
        self._connection.close()


LINES: dict[str, type[RadiusLine] | type[HttpLine]] = {"radius": RadiusLine, "http": HttpLine}
