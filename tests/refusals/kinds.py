"""Somebody for each kind of refusal, and the request that meets with it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from auth.radius.attributes import Attribute
from auth.radius.packet import Code, Packet, encode_request, hide
from clients.house import SECRET, House, address_of
from rig.datagram import ACCESS_ACCEPT, ACCESS_CHALLENGE, attributes_of, exchange
from scenarios.company import Entry, password_of, person, phone, policy, policy_dn, texted

NODE = "strict"
UNLIMITED = """
[spend]
per_user_hour = 0
per_user_day = 0
per_number_day = 0
per_prefix_day = 0
per_day = 0
alarm_after = 1000000
"""
"""What config.ini must have: each wrong code takes a text."""
MOST = 2_000
"""Wrong codes that there may be in all: each typist gets a hundred texts in 15 minutes."""
_TYPISTS = MOST // 100
_STATE = 24


def entries() -> list[Entry]:
    """The people, and their policies."""
    # every wrong code ends its login, and a thousand lock
    patient = policy(
        "patient",
        dirfactorCodesPerWindow="100",
        dirfactorCodeAttempts="1",
        dirfactorLogonAttempts="10",
        dirfactorViolationLimit="100",
    )
    hasty = policy("hasty", dirfactorCodeAttempts="1", dirfactorLogonAttempts="1", dirfactorViolationLimit="1")
    typists = [texted(f"typist{at}", 200 + at, dirfactorPolicy=policy_dn("patient")) for at in range(_TYPISTS)]
    locked = texted("locked", 300, dirfactorPolicy=policy_dn("hasty"))
    disabled = texted("disabled", 301, userAccountControl="514")
    return [
        patient,
        hasty,
        *typists,
        locked,
        disabled,
        texted("forgetful", 302),
        person("tokenless", mobile=phone(303)),
    ]


@dataclass
class Refusals:
    """Makes a request of each kind, as often as it is wanted.

    Attributes:
        house: with these `entries` and `UNLIMITED`.
    """

    house: House
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _typists: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(_TYPISTS)))

    def lock(self) -> None:
        """Has `locked` type a wrong code, which is one too many."""
        reply = self.ask(self._wrong_code("locked", 300))
        assert reply[0] not in (ACCESS_ACCEPT, ACCESS_CHALLENGE)

    def kinds(self) -> dict[str, Callable[[], bytes]]:
        """What makes the request that is refused, by the audit's reason for it."""
        return {
            "user-unknown": lambda: self._request("nobody", password_of("nobody")),
            "password-wrong": lambda: self._request("forgetful", "Teapot"),
            "no-token": lambda: self._request("tokenless", password_of("tokenless")),
            "account-disabled": lambda: self._request("disabled", password_of("disabled")),
            "violations-locked": lambda: self._request("locked", password_of("locked")),
            "attempts-exhausted": self._next_wrong_code,
        }

    def ask(self, request: bytes) -> bytes:
        reply = exchange(request, self.house.radius_port, address_of(NODE))
        assert reply is not None
        return reply

    def _next_wrong_code(self) -> bytes:
        at = next(self._typists)
        return self._wrong_code(f"typist{at}", 200 + at)

    def _wrong_code(self, uid: str, number: int) -> bytes:
        code, state = self._challenged(uid, number)
        return self._request(uid, f"{(int(code) + 1) % 10**6:06}", state)

    def _challenged(self, uid: str, number: int) -> tuple[str, bytes]:
        """The code that was texted, and the State that it belongs to."""
        earlier = len(self.house.gateway.texts_to(phone(number)))
        challenge = self.ask(self._request(uid, password_of(uid)))
        assert challenge[0] == ACCESS_CHALLENGE
        state = next(value for attribute, value in attributes_of(challenge) or () if attribute == _STATE)
        return self.house.gateway.wait_for_text(phone(number), earlier=earlier).code, state

    def _request(self, uid: str, typed: str, state: bytes = b"") -> bytes:
        number = next(self._numbers)
        authenticator = number.to_bytes(16, "big")
        attributes = [
            (Attribute.USER_NAME, uid.encode()),
            (Attribute.USER_PASSWORD, hide(typed.encode(), SECRET.encode(), authenticator)),
            # so that it joins no other login
            (Attribute.CALLING_STATION_ID, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}".encode()),
        ]
        attributes += [(Attribute.STATE, state)] if state else []
        packet = Packet(Code.ACCESS_REQUEST, number % 256, authenticator, tuple(attributes))
        return encode_request(packet, SECRET.encode())
